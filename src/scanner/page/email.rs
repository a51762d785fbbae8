//! Email addresses of a page, plain and obfuscated, without look-alikes.
//!
//! One file per form in which an address appears: in a link, in markup and scripts that hide it from robots, or in the
//! text.

mod address;
mod cipher;
mod links;
mod markup;
#[cfg(test)]
mod tests;
mod text;

use std::borrow::Cow;

use self::address::{is_address, is_placeholder, is_placeholder_domain, is_reserved};
pub(super) use self::cipher::decode_cloudflare;
use super::characters::visible;
use super::head::meta;
use super::json_ld::Graph;
use super::outline::Outline;
use super::third_parties::{is_in, third_parties, without};
use crate::scanner::site::registrable;
use crate::values::findings::Email;

/// Maximum addresses kept per page.
const MAX_EMAILS: usize = 200;

/// Names of `<meta>` elements that state an address (Open Graph, business and microdata vocabularies).
const METAS: &[&str] = &[
    "email",
    "og:email",
    "business:contact_data:email",
    "contact:email",
    "reply-to",
];

/// Names of `<meta>` elements that describe a page.
const DESCRIPTIONS: &[&str] = &["description", "og:description"];

/// All addresses. Those at the site's own domain come first; then the more trustworthy sources come first: links,
/// addresses that are hidden from bots, structured data, text.
pub(super) fn emails(page: &Outline, graph: &Graph) -> Vec<Email> {
    let mut found = Found {
        page: page.base.as_str(),
        site: page.base.host_str().map(registrable).unwrap_or_default(),
        list: Vec::new(),
    };
    let of_others = third_parties(page);
    for anchor in &page.anchors {
        let is_doubtful = anchor.is_by_others || anchor.is_decoy || is_in(of_others, anchor.at);
        links::addresses(&anchor.href, |address, source| {
            // An address at the site's own domain counts even here: it may be that of the data protection officer, or
            // be in the comments or in a hidden box.
            let is_trap = anchor.is_decoy && names_trap(address);
            if !is_doubtful || (found.is_own(address) && !is_trap) {
                found.add(address, source, true);
            }
        });
    }
    for code in &page.cloudflare_emails {
        links::cloudflare(code, |address| found.add(address, "cloudflare", true));
    }
    markup::in_attributes(page.elements(), |address, source| {
        found.add(address, source, true);
    });
    markup::in_scripts(&page.scripts, |address| found.add(address, "script", true));
    for stated in graph.texts_of_site("email") {
        links::address_list(&stated, |address| found.add(address, "json_ld", true));
    }
    for stated in graph.texts_of_strangers("email") {
        links::address_list(&stated, |address| {
            if found.is_own(address) {
                found.add(address, "json_ld", true);
            }
        });
    }
    for name in METAS {
        if let Some(address) = meta(page, &[name]) {
            found.add(&address, "meta", true);
        }
    }
    // Some sites use the beginning of the page's text as its description.
    for description in DESCRIPTIONS.iter().filter_map(|name| meta(page, &[name])) {
        text::plain(&description, |address| found.add(address, "meta", false));
    }
    for part in of_others {
        text::plain(&with_plain_hyphens(&page.text[part.clone()]), |address| {
            if found.is_own(address) {
                found.add(address, "text", false);
            }
        });
    }
    let own_text = without(&page.text, of_others);
    let shown = with_plain_hyphens(&own_text);
    text::plain(&shown, |address| found.add(address, "text", false));
    text::reversed(&shown, |address| found.add(address, "reversed", false));
    text::obfuscated(&shown, |address| found.add(address, "obfuscated", false));
    text::spaced(&own_text, |address| {
        if found.is_own(address) {
            found.add(address, "obfuscated", false);
        }
    });
    // The site's own addresses come first. The sort is stable, so each group stays in the order of trust.
    let Found { site, mut list, .. } = found;
    let values: Vec<String> = list.iter().map(|email| email.value.clone()).collect();
    list.retain(|email| !is_glued(&email.value, &values));
    list.sort_by_key(|email| {
        let domain = email.value.rsplit('@').next().unwrap_or_default();
        registrable(domain) != site
    });
    list
}

/// Whether the local part names a spam trap, an address to which only bots write.
fn names_trap(address: &str) -> bool {
    const WORDS: &[&str] = &[
        "trap",
        "spamtrap",
        "honeypot",
        "honey",
        "spam",
        "nospam",
        "bot",
        "bots",
        "robot",
        "harvest",
        "harvester",
        "bait",
        "decoy",
        "fake",
        "blackhole",
        "donot",
    ];
    let name = address.split('@').next().unwrap_or_default();
    let mut words = name.split(|sign: char| !sign.is_alphabetic());
    words.any(|word| WORDS.iter().any(|known| known.eq_ignore_ascii_case(word)))
}

/// Replaces typographic hyphens (U+2010, U+2011) with `-`: no address contains them.
fn with_plain_hyphens(text: &str) -> Cow<'_, str> {
    const HYPHENS: [char; 2] = ['\u{2010}', '\u{2011}'];
    if text.contains(HYPHENS) {
        Cow::Owned(text.replace(HYPHENS, "-"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Whether an address is another found address with a label in front of it, because only CSS separates the two:
/// `emailinfo@…`.
fn is_glued(address: &str, all: &[String]) -> bool {
    const LABELS: &[&str] = &["email", "e-mail", "mail", "epost", "correo", "courriel", "eposta"];
    let mut bare = LABELS.iter().filter_map(|label| address.strip_prefix(label));
    bare.any(|bare| all.iter().any(|other| other == bare))
}

/// An address with its domain in ASCII.
fn plain_form(address: &str) -> Cow<'_, str> {
    match address.rsplit_once('@') {
        Some((local, domain)) if !domain.is_ascii() => match idna::domain_to_ascii(domain) {
            Ok(domain) => Cow::Owned(format!("{local}@{domain}")),
            Err(_) => Cow::Borrowed(address),
        },
        _ => Cow::Borrowed(address),
    }
}

struct Found<'a> {
    page: &'a str,
    site: &'a str,
    list: Vec<Email>,
}

impl Found<'_> {
    /// Whether an address is at the site's own domain.
    fn is_own(&self, address: &str) -> bool {
        let domain = address.rsplit('@').next().unwrap_or_default();
        registrable(domain).eq_ignore_ascii_case(self.site)
    }

    /// Adds an address unless it is a duplicate, invalid or a placeholder. If the page marks it as an address, its
    /// domain may have any suffix; otherwise the suffix must be known, or the domain must be the site's own.
    fn add(&mut self, address: &str, source: &str, marked: bool) {
        let value = visible(address)
            .trim()
            .trim_matches(['.', '<', '>', '"', '\''])
            .to_lowercase();
        let Some((local, domain)) = value.rsplit_once('@') else {
            return;
        };
        // A site's own domain is not a placeholder, not even `mustermann.de`.
        let is_own = registrable(domain) == self.site;
        // Some sites write their host after the `@`, as in a link: `info@www.acme.com`.
        let domain = domain.strip_prefix("www.").filter(|_| is_own).unwrap_or(domain);
        let value = format!("{local}@{domain}");
        let acceptable = is_address(local, domain)
            && !is_placeholder(local, domain)
            && (is_own || !is_reserved(domain) && !is_placeholder_domain(domain))
            && (marked || is_own || address::has_known_suffix(domain));
        // The Unicode and the ASCII form of a domain are the same.
        let plain = plain_form(&value);
        let is_new = self.list.iter().all(|email| plain_form(&email.value) != plain);
        if acceptable && is_new && self.list.len() < MAX_EMAILS {
            self.list.push(Email {
                source: source.to_owned(),
                page: self.page.to_owned(),
                check: None,
                value,
            });
        }
    }
}
