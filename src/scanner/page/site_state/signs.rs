//! The signs of site states. Phrases are in `signs.txt`, because there are many.

use std::sync::LazyLock;

use crate::values::site_state::SiteStateKind::{self, ForSale, ServerDefault, SoftError};

/// Hosts and beginnings of paths; without a host, any host matches.
pub(super) const ADDRESSES: &[(&str, &str, SiteStateKind)] = &[
    ("hugedomains.com", "/domain_profile.cfm", ForSale),
    ("dan.com", "/buy-domain/", ForSale),
    ("undeveloped.com", "/buy-domain/", ForSale),
    ("afternic.com", "/forsale/", ForSale),
    ("afternic.com", "/domain/", ForSale),
    ("godaddy.com", "/forsale/", ForSale),
    ("sedo.com", "/search/details/", ForSale),
    ("atom.com", "/name/", ForSale),
    ("squadhelp.com", "/name/", ForSale),
    ("brandbucket.com", "/names/", ForSale),
    ("domainmarket.com", "/buynow/", ForSale),
    ("buydomains.com", "/lander/", ForSale),
    ("forsale.dynadot.com", "/", ForSale),
    ("", "/cgi-sys/defaultwebpage.cgi", ServerDefault),
    ("", "/cgi-sys/suspendedpage.cgi", SoftError),
];

/// Texts in scripts that occur only on parked domains.
pub(super) const PARKING_SCRIPTS: &[&str] = &[
    "window.LANDER_SYSTEM",
    "window.location.href=\"/lander\"",
    "window.location.href = \"/lander\"",
    "window.park = \"",
];

/// The words, by the sections of `signs.txt`.
#[derive(Default)]
pub(super) struct Words {
    /// Words for a domain in such sentences, longer ones first.
    pub(super) subjects: Vec<&'static str>,
    /// Sentences about a domain for sale, also with its name.
    pub(super) names_for_sale: Vec<&'static str>,
    /// Sentences that count only with a word for a domain: the name alone may be a company's.
    pub(super) domains_for_sale: Vec<&'static str>,
    /// The same for parked and registered domains.
    pub(super) names_parked: Vec<&'static str>,
    pub(super) domains_parked: Vec<&'static str>,
    /// Texts that offer a domain with their first words.
    pub(super) offers: Vec<&'static str>,
    /// Offers that only say that something is for sale: they must be the whole line.
    pub(super) whole_offers: Vec<&'static str>,
    /// Texts above the links of a parked domain.
    pub(super) advertisers: Vec<&'static str>,
    /// Titles, parts of titles and headings of errors.
    pub(super) errors: Vec<&'static str>,
    /// The same for words that could be part of any title.
    pub(super) error_words: Vec<&'static str>,
    /// Messages that programs print instead of a page.
    pub(super) crashes: Vec<&'static str>,
    /// Sentences about a site that has no content yet, or is temporarily closed.
    pub(super) unfinished_sites: Vec<&'static str>,
    /// The same for words that could be about anything: a whole line on a page with hardly any other text.
    pub(super) soon: Vec<&'static str>,
    /// Classes that plugins give to such a page as a whole.
    pub(super) unfinished_classes: Vec<&'static str>,
    /// Texts for browsers without scripts, in addition to the name of the language.
    pub(super) ask_for_scripts: Vec<&'static str>,
    /// Elements that applications are rendered into, by id or name.
    pub(super) roots: Vec<&'static str>,
    /// Hosts, some with the beginning of a path, of files that only parked domains load.
    pub(super) parking_files: Vec<&'static str>,
    /// Titles (`*` for any ending); after a bar, a text that must occur on the page.
    pub(super) default_pages: Vec<&'static str>,
}

pub(super) static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let mut words = Words::default();
    let mut section = &mut Vec::new();
    let lines = include_str!("signs.txt")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    for line in lines {
        match line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            Some(name) => section = words.section(name),
            None => section.push(line),
        }
    }
    words
});

impl Words {
    fn section(&mut self, name: &str) -> &mut Vec<&'static str> {
        match name {
            "subjects" => &mut self.subjects,
            "names for sale" => &mut self.names_for_sale,
            "domains for sale" => &mut self.domains_for_sale,
            "names parked" => &mut self.names_parked,
            "domains parked" => &mut self.domains_parked,
            "offers" => &mut self.offers,
            "whole offers" => &mut self.whole_offers,
            "advertisers" => &mut self.advertisers,
            "errors" => &mut self.errors,
            "error words" => &mut self.error_words,
            "crashes" => &mut self.crashes,
            "unfinished sites" => &mut self.unfinished_sites,
            "soon" => &mut self.soon,
            "unfinished classes" => &mut self.unfinished_classes,
            "ask for scripts" => &mut self.ask_for_scripts,
            "roots" => &mut self.roots,
            "parking files" => &mut self.parking_files,
            "default pages" => &mut self.default_pages,
            other => unreachable!("signs.txt has no section {other}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_are_lower_case_and_each_stands_once_in_its_section() {
        let mut seen = std::collections::HashSet::new();
        let mut section = "";
        for line in include_str!("signs.txt")
            .lines()
            .filter(|line| !line.starts_with('#'))
        {
            if line.starts_with('[') {
                section = line;
            }
            assert!(
                line.is_empty() || seen.insert((section, line)),
                "{line} stands twice in {section}"
            );
            assert_eq!(line, line.to_lowercase());
        }
        assert!(!WORDS.roots.is_empty());
    }
}
