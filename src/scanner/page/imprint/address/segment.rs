//! The part of a line that is an address, and where it ends.

use std::sync::LazyLock;

use regex::{Match, Regex};

use super::code::{english_end, postcode};
use super::shape::{NAMED_STREET, alternatives, is_street, is_unit, names_street};
use crate::scanner::page::country::country;

/// Characters around the parts of a line.
pub(super) const SIGNS: [char; 8] = [' ', ',', ';', '|', '•', '·', '-', '–'];

/// Whether a line with a postal code also has the street, before the code or after the place.
pub(super) fn has_street(line: &str) -> bool {
    let Some(code) = postcode(line, 0) else {
        return false;
    };
    let before = line[..code.start()].trim_matches(SIGNS);
    // Hungary and Russia write the street after the place, some addresses without a comma.
    let rest = &line[code.end()..];
    let behind = rest
        .split_once(',')
        .map_or("", |(_, rest)| rest)
        .trim_matches([' ', '.']);
    is_street(before) || names_street(before) || is_street(behind) || names_street(rest)
}

/// Separators between the parts of a line.
static APART: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\s*[·•|©]\s*|\s[–—-]\s").expect("the pattern is constant"));

/// The part of a line that is the address, from the street to the place. A separator, or a word that no address
/// contains, divides it from other text (`© Acme · Weg 1, 8010 Graz · Org.nr 1`).
pub(super) fn segment(line: &str) -> &str {
    let Some(code) = postcode(line, 0) else {
        return line;
    };
    let before = || {
        APART
            .find_iter(line)
            .take_while(|apart| apart.start() < code.start())
    };
    let starts: Vec<usize> = std::iter::once(0)
        .chain(before().map(|apart| apart.end()))
        .collect();
    let part = |start: usize| {
        line.get(start..code.start())
            .unwrap_or_default()
            .trim_matches(SIGNS)
    };
    let has_street = |start: &usize| is_street(part(*start)) || names_street(part(*start));
    let is_house = |start: &&usize| has_street(start) && !is_unit(part(**start));
    let last_hard = || {
        before()
            .filter(|apart| is_hard(apart.as_str()))
            .last()
            .map_or(0, |apart| apart.end())
    };
    let start = starts
        .iter()
        .rev()
        .find(is_house)
        .or_else(|| starts.iter().rev().find(|start| has_street(start)))
        .copied()
        .unwrap_or_else(last_hard);
    // The address is part of a sentence: `Our office is in Via Roma 5, 00100 Roma`.
    let start = match NAMED_STREET.find_at(line, start) {
        // The name of a street may begin before the part that marks it as a street: `Bindstraße`.
        Some(street) if is_told(&line[start..street.start()]) => {
            if street.as_str().starts_with(char::is_alphabetic) {
                line[..street.start()].trim_end_matches(char::is_alphabetic).len()
            } else {
                street.start()
            }
        }
        _ => start,
    };
    line[start..end(line, &code).max(start)].trim_matches(SIGNS)
}

fn is_hard(apart: &str) -> bool {
    !apart.trim().starts_with(['–', '—', '-'])
}

/// Where the address with this postal code ends: at a separator, at a word that no address contains, or with its
/// sentence.
pub(super) fn end(line: &str, code: &Match<'_>) -> usize {
    // A shorter word before a dot is an abbreviation: `3100 St. Pölten`.
    static SENTENCE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?:\p{L}{4}|[0-9][A-Z]{2}|[0-9]{4}|\))(\.(?:\s+\p{Lu}|$))")
            .expect("the pattern is constant")
    });
    // The sentence continues: `4000 Roskilde, few minutes from the station`.
    static TOLD: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r",\s\p{Ll}\p{L}*\s\p{Ll}\p{L}*\s\p{Ll}").expect("the pattern is constant")
    });
    // After the code of an English-speaking country, only the country belongs to the address: `CO 80202 Get
    // directions`.
    if let Some(end) = english_end(line, code.start()) {
        return end + country_behind(&line[end..]);
    }
    let mut apart = APART.find_iter(line).filter(|apart| apart.start() >= code.end());
    let apart = apart
        .find(|apart| is_hard(apart.as_str()))
        .map(|apart| apart.start());
    let stop = END.find_at(line, code.end()).map(|stop| stop.start());
    let sentence = SENTENCE.captures_at(line, code.start());
    let sentence = sentence.and_then(|found| found.get(1)).map(|dot| dot.start());
    let told = TOLD.find_at(line, code.end()).map(|told| told.start());
    let ends = [apart, stop, sentence, told].into_iter().flatten();
    ends.filter(|end| *end >= code.end()).min().unwrap_or(line.len())
}

/// Words that no address contains, and phone numbers.
static END: LazyLock<Regex> = LazyLock::new(|| {
    let beginnings = alternatives(
        r"org\.?-?n orgnr p\.?\s?iva c\.f\. ičo?: tele(?:f|ph) tél teléf тел τηλ e-?mail www\. https?: copyright
        \p{L}[\p{L}.-]{3,30}\s?:\s \(?\+[0-9] ☎ 📞 [tfem][:.\s]\s?[+(0] \(?0[0-9]{1,4}\)?[\s/-]+[0-9]{2}",
    );
    let words = alternatives(
        r"cvr ust uid vat siret siren rcs nip regon krs kvk cnpj инн tel fon phone fax mobile? mail
        directions get\sdirections view\s(?:on\s)?(?:the\s)?map map google\s?maps anfahrt wegbeschreibung routenplaner
        route\splanen karte itinéraire plan\sd['’]accès routebeschrijving cómo\sllegar como\schegar indicazioni mapa",
    );
    Regex::new(&format!(
        r"(?i)[\s,;(]+(?:{beginnings}|(?:{words})(?:[^\p{{L}}]|$)|\S+@)"
    ))
    .expect("the pattern is constant")
});

/// The length in bytes of the country at the start of a text, after spaces and separators; zero if the text begins
/// with anything else.
fn country_behind(text: &str) -> usize {
    const MAX_WORDS: usize = 4;
    const SHORT: &[&str] = &["USA", "US", "UK", "GB"];
    let name = text.trim_start_matches(SIGNS);
    let start = text.len() - name.len();
    let ends = name
        .char_indices()
        .filter(|(_, sign)| matches!(sign, ' ' | ',' | ';' | '|' | '·' | '\n'))
        .map(|(at, _)| at);
    let mut ends: Vec<usize> = ends.take(MAX_WORDS - 1).collect();
    if ends.len() < MAX_WORDS - 1 {
        ends.push(name.len());
    }
    let is_country = |end: &&usize| {
        let name = name[..**end].trim_end_matches('.');
        SHORT.contains(&name) || name.len() > 3 && country(name).is_some()
    };
    ends.iter().rev().find(is_country).map_or(0, |end| start + end)
}

/// Whether a text has several lower-case words in a row, as sentences do: `This site is hosted by Acme Ltd`.
pub(super) fn is_told(text: &str) -> bool {
    const ROW: usize = 3;
    let is_small = |word: &str| {
        word.chars()
            .all(|letter| letter.is_alphabetic() && letter.is_lowercase())
    };
    let words: Vec<&str> = text.split_whitespace().collect();
    words
        .windows(ROW)
        .any(|row| row.iter().all(|word| is_small(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_ends_where_something_else_begins() {
        for (line, wanted) in [
            (
                "1829 Blake St, Denver, CO 80202 fb yt",
                "1829 Blake St, Denver, CO 80202",
            ),
            (
                "1829 Blake St, Denver, CO 80202 Get Directions",
                "1829 Blake St, Denver, CO 80202",
            ),
            (
                "1829 Blake St, Denver, CO 80202, USA | map",
                "1829 Blake St, Denver, CO 80202, USA",
            ),
            (
                "12 King Street, Leeds LS1 2HL, United Kingdom",
                "12 King Street, Leeds LS1 2HL, United Kingdom",
            ),
            (
                "12 King Street, Leeds LS1 2HL View map",
                "12 King Street, Leeds LS1 2HL",
            ),
            ("Gasse 5, 1030 Wien, +43 1 52 152-0", "Gasse 5, 1030 Wien"),
            ("Gasse 5, 1030 Wien, 01 52 152-0", "Gasse 5, 1030 Wien"),
            ("Gasse 5, 1030 Wien Anfahrt", "Gasse 5, 1030 Wien"),
            ("Via Roma 12, 33100 Udine (UD)", "Via Roma 12, 33100 Udine (UD)"),
            ("Weg 4, 48291 Bad Telgte", "Weg 4, 48291 Bad Telgte"),
            ("Weg 5, AL 10115 Stadt Land", "Weg 5, AL 10115 Stadt Land"),
            (
                "Rua Padre Anchieta, 1846 – Sala 502 – Bigorrilho, Curitiba – PR, 80730-000",
                "Rua Padre Anchieta, 1846 – Sala 502 – Bigorrilho, Curitiba – PR, 80730-000",
            ),
        ] {
            assert_eq!(segment(line), wanted, "{line}");
        }
    }
}
