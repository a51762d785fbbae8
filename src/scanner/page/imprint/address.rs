//! Names and postal addresses in the lines of a page.

mod code;
mod lines;
mod parts;
mod reach;
mod segment;
mod shape;

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use self::code::is_code;
pub(in crate::scanner::page) use self::code::is_postcode;
pub(super) use self::lines::{Line, lines};
use self::reach::{is_contact, mentions_contact};
use self::segment::{has_street, is_told, segment};
use self::shape::{MAX_LINE, is_box, is_plain, is_street, is_unit, names_street};
use super::forms::{name_pattern, names_form};
use super::labels::Label;
use super::names::{bare, is_statement, subject};
use super::operators::names_operator;
use crate::scanner::page::third_parties::introduces_host;

/// Maximum number of lines between a company's name and its postal code, and from there to the contact details.
const MAX_ADDRESS_LINES: usize = 5;

/// Maximum length, in characters, of a line that is only a part of an address.
const MAX_PART: usize = 60;

/// Removes the hosting provider from an imprint: the line that introduces it and the lines below it.
pub(super) fn drop_hosts(lines: &mut Vec<Line>) {
    let mut left = 0;
    lines.retain(|line| is_of_owner(&line.text, &mut left));
}

/// The text of an imprint without the hosting provider.
pub(super) fn without_hosts(text: &str) -> String {
    let mut left = 0;
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let own = lines.filter(|line| is_of_owner(line, &mut left));
    own.collect::<Vec<_>>().join("\n")
}

/// Whether a line neither introduces the hosting provider nor is just below such a line; `left` counts the lines
/// down.
fn is_of_owner(line: &str, left: &mut usize) -> bool {
    const BELOW: usize = 6;
    if names_operator(line) {
        *left = 0;
    } else if introduces_host(line) {
        *left = BELOW + 1;
    }
    *left = left.saturating_sub(1);
    *left == 0
}

/// The first line that is a company name. Unless `anywhere` is set, it needs a postal code below it or a label.
pub(super) fn name(lines: &[Line], anywhere: bool) -> Option<(usize, String)> {
    let named = |at: &usize| is_name(&lines[*at].text);
    let is_address = |at: &usize| {
        let line = &lines[*at];
        line.label == Some(Label::Name) && (is_name(&line.text) || !is_sentence(&line.text))
    };
    let is_above_code = |at: &usize| {
        let below = lines.iter().skip(at + 1).take(MAX_ADDRESS_LINES);
        let mut below = below.take_while(|line| line.label != Some(Label::Name));
        below.any(|line| line.has_place() || is_plain(&line.text))
    };
    let all = || 0..lines.len();
    let at = if anywhere {
        // A label in front of it is reliable, whatever the name. If the same word is on the line above, it may be a
        // link.
        let is_meant = |at: &usize| is_address(at) && (!lines[*at].is_below_label || is_above_code(at));
        all()
            .find(|at| is_address(at) && named(at))
            .or_else(|| all().find(is_meant))
            .or_else(|| all().find(|at| named(at) && is_above_code(at)))
            .or_else(|| all().find(named))
    } else {
        let codes = all().filter(|at| lines[*at].has_place() || is_plain(&lines[*at].text));
        codes
            .flat_map(|code| code.saturating_sub(MAX_ADDRESS_LINES)..code)
            .find(named)
            .or_else(|| all().find(|at| is_address(at) && named(at)))
    };
    at.map(|at| (at, bare(&lines[at].text).to_owned()))
}

/// All company names: a whole line, the text after a label, or the start of a sentence: `Owner: Acme Ltda. · CNPJ 1`,
/// `Acme Ltd is registered in England`, `Acme, Inc., 5 Mill Lane`, `Acme S.A.S. NIT 1`.
pub(super) fn names(lines: &[Line]) -> impl Iterator<Item = &str> {
    const MAX_COMMAS: usize = 3;
    let parts = lines.iter().flat_map(|line| line.text.split(['·', '•', '|']));
    parts.filter_map(|part| {
        let behind_label = part.split_once(": ").map(|(_, rest)| rest);
        behind_label.into_iter().chain([part]).find_map(|part| {
            let part = part
                .split(" - ")
                .flat_map(|part| part.split(['–', '—', '（']))
                .next()
                .unwrap_or_default();
            let part = without_register(bare(subject(part.trim())));
            let commas = part.match_indices(", ").take(MAX_COMMAS);
            let starts = std::iter::once(part).chain(commas.map(|(at, _)| &part[..at]));
            starts.into_iter().find(|start| is_name(start))
        })
    })
}

/// A name without its register number and the abbreviation in front of the number: `Acme S.A.S. NIT 901.418.273-6`.
fn without_register(name: &str) -> &str {
    static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"\s(?:[A-Z]{2,6}|[A-Z]\.(?:[A-Z]\.){1,4}):?\s(?:n[º°o]\.?\s)?[A-Z]{0,3}-?[0-9][0-9./ -]{6,}",
        )
        .expect("the pattern is constant")
    });
    NUMBER
        .find(name)
        .map_or(name, |number| name[..number.start()].trim_end_matches([',', ' ']))
}

fn is_name(line: &str) -> bool {
    static NAME: LazyLock<Regex> = LazyLock::new(|| {
        let first = "[\\p{Lu}\\p{Lo}0-9«\"“„]";
        Regex::new(&format!("^{}$", name_pattern(first, 90))).expect("the pattern is constant")
    });
    if line.len() > MAX_LINE || !names_form(line) {
        return false;
    }
    let name = bare(line);
    NAME.is_match(name) && !is_postcode(name) && !is_told(name) && !is_statement(name)
}

/// The line below the words that introduce an imprint, if the lines from there are a person, then a street and its
/// place.
pub(super) fn person(lines: &[Line]) -> Option<usize> {
    static INTRODUCTION: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?i)^(?:angaben|information(?:en)?|offenlegung|impressum)\s.{0,60}(?:§|gesetz|TMG|DDG|ECG)",
        )
        .expect("the pattern is constant")
    });
    let is_introduction = |line: &Line| line.text.len() <= MAX_LINE && INTRODUCTION.is_match(&line.text);
    let at = lines.iter().position(is_introduction)? + 1;
    let is_street = |line: &Line| is_street(&line.text) || names_street(&line.text) || has_street(&line.text);
    let mut below = (at + 1..lines.len()).take(3);
    let street = below.find(|at| is_street(&lines[*at]))?;
    let mut places = lines[street..].iter().take(3);
    let has_place = places.any(Line::has_place);
    (has_place && lines[at..street].iter().all(|line| is_called(&line.text))).then_some(at)
}

/// Whether a line may be a person's name: a few capitalized words and nothing else.
fn is_called(line: &str) -> bool {
    const MAX_WORDS: usize = 6;
    const SMALL: &[&str] = &[
        "von", "van", "de", "der", "zu", "und", "für", "med.", "rer.", "nat.", "phil.", "jur.",
    ];
    let is_called = |word: &str| !word.starts_with(char::is_lowercase) || SMALL.contains(&word);
    line.chars().count() <= MAX_PART
        && line.split_whitespace().count() <= MAX_WORDS
        && line.split_whitespace().all(is_called)
        && line.starts_with(char::is_uppercase)
        && !line.contains(|sign: char| sign.is_numeric() || matches!(sign, ':' | '@' | '§' | '!' | '?' | '©'))
}

/// The address below the name on line `name`, down to the postal code.
pub(super) fn below(lines: &[Line], name: usize) -> Option<String> {
    let mut within = (name + 1..lines.len()).take(MAX_ADDRESS_LINES);
    let end = within.find(|at| lines[*at].has_place() || is_plain(&lines[*at].text))?;
    let code = lines[end].text.as_str();
    if has_street(code) || is_plain(code) && !code.contains("CEP") {
        return Some(with_rest(lines, end));
    }
    // Register entries and people in between are not part of it, and neither is the text above the street.
    let is_part = |at: &usize| {
        let line = &lines[*at];
        !is_other(line) && line.text.chars().count() <= MAX_PART && !line.text.contains('©')
    };
    let parts: Vec<usize> = (name + 1..end).filter(is_part).collect();
    let texts: Vec<&str> = parts.iter().map(|at| lines[*at].text.as_str()).collect();
    let parts = &parts[first_of_street(&texts).unwrap_or(0)..];
    let parts = parts
        .iter()
        .map(|at| lines[*at].text.trim_end_matches(',').to_owned());
    Some(
        parts
            .chain([with_rest(lines, end)])
            .collect::<Vec<_>>()
            .join(", "),
    )
}

/// The first line of the street among the parts of an address, including a unit such as a door above it. A line with
/// a street word takes precedence over other lines with a number, because buildings have numbers too: `28 Kaki Bukit
/// Crescent` before `Techpark 1`.
fn first_of_street(parts: &[&str]) -> Option<usize> {
    let is_house = |part: &str| !is_unit(part) && !is_box(part);
    let is_called = |part: &&str| names_street(part) && is_house(part);
    let is_one = |part: &&str| is_street(part) && is_house(part);
    let last = |is_one: &dyn Fn(&&str) -> bool| parts.iter().rposition(is_one);
    let street = last(&is_called)
        .or_else(|| last(&is_one))
        .or_else(|| last(&|part| is_street(part) || names_street(part)))?;
    let doors = parts[..street].iter().rev().take_while(|part| is_unit(part));
    Some(street - doors.count())
}

/// An address that has a label.
pub(super) fn labelled(lines: &[Line]) -> Option<String> {
    let is_told = |line: &Line| line.label == Some(Label::Address);
    let starts = (0..lines.len()).filter(|at| is_told(&lines[*at]));
    starts.take(20).find_map(|start| {
        let mut parts: Vec<&str> = Vec::new();
        for (at, line) in lines.iter().enumerate().skip(start).take(MAX_ADDRESS_LINES) {
            let says_something = line.text.chars().any(char::is_alphabetic) || is_code(&line.text);
            let is_next = !says_something
                || is_other(line)
                || !parts.is_empty() && (line.label.is_some() || line.text.contains('©'));
            if is_next || line.text.len() > MAX_LINE {
                break;
            }
            if line.has_place() || is_plain(&line.text) || !parts.is_empty() && is_code(&line.text) {
                let parts = parts.iter().map(|part| (*part).to_owned());
                let parts: Vec<String> = parts.chain([with_rest(lines, at)]).collect();
                return Some(parts.join(", ")).filter(|found| is_plausible(found));
            }
            parts.push(line.text.trim_end_matches(','));
        }
        // The postal codes of some countries are not known; then a street with its number is enough.
        let has_number =
            |part: &&str| part.chars().any(char::is_numeric) && !part.contains(['年', '月', '년', '월']);
        let number = parts.iter().position(has_number)?;
        let is_prose = |part: &&str| part.ends_with('.') && part.split_whitespace().count() > 8;
        // The place below the street.
        let goes_on = |part: &&str| part.contains([',', '/', '–']) || part.chars().any(char::is_numeric);
        let last = number + 1 + usize::from(parts.get(number + 1).is_some_and(goes_on));
        let parts: Vec<&str> = parts
            .into_iter()
            .take(last)
            .take_while(|part| part.chars().count() <= 2 * MAX_PART)
            .collect();
        let letters = parts
            .iter()
            .flat_map(|part| part.chars())
            .filter(|sign| sign.is_alphabetic());
        (parts.len() > number && letters.count() >= 4 && !parts.iter().any(is_prose))
            .then(|| parts.join(", "))
    })
}

/// An address without a known name: a street, a postal code, and a phone number or email address nearby.
pub(super) fn standing_alone(lines: &[Line]) -> Option<String> {
    let mut found = (0..lines.len()).filter_map(|at| alone_at(lines, at));
    found.find(|found| is_plausible(found))
}

/// The address that ends at a line.
fn alone_at(lines: &[Line], at: usize) -> Option<String> {
    let line = lines[at].text.as_str();
    if is_plain(line) && !is_other(&lines[at]) {
        let street = street_above(lines, at).filter(|_| line.contains("CEP"));
        let street = street.map(|street| format!("{street}, "));
        return Some(street.unwrap_or_default() + &with_rest(lines, at));
    }
    if !lines[at].has_place() {
        return None;
    }
    // A line with both street and code may be further away from the contact details.
    let is_whole = has_street(line) && !is_other(&lines[at]);
    let near = if is_whole {
        2 * MAX_ADDRESS_LINES
    } else {
        MAX_ADDRESS_LINES
    };
    if !is_reached(lines, at, near) {
        return None;
    }
    if has_street(line) {
        return Some(with_rest(lines, at));
    }
    if let Some(street) = street_above(lines, at) {
        return Some(format!("{street}, {}", with_rest(lines, at)));
    }
    street_below(lines, at).is_some().then(|| with_rest(lines, at))
}

/// An address without a postal code: a line with a street word and a number, near a phone number or email address.
pub(super) fn by_street(lines: &[Line]) -> Option<String> {
    let is_one = |at: &usize| {
        let line = &lines[*at];
        names_street(&line.text)
            && !is_prose(&line.text)
            && !is_other(line)
            && is_reached(lines, *at, MAX_ADDRESS_LINES)
    };
    let is_one = |at: &usize| is_one(at) && is_plausible(&lines[*at].text);
    let at = (0..lines.len()).find(is_one)?;
    let street = lines[at].text.trim_end_matches([',', '.']);
    // A place without a code: `Guarapuava / PR`, `Bogotá, Colombia`.
    let place = lines.get(at + 1).map(|line| line.text.as_str());
    let place = place.filter(|place| {
        let is_name = place.chars().next().is_some_and(char::is_uppercase);
        is_name
            && place.chars().count() <= MAX_PART
            && place.contains([',', '/', '–', '-'])
            && !place.contains(char::is_numeric)
            && !is_contact(place)
    });
    Some(place.map_or_else(|| street.to_owned(), |place| format!("{street}, {place}")))
}

/// Whether a text contains a street with its number.
pub(super) fn is_address(text: &str) -> bool {
    has_street(text) || names_street(text)
}

/// Whether a text with a street and a postal code may be an address. It must not be prose, a reference or a price,
/// whose years and numbers look like postal codes, or a sample address of a theme.
pub(super) fn is_plausible(text: &str) -> bool {
    const MAX_WORDS: usize = 14;
    static OTHER: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r#"(?i)[€$£%"“„«»?!]|(?:^|[\s,])pp?\.\s?[0-9]|(?-u:\b)ISBN(?-u:\b)|(?-u:\b)[0-9]{4}-[0-9]{2}-[0-9]{2}(?-u:\b)|(?-u:\b)(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s[0-9]{1,2},\s(?:19|20)[0-9]{2}(?-u:\b)"#,
        )
        .expect("the pattern is constant")
    });
    static EXAMPLE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)^123 (?:fake|any|anywhere|example|sample|demo|your)(?-u:\b)|(?-u:\b)street name(?-u:\b)|(?-u:\b)example (?:st|street|road)(?-u:\b)|(?-u:\b)your (?:city|street|address)(?-u:\b)")
            .expect("the pattern is constant")
    });
    let is_short = |part: &str| part.split_whitespace().count() <= MAX_WORDS;
    text.split(", ").all(is_short) && !OTHER.is_match(&without_building(text)) && !EXAMPLE.is_match(text)
}

/// An address without the name of a building in quotes: `ул. Белинского, д. 32, ТЦ «Союз»`.
fn without_building(text: &str) -> Cow<'_, str> {
    static BUILDING: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(,\s(?:[\p{L}\p{N}]+\.?\s){0,4})[«"“„][\p{Lu}\p{N}][^«»"“”„,]{0,29}[»"”“]"#)
            .expect("the pattern is constant")
    });
    if names_street(text) {
        BUILDING.replace(text, "$1")
    } else {
        Cow::Borrowed(text)
    }
}

/// An address as one line, its parts separated by commas.
pub(super) fn tidy(address: &str) -> String {
    static APART: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\s+[•·|]\s*|[•|]\s*|([0-9][A-Za-z]?|\))\s[–—-]\s((?:[A-Z]{1,2}-)?[0-9]{4})")
            .expect("the pattern is constant")
    });
    let text = APART.replace_all(address, "$1, $2");
    text.trim_matches([' ', ',', ';', '–', '—', '-']).to_owned()
}

/// Whether a text is longer than a name, or ends like a sentence.
fn is_sentence(text: &str) -> bool {
    const WORDS: usize = 8;
    let words = text.split_whitespace().count();
    text.len() > MAX_LINE || words > WORDS || words > 4 && text.ends_with('.')
}

/// Whether a line may begin an address: a street with its number.
pub(super) fn begins_address(line: &str) -> bool {
    line.chars().count() <= MAX_PART
        && line.contains(char::is_numeric)
        && !line.contains(['€', '$', '£', '%'])
        && (is_street(line) || names_street(line) || has_street(line))
}

fn is_prose(line: &str) -> bool {
    line.split_whitespace().count() > 16 || line.ends_with(['!', '?'])
}

/// The street above a line, with the lines between them, such as a district or a city.
fn street_above(lines: &[Line], at: usize) -> Option<String> {
    const MAX_BETWEEN: usize = 2;
    let is_part =
        |line: &Line| line.text.chars().count() <= MAX_PART && !is_other(line) && line.label.is_none();
    let mut above = (at.saturating_sub(MAX_BETWEEN + 1)..at).rev();
    let is_one = |place: &usize| {
        let text = &lines[*place].text;
        is_street(text) || names_street(text) || *place + 1 == at && is_square(text)
    };
    let is_house =
        |place: &usize| is_one(place) && !is_unit(&lines[*place].text) && !is_box(&lines[*place].text);
    // A floor or a door may be below its street, or above it.
    let mut street = above.clone().find(is_house).or_else(|| above.find(is_one))?;
    let is_door = |line: &Line| is_unit(&line.text) && line.label.is_none();
    let is_whole =
        lines[street + 1..at].iter().all(is_part) && !is_other(&lines[street]) && !lines[street].has_place();
    while street > 0 && is_door(&lines[street - 1]) {
        street -= 1;
    }
    let parts = &lines[street..at];
    let texts = parts.iter().map(|line| line.text.trim_end_matches(','));
    is_whole.then(|| texts.collect::<Vec<_>>().join(", "))
}

/// Whether a line is a street or square without a number, as in the addresses of town halls and churches.
fn is_square(line: &str) -> bool {
    static SQUARE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^(?:Place|Rue|Avenue|Boulevard|Quai|Chemin|Route|Allée|Impasse|Cours|Parvis|Plaza|Plaça|Calle|Carrer|Piazza|Piazzale|Via|Viale|Corso|Largo|Praça|Rua|Avenida|Plac|Rynek|Náměstí|Námestie|Trg)\s[\p{L}\d][\p{L}\d'’. -]{2,40}$")
            .expect("the pattern is constant")
    });
    SQUARE.is_match(line)
}

/// The line below a place, if it is the street, as in Hungary.
fn street_below(lines: &[Line], at: usize) -> Option<&str> {
    let below = lines.get(at + 1)?.text.as_str();
    names_street(below).then(|| below.trim_end_matches(','))
}

/// Whether a phone number or email address is within this many lines, or the page marks the line, or one just above,
/// as a place.
fn is_reached(lines: &[Line], at: usize, within: usize) -> bool {
    let near = lines[at.saturating_sub(within)..].iter();
    let mut near = near.take(within.min(at) + 1 + within);
    let mut above = lines[at.saturating_sub(2)..=at].iter();
    above.any(|line| line.is_marked) || near.any(|line| mentions_contact(&line.text))
}

/// The last line of an address, without any other text on it. A Japanese address may continue below the code, a
/// Hungarian one below the place.
fn with_rest(lines: &[Line], at: usize) -> String {
    let text = lines[at].text.as_str();
    let has_name = |line: &str| line.chars().filter(|character| character.is_alphabetic()).count() > 4;
    if text.starts_with('〒') && !has_name(text) {
        let next = lines.get(at + 1).map(|line| line.text.as_str());
        let next = next.filter(|line| !is_contact(line));
        return next.map_or_else(|| text.to_owned(), |next| format!("{text} {next}"));
    }
    let text = segment(text);
    let street = || street_below(lines, at).filter(|_| at == 0 || street_above(lines, at).is_none());
    match street().filter(|_| lines[at].has_place() && !has_street(text)) {
        Some(street) => format!("{text}, {street}"),
        None => text.trim_end_matches(',').to_owned(),
    }
}

/// Whether a line within an address is about something else.
fn is_other(line: &Line) -> bool {
    static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)(?:^|[\s.,(])(?:no|nr|nº|n°|cep|cp|kat|daire|d|k|apt|blok|км|кв|оф|д|local|of|piso|lote)\s?[:：]")
            .expect("the pattern is constant")
    });
    let text = line.text.as_str();
    line.label == Some(Label::Name)
        || is_contact(text)
        || text.contains("24/7")
        || text.contains([':', '：']) && !NUMBER.is_match(text)
}

#[cfg(test)]
mod tests;
