//! Merges what a scan found into what is known of a domain; only this file does that. A new value replaces the old
//! one. A value that was not found again stays, and its field is listed as stale; a single technology that is gone does
//! not stay, unless the scan found none at all.

use std::collections::HashMap;

use super::Findings;
use super::dns::DnsRecords;
use super::findings::{ContactInfo, Organization, Social, SocialLinks, TechStack, Technology};
use super::site_files::{FileAnswer, SiteFile};

/// What is known after a scan, and the fields that it did not find again.
///
/// What the scan says of itself (`performance`, `site_state`, `sitemaps`, `sitemap_audit`, `pages_read`, `robots`,
/// `crawlers`, `files`, `problems`) is only that of the scan: a site that is ordinary again is no longer parked.
#[expect(clippy::too_many_lines, reason = "each field has a line of its own")]
pub fn merge(known: Findings, found: Findings) -> (Findings, Vec<String>) {
    let mut stale = StaleFields::default();
    // Without `..`: a new field does not compile until this function merges it.
    let Findings {
        title,
        headline,
        site_name,
        description,
        language,
        is_wordpress,
        wordpress_version,
        has_elementor,
        favicon_url,
        logo_url,
        contact_info,
        social_links,
        tech_stack,
        performance,
        technologies,
        emails,
        phones,
        socials,
        organization,
        feeds,
        canonical_url,
        final_url,
        image_url,
        site_state,
        dns,
        email_provider,
        dns_host,
        cdn,
        hosting,
        spf,
        dmarc,
        certificate,
        security_txt,
        ads_txt,
        humans_txt,
        llms_txt,
        icon,
        logo,
        files,
        sitemaps,
        sitemap_audit,
        sitemap_sample,
        pages_read,
        robots,
        crawlers,
        problems,
    } = found;
    // A page without any technology is usually not the real page, but an error or a consent wall.
    let shows_none = technologies.is_empty() && tech_stack == TechStack::default();
    let is_wordpress = stale.flag("is_wordpress", shows_none && known.is_wordpress, is_wordpress);
    let has_elementor = stale.flag("has_elementor", shows_none && known.has_elementor, has_elementor);
    let known_version = known.wordpress_version.filter(|_| is_wordpress);
    let answered = Answers {
        dns: dns.as_ref(),
        files: &files,
    };
    let merged = Findings {
        title: stale.field("title", known.title, title),
        headline: stale.field("headline", known.headline, headline),
        site_name: stale.field("site_name", known.site_name, site_name),
        description: stale.field("description", known.description, description),
        language: stale.field("language", known.language, language),
        is_wordpress,
        wordpress_version: stale.field("wordpress_version", known_version, wordpress_version),
        has_elementor,
        favicon_url: stale.field("favicon_url", known.favicon_url, favicon_url),
        logo_url: stale.field("logo_url", known.logo_url, logo_url),
        contact_info: ContactInfo {
            email: stale.field("email_addresses", known.contact_info.email, contact_info.email),
            phone: stale.field("phone_numbers", known.contact_info.phone, contact_info.phone),
        },
        social_links: stale.social_links(known.social_links, social_links),
        tech_stack: stale.field("tech_stack", known.tech_stack, tech_stack),
        performance,
        technologies: stale.technologies(known.technologies, technologies),
        emails: evidence(known.emails, emails),
        phones: evidence(known.phones, phones),
        socials: stale.socials(known.socials, socials),
        organization: stale.organization(known.organization, organization),
        feeds: stale.field("feeds", known.feeds, feeds),
        canonical_url: stale.field("canonical_url", known.canonical_url, canonical_url),
        final_url: stale.field("final_url", known.final_url, final_url),
        image_url: stale.field("image_url", known.image_url, image_url),
        site_state,
        email_provider: stale.unless(
            answered.record("mx"),
            "email_provider",
            known.email_provider,
            email_provider,
        ),
        dns_host: stale.unless(answered.record("ns"), "dns_host", known.dns_host, dns_host),
        // The headers of each page show it. So if they do not, and DNS was queried too, there is none.
        cdn: stale.unless(answered.record("www_cname"), "cdn", known.cdn, cdn),
        hosting: stale.unless(answered.record("www_cname"), "hosting", known.hosting, hosting),
        spf: stale.unless(answered.record("txt"), "spf", known.spf, spf),
        dmarc: stale.unless(answered.record("dmarc"), "dmarc", known.dmarc, dmarc),
        certificate: stale.field("certificate", known.certificate, certificate),
        security_txt: stale.unless(
            answered.file(SiteFile::SecurityTxt),
            "security_txt",
            known.security_txt,
            security_txt,
        ),
        ads_txt: stale.unless(answered.file(SiteFile::AdsTxt), "ads_txt", known.ads_txt, ads_txt),
        humans_txt: stale.unless(
            answered.file(SiteFile::HumansTxt),
            "humans_txt",
            known.humans_txt,
            humans_txt,
        ),
        llms_txt: stale.unless(
            answered.file(SiteFile::LlmsTxt),
            "llms_txt",
            known.llms_txt,
            llms_txt,
        ),
        icon: stale.unless(answered.file(SiteFile::Icon), "icon", known.icon, icon),
        logo: stale.unless(answered.file(SiteFile::Logo), "logo", known.logo, logo),
        dns: stale.dns(known.dns, dns),
        files,
        sitemaps,
        sitemap_audit,
        sitemap_sample: stale.field("sitemap_sample", known.sitemap_sample, sitemap_sample),
        pages_read,
        robots,
        crawlers,
        problems,
    };
    (merged, stale.0)
}

/// The version of a technology that was found.
pub fn version_of(technologies: &[Technology], name: &str) -> Option<String> {
    let found = technologies.iter().find(|technology| technology.name == name)?;
    found.version.clone()
}

/// What was answered: what follows from it is so, even if it is nothing.
struct Answers<'a> {
    dns: Option<&'a DnsRecords>,
    files: &'a [FileAnswer],
}

impl Answers<'_> {
    fn record(&self, kind: &str) -> bool {
        self.dns.is_some_and(|dns| dns.knows(kind))
    }

    fn file(&self, file: SiteFile) -> bool {
        let mut answers = self.files.iter();
        answers.any(|one| one.file == file && one.is_there.is_some())
    }
}

/// Names of the fields whose value is older than the scan.
#[derive(Default)]
struct StaleFields(Vec<String>);

impl StaleFields {
    /// Takes the new value, unless it is empty while a value is known.
    fn field<T: MaybeAbsent>(&mut self, name: &str, known: T, found: T) -> T {
        if !found.is_absent() || known.is_absent() {
            return found;
        }
        self.0.push(name.to_owned());
        known
    }

    /// The new value if there was a response, otherwise as for any field.
    fn unless<T: MaybeAbsent>(&mut self, is_answered: bool, name: &str, known: T, found: T) -> T {
        if is_answered {
            found
        } else {
            self.field(name, known, found)
        }
    }

    /// Records of the kinds that were answered, and of the others those that were known.
    fn dns(&mut self, known: Option<DnsRecords>, found: Option<DnsRecords>) -> Option<DnsRecords> {
        let (Some(mut known), Some(mut found)) = (known.clone(), found.clone()) else {
            return self.field("dns", known, found);
        };
        for kind in found.failures.keys().cloned().collect::<Vec<_>>() {
            if let (Some(before), Some(now)) = (known.list(&kind), found.list(&kind))
                && !before.is_empty()
            {
                now.append(before);
                self.0.push(format!("dns.{kind}"));
            }
        }
        Some(found)
    }

    fn flag(&mut self, name: &str, known: bool, found: bool) -> bool {
        if known && !found {
            self.0.push(name.to_owned());
        }
        known || found
    }

    fn social_links(&mut self, known: SocialLinks, found: SocialLinks) -> SocialLinks {
        SocialLinks {
            facebook: self.field("facebook_url", known.facebook, found.facebook),
            twitter: self.field("twitter_url", known.twitter, found.twitter),
            linkedin: self.field("linkedin_url", known.linkedin, found.linkedin),
            instagram: self.field("instagram_url", known.instagram, found.instagram),
            youtube: self.field("youtube_url", known.youtube, found.youtube),
        }
    }

    /// Profiles by network: those of a network that the scan found none of stay.
    fn socials(&mut self, known: Vec<Social>, mut found: Vec<Social>) -> Vec<Social> {
        let seen: Vec<String> = found.iter().map(|social| social.network.clone()).collect();
        for social in known {
            if seen.contains(&social.network) {
                continue;
            }
            let name = format!("socials.{}", social.network);
            if !self.0.contains(&name) {
                self.0.push(name);
            }
            found.push(social);
        }
        found
    }

    /// Technologies as the scan found them, with versions that were known before; all as before if it found none.
    fn technologies(&mut self, known: Vec<Technology>, mut found: Vec<Technology>) -> Vec<Technology> {
        if found.is_empty() {
            return self.field("technologies", known, found);
        }
        let known = known
            .into_iter()
            .map(|technology| (technology.name, technology.version));
        let mut versions: HashMap<String, Option<String>> = known.collect();
        for technology in &mut found {
            let version = versions.remove(&technology.name).flatten();
            let name = match technology.name.as_str() {
                "Elementor" => "elementor_version".to_owned(),
                name => format!("technologies.{name}.version"),
            };
            technology.version = self.field(&name, version, technology.version.take());
        }
        found
    }

    fn organization(
        &mut self,
        known: Option<Organization>,
        found: Option<Organization>,
    ) -> Option<Organization> {
        let Some(known) = known else { return found };
        let found = found.unwrap_or_default();
        Some(Organization {
            name: self.field("organization.name", known.name, found.name),
            legal_name: self.field("organization.legal_name", known.legal_name, found.legal_name),
            address: self.field("organization.address", known.address, found.address),
            identifiers: self.field("organization.identifiers", known.identifiers, found.identifiers),
        })
    }
}

/// Where the values were found that another field has, and names as kept.
fn evidence<T>(known: Vec<T>, found: Vec<T>) -> Vec<T> {
    if found.is_empty() { known } else { found }
}

/// Whether a value is empty.
trait MaybeAbsent {
    fn is_absent(&self) -> bool;
}

impl<T> MaybeAbsent for Option<T> {
    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl<T> MaybeAbsent for Vec<T> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl MaybeAbsent for TechStack {
    fn is_absent(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests;
