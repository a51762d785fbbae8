//! The DNS records of a domain, and what they show: the providers of its email and its zone, and who may send email in
//! its name.
//!
//! The tables of providers are our own: they contain the host names of well-known providers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The records of a domain. Lists are sorted; a kind that is in `failures` is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DnsRecords {
    /// The domain: `a` and `aaaa` are its addresses.
    pub name: String,
    /// The registrable domain that the records are about.
    pub zone: String,
    /// IPv4 addresses.
    pub a: Vec<String>,
    /// IPv6 addresses.
    pub aaaa: Vec<String>,
    /// Name servers.
    pub ns: Vec<String>,
    /// Mail servers: preference and host; `0 .` says that there is none (RFC 7505).
    pub mx: Vec<String>,
    /// Texts.
    pub txt: Vec<String>,
    /// What `www.` of the domain is another name for.
    pub www_cname: Vec<String>,
    /// Who may issue certificates: tag and value.
    pub caa: Vec<String>,
    /// The texts of `_dmarc.`.
    pub dmarc: Vec<String>,
    /// The kinds that DNS did not answer, and why.
    pub failures: BTreeMap<String, String>,
}

/// A provider, and the record that shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Recognised {
    /// Its usual name.
    pub name: String,
    /// The evidence.
    pub evidence: String,
}

/// The domain's policy for mail in its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MailPolicy {
    /// SPF: `fail`, `softfail`, `neutral`, `pass`, `redirect`, or `invalid` if there are several records. DMARC: `none`,
    /// `quarantine`, `reject`, or `invalid`.
    pub policy: String,
    /// Whether all unauthenticated mail is to be refused or quarantined.
    pub is_strict: bool,
    /// The record.
    pub evidence: String,
}

impl DnsRecords {
    /// Whether the kind was answered, even if by nothing.
    pub fn knows(&self, kind: &str) -> bool {
        !self.failures.contains_key(kind)
    }

    /// Whether nothing was asked or answered.
    pub fn is_empty(&self) -> bool {
        let all = [
            &self.a,
            &self.aaaa,
            &self.ns,
            &self.mx,
            &self.txt,
            &self.www_cname,
            &self.caa,
            &self.dmarc,
        ];
        all.iter().all(|records| records.is_empty())
    }

    /// The list of a kind.
    pub fn list(&mut self, kind: &str) -> Option<&mut Vec<String>> {
        Some(match kind {
            "a" => &mut self.a,
            "aaaa" => &mut self.aaaa,
            "ns" => &mut self.ns,
            "mx" => &mut self.mx,
            "txt" => &mut self.txt,
            "www_cname" => &mut self.www_cname,
            "caa" => &mut self.caa,
            "dmarc" => &mut self.dmarc,
            _ => return None,
        })
    }

    /// Who receives its mail.
    pub fn email_provider(&self) -> Option<Recognised> {
        email_provider(&self.mx)
    }

    /// Who runs its zone.
    pub fn dns_host(&self) -> Option<Recognised> {
        recognised(
            DNS_HOSTS,
            self.ns.iter().map(|host| (host.as_str(), host.as_str())),
            "NS",
        )
    }

    /// Who may send in its name (RFC 7208).
    pub fn spf(&self) -> Option<MailPolicy> {
        let is_one = |text: &&String| {
            let mut words = text.split(' ');
            words
                .next()
                .is_some_and(|first| first.eq_ignore_ascii_case("v=spf1"))
        };
        let records: Vec<&String> = self.txt.iter().filter(is_one).collect();
        let text = *records.first()?;
        let all = text.split(' ').find_map(|term| {
            let term = term.to_ascii_lowercase();
            Some(match term.as_str() {
                "-all" => "fail",
                "~all" => "softfail",
                "?all" => "neutral",
                "+all" | "all" => "pass",
                _ => return None,
            })
        });
        let redirects = || text.contains("redirect=").then_some("redirect");
        let policy = if records.len() > 1 {
            "invalid"
        } else {
            all.or_else(redirects).unwrap_or("neutral")
        };
        Some(policy_of(policy, policy == "fail", text))
    }

    /// What receivers should do with unauthenticated mail (RFC 7489).
    pub fn dmarc(&self) -> Option<MailPolicy> {
        let mut records = self.dmarc.iter().filter(|text| {
            let version = text.split(';').next().unwrap_or_default();
            version.replace(' ', "").eq_ignore_ascii_case("v=dmarc1")
        });
        let text = records.next()?;
        let tag = |wanted: &str| {
            text.split(';').find_map(|part| {
                let (name, value) = part.split_once('=')?;
                name.trim()
                    .eq_ignore_ascii_case(wanted)
                    .then(|| value.trim().to_ascii_lowercase())
            })
        };
        let policy = tag("p").filter(|_| records.next().is_none());
        let policy = match policy.as_deref() {
            Some("none") => "none",
            Some("quarantine") => "quarantine",
            Some("reject") => "reject",
            _ => "invalid",
        };
        let is_all = tag("pct").is_none_or(|share| share == "100");
        let is_strict = matches!(policy, "quarantine" | "reject") && is_all;
        Some(policy_of(policy, is_strict, text))
    }
}

fn policy_of(policy: &str, is_strict: bool, text: &str) -> MailPolicy {
    MailPolicy {
        policy: policy.to_owned(),
        is_strict,
        evidence: format!("TXT {text}"),
    }
}

/// The host of an MX record.
pub fn mail_host(mx: &str) -> &str {
    mx.split_once(' ').map_or(mx, |(_, host)| host)
}

/// Whether the records say that there is no mail (RFC 7505).
pub fn is_null_mx(mx: &[String]) -> bool {
    matches!(mx, [one] if mail_host(one) == ".")
}

/// Who receives the mail of these servers.
pub fn email_provider(mx: &[String]) -> Option<Recognised> {
    recognised(
        EMAIL_PROVIDERS,
        mx.iter().map(|mx| (mail_host(mx), mx.as_str())),
        "MX",
    )
}

/// The first of these hosts that the table knows, by the ends of their names.
pub(super) fn recognised<'a>(
    known: &[(&str, &str)],
    hosts: impl Iterator<Item = (&'a str, &'a str)>,
    kind: &str,
) -> Option<Recognised> {
    let mut hosts = hosts;
    hosts.find_map(|(host, record)| {
        let is_of = |pattern: &str| match pattern.strip_suffix('*') {
            Some(part) => host.contains(part),
            None => host
                .strip_suffix(pattern)
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.')),
        };
        let (_, name) = known
            .iter()
            .find(|(patterns, _)| patterns.split(' ').any(is_of))?;
        Some(Recognised {
            name: (*name).to_owned(),
            evidence: format!("{kind} {record}"),
        })
    })
}

/// Ends of names of mail servers; `*` for what may be anywhere in a name.
#[rustfmt::skip]
const EMAIL_PROVIDERS: &[(&str, &str)] = &[
    ("google.com googlemail.com", "Google Workspace"), ("mail.protection.outlook.com mx.microsoft", "Microsoft 365"),
    ("olc.protection.outlook.com", "Outlook.com"), ("zoho.com zoho.eu zoho.in zohomail.com", "Zoho Mail"),
    ("protonmail.ch", "Proton Mail"), ("kundenserver.de 1and1.com 1and1.co.uk 1and1.fr 1and1.es ionos.com ionos.de ionos.co.uk ionos.fr ionos.es perfora.net", "IONOS"),
    ("messagingengine.com", "Fastmail"), ("mail.icloud.com", "iCloud Mail"), ("yandex.net yandex.ru", "Yandex 360"),
    ("mail.ru", "Mail.ru"), ("ovh.net", "OVHcloud"), ("gandi.net", "Gandi"), ("rzone.de", "STRATO"),
    ("hosteurope.de", "Host Europe"), ("kasserver.com all-inkl.com", "ALL-INKL.COM"), ("your-server.de", "Hetzner"),
    ("mailbox.org", "mailbox.org"), ("tutanota.de", "Tuta"), ("posteo.de", "Posteo"), ("secureserver.net", "GoDaddy"),
    ("registrar-servers.com privateemail.com", "Namecheap"), ("mailgun.org", "Mailgun"), ("sendgrid.net", "SendGrid"),
    ("amazonaws.com", "Amazon SES"), ("awsapps.com", "Amazon WorkMail"), ("pphosted.com ppe-hosted.com", "Proofpoint"),
    ("mimecast.com", "Mimecast"), ("barracudanetworks.com", "Barracuda"), ("iphmx.com", "Cisco Secure Email"),
    ("messagelabs.com", "Symantec Email Security"), ("hornetsecurity.com", "Hornetsecurity"),
    ("antispamcloud.com spamexperts.com", "SpamExperts"), ("mx.cloudflare.net", "Cloudflare Email Routing"),
    ("improvmx.com", "ImprovMX"), ("forwardemail.net", "Forward Email"), ("infomaniak.ch infomaniak.com", "Infomaniak"),
    ("home.pl", "home.pl"), ("nazwa.pl", "nazwa.pl"), ("one.com", "one.com"), ("loopia.se", "Loopia"),
    ("simply.com", "Simply.com"), ("aruba.it", "Aruba"), ("register.it", "Register.it"), ("hostinger.com", "Hostinger"),
    ("titan.email", "Titan"), ("emailsrvr.com", "Rackspace Email"), ("dreamhost.com", "DreamHost"),
    ("qq.com", "Tencent Exmail"), ("mxhichina.com", "Alibaba Mail"), ("worksmobile.com", "LINE WORKS"),
    ("seznam.cz", "Seznam"), ("migadu.com", "Migadu"), ("mxroute.com", "MXroute"), ("transip.email", "TransIP"),
];

/// Ends of names of name servers.
#[rustfmt::skip]
const DNS_HOSTS: &[(&str, &str)] = &[
    ("ns.cloudflare.com", "Cloudflare"), (".awsdns-*", "Amazon Route 53"),
    ("azure-dns.com azure-dns.net azure-dns.org azure-dns.info", "Azure DNS"), ("googledomains.com", "Google Cloud DNS"),
    ("domaincontrol.com", "GoDaddy"), ("registrar-servers.com", "Namecheap"), (".ui-dns.*", "IONOS"),
    ("ovh.net anycast.me", "OVHcloud"), ("gandi.net", "Gandi"),
    ("hetzner.com hetzner.de your-server.de first-ns.de second-ns.de second-ns.com", "Hetzner"),
    ("digitalocean.com", "DigitalOcean"), ("dnsimple.com dnsimple-edge.net", "DNSimple"), ("nsone.net", "NS1"),
    (".ultradns.*", "UltraDNS"), ("akam.net", "Akamai"), ("dnsmadeeasy.com", "DNS Made Easy"), ("wixdns.net", "Wix"),
    ("squarespacedns.com", "Squarespace"), ("worldnic.com", "Network Solutions"), ("rzone.de", "STRATO"),
    ("kasserver.com", "ALL-INKL.COM"), ("inwx.de inwx.eu inwx.com", "INWX"), ("transip.net transip.nl", "TransIP"),
    ("infomaniak.ch infomaniak.com", "Infomaniak"), ("dns-parking.com", "Hostinger"), ("vercel-dns.com", "Vercel"),
    ("wordpress.com", "WordPress.com"), ("bluehost.com", "Bluehost"), ("siteground.net", "SiteGround"),
    ("name.com", "Name.com"), ("porkbun.com", "Porkbun"), ("linode.com", "Akamai"), ("he.net", "Hurricane Electric"),
    ("reg.ru", "REG.RU"), ("alidns.com hichina.com", "Alibaba Cloud DNS"), ("dnspod.net", "DNSPod"),
    ("home.pl", "home.pl"), ("nazwa.pl", "nazwa.pl"), ("technorail.com arubadns.net", "Aruba"), ("one.com", "one.com"),
    ("loopia.se", "Loopia"), ("simply.com", "Simply.com"), ("hosteurope.de", "Host Europe"), ("domeneshop.no", "Domeneshop"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn with(txt: &[&str], dmarc: &[&str]) -> DnsRecords {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        DnsRecords {
            txt: owned(txt),
            dmarc: owned(dmarc),
            ..DnsRecords::default()
        }
    }

    #[test]
    fn providers_are_known_by_the_ends_of_host_names() {
        let mail = |mx: &str| email_provider(&[mx.to_owned()]).map(|found| found.name);
        assert_eq!(mail("1 aspmx.l.google.com").as_deref(), Some("Google Workspace"));
        assert_eq!(
            mail("0 acme-de.mail.protection.outlook.com").as_deref(),
            Some("Microsoft 365")
        );
        assert_eq!(mail("10 mail.notgoogle.com"), None);
        assert_eq!(mail("10 google.com.evil.test"), None);
        let dns = DnsRecords {
            ns: vec!["ns-1.awsdns-00.co.uk".to_owned()],
            ..DnsRecords::default()
        };
        let host = dns.dns_host().unwrap();
        assert_eq!(
            (host.name.as_str(), host.evidence.as_str()),
            ("Amazon Route 53", "NS ns-1.awsdns-00.co.uk")
        );
    }

    #[test]
    fn spf_says_what_becomes_of_mail_of_others() {
        for (txt, policy, is_strict) in [
            (vec!["v=spf1 include:_spf.google.com -all"], "fail", true),
            (vec!["V=SPF1 a ~ALL"], "softfail", false),
            (vec!["v=spf1 redirect=_spf.a.test"], "redirect", false),
            (vec!["v=spf1"], "neutral", false),
            (vec!["v=spf1 -all", "v=spf1 a -all"], "invalid", false),
        ] {
            let found = with(&txt, &[]).spf().unwrap();
            assert_eq!(
                (found.policy.as_str(), found.is_strict),
                (policy, is_strict),
                "{txt:?}"
            );
        }
        assert_eq!(
            with(&["v=spf10 -all", "google-site-verification=x"], &[]).spf(),
            None
        );
    }

    #[test]
    fn dmarc_is_strict_where_all_mail_of_others_is_refused() {
        for (text, policy, is_strict) in [
            ("v=DMARC1; p=reject; rua=mailto:a@b.test", "reject", true),
            ("v=DMARC1;p=quarantine;pct=20", "quarantine", false),
            ("v=DMARC1; p=none", "none", false),
            ("v=DMARC1; sp=reject", "invalid", false),
        ] {
            let found = with(&[], &[text]).dmarc().unwrap();
            assert_eq!(
                (found.policy.as_str(), found.is_strict),
                (policy, is_strict),
                "{text}"
            );
        }
        assert_eq!(with(&[], &["something else"]).dmarc(), None);
    }

    #[test]
    fn no_mail_is_said_by_one_record_for_the_root() {
        assert!(is_null_mx(&["0 .".to_owned()]));
        assert!(!is_null_mx(&["0 .".to_owned(), "10 a.test".to_owned()]) && !is_null_mx(&[]));
    }
}
