//! The possible countries of a number without a country code.

use std::sync::LazyLock;

use regex::Regex;
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, Region};

use super::links::{tel, whatsapp};
use crate::scanner::page::country::{all, country, home_of, of_top_level_domain};
use crate::scanner::page::head::meta;
use crate::scanner::page::json_ld::Graph;
use crate::scanner::page::organization::stated_country;
use crate::scanner::page::outline::Outline;
use crate::scanner::site::registrable;

/// Where a page may be.
#[derive(Debug, Default)]
pub(super) struct Regions {
    /// The surest first.
    pub(super) list: Vec<Region>,
    /// Others where the language of the page is spoken, if it says nothing else of where it is.
    pub(super) further: Vec<Region>,
    /// Whether the page says nothing of where it is.
    pub(super) is_guess: bool,
}

/// The country of the address, of the metas, of the domain and of the language, the surest first. Where neither address
/// nor domain say it, numbers with a country's code do, and countries that the text names. Where nothing is stated, the
/// home of the language; for a site in English or in no known language, the United States.
pub(super) fn regions(page: &Outline, graph: &Graph, language: Option<&str>) -> Regions {
    let place = meta(
        page,
        &["geo.region", "geo.country", "business:contact_data:country_name"],
    );
    let place = place.and_then(|place| Some(country(place.split('-').next()?)?.code));
    let host = page.base.host_str().unwrap_or_default();
    let domain = host
        .rsplit('.')
        .next()
        .and_then(of_top_level_domain)
        .or_else(|| of_suffix(host));
    let locale = || meta(page, &["og:locale"]);
    let of_language = language
        .and_then(of_tag)
        .or_else(|| locale().as_deref().and_then(of_tag));
    let primary = language.map(primary);
    let mut codes: Vec<&str> = [stated_country(graph), place, domain]
        .into_iter()
        .flatten()
        .collect();
    if codes.is_empty() {
        codes.extend(of_numbers(page).or_else(|| of_addresses(page)));
    }
    // What WordPress sets in every site says little.
    let is_default = codes.is_empty() && language == Some("en-US");
    codes.extend(of_language);
    if codes.is_empty() {
        codes.extend(primary.and_then(|language| named(&page.text, language)));
    }
    let mut regions = Regions::default();
    if codes.is_empty() {
        codes.extend(match primary {
            None | Some("en") => {
                regions.is_guess = true;
                Some("US")
            }
            Some(language) => home_of(language),
        });
        let language = primary.unwrap_or("en");
        let speaking = all().filter(|country| country.languages.contains(&language));
        regions.further = speaking
            .filter_map(|country| Region::try_from(country.code).ok())
            .collect();
    }
    for code in codes {
        if let Ok(region) = Region::try_from(code)
            && !regions.list.contains(&region)
        {
            regions.list.push(region);
        }
    }
    regions.is_guess |= is_default || regions.list.is_empty();
    regions
}

/// The country of a host under a domain's own second level (`com.co`): these are not sold as words.
fn of_suffix(host: &str) -> Option<&'static str> {
    let suffix = psl::suffix(host.as_bytes()).filter(|suffix| suffix.typ() == Some(psl::Type::Icann))?;
    let (_, last) = std::str::from_utf8(suffix.as_bytes()).ok()?.rsplit_once('.')?;
    country(last)
        .filter(|_| last.len() == 2)
        .map(|country| country.code)
}

/// The country whose code all numbers of a page have that have one.
fn of_numbers(page: &Outline) -> Option<&'static str> {
    /// Numbers that are examined.
    const MAX_READ: usize = 20;
    static INTERNATIONAL: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\+ ?[1-9][0-9 ()./-]{6,20}[0-9]").expect("the pattern is constant"));
    let hrefs = || page.anchors.iter().map(|anchor| anchor.href.as_str());
    let linked = hrefs().filter_map(tel).filter(|number| number.starts_with('+'));
    let chats = hrefs().filter_map(whatsapp).map(|digits| format!("+{digits}"));
    let written = INTERNATIONAL
        .find_iter(&page.text)
        .map(|number| number.as_str().to_owned());
    let numbers = linked.chain(chats).chain(written).take(MAX_READ);
    let numbers = numbers.filter_map(|number| PHONE_NUMBER_UTIL.parse(&number, None).ok());
    let mut regions = numbers
        .filter(PhoneNumber::is_valid)
        .filter_map(|number| number.get_region_code());
    let first = regions.next()?;
    let is_one = regions.all(|other| other == first);
    let of_first = |code: &str| Region::try_from(code).is_ok_and(|region| region == first);
    let code = all().map(|country| country.code).find(|code| of_first(code));
    code.filter(|_| is_one)
}

/// The country of the domain that the page's e-mail goes to, where that has the site's name.
fn of_addresses(page: &Outline) -> Option<&'static str> {
    let host = registrable(page.base.host_str()?);
    let name = host.split('.').next()?;
    let addresses = page
        .anchors
        .iter()
        .filter_map(|anchor| anchor.href.strip_prefix("mailto:"));
    let domains = addresses.filter_map(|address| address.split('?').next()?.rsplit_once('@'));
    let mut own = domains
        .map(|(_, domain)| domain)
        .filter(|domain| registrable(domain).split('.').next() == Some(name));
    own.find_map(|domain| of_top_level_domain(domain.rsplit('.').next()?.trim()))
}

/// The only country among those with the language that a text names.
fn named(text: &str, language: &str) -> Option<&'static str> {
    /// Shorter names are within words, or are words.
    const SHORTEST: usize = 4;
    const MAX_READ: usize = 50_000;
    let text = text[..text.floor_char_boundary(MAX_READ)].to_lowercase();
    let is_named = |name: &&str| {
        name.len() >= SHORTEST
            && text.match_indices(*name).any(|(at, name)| {
                let is_letter = |sign: Option<char>| sign.is_some_and(char::is_alphabetic);
                let has_blanks = name.chars().next() < Some('\u{e00}');
                !has_blanks
                    || !is_letter(text[..at].chars().next_back())
                        && !is_letter(text[at + name.len()..].chars().next())
            })
    };
    let mut found =
        all().filter(|country| country.languages.contains(&language) && country.names.iter().any(is_named));
    let first = found.next()?;
    found.next().is_none().then_some(first.code)
}

fn primary(tag: &str) -> &str {
    tag.split(['-', '_']).next().unwrap_or_default()
}

/// The country in a language tag. Who doubles the language (`sv-SV`, `cs-CS`) means its home, whichever country has
/// these letters.
fn of_tag(tag: &str) -> Option<&'static str> {
    let language = primary(tag);
    let region = tag.split(['-', '_']).skip(1).find(|part| part.len() == 2)?;
    match home_of(&language.to_ascii_lowercase()) {
        Some(home) if region.eq_ignore_ascii_case(language) => Some(home),
        _ if region.eq_ignore_ascii_case(language) => None,
        home => country(region).map(|country| country.code).or(home),
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;
    use crate::scanner::page::outline::outline;

    #[test]
    fn numbers_with_codes_and_names_of_countries_tell_where_a_page_is() {
        for (html, language, wanted) in [
            ("<a href=https://wa.me/525512345678></a>", "es", vec!["MX"]),
            ("<p>+54 11 4567-8901", "es-ES", vec!["AR", "ES"]),
            ("<p>+54 11 4567-8901, +52 55 1234 5678", "es-ES", vec!["ES"]),
            ("<p>Carrera 7, Bogotá, Colombia", "es", vec!["CO"]),
            ("<p>Colombia, Perú", "es", vec!["ES"]),
            ("<p>Wir liefern nach Österreich", "de", vec!["AT"]),
            ("<a href=mailto:x@a.ie></a>", "en-US", vec!["IE", "US"]),
            ("<p>Hallo", "de", vec!["DE"]),
            ("<p>Hello", "en", vec!["US"]),
        ] {
            let page = outline(html, &Url::parse("https://a.com/").unwrap());
            let found = regions(&page, &Graph::default(), Some(language)).list;
            let wanted: Vec<Region> = wanted
                .into_iter()
                .map(|code| Region::try_from(code).unwrap())
                .collect();
            assert_eq!(found, wanted, "{html}");
        }
        let page = outline("<p>+54 11 4567-8901", &Url::parse("https://a.es/").unwrap());
        let found = regions(&page, &Graph::default(), Some("es"));
        assert_eq!(found.list, [Region::ES]);
        assert!(found.further.is_empty());
    }

    #[test]
    fn regions_that_do_not_exist_count_for_nothing() {
        for (tag, wanted) in [
            ("de-AT", Some("AT")),
            ("en-UK", Some("GB")),
            ("cs-CS", Some("CZ")),
            ("sv-SV", Some("SE")),
            ("ar-AR", None),
            ("en-EN", None),
            ("ja-JA", Some("JP")),
            ("de-DE", Some("DE")),
            ("zh-Hant-TW", Some("TW")),
            ("de-EU", Some("DE")),
            ("en-XX", None),
            ("de", None),
        ] {
            assert_eq!(of_tag(tag), wanted, "{tag}");
        }
    }
}
