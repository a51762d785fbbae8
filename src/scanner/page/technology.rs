//! Which software a site runs on, each with the evidence.
//!
//! The engine reads the community's fingerprint format ([`format`]). The binary contains a set of its own (`own.json`),
//! and a user may load another one in addition. Our own signs are searched for only where the software itself leaves
//! them (generator, asset URLs, script text, attributes, header fields), never in prose: a page about WordPress is not
//! a WordPress page.

mod dom;
mod files;
mod format;
mod generator;
mod literals;
mod off_page;
mod pattern;
mod resolve;
mod set;
mod version;
mod view;

pub use self::format::FormatError;
pub use self::off_page::OffPageSignals;
pub use self::set::{Known, Skipped, Technologies, own};
use super::outline::Outline;
use crate::fetch::Headers;
use crate::values::findings::{TechStack, Technology};
use resolve::Found;
use view::View;

/// Minimum confidence at which a technology is reported.
const MIN_CONFIDENCE: u8 = 50;

/// All technologies with a sign on the page, in the order of the set.
pub(super) fn technologies(
    set: &Technologies,
    html: &str,
    page: &Outline,
    headers: &Headers,
) -> Vec<Technology> {
    let view = View::of(html, page, headers);
    let mut found = Found::new(set);
    let candidates = candidates(set, &view);
    for number in &candidates.signs {
        let sign = &set.signs[*number];
        if let Some((evidence, claimed)) = view.find(sign, &set.known[sign.technology].name) {
            found.add(sign.technology, sign.pattern.confidence, evidence, claimed);
        }
    }
    dom::match_elements(set, &candidates.elements, page, &mut found);
    let mut technologies = found.resolve();
    let tried = candidates.signs.iter().map(|number| &set.signs[*number]);
    for generator in generator::unknown(page, tried) {
        let is_known = |known: &Technology| known.name.eq_ignore_ascii_case(&generator.name);
        if !technologies.iter().any(is_known) {
            technologies.push(generator);
        }
    }
    technologies
}

/// Adds the technologies that are detected outside a site's pages.
pub(super) fn add_beside(found: &mut Vec<Technology>, set: &Technologies, off_page: &OffPageSignals) {
    *found = off_page::technologies(set, found, off_page);
}

/// Adds a technology from a further page. A version from the home page stays. Without one, the entry with a version
/// replaces the other, then the entry with the higher confidence.
pub(super) fn add(found: &mut Vec<Technology>, further: Technology) {
    let Some(known) = found.iter_mut().find(|known| known.name == further.name) else {
        found.push(further);
        return;
    };
    let confidence = known.confidence.max(further.confidence);
    if known.version.is_none() && (further.version.is_some() || further.confidence > known.confidence) {
        *known = further;
    }
    known.confidence = confidence;
}

/// Whether a technology is present with enough confidence, and its version.
pub(super) fn version_of(technologies: &[Technology], name: &str) -> (bool, Option<String>) {
    let found = technologies
        .iter()
        .find(|technology| technology.name == name && technology.confidence >= MIN_CONFIDENCE);
    (
        found.is_some(),
        found.and_then(|technology| technology.version.clone()),
    )
}

/// The four categories of the predecessor program.
pub(super) fn categories(technologies: &[Technology]) -> TechStack {
    let mut stack = TechStack::default();
    for technology in technologies
        .iter()
        .filter(|technology| technology.confidence >= MIN_CONFIDENCE)
    {
        let is = |names: &[&str]| {
            technology
                .categories
                .iter()
                .any(|category| names.iter().any(|name| category.eq_ignore_ascii_case(name)))
        };
        let name = technology.name.clone();
        if is(&[
            "cms",
            "blogs",
            "ecommerce",
            "website builders",
            "wikis",
            "message boards",
        ]) {
            stack.cms.push(name);
        } else if is(&[
            "javascript frameworks",
            "web frameworks",
            "javascript libraries",
            "page builders",
            "ui frameworks",
        ]) {
            stack.frameworks.push(name);
        } else if is(&["analytics", "tag managers", "advertising"]) {
            stack.analytics.push(name);
        } else if is(&[
            "live chat",
            "marketing automation",
            "email",
            "widgets",
            "cookie compliance",
        ]) {
            stack.widgets.push(name);
        }
    }
    stack
}

/// The signs and element signs that may match at all, each list in order.
struct Candidates {
    signs: Vec<usize>,
    elements: Vec<usize>,
}

fn candidates(set: &Technologies, view: &View<'_>) -> Candidates {
    let mut possible = vec![false; set.signs.len() + set.elements.len()];
    for number in &set.always {
        possible[*number] = true;
    }
    for url in view.file_urls() {
        set.by_urls.mark(url, &mut possible);
    }
    for script in view.inline_scripts() {
        set.by_scripts.mark(script, &mut possible);
    }
    for text in view.markup() {
        set.by_markup.mark(&text, &mut possible);
    }
    set.by_page.mark(view.html, &mut possible);
    let chosen = |range: std::ops::Range<usize>| range.filter(|number| possible[*number]);
    Candidates {
        signs: chosen(0..set.signs.len()).collect(),
        elements: chosen(set.signs.len()..possible.len())
            .map(|number| number - set.signs.len())
            .collect(),
    }
}

#[cfg(test)]
mod tests;
