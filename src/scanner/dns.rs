//! The DNS records of the domain, and whether email addresses can receive email. They are queried while the site is
//! read, and added at the end.
//!
//! They delay a scan by no more than its slowest fetch: records without a response by then are unknown.

use std::collections::BTreeMap;

use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::ScanContext;
use super::site::registrable;
use crate::fetch::{RecordKind, RecordsError};
use crate::values::disposable::is_disposable;
use crate::values::dns::{DnsRecords, email_provider, is_null_mx};
use crate::values::findings::{Deliverable, EmailCheck};
use crate::values::printable::Printable;
use crate::values::{DomainName, Findings};

/// Maximum number of other domains of email addresses that are looked up.
const MAX_MAIL_DOMAINS: usize = 5;

type Answer<Key> = (Key, Result<Vec<String>, RecordsError>);

/// Running queries; dropping the value cancels them.
pub(super) struct DnsQueries {
    records: DnsRecords,
    open: JoinSet<Answer<&'static str>>,
}

/// Sends all DNS queries for a domain; `None` if DNS must not be used.
pub(super) fn ask(context: &ScanContext, domain: &DomainName) -> Option<DnsQueries> {
    let name = domain.as_str();
    if !context.fetcher.may_ask_records(name) {
        return None;
    }
    let zone = registrable(name).to_owned();
    let mut open = JoinSet::new();
    for (key, name, kind) in [
        ("a", name.to_owned(), RecordKind::A),
        ("aaaa", name.to_owned(), RecordKind::Aaaa),
        ("www_cname", format!("www.{name}"), RecordKind::Cname),
        ("ns", zone.clone(), RecordKind::Ns),
        ("mx", zone.clone(), RecordKind::Mx),
        ("txt", zone.clone(), RecordKind::Txt),
        ("caa", zone.clone(), RecordKind::Caa),
        ("dmarc", format!("_dmarc.{zone}"), RecordKind::Txt),
    ] {
        let fetcher = context.fetcher.clone();
        open.spawn(async move { (key, fetcher.records(&name, kind).await) });
    }
    let no_answer = |key: &str| (key.to_owned(), RecordsError::NoAnswer.to_string());
    let kinds = ["a", "aaaa", "ns", "mx", "txt", "www_cname", "caa", "dmarc"];
    let records = DnsRecords {
        name: name.to_owned(),
        zone,
        failures: kinds.into_iter().map(no_answer).collect(),
        ..DnsRecords::default()
    };
    Some(DnsQueries { records, open })
}

/// Adds the answers received so far to the findings, and what follows from them.
pub(super) async fn add_to(
    context: &ScanContext,
    findings: &mut Findings,
    questions: DnsQueries,
    until: Instant,
) {
    let DnsQueries {
        mut records,
        mut open,
    } = questions;
    let asked = mail_domains(findings, &records);
    let mut others = ask_mail_domains(context, &asked);
    while let Ok(Some(answer)) = timeout_at(until, open.join_next()).await {
        let Ok((kind, answer)) = answer else { continue };
        match answer {
            Ok(found) => {
                records.failures.remove(kind);
                if let Some(list) = records.list(kind) {
                    // Characters that could control a terminal or a page are escaped.
                    list.extend(found.iter().map(|text| Printable(text).to_string()));
                }
            }
            Err(error) => {
                records.failures.insert(kind.to_owned(), error.to_string());
            }
        }
    }
    let of_each = asked
        .iter()
        .flat_map(|domain| MAIL_RECORDS.map(|kind| (domain.clone(), kind)));
    let mut mail: BTreeMap<_, _> = of_each
        .map(|query| (query, Err(RecordsError::NoAnswer)))
        .collect();
    while let Ok(Some(answer)) = timeout_at(until, others.join_next()).await {
        let Ok((domain, answer)) = answer else { continue };
        mail.insert(domain, answer);
    }
    let own = |kind: &str, list: &Vec<String>| {
        if records.knows(kind) {
            Ok(list.clone())
        } else {
            Err(RecordsError::NoAnswer)
        }
    };
    mail.insert((records.zone.clone(), RecordKind::Mx), own("mx", &records.mx));
    if records.name == records.zone {
        mail.insert((records.zone.clone(), RecordKind::A), own("a", &records.a));
        mail.insert(
            (records.zone.clone(), RecordKind::Aaaa),
            own("aaaa", &records.aaaa),
        );
    }
    for email in &mut findings.emails {
        email.check = Some(check(&email.value, &mail));
    }
    findings.email_provider = records.email_provider();
    findings.dns_host = records.dns_host();
    findings.spf = records.spf();
    findings.dmarc = records.dmarc();
    findings.dns = Some(records);
}

type MailDomain = (String, RecordKind);

/// The records that show whether a domain receives email.
const MAIL_RECORDS: [RecordKind; 3] = [RecordKind::Mx, RecordKind::A, RecordKind::Aaaa];

/// The other domains of addresses that are looked up.
fn mail_domains(findings: &Findings, own: &DnsRecords) -> Vec<String> {
    let mut domains: Vec<&str> = Vec::new();
    for email in &findings.emails {
        let domain = domain_of(&email.value);
        if domain != own.zone && !domains.contains(&domain) && domains.len() < MAX_MAIL_DOMAINS {
            domains.push(domain);
        }
    }
    if own.name != own.zone {
        // The address records were queried only for the name below the zone.
        domains.push(&own.zone);
    }
    domains.into_iter().map(str::to_owned).collect()
}

/// Looks up the mail servers of domains.
fn ask_mail_domains(context: &ScanContext, domains: &[String]) -> JoinSet<Answer<MailDomain>> {
    let mut open = JoinSet::new();
    for domain in domains {
        for kind in MAIL_RECORDS {
            let (fetcher, domain) = (context.fetcher.clone(), domain.clone());
            open.spawn(async move {
                let answer = fetcher.records(&domain, kind).await;
                ((domain, kind), answer)
            });
        }
    }
    open
}

fn domain_of(email: &str) -> &str {
    email.rsplit_once('@').map_or("", |(_, domain)| domain)
}

/// Whether email to an address can be delivered according to DNS (RFC 5321, 5.1; RFC 7505). No email is sent.
fn check(email: &str, answers: &BTreeMap<MailDomain, Result<Vec<String>, RecordsError>>) -> EmailCheck {
    let domain = domain_of(email);
    let answer = |kind| {
        answers
            .get(&(domain.to_owned(), kind))
            .cloned()
            .unwrap_or(Err(RecordsError::TooManyDomains))
    };
    let mut provider = None;
    let has_address = || [RecordKind::A, RecordKind::Aaaa].map(answer);
    let (deliverable, why) = match answer(RecordKind::Mx) {
        Ok(mx) if is_null_mx(&mx) => (
            Deliverable::No,
            "the domain receives no mail (null MX)".to_owned(),
        ),
        Ok(mx) if !mx.is_empty() => {
            provider = email_provider(&mx);
            (Deliverable::Yes, format!("MX {}", Printable(&mx[0])))
        }
        Ok(_) => match has_address() {
            [Ok(v4), Ok(v6)] if v4.is_empty() && v6.is_empty() => (
                Deliverable::No,
                "the domain has neither MX nor address records".to_owned(),
            ),
            [Ok(found), _] | [_, Ok(found)] if !found.is_empty() => {
                (Deliverable::Yes, format!("no MX record; address {}", found[0]))
            }
            [Err(error), _] | [_, Err(error)] => (Deliverable::Unknown, error.to_string()),
            _ => (
                Deliverable::Yes,
                "no MX record; the domain has an address".to_owned(),
            ),
        },
        Err(error) => (Deliverable::Unknown, error.to_string()),
    };
    EmailCheck {
        deliverable,
        why,
        is_role: is_role(email),
        is_disposable: is_disposable(domain),
        provider,
    }
}

/// Whether an address belongs to a role, not to a person.
fn is_role(email: &str) -> bool {
    const ROLES: &str = "abuse accounting accounts admin administration anfrage anfragen backoffice billing biuro booking \
        bookings bureau buchhaltung bewerbung career careers comercial commercial contact contacto contactus contato \
        contatti customercare customerservice datenschutz dpo einkauf email empfang enquiries enquiry events export \
        facturation feedback finance hallo hello help helpdesk hi hola hostmaster hotel hr iletisim info informacion \
        informatica inquiries inquiry investors it jobs karriere kontakt kundenservice legal mail mailbox marketing media \
        member members news newsletter noreply no-reply office orders order personal post postmaster praxis presse press \
        privacy prensa reception reklamation reservations rezeption rh sales security sekretariat service shop sklep staff \
        store studio support team tech ventas verkauf verwaltung vertrieb webmaster welcome zentrale";
    let local = email.split('@').next().unwrap_or_default();
    // `info.berlin`, `sales+web`.
    let first = local.split(['.', '+', '_']).next().unwrap_or_default();
    ROLES
        .split_ascii_whitespace()
        .any(|role| role == local || role == first)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Records<'a> = Result<&'a [&'a str], RecordsError>;

    fn checked(email: &str, answers: &[(&str, RecordKind, Records<'_>)]) -> (Deliverable, String) {
        let answers = answers.iter().map(|(domain, kind, answer)| {
            let owned = |records: &[&str]| records.iter().map(|one| (*one).to_owned()).collect();
            (((*domain).to_owned(), *kind), answer.map(owned))
        });
        let found = check(email, &answers.collect());
        (found.deliverable, found.why)
    }

    #[test]
    fn addresses_at_disposable_domains_are_marked_whatever_dns_says() {
        for (email, wanted) in [
            ("sam@mailinator.com", true),
            ("sam@team.mailinator.com", true),
            ("mailinator.com@example.com", false),
            ("sam@gmail.com", false),
        ] {
            assert_eq!(check(email, &BTreeMap::new()).is_disposable, wanted, "{email}");
        }
    }

    #[test]
    fn mail_arrives_where_a_domain_has_a_server_or_an_address() {
        use RecordKind::{A, Aaaa, Mx};
        const NONE: Records<'_> = Ok(&[]);
        let no_answer = Err(RecordsError::NoAnswer);
        for (answers, wanted) in [
            (vec![("a.test", Mx, Ok(&["10 mx.a.test"][..]))], Deliverable::Yes),
            (vec![("a.test", Mx, Ok(&["0 ."][..]))], Deliverable::No),
            (
                vec![
                    ("a.test", Mx, NONE),
                    ("a.test", A, Ok(&["192.0.2.1"][..])),
                    ("a.test", Aaaa, NONE),
                ],
                Deliverable::Yes,
            ),
            (
                vec![
                    ("a.test", Mx, NONE),
                    ("a.test", A, NONE),
                    ("a.test", Aaaa, Ok(&["2001:db8::1"][..])),
                ],
                Deliverable::Yes,
            ),
            (
                vec![("a.test", Mx, NONE), ("a.test", A, NONE), ("a.test", Aaaa, NONE)],
                Deliverable::No,
            ),
            (
                vec![
                    ("a.test", Mx, NONE),
                    ("a.test", A, NONE),
                    ("a.test", Aaaa, no_answer),
                ],
                Deliverable::Unknown,
            ),
            (
                vec![("a.test", Mx, no_answer), ("a.test", A, Ok(&["192.0.2.1"][..]))],
                Deliverable::Unknown,
            ),
            (
                vec![("b.test", Mx, Ok(&["10 mx.b.test"][..]))],
                Deliverable::Unknown,
            ),
        ] {
            assert_eq!(checked("x@a.test", &answers).0, wanted, "{answers:?}");
        }
    }

    #[test]
    fn offices_are_told_from_people() {
        for office in [
            "info@a.test",
            "info.berlin@a.test",
            "no-reply@a.test",
            "biuro@a.test",
        ] {
            assert!(is_role(office), "{office}");
        }
        for person in ["anna.muster@a.test", "itsme@a.test", "hrabal@a.test", "@a.test"] {
            assert!(!is_role(person), "{person}");
        }
    }
}
