//! Sections of an imprint or a privacy page that are about others: who hosts or made the site, who supervises it. How
//! to reach them is not how to reach the site's owner.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::imprint::is_imprint;
use super::outline::Outline;

/// Whether a line introduces who hosts the site.
pub(super) fn introduces_host(line: &str) -> bool {
    static HOSTS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)héberg|hosted|hosting|gehostet|hospeda(?:je|do|gem)|alojamiento|tárhely|хостинг|barındırma|hébergeur")
            .expect("the pattern is constant")
    });
    HOSTS.is_match(line)
}

/// The parts of a page's text that are about others, in order; none unless the page is about the site's owner and its
/// duties.
pub(super) fn third_parties(page: &Outline) -> Vec<Range<usize>> {
    /// Bytes of a section; what is longer goes on with something else.
    const MAX_SECTION: usize = 3_000;
    const MAX_SECTIONS: usize = 100;
    let mut found: Vec<Range<usize>> = Vec::new();
    if !is_imprint(page) && !is_privacy_page(page) {
        return found;
    }
    let text = page.text.as_str();
    for (index, section) in page.sections.iter().enumerate() {
        if found.len() == MAX_SECTIONS {
            break;
        }
        let is_within = found.last().is_some_and(|last| section.at < last.end);
        // The first level is for the title of the page.
        if section.level < 2 || is_within || !introduces_third_party(first_line(&text[section.at..])) {
            continue;
        }
        let next = page.sections[index + 1..]
            .iter()
            .find(|next| next.level <= section.level);
        let end = next.map_or(text.len(), |next| next.at);
        let longest = text.floor_char_boundary((section.at + MAX_SECTION).min(text.len()));
        found.push(section.at..end.min(longest));
    }
    found
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

/// Whether a place in the text is in one of its parts.
pub(super) fn is_in(parts: &[Range<usize>], at: usize) -> bool {
    parts.iter().any(|part| part.contains(&at))
}

/// Whether a heading is about somebody other than the owner.
fn introduces_third_party(heading: &str) -> bool {
    const MAX_HEADING: usize = 100;
    static OTHERS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?ix)
            \b(?:konzept(?:ion)?|web-?\s?design|web-?entwicklung|web-?development|reali[sz]ation|realisierung
                |umsetzung|programmierung|gestaltung|site\ design|site\ by|made\ by|designed\ by|developed\ by
                |création\ (?:du\ site|graphique|web)|conception|réalisation|realizzazione|sviluppo
                |diseño\ (?:web|y)|desarrollo\ (?:web|y)|web-?ontwerp|realisatie|wykonanie|realizacja)\b
            |datenschutzbeauftragte|data\ protection\ officer|délégué\ à\ la\ protection
            |responsabile\ della\ protezione|delegado\ de\ protección|functionaris\ (?:voor\ )?gegevensbescherming
            |inspektor\w*\ ochrony
            |aufsichtsbehörde|supervisory\ authority|autorité\ de\ contrôle|autorità\ (?:di\ controllo|garante)
            |autoridad\ de\ control|toezichthoudende|organ\w*\ nadzor",
        )
        .expect("the pattern is constant")
    });
    // One section for both, or who decides about the data.
    static OWNER: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?i)verantwortlich|betreiber|diensteanbieter|anbieterkennzeichnung|herausgeber|controller|[ée]diteur|editor|titolare|responsable du|responsable del tr|administrator danych|verwerkingsverantwoordelijke|owner",
        )
        .expect("the pattern is constant")
    });
    heading.len() <= MAX_HEADING
        && (introduces_host(heading) || OTHERS.is_match(heading))
        && !OWNER.is_match(heading)
}

/// Whether a page says what happens to the data of visitors.
fn is_privacy_page(page: &Outline) -> bool {
    static PRIVACY: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?i)datenschutz|privacy|privacidad|riservatezza|confidentialit|donn[ée]es[ -]personnelles|prywatno|gegevensbescherming|protecci[óo]n[ -]de[ -]datos",
        )
        .expect("the pattern is constant")
    });
    let titles = page.title.iter().chain(&page.headings).map(String::as_str);
    titles.chain([page.url.path()]).any(|text| PRIVACY.is_match(text))
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
        let rest = without(&page.text, &third_parties(&page)).into_owned();
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
}
