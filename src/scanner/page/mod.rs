//! Reads one HTML page: bytes in, findings and links out.
//!
//! [`tree`] parses the page as browsers do, [`outline`] walks through the tree once, and each kind of finding has its
//! own file. Nothing here fetches.

mod characters;
mod charset;
mod contact_links;
mod country;
mod email;
mod head;
mod icon;
mod imprint;
mod indexing;
mod json_ld;
mod language;
mod logo;
mod organization;
mod outline;
mod phone;
mod refresh;
mod site_state;
mod social;
mod technology;
mod third_parties;
mod tree;

pub use self::contact_links::contact_pages_among;
pub use self::indexing::{Indexing, indexing};
pub use self::technology::{
    FormatError, Known, OffPageSignals, Skipped, Technologies, own as own_technologies,
};
use url::Url;

use self::json_ld::Graph;
use self::outline::Outline;
use crate::fetch::Headers;
use crate::values::findings::{ContactInfo, SocialLinks};
use crate::values::hosting::{CDN, HOSTING};
use crate::values::{Findings, Problem};

/// Maximum number of contacts in the plain lists of the predecessor's format.
const MAX_PLAIN_EMAILS: usize = 50;
const MAX_PLAIN_PHONES: usize = 50;

/// A page as it was received.
#[derive(Clone, Debug)]
pub struct RawPage {
    /// The URL after redirects.
    pub url: Url,
    /// Headers of the response.
    pub headers: Headers,
    /// Decoded content, within the size limit.
    pub bytes: Vec<u8>,
}

/// The result of reading a page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PageFacts {
    /// Findings from this page only; the lists of files read are empty.
    pub findings: Findings,
    /// Pages of the same host that may hold more contacts, the most likely first.
    pub contact_links: Vec<Url>,
    /// Sitemaps named by `<link rel=sitemap>`.
    pub sitemaps: Vec<Url>,
    /// Whether the page is empty.
    pub is_blank: bool,
    /// The target, if the page only redirects its visitors.
    pub refresh: Option<Url>,
}

/// Reads a page with the built-in fingerprints.
pub fn read_page(page: &RawPage) -> PageFacts {
    read_page_with(page, technology::own())
}

/// Reads a page. Its time is proportional to the page's size; its memory is a few times that size.
pub fn read_page_with(page: &RawPage, known: &Technologies) -> PageFacts {
    let html = charset::decode(&page.bytes, page.headers.charset());
    let outline = outline::outline(&html, &page.url);
    let of_markup = json_ld::blocks_of_markup(&outline.tree);
    let stated = outline.json_ld.iter().map(|block| &**block);
    let blocks: Vec<&str> = stated.chain(of_markup.iter().map(String::as_str)).collect();
    let graph = json_ld::graph(&blocks);
    let language = language::language(&outline, &page.headers);
    let emails = email::emails(&outline, &graph);
    let phones = phone::phones(&outline, &graph, language.as_deref());
    let socials = social::socials(&outline, &graph);
    let technologies = technology::technologies(known, &html, &outline, &page.headers);
    let mut findings = Findings {
        favicon_url: icon::favicon(&outline),
        logo_url: logo::logo(&outline, &graph),
        contact_info: ContactInfo::default(),
        social_links: SocialLinks::default(),
        performance: outline.counts,
        technologies,
        emails,
        phones,
        socials,
        final_url: Some(page.url.to_string()),
        language,
        cdn: CDN.of_headers(&page.headers.iter()),
        hosting: HOSTING.of_headers(&page.headers.iter()),
        problems: unread(page, &outline, &graph),
        site_state: site_state::site_state(&outline),
        ..Findings::default()
    };
    sum_up_technologies(&mut findings);
    head::add(&mut findings, &outline, &graph);
    let is_reached = !findings.phones.is_empty() || !findings.emails.is_empty();
    findings.organization =
        organization::organization(&outline, &graph, findings.site_name.as_ref(), is_reached);
    if !findings.is_from_owner() {
        clear_owner_findings(&mut findings);
    }
    findings.social_links = social::links(&findings.socials, &names(&findings));
    list_contacts(&mut findings);
    PageFacts {
        contact_links: if findings.is_from_owner() {
            contact_links::contact_links(&outline, &page.url)
        } else {
            Vec::new()
        },
        sitemaps: head::sitemaps(&outline),
        is_blank: html.trim().is_empty(),
        refresh: refresh::refresh(&outline),
        findings,
    }
}

/// Removes names and contacts from the findings of a page that the owner did not make: a registrar is not the company
/// that owns the domain.
fn clear_owner_findings(findings: &mut Findings) {
    findings.site_name = None;
    findings.organization = None;
    findings.logo_url = None;
    findings.emails.clear();
    findings.phones.clear();
    findings.socials.clear();
}

/// Reports the parts of a page that were not read because they exceed a limit.
fn unread(page: &RawPage, outline: &Outline, graph: &Graph) -> Vec<Problem> {
    let url = &page.url;
    let json_ld = (graph.unread > 0).then(|| {
        let (unread, most) = (graph.unread, json_ld::MAX_BYTES);
        format!("{unread} bytes of JSON-LD on {url} were not read: the limit per page is {most} bytes")
    });
    let elements = outline.is_cut.then(|| {
        let most = tree::MAX_NODES;
        format!("{url} has more than {most} elements and texts; the rest was not read")
    });
    let problems = json_ld.into_iter().chain(elements);
    problems.map(|detail| Problem::new("too_large", detail)).collect()
}

/// Adds the findings of a further page to those of the home page.
pub fn add_page(home: &mut Findings, further: Findings) {
    for email in further.emails {
        if home.emails.iter().all(|known| known.value != email.value) {
            home.emails.push(email);
        }
    }
    for phone in further.phones {
        if home.phones.iter().all(|known| known.value != phone.value) {
            home.phones.push(phone);
        }
    }
    for social in further.socials {
        social::add(&mut home.socials, social);
    }
    for technology in further.technologies {
        technology::add(&mut home.technologies, technology);
    }
    sum_up_technologies(home);
    home.problems.extend(further.problems);
    home.organization = organization::join(home.organization.take(), further.organization);
    home.social_links = social::links(&home.socials, &names(home));
    home.logo_url = home.logo_url.take().or(further.logo_url);
    home.favicon_url = home.favicon_url.take().or(further.favicon_url);
    list_contacts(home);
}

/// Adds the technologies that are detected outside the pages.
pub fn add_technologies(findings: &mut Findings, off_page: &OffPageSignals, known: &Technologies) {
    technology::add_beside(&mut findings.technologies, known, off_page);
    sum_up_technologies(findings);
}

/// Sets the fields that follow from the list of technologies.
fn sum_up_technologies(findings: &mut Findings) {
    let technologies = &findings.technologies;
    (findings.is_wordpress, findings.wordpress_version) = technology::version_of(technologies, "WordPress");
    findings.has_elementor = technology::version_of(technologies, "Elementor").0;
    findings.tech_stack = technology::categories(technologies);
}

/// The names of a site: its host, its own name, and its registered name.
fn names(findings: &Findings) -> Vec<String> {
    let url = findings.final_url.as_deref().and_then(|url| Url::parse(url).ok());
    let label = url.as_ref().and_then(Url::host_str).map(|host| {
        let label = super::site::registrable(host).split('.').next();
        label.unwrap_or_default().to_owned()
    });
    let organization = findings.organization.iter();
    let organization = organization
        .flat_map(|found| [&found.name, &found.legal_name])
        .flatten();
    let names = label.into_iter().chain(findings.site_name.clone());
    names.chain(organization.cloned()).collect()
}

fn list_contacts(findings: &mut Findings) {
    let emails = findings.emails.iter().map(|email| email.value.clone());
    let phones = findings.phones.iter().map(|phone| phone.value.clone());
    findings.contact_info = ContactInfo {
        email: emails.take(MAX_PLAIN_EMAILS).collect(),
        phone: phones.take(MAX_PLAIN_PHONES).collect(),
    };
}

#[cfg(test)]
mod case_tests;
#[cfg(test)]
mod tests;
