//! Phone numbers of a page in E.164, with the country inferred where it is not written.

use std::sync::LazyLock;

use regex::Regex;
use rlibphonenumber::phonenumber_matcher::{Leniency, PHONE_MATCHER_FACTORY};
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, Region};

use super::head::meta;
use super::json_ld::{Node, texts};
use super::organization::country;
use super::outline::Outline;
use crate::values::findings::Phone;

/// Numbers kept of one page.
const MAX_PHONES: usize = 100;

/// Pieces of text looked at closely; looking takes up to a millisecond each.
const MAX_CANDIDATES: usize = 300;

/// Bytes before a number that may say what it is.
const MAX_LABEL: usize = 80;

/// Names under which a `<meta>` states a number (Open Graph, business and microdata vocabularies).
const METAS: &[&str] = &[
    "telephone",
    "phone",
    "og:phone_number",
    "business:contact_data:phone_number",
];

/// All numbers in order of trust: `tel:` and `WhatsApp` links, JSON-LD, metas, then text.
pub(super) fn phones(page: &Outline, nodes: &[Node], language: Option<&str>) -> Vec<Phone> {
    let regions = regions(page, nodes, language);
    let mut found = Found {
        page: page.base.as_str(),
        list: Vec::new(),
    };
    for anchor in &page.anchors {
        if let Some(number) = tel(&anchor.href) {
            found.add_marked(&number, &regions, "tel");
        }
    }
    for anchor in &page.anchors {
        if let Some(number) = whatsapp(&anchor.href) {
            found.add_marked(&number, &regions, "whatsapp");
        }
    }
    for number in nodes.iter().flat_map(|node| texts(node, "telephone")) {
        found.add_marked(number.trim_start_matches("tel:"), &regions, "json_ld");
    }
    for number in METAS.iter().filter_map(|name| meta(page, &[name])) {
        found.add_marked(&number, &regions, "meta");
    }
    for candidate in candidates(&page.text) {
        in_text(candidate, &regions, &mut found);
    }
    found.list
}

struct Found<'a> {
    page: &'a str,
    list: Vec<Phone>,
}

impl Found<'_> {
    /// A text that is said to be a number: it need only be a possible one.
    fn add_marked(&mut self, raw: &str, regions: &[Region], source: &str) {
        let parsed = |region: Option<Region>| PHONE_NUMBER_UTIL.parse(raw, region).ok();
        let candidates: Vec<PhoneNumber> = if raw.trim_start().starts_with(['+', '＋']) {
            parsed(None).into_iter().collect()
        } else {
            regions
                .iter()
                .filter_map(|region| parsed(Some(*region)))
                .collect()
        };
        let number = candidates.iter().find(|number| number.is_valid()).or_else(|| {
            candidates
                .iter()
                .find(|number| PHONE_NUMBER_UTIL.is_possible_number(number))
        });
        if let Some(number) = number {
            self.add(number, raw, source);
        }
    }

    fn add(&mut self, number: &PhoneNumber, raw: &str, source: &str) {
        let value = number.format_as(PhoneNumberFormat::E164).into_owned();
        let is_new = self.list.iter().all(|phone| phone.value != value);
        if is_new && self.list.len() < MAX_PHONES {
            self.list.push(Phone {
                value,
                raw: raw.trim().to_owned(),
                source: source.to_owned(),
                page: self.page.to_owned(),
            });
        }
    }
}

fn in_text(line: &str, regions: &[Region], found: &mut Found<'_>) {
    let builder = PHONE_MATCHER_FACTORY
        .matcher_builder(line)
        .leniency(Leniency::Valid);
    let matcher = match regions.first() {
        Some(first) => builder.regions_with_hint(regions.iter().copied(), *first).build(),
        None => builder.preferred_region(None).build(),
    };
    for hit in matcher.take(MAX_PHONES) {
        if is_written_as_a_phone(hit.raw_string) {
            found.add(&hit.number, hit.raw_string, "text");
        }
    }
}

/// Bare runs of digits are order numbers, dates and ids far more often than phones.
fn is_written_as_a_phone(raw: &str) -> bool {
    let digits = raw.bytes().filter(u8::is_ascii_digit).count();
    let groups = raw
        .split(|c: char| !c.is_ascii_digit())
        .filter(|group| !group.is_empty())
        .count();
    digits >= 7 && (raw.starts_with('+') || groups > 1) && !is_date(raw)
}

/// `06.12.2022`, `2022-12-06`, `6/12/2022`, also with a time behind it: no phone is written in groups of such sizes
/// and values.
fn is_date(raw: &str) -> bool {
    let groups: Vec<&str> = raw
        .split(|c: char| !c.is_ascii_digit())
        .filter(|group| !group.is_empty())
        .collect();
    let within = |group: &str, range: std::ops::RangeInclusive<u32>| {
        group.parse().is_ok_and(|number| range.contains(&number))
    };
    let is_year = |group: &str| group.len() == 4 && within(group, 1900..=2100);
    let is_day = |group: &str| group.len() <= 2 && within(group, 1..=31);
    !raw.starts_with('+')
        && match groups.as_slice() {
            [a, b, year, ..] if is_year(year) => is_day(a) && is_day(b),
            [year, a, b, ..] if is_year(year) => is_day(a) && is_day(b),
            _ => false,
        }
}

/// The places where digits stand as they do in phone numbers, with a little of what is around them.
///
/// The matcher is given these only: its own bound on tries wraps round in 2.2, so a long text could keep it busy.
fn candidates(text: &str) -> impl Iterator<Item = &str> {
    static DIGITS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"[+＋(]{0,2}[0-9][0-9 \t().\-/–]{5,30}[0-9]").expect("the pattern is constant")
    });
    let has_enough = |candidate: &regex::Match<'_>| {
        let digits = candidate.as_str().bytes().filter(u8::is_ascii_digit).count();
        (7..=16).contains(&digits) && is_written_as_a_phone(candidate.as_str())
    };
    let around = |candidate: regex::Match<'_>| {
        let start = text[..candidate.start()]
            .char_indices()
            .rev()
            .take(3)
            .last()
            .map_or(candidate.start(), |(at, _)| at);
        let after = text[candidate.end()..]
            .chars()
            .take(3)
            .map(char::len_utf8)
            .sum::<usize>();
        &text[start..candidate.end() + after]
    };
    DIGITS
        .find_iter(text)
        .filter(has_enough)
        .filter(|candidate| !is_fax(&text[..candidate.start()]))
        .take(MAX_CANDIDATES)
        .map(around)
}

/// Whether the word before a number says that it is a fax machine's alone.
fn is_fax(before: &str) -> bool {
    // Looked at for each number of a page: no further back than a label reaches.
    let near = &before[before.ceil_char_boundary(before.len().saturating_sub(MAX_LABEL))..];
    let line = near.rsplit('\n').next().unwrap_or_default();
    let label: String = line
        .chars()
        .rev()
        .take(14)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect();
    let label = label.to_lowercase();
    // What stands before the last number belongs to that one.
    let label = label
        .rsplit(|c: char| c.is_ascii_digit())
        .next()
        .unwrap_or_default();
    let says_fax = ["fax", "faks", "факс", "φαξ", "传真", "傳真"]
        .iter()
        .any(|word| label.contains(word));
    let says_both = [
        "tel/", "tel./", "tel. /", "tel /", "phone/", "phone /", "&", "+ fax", "тел",
    ]
    .iter()
    .any(|word| label.contains(word));
    says_fax && !says_both || is_short_for_fax(before)
}

/// `T 555-0101 F 555-0102`: an F alone before the number, where a T, P or M stands before another.
fn is_short_for_fax(before: &str) -> bool {
    let start = before.ceil_char_boundary(before.len().saturating_sub(MAX_LABEL));
    let words: Vec<&str> = before[start..]
        .split(|c: char| c.is_whitespace() || matches!(c, ':' | '.' | '|' | ','))
        .filter(|word| !word.is_empty())
        .collect();
    let is_one = |word: &&str, of: &[&str]| of.iter().any(|known| word.eq_ignore_ascii_case(known));
    words.last().is_some_and(|word| is_one(word, &["f"]))
        && words
            .iter()
            .any(|word| is_one(word, &["t", "p", "m", "tel", "phone"]))
}

/// The number of a `WhatsApp` chat link, which has its country's code without a plus.
fn whatsapp(href: &str) -> Option<String> {
    let url = url::Url::parse(href.trim()).ok()?;
    let digits = match url.host_str()? {
        "wa.me" => url.path().trim_matches('/').to_owned(),
        "api.whatsapp.com" | "web.whatsapp.com" => {
            let (_, number) = url.query_pairs().find(|(name, _)| name == "phone")?;
            number.into_owned()
        }
        _ => return None,
    };
    let digits: String = digits.chars().filter(char::is_ascii_digit).collect();
    (digits.len() >= 8).then(|| format!("+{}", digits.trim_start_matches("00")))
}

/// The number of a `tel:` link (also `callto:`), without its parameters.
fn tel(href: &str) -> Option<String> {
    let (scheme, number) = href.trim().split_once(':')?;
    let is_phone = ["tel", "callto", "phone"]
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known));
    let number = number
        .trim_start_matches('/')
        .split([';', '?'])
        .next()
        .unwrap_or_default();
    let number = number.replace("%20", " ").replace("%2B", "+").replace("%2b", "+");
    // `00` is how Europe dials out.
    let number = match number.trim().strip_prefix("00") {
        Some(rest) if !rest.is_empty() => format!("+{rest}"),
        _ => number,
    };
    (is_phone && number.bytes().filter(u8::is_ascii_digit).count() >= 3).then_some(number)
}

/// Countries that a number without one may belong to: of the address, the language's, the domain's; for a domain
/// that belongs to no country and a site in English, the United States.
fn regions(page: &Outline, nodes: &[Node], language: Option<&str>) -> Vec<Region> {
    let host = page.base.host_str().unwrap_or_default();
    let last = host.rsplit('.').next().unwrap_or_default();
    let of_domain = match last {
        "uk" => Some("GB".to_owned()),
        "co" | "io" | "me" | "tv" | "ai" | "cc" | "ly" | "to" | "fm" => None,
        code if code.len() == 2 => Some(code.to_ascii_uppercase()),
        _ => None,
    };
    let of_language = language.and_then(|tag| {
        tag.split('-')
            .skip(1)
            .find(|part| part.len() == 2)
            .map(str::to_owned)
    });
    let by_default = match language.map(|tag| &tag[..tag.len().min(2)]) {
        None | Some("en") => Some("US"),
        Some("de") => Some("DE"),
        Some("fr") => Some("FR"),
        Some("es") => Some("ES"),
        Some("it") => Some("IT"),
        Some("nl") => Some("NL"),
        Some("pl") => Some("PL"),
        Some("ru") => Some("RU"),
        Some("ja") => Some("JP"),
        Some("sv") => Some("SE"),
        Some("cs") => Some("CZ"),
        Some("da") => Some("DK"),
        Some("pt") => Some("PT"),
        _ => None,
    };
    let stated = [country(nodes), of_language, of_domain];
    let codes: Vec<String> = stated.into_iter().flatten().collect();
    let default = by_default.filter(|_| codes.is_empty()).map(str::to_owned);
    let mut regions = Vec::new();
    for code in codes.into_iter().chain(default) {
        if let Ok(region) = Region::try_from(code.as_str())
            && !regions.contains(&region)
        {
            regions.push(region);
        }
    }
    regions
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::super::json_ld::nodes;
    use super::super::outline::outline;
    use super::*;

    fn found(url: &str, language: Option<&str>, html: &str) -> Vec<(String, String)> {
        let page = outline(html, &Url::parse(url).unwrap());
        let nodes = nodes(&page.json_ld);
        phones(&page, &nodes, language)
            .into_iter()
            .map(|phone| (phone.value, phone.source))
            .collect()
    }

    fn one(value: &str, source: &str) -> Vec<(String, String)> {
        vec![(value.to_owned(), source.to_owned())]
    }

    #[test]
    fn marked_numbers_come_first_and_count_once() {
        let html = "<p>Call (415) 555-0132</p><a href='tel:+1-415-555-0132'>call</a>";
        assert_eq!(
            found("https://a.com/", Some("en"), html),
            one("+14155550132", "tel")
        );
    }

    #[test]
    fn the_country_is_taken_from_address_language_or_domain() {
        assert_eq!(
            found("https://a.fr/", None, "<p>01 42 68 53 00"),
            one("+33142685300", "text")
        );
        assert_eq!(
            found("https://a.com/", Some("de-AT"), "<p>Tel. 0316 8720 5555"),
            one("+4331687205555", "text")
        );
        let html = "<script type='application/ld+json'>{\"telephone\":\"030 901820\",\"address\":{\"addressCountry\":\"DE\"}}</script>";
        assert_eq!(
            found("https://a.com/", Some("en"), html),
            one("+4930901820", "json_ld")
        );
        assert_eq!(
            found("https://a.com/", None, "<p>+49 (0)30 901820"),
            one("+4930901820", "text")
        );
    }

    #[test]
    fn a_chat_link_holds_a_number_and_a_fax_is_no_phone() {
        assert_eq!(
            found(
                "https://a.com/",
                None,
                "<a href='https://wa.me/491701234567?text=hi'>"
            ),
            one("+491701234567", "whatsapp")
        );
        let html = "<p>Tel. 030 901820, Fax: 030 901821</p><p>Telefax +49 30 901822";
        assert_eq!(
            found("https://a.de/", Some("de"), html),
            one("+4930901820", "text")
        );
        assert_eq!(
            found(
                "https://a.com/",
                Some("en"),
                "<p>T 919-951-0052<br>F 919-928-5516"
            ),
            one("+19199510052", "text")
        );
        assert_eq!(
            found("https://a.de/", Some("de"), "<p>Tel/Fax: 030 901820"),
            one("+4930901820", "text")
        );
    }

    #[test]
    fn digits_that_are_no_phones_are_passed_over() {
        for text in [
            "4155550132",
            "Order 8005551234567",
            "2023-11-23 10:20:30",
            "06.12.2022",
            "Stand: 6/12/2022 14.30",
            "ISBN 978-3-16-148410-0",
            "1,234,567.89",
        ] {
            assert_eq!(
                found("https://a.com/", Some("en"), &format!("<p>{text}")),
                [],
                "{text}"
            );
        }
    }
}
