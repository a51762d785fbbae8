//! Home pages that are not ordinary sites: parked, for sale, under construction, a server's default page, an error
//! with status 200, or empty without JavaScript. When in doubt, a page is ordinary.
//!
//! Most signs are sentences that a long page may contain by chance. So they count only on short pages, and only at the
//! beginning of a line or sentence, or if they are the whole line.
//!
//! Other files decide the consequences: `values/site_state.rs` defines which states are not the owner's content,
//! `scanner/page/mod.rs` drops names and contacts for those, and `scanner/scan.rs` reads no further pages, files or
//! sample.

mod page_text;
mod signs;

use std::cell::LazyCell;

use url::Url;

use self::page_text::PageText;
use self::signs::{ADDRESSES, PARKING_SCRIPTS, WORDS};
use super::outline::Outline;
use crate::scanner::site::registrable;
use crate::values::site_state::{SiteState, SiteStateKind};

/// Maximum letters in a page's text for an examination, about 900 words.
const LONG: usize = 6_000;
/// Limit for a page that offers or parks a domain: it has terms and advertisements, but not more.
const MIDDLE: usize = 3_000;
/// Limit for a page that only says that there is no content yet.
const SHORT: usize = 1_200;
/// The same limit for words that could be about anything: `Coming soon`.
const TINY: usize = 600;
/// Limit for a page without content until scripts fill it.
const EMPTY: usize = 120;

/// Limit for the links of a page that says that there is no content yet.
const FEW_LINKS: u64 = 12;
/// Maximum characters of evidence.
const MAX_EVIDENCE: usize = 200;

/// The state of a page, if it has one.
pub(super) fn site_state(page: &Outline) -> Option<SiteState> {
    let (state, evidence) = by_address(&page.url)
        .or_else(|| by_files(page))
        .or_else(|| by_words(&PageText::of(page)?))?;
    Some(SiteState {
        state,
        evidence: evidence.chars().take(MAX_EVIDENCE).collect(),
        page: page.url.to_string(),
    })
}

type Seen = (SiteStateKind, String);

/// Domain marketplaces and hosters show their pages about a domain at their own URLs.
fn by_address(url: &Url) -> Option<Seen> {
    let host = url.host_str()?;
    let is_there = |(known, path, _): &&(&str, &str, SiteStateKind)| {
        let is_host = known.is_empty() || host == *known || host.ends_with(&format!(".{known}"));
        is_host && url.path().starts_with(path) && url.path().len() > path.len().min(1)
    };
    let (_, _, state) = ADDRESSES.iter().find(is_there)?;
    Some((*state, format!("address: {url}")))
}

/// Scripts and frames that only parked domains load.
fn by_files(page: &Outline) -> Option<Seen> {
    let own = registrable(page.url.host_str().unwrap_or_default());
    let of_parking = page.assets.iter().find(|file| {
        let Ok(file) = page.base.join(file) else {
            return false;
        };
        let host = file.host_str().unwrap_or_default();
        let is_at = |known: &str| {
            let (known, path) = known.split_once('/').unwrap_or((known, ""));
            let is_host = host == known || host.strip_suffix(known).is_some_and(|rest| rest.ends_with('.'));
            is_host && file.path().trim_start_matches('/').starts_with(path)
        };
        registrable(host) != own && WORDS.parking_files.iter().any(|known| is_at(known))
    });
    let parked = |evidence: String| Some((SiteStateKind::Parked, evidence));
    if let Some(file) = of_parking {
        return parked(format!("file: {file}"));
    }
    let mut scripts = page.scripts.iter();
    let sign = scripts.find_map(|script| PARKING_SCRIPTS.iter().find(|sign| script.contains(**sign)))?;
    // A page about domain parking may quote such scripts.
    (page.text.len() < MIDDLE).then(|| parked(format!("script: {sign}")))?
}

/// The most likely state according to the page's words, the clearest signs first.
fn by_words(page: &PageText<'_>) -> Option<Seen> {
    about_the_domain(page)
        .or_else(|| default_page(page))
        .or_else(|| error(page))
        .or_else(|| not_yet(page))
        .or_else(|| error_of_wordpress(page))
        .or_else(|| shell(page))
}

/// `This domain is for sale`, in many languages, also with the domain's own name in place of the first two words.
fn about_the_domain(page: &PageText<'_>) -> Option<Seen> {
    if page.letters > MIDDLE {
        return page.titles().find_map(|title| offer_or_parking(page, title));
    }
    page.sentences()
        .find_map(|sentence| offer_or_parking(page, sentence))
        .or_else(|| advertisements(page))
}

fn offer_or_parking(page: &PageText<'_>, sentence: &str) -> Option<Seen> {
    let quoted = || format!("text: {sentence}");
    let offers = WORDS.offers.iter().any(|offer| sentence.starts_with(offer));
    // A sentence that only says that something is for sale must be the whole line, on a page that names its domain or
    // has no other text.
    let is_bare = WORDS
        .whole_offers
        .iter()
        .any(|words| page.is_whole(sentence, words))
        && (page.names_host() || page.letters <= EMPTY);
    if offers || is_bare {
        return Some((SiteStateKind::ForSale, quoted()));
    }
    let (is_called_domain, said) = page.said_of_domain(sentence)?;
    let says = |of_names: &[&str], of_domains: &[&str]| {
        let of_domains = if is_called_domain { of_domains } else { &[] };
        of_names
            .iter()
            .chain(of_domains)
            .any(|words| said.starts_with(words))
    };
    if says(&WORDS.names_for_sale, &WORDS.domains_for_sale) {
        return Some((SiteStateKind::ForSale, quoted()));
    }
    says(&WORDS.names_parked, &WORDS.domains_parked).then(|| (SiteStateKind::Parked, quoted()))
}

/// A page with only the domain's name above paid links.
fn advertisements(page: &PageText<'_>) -> Option<Seen> {
    let heading = page.titles().find(|title| page.is_host(title))?;
    let line = page
        .sentences()
        .find(|line| WORDS.advertisers.contains(&line.trim_end_matches(':')))?;
    (page.letters <= SHORT).then(|| (SiteStateKind::Parked, format!("text: {heading} … {line}")))
}

/// The pages that servers and control panels show before files are uploaded: a title, and a text below it.
fn default_page(page: &PageText<'_>) -> Option<Seen> {
    let is_one = |title: &&str| {
        WORDS.default_pages.iter().any(|known| {
            let (known, text) = known.split_once(" | ").unwrap_or((known, ""));
            let is_titled = match known.strip_suffix('*') {
                Some(beginning) => title.starts_with(beginning),
                None => page.is_whole(title, known),
            };
            is_titled && page.says(text)
        })
    };
    if let Some(title) = page.titles().find(is_one) {
        return Some((SiteStateKind::ServerDefault, format!("title: {title}")));
    }
    // Apache's oldest default page has only this text.
    let is_bare = matches!(page.text.trim(), "it works!" | "it works");
    is_bare.then(|| {
        (
            SiteStateKind::ServerDefault,
            format!("text: {}", page.text.trim()),
        )
    })
}

/// An error page that the server sends with a success status.
fn error(page: &PageText<'_>) -> Option<Seen> {
    if page.letters > SHORT {
        return None;
    }
    let is_one_of = |line: &str, known: &[&str]| known.iter().any(|known| page.is_whole(line, known));
    let titled = || page.titles().find(|title| is_one_of(title, &WORDS.errors));
    let headed = || {
        page.headings()
            .find(|heading| is_one_of(heading, &WORDS.error_words))
    };
    let begins = |line: &&str| WORDS.crashes.iter().any(|known| line.starts_with(known));
    let line = titled()
        .or_else(headed)
        .or_else(|| page.sentences().find(begins))?;
    Some((SiteStateKind::SoftError, format!("text: {line}")))
}

/// There is no content yet, or the site is temporarily closed.
fn not_yet(page: &PageText<'_>) -> Option<Seen> {
    if page.letters > SHORT || page.outline.counts.link_count > FEW_LINKS {
        return None;
    }
    let is_about_site = |line: &&str| WORDS.unfinished_sites.iter().any(|known| line.contains(known));
    let is_soon = |line: &&str| {
        page.letters <= TINY
            && WORDS
                .soon
                .iter()
                .any(|known| page.is_whole(line, known) || page.is_of_host(line, known))
    };
    let titled = || page.titles().find(|line| is_about_site(line) || is_soon(line));
    let layout = LazyCell::new(|| page.layout());
    let said = || {
        page.lines()
            .find(|line| is_about_site(line) || is_soon(line) && !layout.is_section(line))
    };
    let evidence = match titled().or_else(said) {
        Some(line) => format!("text: {line}"),
        None => format!("class: {}", page.class_of_page(&WORDS.unfinished_classes)?),
    };
    Some((SiteStateKind::UnderConstruction, evidence))
}

/// WordPress's own error page, in any language. A maintenance message has the same form, but says that it is one.
fn error_of_wordpress(page: &PageText<'_>) -> Option<Seen> {
    let message = page.message_of_wordpress()?;
    (page.letters <= SHORT).then(|| (SiteStateKind::SoftError, format!("text: {message}")))
}

/// A page that shows nothing without scripts.
fn shell(page: &PageText<'_>) -> Option<Seen> {
    let counts = page.outline.counts;
    let shows_else = counts.image_count > 2 || page.has_frames() || counts.form_count > 1;
    if counts.script_count == 0 || shows_else {
        return None;
    }
    let evidence = match (page.empty_root(), page.letters_shown()) {
        (Some(root), (shown, _)) if shown <= EMPTY => format!("element: {root}"),
        (None, (shown, Some(text))) if shown <= EMPTY / 3 => format!("noscript: {text}"),
        _ => return None,
    };
    Some((SiteStateKind::NeedsJavascript, evidence))
}

#[cfg(test)]
mod kinds_tests;
#[cfg(test)]
mod tests;
