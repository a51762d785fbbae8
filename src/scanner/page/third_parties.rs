//! Parts of a page that are about others: who hosts or made the site, who supervises its owner. Their contact details
//! are not the owner's.

mod lines;
mod words;

use std::borrow::Cow;
use std::ops::Range;

use self::words::{CREDITS, DUTIES, NAMED, OWNER, PRIVACY, is_phone_label};
use super::head::is_in_host;
use super::imprint::is_imprint;
use super::outline::Outline;
use crate::scanner::site::registrable;

pub(super) use self::words::introduces_host;

/// Maximum number of parts kept per page.
const MAX_PARTS: usize = 200;

/// The parts of a page's text that are about others, in order and without overlaps.
pub(super) fn third_parties(page: &Outline) -> &[Range<usize>] {
    page.of_others.get_or_init(|| {
        let mut parts = sections(page);
        parts.extend(passages(page));
        joined(parts)
    })
}

/// The sections whose headings introduce others; none unless the page is an imprint or a privacy page.
fn sections(page: &Outline) -> Vec<Range<usize>> {
    /// Bytes of a section; a longer section continues with another topic.
    const MAX_SECTION: usize = 3_000;
    let mut found: Vec<Range<usize>> = Vec::new();
    if !is_imprint(page) && !is_privacy_page(page) {
        return found;
    }
    let text = page.text.as_str();
    for (index, section) in page.sections.iter().enumerate() {
        if found.len() == MAX_PARTS {
            break;
        }
        let is_within = found.last().is_some_and(|last| section.at < last.end);
        // The first level is the title of the page.
        if section.level < 2 || is_within || !introduces_third_party(first_line(&text[section.at..])) {
            continue;
        }
        let next = page.sections[index + 1..]
            .iter()
            .find(|next| next.level <= section.level);
        let next = next.map_or(text.len(), |next| next.at);
        let longest = text.floor_char_boundary((section.at + MAX_SECTION).min(text.len()));
        let end = section.end.unwrap_or(text.len()).min(next).min(longest);
        found.push(section.at..end);
    }
    found
}

/// Lines and paragraphs that are about others, on any page: `Webdesign: Acme GmbH, Tel. …` in a footer, or the
/// authority or arbiter that a shop has to name.
fn passages(page: &Outline) -> Vec<Range<usize>> {
    let text = page.text.as_str();
    let is_about_duties = is_imprint(page) || is_privacy_page(page);
    let is_of_an_authority = titles(page).any(|title| NAMED.is_match(title));
    let places = Places::new(page);
    let mut found = Vec::new();
    if !is_of_an_authority {
        let named = NAMED.find_iter(text).take(MAX_PARTS);
        found.extend(named.map(|name| places.rest_of_paragraph(name.start())));
    }
    let credits = CREDITS.find_iter(text).take(MAX_PARTS);
    found.extend(credits.filter_map(|label| places.labelled(label.range())));
    if is_about_duties {
        let labels = DUTIES.find_iter(text).take(MAX_PARTS);
        found.extend(labels.filter_map(|label| places.labelled(label.range())));
    }
    found.retain(|part| !places.is_owners(part));
    found.extend(lines::of_others(page));
    found
}

/// The text of a page and its line and paragraph breaks.
struct Places<'p> {
    page: &'p Outline,
    site: &'p str,
}

impl<'p> Places<'p> {
    fn new(page: &'p Outline) -> Self {
        Self {
            page,
            site: page.base.host_str().map(registrable).unwrap_or_default(),
        }
    }

    /// From an offset to the end of its paragraph.
    fn rest_of_paragraph(&self, start: usize) -> Range<usize> {
        /// Bytes; a longer paragraph continues with another topic.
        const LONGEST: usize = 400;
        let text = self.page.text.as_str();
        let end = self.end(start, true);
        let longest = text.floor_char_boundary((start + LONGEST).min(text.len()));
        start..end.min(longest)
    }

    /// From a label to the end of its line, or of its paragraph if the label is the whole line; `None` if no name
    /// follows.
    fn labelled(&self, label: Range<usize>) -> Option<Range<usize>> {
        /// Bytes; longer text is prose: `The method, developed by Dr. Kim, helps …`.
        const LONGEST: usize = 400;
        let text = self.page.text.as_str();
        let line = self.end(label.end, false);
        let behind = &text[label.end.min(line)..line];
        let is_alone = !behind.contains(char::is_alphanumeric);
        let part = if is_alone {
            self.rest_of_paragraph(label.start)
        } else {
            label.start..self.end_of_credit(&label, line)
        };
        let name =
            text[label.end.min(part.end)..part.end].trim_start_matches(|sign: char| !sign.is_alphanumeric());
        let begins_name = name
            .chars()
            .next()
            .is_some_and(|first| !first.is_numeric() && !first.is_lowercase());
        (begins_name && !is_phone_label(name) && part.len() <= LONGEST).then_some(part)
    }

    /// Where the part of a line ends that begins with a label: at the first separator. Behind a credit at the start of a
    /// line, details without another name still belong to it: `Website by Acme | 01904 555 010`.
    fn end_of_credit(&self, label: &Range<usize>, line: usize) -> usize {
        let text = self.page.text.as_str();
        let next = |from: usize| {
            let found = text[from..line].find(SEPARATORS);
            found.map_or(line, |end| from + end)
        };
        let mut end = next(label.end.min(line));
        let is_of_software = text[label.clone()].to_ascii_lowercase().contains("powered");
        // Who makes things for others by trade names himself on his own site.
        let is_own = is_in_host(&text[label.end.min(end)..end], self.site);
        if is_of_software || is_own || !self.begins_line(label.start) {
            return end;
        }
        while let Some(separator) = text[end..line].chars().next() {
            let start = end + separator.len_utf8();
            let behind = next(start);
            if !is_without_name(&text[start..behind]) {
                break;
            }
            end = behind;
        }
        end
    }

    fn begins_line(&self, at: usize) -> bool {
        let breaks = &self.page.breaks;
        let before = breaks[..breaks.partition_point(|place| place.at <= at)].last();
        let start = before.map_or(0, |place| place.at);
        !self.page.text[start..at].contains(char::is_alphanumeric)
    }

    /// Where the line or paragraph at an offset ends.
    fn end(&self, at: usize, is_of_block: bool) -> usize {
        let breaks = &self.page.breaks;
        let next = breaks.partition_point(|place| place.at <= at);
        let mut later = breaks[next..].iter();
        let end = later.find(|place| place.is_of_block || !is_of_block);
        end.map_or(self.page.text.len(), |place| place.at)
    }

    /// Whether a part names the owner or the site itself, for example in the site's own email address.
    fn is_owners(&self, part: &Range<usize>) -> bool {
        let text = &self.page.text[part.clone()];
        !self.site.is_empty() && text.to_ascii_lowercase().contains(self.site)
            || OWNER.is_match(first_line(text))
    }
}

/// Between the fields of a line.
const SEPARATORS: [char; 3] = ['|', '·', '•'];

/// Whether a text has numbers, email addresses or links, but no name.
fn is_without_name(text: &str) -> bool {
    /// Letters of a word such as `Tel.` or `fax`.
    const LABEL: usize = 4;
    let is_detail = |word: &str| {
        word.contains('@')
            || word.starts_with("http")
            || word.starts_with("www.")
            || word.chars().filter(|sign| sign.is_alphabetic()).count() <= LABEL
    };
    text.contains(|sign: char| sign.is_numeric() || sign == '@') && text.split_whitespace().all(is_detail)
}

/// The parts in order; overlapping and adjacent parts become one.
fn joined(mut parts: Vec<Range<usize>>) -> Vec<Range<usize>> {
    parts.sort_unstable_by_key(|part| part.start);
    let mut joined: Vec<Range<usize>> = Vec::new();
    for part in parts.into_iter().filter(|part| !part.is_empty()) {
        match joined.last_mut() {
            Some(last) if part.start <= last.end => last.end = last.end.max(part.end),
            _ => joined.push(part),
        }
    }
    joined
}

/// The text without some of its parts.
pub(super) fn without<'t>(text: &'t str, parts: &[Range<usize>]) -> Cow<'t, str> {
    if parts.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut rest = String::with_capacity(text.len());
    let mut start = 0;
    for part in parts {
        rest.push_str(&text[start..part.start]);
        rest.push('\n');
        start = part.end;
    }
    rest.push_str(&text[start..]);
    Cow::Owned(rest)
}

/// Whether an offset in the text is within one of the parts.
pub(super) fn is_in(parts: &[Range<usize>], at: usize) -> bool {
    let before = parts.partition_point(|part| part.start <= at);
    before > 0 && parts[before - 1].contains(&at)
}

/// Whether a heading is about someone other than the owner.
fn introduces_third_party(heading: &str) -> bool {
    const MAX_HEADING: usize = 100;
    heading.len() <= MAX_HEADING
        && (introduces_host(heading) || words::introduces(heading) || NAMED.is_match(heading))
        && !OWNER.is_match(heading)
}

/// Whether a page states what happens to visitors' data.
fn is_privacy_page(page: &Outline) -> bool {
    titles(page)
        .chain([page.url.path()])
        .any(|text| PRIVACY.is_match(text))
}

fn titles(page: &Outline) -> impl Iterator<Item = &str> {
    page.title.iter().chain(&page.headings).map(String::as_str)
}

fn first_line(text: &str) -> &str {
    text.trim_start().lines().next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::super::outline::outline;
    use super::*;

    fn rest(url: &str, html: &str) -> String {
        let page = outline(html, &Url::parse(url).unwrap());
        let rest = without(&page.text, third_parties(&page)).into_owned();
        rest.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn sections_about_others_end_with_the_next_heading_of_their_level() {
        let at = "https://a.test/impressum";
        for (html, wanted) in [
            (
                "<h1>Impressum</h1><p>a<h2>Konzept und Umsetzung</h2><p>b<h3>c</h3><p>d<h2>e</h2><p>f",
                "Impressum a e f",
            ),
            ("<p>a<h3>Hosting</h3><p>b<footer>c</footer>", "a c"),
            (
                "<p>a<h2>Verantwortlicher und Datenschutzbeauftragter</h2><p>b",
                "a Verantwortlicher und Datenschutzbeauftragter b",
            ),
            ("<p>a<h2>Contact</h2><p>Hosting</p><p>b", "a Contact Hosting b"),
            ("<h1>Webdesign</h1><p>a", "Webdesign a"),
        ] {
            assert_eq!(rest(at, html), wanted, "{html}");
        }
        let html = "<h2>Zuständige Aufsichtsbehörde</h2><p>b<h2>e</h2>";
        assert_eq!(rest("https://a.test/datenschutz", html), "e");
        assert_eq!(rest("https://a.test/", "<h2>Hosting</h2><p>b"), "Hosting b");
    }

    #[test]
    fn a_section_ends_with_the_element_that_its_heading_is_in() {
        let at = "https://a.test/impressum";
        for (html, wanted) in [
            ("<div><p>a<h2>Hosting</h2><p>b</div><div>c</div>", "a c"),
            // An element that contains only the heading is not the whole section.
            (
                "<p>a<div><div><h2>Hosting</h2></div></div><div>b</div><h2>d</h2>",
                "a d",
            ),
            ("<div><h2>Hosting</h2><p>b</p><h3></h3></div><p>c", "c"),
        ] {
            assert_eq!(rest(at, html), wanted, "{html}");
        }
    }

    #[test]
    fn credits_are_not_the_owners() {
        for (html, wanted) in [
            ("<p>a<p>Webdesign: Acme GmbH, Tel. 1<p>b", "a b"),
            (
                "<p>a<br>Konzept, Design &amp; Umsetzung: <a href=x>Acme</a>, <a href=mailto:x@b.test>x@b.test</a><br>b",
                "a b",
            ),
            ("<p>Programmierung und Hosting:<br>Acme<br>Tel. 1</p><p>b", "b"),
            (
                "<p>© We | Website by Acme Ltd, Tel. 1 | Tel. 2",
                "© We | | Tel. 2",
            ),
            ("<p>a<p>Website by Acme | 01904 555 010 | x@b.test", "a"),
            ("<p>Website by Acme | Tel. 1 | Our office: 2", "| Our office: 2"),
            ("<p>Powered by Acme | Tel. 1", "| Tel. 1"),
            ("<p>a<p>Hjemmeside af Acme – tlf. 70 20 11 22", "a"),
            ("<p>a<p>Уеб дизайн: Акме, 0700 12 345", "a"),
            ("<p>a<p>Diseñado por Acme, 1<p>Website door Acme, 1", "a"),
            (
                "<p>a<p>Strony wykonał Acme, 1<p>Izrada web stranica: Acme, 1",
                "a",
            ),
            ("<p>Hemsida av oss, tel. 1", "Hemsida av oss, tel. 1"),
            (
                "<p>Webdesign: Tel. 1<p>Webdesign: 1",
                "Webdesign: Tel. 1 Webdesign: 1",
            ),
            ("<p>Webdesign, Tel. 1", "Webdesign, Tel. 1"),
            ("<p>Realisierung: wir@a.test", "Realisierung: wir@a.test"),
            ("<p>Webdesign: Kim, kim@a.test", "Webdesign: Kim, kim@a.test"),
        ] {
            assert_eq!(rest("https://a.test/", html), wanted, "{html}");
        }
        let own = "<p>Designed by Jane Acre | Tel. 1";
        assert_eq!(rest("https://a.test/", own), "");
        assert_eq!(rest("https://acrejewels.test/", own), "| Tel. 1");
    }

    #[test]
    fn authorities_and_arbiters_are_not_the_owners() {
        for (html, wanted) in [
            (
                "<p>Write to a<p>CNIL - 3 Place de Fontenoy, Tél. 1<p>b",
                "Write to a b",
            ),
            ("<p>a<br>Legal Ombudsman, PO Box 1, 2<br><br>b", "a Legal b"),
            ("<p>a<p>Médiateur de la consommation : Acme, 1", "a"),
            (
                "<p>Der Landesbeauftragte für den Datenschutz<br>Weg 1<br>Tel. 2<p>b",
                "Der b",
            ),
            (
                "<title>Legal Ombudsman</title><p>Legal Ombudsman, Tel. 1",
                "Legal Ombudsman, Tel. 1",
            ),
            (
                "<p>CNIL: écrivez à b@a.test, Tél. 1",
                "CNIL: écrivez à b@a.test, Tél. 1",
            ),
            ("<p>Garantie, Tel. 1", "Garantie, Tel. 1"),
        ] {
            assert_eq!(rest("https://a.test/", html), wanted, "{html}");
        }
        let html = "<p>Aufsichtsbehörde: Stadt X, Tel. 1<p>b";
        assert_eq!(rest("https://a.test/impressum", html), "b");
        assert_eq!(
            rest("https://a.test/", html),
            "Aufsichtsbehörde: Stadt X, Tel. 1 b"
        );
    }
}
