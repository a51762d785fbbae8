//! The organization that runs the site, from the text of its imprint or the footer of its pages.

mod address;
mod forms;
mod labels;
mod names;
mod operators;
mod registered;
mod registers;

use std::sync::LazyLock;

use regex::Regex;

pub(super) use self::address::is_postcode;
pub(super) use self::forms::is_legal_name;
use self::forms::{core, name_pattern, without_joined_form, without_rest, without_romanian};
pub(super) use self::names::companies;
use super::contact_links::names_imprint;
use super::head::is_in_host;
use super::outline::Outline;
use super::third_parties::{third_parties, without};
use crate::values::findings::Organization;

/// The operator of the site, from the text of the page; `None` if the text does not name it.
pub(super) fn imprint(page: &Outline) -> Option<Organization> {
    let is_imprint = is_imprint(page);
    let text = without(&page.text, third_parties(page));
    let mut lines = address::lines(&text);
    if is_imprint {
        address::drop_hosts(&mut lines);
    }
    let name = address::name(&lines, is_imprint);
    let below = name.as_ref().and_then(|(at, _)| address::below(&lines, *at));
    let person = is_imprint.then(|| address::person(&lines)).flatten();
    let plausible = |found: &String| address::is_plausible(found);
    let registered = || {
        let own = if is_imprint {
            address::without_hosts(&text).into()
        } else {
            text.clone()
        };
        registered::registered(&own)
    };
    let own = |found: String| without_own_name(page, &address::tidy(&found)).to_owned();
    let address = below
        .filter(plausible)
        .or_else(|| address::below(&lines, person?).filter(plausible))
        .or_else(|| address::standing_alone(&lines).filter(plausible))
        .or_else(|| address::labelled(&lines).filter(plausible))
        .or_else(|| address::by_street(&lines).filter(plausible));
    let found = Organization {
        name: None,
        legal_name: name
            .map(|(_, name)| name)
            .or_else(|| operators::operator(&text))
            .or_else(registered)
            .or_else(|| copyright_holder(&text))
            .or_else(|| in_title(page))
            .or_else(|| like_the_site(page, &lines))
            .or_else(|| Some(lines[person?].text.clone()))
            .or_else(|| quoted(page, &lines))
            .map(|name| names::without_stop(&name).to_owned()),
        address: address.map(own),
        identifiers: identifiers(&text, is_imprint),
    };
    (found != Organization::default()).then_some(found)
}

/// The register and tax numbers of the page. In an imprint, a number of the hosting provider is dropped if the owner
/// has a number of the same kind.
fn identifiers(text: &str, is_imprint: bool) -> Vec<String> {
    let all = registers::identifiers(text);
    if !is_imprint || all.len() < 2 {
        return all;
    }
    let own = registers::identifiers(&address::without_hosts(text));
    let kind = |number: &String| number.split(':').next().unwrap_or_default().to_owned();
    let is_own =
        |number: &String| own.contains(number) || !own.iter().any(|known| kind(known) == kind(number));
    all.into_iter().filter(is_own).collect()
}

/// Whether a title, a heading or the path of the page calls it an imprint.
pub(super) fn is_imprint(page: &Outline) -> bool {
    let titles = page.title.iter().chain(&page.headings).map(String::as_str);
    titles.chain([page.url.path()]).any(names_imprint)
}

/// The holder in a copyright notice: `© 2024 Acme GmbH`.
fn copyright_holder(text: &str) -> Option<String> {
    static HOLDER: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(&format!(
            r"(?:©|ⓒ|\(c\)|\(C\)|[Cc]opyright|trading\s(?:name|style)\sof|版[权權](?:所有|[为為归歸]))(?:[\s©,:：|–-]|\(c\)|[Cc]opyright|by\s|[0-9]{{4}}(?:\s?[-–/]\s?[0-9]{{2,4}})?)*({})(?:[\s,.|·•–-]|所有|版[权權]|$)",
            name_pattern(r"[\p{L}0-9]", 80)
        ))
        .expect("the pattern is constant")
    });
    static GIVEN_BACK: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^(?:[0-9]{2,4}[\s,–-]|(?i:copyright))").expect("the pattern is constant")
    });
    // The next sentence names the maker of the site.
    static CREDIT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"\.\s.*\s(?i:by|von|par|por|door|av|af|przez)\s").expect("the pattern is constant")
    });
    let holders = HOLDER
        .captures_iter(text)
        .take(10)
        .map(|found| without_rest(found[1].trim()).to_owned());
    let mut holders = holders.chain(before_sign(text));
    holders.find(|name| !GIVEN_BACK.is_match(name) && !CREDIT.is_match(name) && !address::is_postcode(name))
}

/// Names in front of the copyright sign: `Acme GmbH © 2024`.
fn before_sign(text: &str) -> impl Iterator<Item = String> + '_ {
    const MAX_NAMES: usize = 10;
    let lines = text
        .lines()
        .filter_map(|line| line.split_once('©'))
        .take(MAX_NAMES);
    lines.filter_map(|(before, _)| {
        let name = before.rsplit(['|', '·', '•', '–']).next()?.trim();
        (name.len() <= 100 && is_legal_name(name)).then(|| name.to_owned())
    })
}

/// A part of the title that is a company name. A phrase that begins with the word for a company is not a name: `شركة
/// تنظيف بالرياض` is a cleaning company in Riyadh.
fn in_title(page: &Outline) -> Option<String> {
    const PHRASES: &[&str] = &["شركة ", "مؤسسة ", "شرکت "];
    let is_phrase = |part: &str| PHRASES.iter().any(|word| part.starts_with(word));
    let parts = page.title.as_deref()?.split(['|', '–', '—', '·', '•', '｜', ':']);
    let mut parts = parts.flat_map(|part| part.split(" - ")).map(str::trim);
    parts
        .find(|part| is_legal_name(part) && !is_phrase(part))
        .map(str::to_owned)
}

/// A line that is a company name and matches the page's title or headings, its host or a logo.
fn like_the_site(page: &Outline, lines: &[address::Line]) -> Option<String> {
    /// Shorter names occur within many others.
    const SHORTEST: usize = 4;
    let host = page.url.host_str().unwrap_or_default();
    let logos = page
        .images
        .iter()
        .filter(|image| image.in_logo || image.in_header || image.has_logo_class);
    let names = page.title.iter().chain(&page.headings).map(String::as_str);
    let names = names.chain([host]).chain(logos.map(|image| image.alt.as_str()));
    let names: Vec<String> = names.map(letters).collect();
    let is_like = |name: &&str| {
        let name = without_romanian(name);
        let without_form = name.rsplit_once(' ').map_or(name, |(start, _)| start);
        let mut called = [core(name), without_form, without_joined_form(name)]
            .into_iter()
            .map(letters);
        called.any(|called| called.len() >= SHORTEST && names.iter().any(|own| own.contains(&called)))
    };
    address::names(lines)
        .find(is_like)
        .or_else(|| address::names(lines).find(|name| is_in_host(name, host)))
        .map(str::to_owned)
}

/// What the page calls the site's operator above or before the address, if the title contains the same words: `Acme
/// Studio, Mill Lane 5, …` on `Acme Studio in Leeds`.
pub(super) fn called(page: &Outline) -> Option<String> {
    const MAX_LINES: usize = 3_000;
    let title = page.title.as_deref()?;
    let lines = address::lines(&page.text);
    let mut above = lines.windows(2).take(MAX_LINES);
    let name = above.find_map(|pair| {
        let name = pair[0].text.split([',', '·', '|']).next()?.trim();
        let is_above = address::begins_address(&pair[1].text) && name.len() == pair[0].text.len();
        (is_above && is_in_title(name, title)).then(|| name.to_owned())
    });
    name.or_else(|| {
        page.text.lines().take(MAX_LINES).find_map(|line| {
            let (name, rest) = line.split_once([',', '·', '|'])?;
            let next = rest.split([',', '·', '|']).next()?.trim();
            let name = name.trim();
            (address::begins_address(next) && is_in_title(name, title)).then(|| name.to_owned())
        })
    })
}

/// Whether a title contains a name as separate words: a name of several words anywhere, any other name as a whole
/// part.
fn is_in_title(name: &str, title: &str) -> bool {
    const WORDS: std::ops::RangeInclusive<usize> = 2..=6;
    const SHORTEST: usize = 5;
    let words = name.split_whitespace().count();
    let is_name = name.starts_with(char::is_uppercase)
        && name.chars().count() >= SHORTEST
        && !name.contains(|sign: char| sign.is_numeric() || matches!(sign, ':' | '@' | '©'));
    let (name, title) = (name.to_lowercase(), title.to_lowercase());
    let is_apart = |at: usize| {
        let (before, behind) = (&title[..at], &title[at + name.len()..]);
        !before.ends_with(char::is_alphanumeric) && !behind.starts_with(char::is_alphanumeric)
    };
    is_name
        && if WORDS.contains(&words) {
            title.match_indices(&name).any(|(at, _)| is_apart(at))
        } else {
            words == 1
                && title
                    .split(['|', '–', '—', '·', ':'])
                    .any(|part| part.trim() == name)
        }
}

/// An address without the site's name in front of the street.
fn without_own_name<'a>(page: &Outline, address: &'a str) -> &'a str {
    /// Shorter names occur within many others.
    const SHORTEST: usize = 5;
    let Some((first, rest)) = address.split_once(", ") else {
        return address;
    };
    let called = letters(first);
    let names = page.title.iter().chain(&page.headings).map(String::as_str);
    let mut names = names.chain(page.url.host_str()).map(letters);
    let is_name = !first.contains(char::is_numeric) && called.len() >= SHORTEST;
    if is_name && address::is_address(rest) && names.any(|own| own.contains(&called)) {
        rest
    } else {
        address
    }
}

/// A name in quotes after its legal form, a shape that nothing else has: `ООО «Акме»`. It must be the only such name
/// on the page, or the title must contain one of its words.
fn quoted(page: &Outline, lines: &[address::Line]) -> Option<String> {
    /// Shorter words occur in many names.
    const SHORTEST: usize = 5;
    static QUOTED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(?:ООО|ОАО|ЗАО|ПАО|АО|ТОО|ОДО|ТОВ|ПрАТ|ПП|АНО)\s?[«"“„][^«»"“”„\n]{2,60}[»"”“]|(?:ИП|ФОП)\s\p{Lu}\p{Ll}+\s\p{Lu}(?:\.\s?\p{Lu}\.|\p{Ll}+\s\p{Lu}\p{Ll}+)"#)
            .expect("the pattern is constant")
    });
    let lines = lines.iter().filter(|line| !line.text.is_ascii());
    let found = lines
        .flat_map(|line| QUOTED.find_iter(&line.text))
        .map(|name| name.as_str());
    let all: Vec<&str> = found.collect();
    let first = *all.first()?;
    if all.iter().all(|other| letters(other) == letters(first)) {
        return Some(first.to_owned());
    }
    // Of several names, the one with a word of the title.
    let title = letters(page.title.as_deref()?);
    let is_in_title = |name: &&&str| {
        let words = name.split(|sign: char| !sign.is_alphanumeric());
        let mut words = words.filter(|word| word.chars().count() >= SHORTEST);
        words.any(|word| title.contains(&letters(word)))
    };
    all.iter().find(is_in_title).map(|name| (*name).to_owned())
}

fn letters(text: &str) -> String {
    let letters = text.chars().filter(|sign| sign.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests;
