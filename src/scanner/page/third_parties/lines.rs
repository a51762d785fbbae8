//! Lines that are clearly about others: they have an email address of another domain, a company name that does not
//! match the host, a customer's quoted words, or someone's relation to the owner.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::words::{AUTHORITIES, INSTITUTIONS, OWNER, RELATIONS, constant};
use crate::scanner::page::email::decode_cloudflare;
use crate::scanner::page::head::{host_names, is_in_host, letters};
use crate::scanner::page::imprint::{companies, is_postcode};
use crate::scanner::page::outline::Outline;
use crate::scanner::site::registrable;
use crate::values::mail_providers::is_mail_provider;

/// Maximum number of lines examined, and maximum bytes of a line: longer lines are prose about several things.
const MAX_LINES: usize = 3_000;
const MAX_LINE: usize = 500;

/// Fewer digits are neither a postal code with a house number nor a phone number.
const MIN_DIGITS: usize = 5;

/// The lines of a page's text that are about others.
pub(super) fn of_others(page: &Outline) -> Vec<Range<usize>> {
    let site = Site::new(page);
    let lines = || lines(&page.text).take(MAX_LINES);
    let mut found: Vec<Range<usize>> = lines()
        .filter(|(_, line)| is_quotation(line) && !site.names(line))
        .map(|(at, line)| at..at + line.len())
        .collect();
    let pairs = lines().zip(lines().skip(1));
    let authors =
        pairs.filter(|((_, line), (_, next))| is_quoted(line) && is_author(next) && !site.names(next));
    found.extend(authors.map(|(_, (at, next))| at..at + next.len()));
    found.extend(lines().filter_map(|(at, line)| {
        let part = introduced(line, &site)?;
        Some(at + part.start..at + part.end)
    }));
    // Email addresses of other domains certainly belong to others only if the site has an address of its own.
    if lines().any(|(_, line)| site.has_own_address(line)) || site.has_linked_address(page) {
        let foreign = lines().filter(|(_, line)| site.has_foreign_address(line));
        found.extend(foreign.map(|(at, line)| at..at + line.len()));
    }
    let short = || lines().filter(|(_, line)| line.len() <= MAX_LINE);
    let mut others = short().filter(|(_, line)| reaches(line) && site.is_of_other_companies(line));
    if let Some(first) = others.next()
        && short().any(|(_, line)| companies(line).any(|name| site.is_like(name)))
    {
        let all = std::iter::once(first).chain(others);
        found.extend(all.map(|(at, line)| at..at + line.len()));
    }
    found
}

/// The names by which a site is known.
struct Site<'p> {
    host: &'p str,
    domain: &'p str,
    /// The letters of the domain without its suffix.
    label: String,
    /// The letters of titles and headings.
    titles: Vec<String>,
}

impl<'p> Site<'p> {
    fn new(page: &'p Outline) -> Self {
        let host = page.base.host_str().unwrap_or_default();
        let [_, label] = host_names(host);
        Self {
            host,
            domain: registrable(host),
            label,
            titles: super::titles(page).map(letters).collect(),
        }
    }

    /// Whether the host contains a word of a name.
    fn is_like(&self, name: &str) -> bool {
        is_in_host(name, self.host)
    }

    /// Whether a line contains the site's domain, or a company name that matches the host.
    fn names(&self, line: &str) -> bool {
        !self.domain.is_empty() && line.to_ascii_lowercase().contains(self.domain)
            || companies(line).any(|name| self.is_like(name))
    }

    /// Whether a title, a heading or the host contains a name: the site may be that of an institution.
    fn is_titled(&self, name: &str) -> bool {
        let called = letters(name);
        self.label.contains(&called) || self.titles.iter().any(|title| title.contains(&called))
    }

    fn has_own_address(&self, line: &str) -> bool {
        hosts_of_addresses(line).any(|host| registrable(&host) == self.domain)
    }

    fn has_linked_address(&self, page: &Outline) -> bool {
        let linked = page.anchors.iter().filter(|anchor| !anchor.is_decoy);
        let mut linked = linked.filter(|anchor| {
            anchor
                .href
                .get(..7)
                .is_some_and(|start| start.eq_ignore_ascii_case("mailto:"))
        });
        let mut decoded = page
            .cloudflare_emails
            .iter()
            .filter_map(|code| decode_cloudflare(code));
        linked.any(|anchor| self.has_own_address(&anchor.href))
            || decoded.any(|address| self.has_own_address(&address))
    }

    /// Whether a line contains, among other words, an email address of someone else's domain.
    fn has_foreign_address(&self, line: &str) -> bool {
        /// Letters besides the address itself: a label has fewer.
        const MIN_LETTERS: usize = 25;
        let mut hosts = hosts_of_addresses(line).peekable();
        hosts.peek().is_some()
            && line.len() <= MAX_LINE
            && hosts.all(|host| self.is_foreign(&host))
            && !is_labelled_as_owner(line)
            && line
                .split_whitespace()
                .filter(|word| !word.contains('@'))
                .flat_map(str::chars)
                .filter(|sign| sign.is_alphabetic())
                .count()
                >= MIN_LETTERS
    }

    /// Whether a host belongs neither to someone with a name like the site's nor to a mailbox provider.
    fn is_foreign(&self, host: &str) -> bool {
        const SHORTEST: usize = 4;
        let [_, label] = host_names(host);
        let is_alike = label.len() >= SHORTEST && self.label.contains(&label)
            || self.label.len() >= SHORTEST && label.contains(&self.label)
            || host
                .split(['.', '-'])
                .any(|word| word.len() >= SHORTEST && self.label.contains(&letters(word)));
        !is_alike && !is_mail_provider(registrable(host))
    }

    fn is_of_other_companies(&self, line: &str) -> bool {
        let mut names = companies(line).peekable();
        names.peek().is_some()
            && !self.names(line)
            && !is_labelled_as_owner(line)
            && !names.any(|name| self.titles.iter().any(|title| title.contains(&letters(name))))
    }
}

/// The part of a line that is about an institution, or about someone whose relation to the owner is stated in front.
fn introduced(line: &str, site: &Site<'_>) -> Option<Range<usize>> {
    if line.len() > MAX_LINE || !line.contains(|sign: char| sign.is_numeric()) {
        return None;
    }
    let part = authority(line, site)
        .or_else(|| relation(line))
        .or_else(|| institution(line, site))?;
    (!site.names(&line[part.clone()])).then_some(part)
}

/// From the name of an authority or a helpline to the end of its line.
fn authority(line: &str, site: &Site<'_>) -> Option<Range<usize>> {
    let name = AUTHORITIES.find(line)?;
    (!site.is_titled(name.as_str())).then_some(name.start()..line.len())
}

/// A line that begins with someone's relation to the owner, and has an address. A number without one may be the owner's:
/// `Member of the Guild. Tel. 030 …`.
fn relation(line: &str) -> Option<Range<usize>> {
    let relation = RELATIONS.find(line)?;
    let has_address = is_postcode(line) || line[relation.end()..].matches(", ").count() > 1;
    has_address.then_some(0..line.len())
}

/// From the name of an institution that a line begins with, at most after a label, to the end of its field.
fn institution(line: &str, site: &Site<'_>) -> Option<Range<usize>> {
    const MAX_LABEL: usize = 60;
    let name = INSTITUTIONS.find(line)?;
    // The match includes a character in front of the name.
    let start = line.len()
        - line[name.start()..]
            .trim_start_matches(|sign: char| !sign.is_alphabetic())
            .len();
    let before = &line[..start];
    let label = before.trim_end();
    // A hyphen without spaces joins: `Foo-Feuerwehr`.
    let is_apart =
        label.ends_with([':', '：', '(']) || [" - ", " – ", " — "].iter().any(|dash| before.ends_with(dash));
    let is_label = is_apart && label.len() <= MAX_LABEL && !label.contains(|sign: char| sign.is_numeric());
    let end = line[name.end()..].find(['|', '·', '•']);
    let end = end.map_or(line.len(), |end| name.end() + end);
    ((label.is_empty() || is_label) && !site.is_titled(name.as_str())).then_some(start..end)
}

/// Whether the label at the start of a line means the owner.
fn is_labelled_as_owner(line: &str) -> bool {
    line.split_once(':')
        .is_some_and(|(label, _)| OWNER.is_match(label))
}

/// Whether a line is a customer's statement, followed by the customer's name.
fn is_quotation(line: &str) -> bool {
    static QUOTATION: LazyLock<Regex> = LazyLock::new(|| {
        constant(r#"^[„“”"«»‚‘]\s?[^„“”"«»\n]{8,400}[.!?…,]\s?[“”"»«’]\s*(?:[–—,-]|\p{L})"#)
    });
    line.len() <= 2 * MAX_LINE && QUOTATION.is_match(line)
}

/// Whether a line is nothing but a quoted sentence.
fn is_quoted(line: &str) -> bool {
    static QUOTED: LazyLock<Regex> =
        LazyLock::new(|| constant(r#"^[„“”"«»‚‘]\s?[^„“”"«»\n]{8,400}[.!?…]\s?[“”"»«’]$"#));
    line.len() <= 2 * MAX_LINE && QUOTED.is_match(line)
}

/// Whether a line below a quoted sentence names who said it.
fn is_author(line: &str) -> bool {
    const MAX_AUTHOR: usize = 100;
    line.len() <= MAX_AUTHOR
        && !line.contains(['@', ':'])
        && line.bytes().filter(u8::is_ascii_digit).count() < MIN_DIGITS
}

/// Whether a line contains a postal address or a phone number.
fn reaches(line: &str) -> bool {
    const PHONE: usize = 7;
    let digits = line.bytes().filter(u8::is_ascii_digit).count();
    digits >= MIN_DIGITS && (digits >= PHONE || is_postcode(line))
}

/// The hosts of the email addresses in a text, in lower case.
fn hosts_of_addresses(text: &str) -> impl Iterator<Item = String> + '_ {
    let behind = text.match_indices('@').map(|(at, _)| &text[at + 1..]);
    let hosts = behind.map(|rest| {
        let end = rest.find(|sign: char| !sign.is_alphanumeric() && !matches!(sign, '.' | '-'));
        rest[..end.unwrap_or(rest.len())]
            .trim_end_matches(['.', '-'])
            .to_lowercase()
    });
    hosts.filter(|host| host.contains('.'))
}

/// The lines that are not empty, and where they begin.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut start = 0;
    let lines = text.split('\n').map(move |line| {
        let at = start;
        start += line.len() + 1;
        let trimmed = line.trim();
        (at + line.len() - line.trim_start().len(), trimmed)
    });
    lines.filter(|(_, line)| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::super::{third_parties, without};
    use crate::scanner::page::outline::outline;

    fn rest(html: &str) -> String {
        let page = outline(html, &Url::parse("https://www.acme-moebel.test/").unwrap());
        let rest = without(&page.text, third_parties(&page)).into_owned();
        rest.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn addresses_of_other_domains_are_of_others_where_the_site_has_its_own() {
        let own = "<p>info@acme-moebel.test";
        for (line, is_of_others) in [
            (
                "Kassenamt der Stadt Foo, Weg 1, Tel. 069 66070, amt@foo.test",
                true,
            ),
            (
                "Owner Pat Rudd said bookings can be made by emailing table@gull.test",
                true,
            ),
            // Addresses of the owner's other domains and of mailbox providers, labels, and lines about the owner.
            (
                "Our workshop in the old town, Weg 1: office@acme-werkstatt.test",
                false,
            ),
            (
                "Our workshop in the old town of Foo, Weg 1: acme@gmail.com",
                false,
            ),
            ("Press: press@agency.test", false),
            (
                "Operator and owner: Foo Trade in the old town, mail@foo-trade.test",
                false,
            ),
        ] {
            let found = rest(&format!("{own}<p>{line}"));
            assert_eq!(found == "info@acme-moebel.test", is_of_others, "{line}: {found}");
            assert_eq!(
                rest(&format!("<p>{line}")),
                line,
                "without an address of the site's own"
            );
        }
    }

    #[test]
    fn lines_with_another_company_are_of_others_where_the_owner_is_named() {
        let own = "<p>Acme Möbel GmbH<br>Gasse 5<br>8010 Graz";
        for (line, is_of_others) in [
            (
                "Unsere Küchen kommen von Foo Holz GmbH, Weg 1, 1010 Wien, Tel. 01 2345678",
                true,
            ),
            (
                "Beispiel: Die Schreinerei Foo GmbH (Talweg 9, 83278 Traunstein) zog 2023 um.",
                true,
            ),
            ("Filiale Wien: Weg 1, 1010 Wien, Tel. 01 2345678", false),
            ("Acme Werkstatt GmbH, Weg 1, 1010 Wien", false),
            ("Betreiber: Foo Holz GmbH, Weg 1, 1010 Wien", false),
            ("Foo Holz GmbH", false),
        ] {
            let found = rest(&format!("<p>{line}{own}"));
            assert_eq!(
                !found.contains("Foo") && !found.contains("Weg 1"),
                is_of_others,
                "{line}: {found}"
            );
        }
    }

    #[test]
    fn quotations_institutions_and_partners_are_of_others() {
        for line in [
            "„Die Montage lief reibungslos.“ – Foo Holz, Weg 1, 1010 Wien",
            "“They cut our work from 9 days to 2,” says Pat Foo, 5 Mill Lane",
            "Centre antipoison de Rennes : 02 99 59 22 22",
            "Bezirkshauptmannschaft Foo, Hauptstraße 1, 5600 Foo, Tel. 06412 6101",
            "Oklahoma Bar Association, 1901 N Lincoln Blvd, Oklahoma City, (405) 416-7000",
            "Unser Partner für Gerüste: Foo, Weg 1, 24768 Rendsburg, Tel. 04331 27118",
            "Angaben zum Hersteller (GPSR): Foo, Weg 1, 1019 Amsterdam",
            "Técnica: 技术支持：Foo 0577-88990418",
            "“Our dinner was perfect.”<p>Pat Pereira, Foo, S.A.",
        ] {
            let found = rest(&format!("<p>Tel. 1<p>{line}"));
            assert!(
                !found.contains("Foo") && !found.contains("22 22") && !found.contains("7000"),
                "{line}: {found}"
            );
        }
        for line in [
            "„Balkan Trans“ GmbH, Weg 1",
            "Member of the Guild. Tel. 030 901820",
            "Wir arbeiten mit der Polizei zusammen, Tel. 030 901820",
            "Kühlkammer 3, Weg 1, 1010 Wien",
            "Foo-Feuerwehr, Weg 1, Tel. 030 901820",
            "Mitglied der Innung. Acme Moebel GmbH, Weg 1, 1010 Wien, Tel. 030 901820",
        ] {
            assert_eq!(rest(&format!("<p>{line}")), line);
        }
        // The site itself may be one.
        let page = "<title>Feuerwehr Foo</title><p>Feuerwehr Foo, Weg 1, Tel. 030 901820";
        assert!(rest(page).contains("901820"));
    }
}
