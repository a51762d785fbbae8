//! Postal codes and their places, as countries write them.

use std::sync::LazyLock;

use regex::{Match, Regex};

use super::shape::{ENGLISH_STREETS, MAX_LINE, alternatives, is_short, is_unit};

/// A postal code and its place.
static POSTCODE: LazyLock<Regex> = LazyLock::new(|| {
    let codes = [
        // Kenya: the code follows the number of the box.
        r"(?-u:\b)P\.? ?O\.? ?(?i:box) [0-9]{1,6} ?[-–] ?[0-9]{5},? \p{Lu}\p{L}",
        // Continental Europe: the code is in front of the place.
        r"(?:^|[,;•·|–-] ?|\s)(?:[A-Z]{1,2} ?[-–]? ?)?(?:[0-9]{4,5}|[0-9]{2}-[0-9]{3}|[0-9]{3} [0-9]{2}|[0-9]{4} ?[A-Z]{2}|[0-9]{4}-[0-9]{3}),? \p{Lu}\p{L}",
        // Iceland: the end of a place's name says what the place lies at.
        r"(?:^|[,; ])(?:IS-)?[0-9]{3} \p{Lu}\p{Ll}*(?:vík|vik|[fv]j[öo]r[ðd]ur|vogur|bær|eyri|nes|hlíð|foss|hólmur|dalur|höfn|staðir|krókur|ós|gerði|eyjar|vatn|völlur|tangi|strönd|vogar|garður|klaustur)(?:$|[ ,.;|])",
        // Russia and its neighbours; Bulgaria.
        r"(?:^|[,; ])[0-9]{5,6}, ?(?:г\.|м\.|\p{Lu})",
        r"(?:^|[,; ])(?:гр|с)\. ?\p{Lu}[\p{L} -]{2,25},? ?[0-9]{4}(?:$|[,.; ])",
        // Latvia and others: after the place.
        r"(?-u:\b)(?:LV|LT|EE|MD|AZ)[-–][0-9]{4,5}(?-u:\b)",
        // The United Kingdom, Canada, Ireland.
        r"(?-u:\b)[A-Z]{1,2}[0-9][0-9A-Z]? [0-9][A-Z]{2}(?-u:\b)",
        r"(?-u:\b)[ABCEGHJ-NPRSTVXY][0-9][A-Z][ -]?[0-9][A-Z][0-9](?-u:\b)",
        r"(?-u:\b)(?:[AC-FHKNPRTV-Y][0-9]{2}|D6W) [AC-FHKNPRTV-Y](?:[0-9][0-9AC-Y]{2}|[AC-Y][0-9][0-9AC-Y]|[AC-Y]{2}[0-9])(?-u:\b)",
        // The United States, Australia.
        r"(?-u:\b)[A-Z]{2},? [0-9]{5}(?:-[0-9]{4})?(?-u:\b)",
        r"(?-u:\b)(?:NSW|VIC|QLD|SA|WA|TAS|ACT|NT),? [0-9]{4}(?-u:\b)",
        // Brazil.
        r"(?-u:\b)[0-9]{5}-[0-9]{3}(?-u:\b)",
        // Argentina.
        r"(?-u:\b)[A-Z][0-9]{4}[A-Z]{3}(?-u:\b)|(?-u:\b)[A-Z][0-9]{4} \p{Lu}\p{L}",
        // India, Indonesia, Thailand, Israel: after the place.
        r"\p{Lu}\p{L}+,? ?[-–]? ?[0-9]{3} ?[0-9]{3}(?:$|[,. ])",
        r"\p{L}{3,},? [0-9]{5}$",
        r"[\x{e00}-\x{e7f}] ?[0-9]{5}$",
        r"[\x{5d0}-\x{5ea}],? [0-9]{7}(?:$|[,. ])",
    ];
    Regex::new(&codes.join("|")).expect("the pattern is constant")
});

/// A house number as long as a postal code, in front of an English street name.
static LONG_NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    let streets = alternatives(ENGLISH_STREETS);
    Regex::new(&format!(
        r"(?i)^[0-9]{{4,5}}[a-z]? (?:[^\n,]{{2,40}}? (?:{streets}|circle|cir\.?|trail|trl\.?|pike|loop|broadway|route|turnpike)|broadway)(?-u:\b|\.)\.?(?: (?:[NSEW]{{1,2}}|north|south|east|west)(?-u:\b)\.?)?"
    ))
    .expect("the pattern is constant")
});

/// A postal code that follows its place, or is alone on its line.
static CODE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:[A-Z]{1,2}[- ])?(?:[0-9]{4,6}|[0-9]{3} [0-9]{2}|[0-9]{2}-[0-9]{3}|[0-9]{5}-[0-9]{3}|[0-9]{4}-[0-9]{3})$")
        .expect("the pattern is constant")
});

pub(in crate::scanner::page) fn is_postcode(line: &str) -> bool {
    // Most lines have too few digits.
    let digits = line.bytes().filter(u8::is_ascii_digit).count();
    (2..=24).contains(&digits) && is_short(line, MAX_LINE) && postcode(line, 0).is_some()
}

/// The first postal code with its place at or after a byte offset. The house number at the start of a line does not
/// count: `1515 Gulf Blvd., Largo, FL 33785`.
pub(super) fn postcode(line: &str, from: usize) -> Option<Match<'_>> {
    let Some(street) = LONG_NUMBER.find(line) else {
        return code(line, from);
    };
    let rest = line[street.end()..].trim();
    let behind = code(line, from.max(street.end()));
    // The number of a road: `3120 County Road 220`.
    let is_number = || rest.len() <= 4 && rest.bytes().all(|byte| byte.is_ascii_digit());
    if is_number() || rest.starts_with(',') || is_unit(rest) || behind.is_some() {
        behind
    } else {
        code(line, from)
    }
}

/// The first match that is a postal code. Box numbers, and numbers in front of other words, only look like one.
fn code(line: &str, start: usize) -> Option<Match<'_>> {
    const MOST: usize = 6;
    let mut from = start;
    for _ in 0..MOST {
        let Some(found) = POSTCODE.find_at(line, from) else {
            break;
        };
        let is_other = is_box_number(found.as_str())
            || is_no_place(&line[found.start()..], found.as_str())
            || is_year(line, &found);
        if !is_other {
            return Some(found);
        }
        from = found.end();
    }
    behind_english_street(line, start)
}

/// Whether this is a French box number, which looks like a state and its code.
fn is_box_number(code: &str) -> bool {
    let code = code.trim_start_matches([' ', ',']);
    ["BP ", "CS "].iter().any(|word| code.starts_with(word))
}

/// Whether the word after a code is not a place: `582 93 EUR`.
fn is_no_place(text: &str, code: &str) -> bool {
    // Words for contact details, and for what is counted.
    const OTHERS: &str = "Tel Telefon Telephone Phone Fax Telefax Mobile Mobil Mob Cell Email Mail Web \
        EUR Euro Euros USD CHF GBP CZK PLN SEK NOK DKK ISK HUF RON BGN RSD UAH RUB TRY INR JPY CNY KRW BRL AUD CAD NZD \
        ZAR AED Kč Ft Lei Uhr Stk Stück Liter Watt Meter Tage Jahre Teile Seiten Likes Reviews Follower Followers \
        Downloads Views Users Mitarbeiter Kunden Bewertungen Artikel Produkte";
    let digits = code.rfind(|sign: char| sign.is_ascii_digit()).unwrap_or(0);
    let Some(at) = code[digits..].find(char::is_uppercase) else {
        return false;
    };
    let word = text[digits + at..]
        .split(|sign: char| !sign.is_alphabetic())
        .next();
    word.is_some_and(|word| OTHERS.split(' ').any(|other| other == word))
}

/// Whether the digits of a code are a year in running text: `Changes in March 2024 Explained`, `1923 Yeats, 1924
/// Reymont`. A four-digit code that may be a year must begin a line or a part of it, or follow a house number, and
/// have a short place after it.
fn is_year(line: &str, code: &Match<'_>) -> bool {
    const MAX_WORDS: usize = 4;
    static NUMBER: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"[0-9]+").expect("the pattern is constant"));
    let is_like_year = |number: &Match<'_>| number.len() == 4 && ends_with_year(number.as_str());
    let in_code = NUMBER.find_iter(code.as_str()).collect::<Vec<_>>();
    let [digits] = in_code[..] else { return false };
    // If the code follows its place, the match ends with the digits.
    if !is_like_year(&digits) || digits.end() == code.len() {
        return false;
    }
    // The separator in front of the code, or the letters of a country.
    let lead = &code.as_str()[..digits.start()];
    if lead.ends_with(char::is_alphabetic) {
        return false;
    }
    let (before, behind) = (
        line[..code.start()].trim_end(),
        &line[code.start() + digits.end()..],
    );
    let is_separator = |sign: char| matches!(sign, ',' | ';' | '•' | '·' | '|' | '–' | '-');
    let begins = before.is_empty()
        || before.ends_with(is_separator)
        || lead.contains(is_separator)
        || before
            .split(' ')
            .next_back()
            .is_some_and(|word| word.contains(|sign: char| sign.is_ascii_digit()));
    let place = behind
        .split([',', ';', '•', '·', '|', '('])
        .next()
        .unwrap_or_default();
    let years = NUMBER.find_iter(line).filter(is_like_year).count();
    // `2021-22` and `2000-000` are not such codes.
    !begins
        || years > 1
        || place.split_whitespace().count() > MAX_WORDS
        || behind.starts_with(|sign: char| !sign.is_whitespace())
}

/// The four digits after a place and an English street, as in New Zealand and South Africa: `27 Ferry Road,
/// Kaiteriteri 7100`. If the digits may be a year, more than one place must be in front of them.
fn behind_english_street(line: &str, from: usize) -> Option<Match<'_>> {
    static PLACE: LazyLock<Regex> = LazyLock::new(|| {
        let streets = alternatives(ENGLISH_STREETS);
        Regex::new(&format!(
            r"[0-9][^\n,]{{1,40}} (?i:{streets})(?: [NSEW]{{1,2}})?((?:, ?\p{{Lu}}[\p{{L}}'’. -]{{1,30}}){{0,3}}?),( ?\p{{Lu}}[\p{{L}}'’ -]{{1,30}},? [0-9]{{4}})(?:$|[,.;|]|\s[^0-9])"
        ))
        .expect("the pattern is constant")
    });
    let found = PLACE.captures_at(line, 0)?;
    let (between, code) = (found.get(1)?, found.get(2)?);
    let is_certain = !between.is_empty() || code.as_str().contains(',') || !ends_with_year(code.as_str());
    (is_certain && code.start() >= from).then_some(code)
}

fn ends_with_year(text: &str) -> bool {
    let year = text.get(text.len().saturating_sub(4)..);
    year.and_then(|year| year.parse::<u16>().ok())
        .is_some_and(|year| (1900..2050).contains(&year))
}

/// Whether a line is only a postal code.
pub(super) fn is_code(line: &str) -> bool {
    line.len() <= 12 && CODE.is_match(line)
}

/// Whether a line is a place if an English street is above it: with a four-digit code or, in Ireland, without a code.
pub(super) fn is_place_below_street(line: &str) -> bool {
    static PLACE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"^(?:\p{Lu}[^0-9/:;|@()&!?*+=<>_]{2,40},? [0-9]{4}(?:,? \p{Lu}[^0-9/:;|@()&!?*+=<>_.,]{2,20})?|(?:\p{Lu}[^0-9/:;|@()&!?*+=<>_.,]{2,30}, )?(?:Dublin (?:[1-9]|1[0-9]|2[0-4]|6W)|(?:Co\.|County) \p{Lu}\p{Ll}+)(?:, Ireland)?)\.?$",
        )
        .expect("the pattern is constant")
    });
    let is_named = || {
        !line
            .split([' ', '-'])
            .any(|word| word.starts_with(char::is_lowercase))
    };
    // Most lines contain neither a number nor an Irish county.
    let may_be_one = || has_digit(line) || line.contains("Co.") || line.contains("County");
    is_short(line, 60)
        && may_be_one()
        && PLACE.is_match(line)
        && is_named()
        && (line.contains(',') || !ends_with_year(line))
}

/// Whether a line is a place in an English-speaking country with its code, and nothing in front of it.
pub(super) fn is_english_place(line: &str) -> bool {
    static PLACE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(&format!(r"^\p{{Lu}}[\p{{L}}.'’ -]{{1,40}},? {ENGLISH_CODE}"))
            .expect("the pattern is constant")
    });
    is_short(line, 80) && has_digit(line) && PLACE.is_match(line)
}

fn has_digit(line: &str) -> bool {
    line.bytes().any(|byte| byte.is_ascii_digit())
}

/// Postal codes of English-speaking countries, with the state if there is one.
const ENGLISH_CODE: &str = r"(?:(?:A[KLRZ]|C[AOT]|DC|FL|GA|GU|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|P[AR]|RI|S[CD]|T[NX]|UT|V[AIT]|W[AIVY])[,.]? [0-9]{5}(?:-[0-9]{4})?|(?:NSW|VIC|QLD|SA|WA|TAS|ACT|NT),? [0-9]{4}|(?:[A-Z]{2},? )?[ABCEGHJ-NPRSTVXY][0-9][A-Z][ -]?[0-9][A-Z][0-9]|[A-Z]{1,2}[0-9][0-9A-Z]? [0-9][A-Z]{2})(?-u:\b)";

/// The end of the code at an offset, if it belongs to an English-speaking country. Only the country may follow such a
/// code.
pub(super) fn english_end(line: &str, code: usize) -> Option<usize> {
    static AT: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(&format!(r"^[\s,;]*{ENGLISH_CODE}")).expect("the pattern is constant"));
    // If a house number is in front, the letters are those of a country: `Weg 1, AL 10115 Stadt`.
    let before = line[..code].trim_end_matches([' ', ',', ')']);
    let is_behind_place = before.ends_with(char::is_alphabetic);
    let end = code + AT.find(&line[code..])?.end();
    is_behind_place.then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_many_countries_are_known() {
        for line in [
            "33332 Gütersloh",
            "560 Varmahlíð",
            "101 Reykjavík",
            "Laugavegur 18, 101 Reykjavík",
            "гр. Пловдив 4000",
            "Rīga, LV-1039",
            "Vancouver, BC V6J 1Y5",
            "Cork, T12 X7KP",
            "תל אביב 6578402",
            "P.O. Box 18293-00100 Nairobi",
            "27 Ferry Road, Kaiteriteri 7100",
            "12 Rivonia Road, Sandton, Johannesburg, 2001",
            "12 rue des Pins, BP 40182, 44300 Nantes",
        ] {
            assert!(is_postcode(line), "{line}");
        }
        for line in [
            "01 582 93 EUR",
            "2000 Mitarbeiter",
            "560 Reviews",
            "BP 40182",
            "3120 County Road 220",
            "1829 West Broadway",
            "1829 King St. W.",
            "12 High Street, Summer 2024",
            "C12 PAPE",
        ] {
            assert!(!is_postcode(line), "{line}");
        }
    }

    #[test]
    fn some_places_are_known_by_the_street_above() {
        for line in [
            "Kaiteriteri 7100",
            "Sandton, 2196",
            "Dublin 2",
            "Naas, Co. Kildare",
            "Auckland, 2013",
        ] {
            assert!(is_place_below_street(line), "{line}");
        }
        for line in ["Summer 2024", "Company 123", "7100", "Open from 1200 to 1400"] {
            assert!(!is_place_below_street(line), "{line}");
        }
    }
}
