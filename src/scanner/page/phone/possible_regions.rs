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

/// The countries where a page's owner may be.
#[derive(Debug, Default)]
pub(super) struct Regions {
    /// The most certain first.
    pub(super) list: Vec<Region>,
    /// Other countries where the language of the page is spoken, if the page does not show its country in another
    /// way.
    pub(super) further: Vec<Region>,
    /// Whether the page does not show its country.
    pub(super) is_guess: bool,
}

/// The countries of the address, the metas, the domain and the language, the most certain first. If neither the
/// address nor the domain shows a country, numbers with a country code do, and countries named in the text. If there
/// is nothing at all, the home country of the language; for a site in English or in an unknown language, the United
/// States.
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
    let of_places = codes.is_empty().then(|| of_places(&page.text)).flatten();
    codes.extend(of_places);
    // WordPress sets this language on every site, so it means little.
    let is_default = codes.is_empty() && language == Some("en-US");
    codes.extend(of_language);
    if of_places.is_some() && of_language.is_none() && matches!(primary, None | Some("en")) {
        // The place may be someone else's.
        codes.push("US");
    }
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
        // Pages in all countries use English, so its countries are no candidates.
        let language = primary.filter(|language| *language != "en");
        let speaking = all().filter(|country| language.is_some_and(|own| country.languages.contains(&own)));
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

/// The country of a host under a country's second-level suffix (`com.co`): such suffixes are not sold as words.
fn of_suffix(host: &str) -> Option<&'static str> {
    let suffix = psl::suffix(host.as_bytes()).filter(|suffix| suffix.typ() == Some(psl::Type::Icann))?;
    let (_, last) = std::str::from_utf8(suffix.as_bytes()).ok()?.rsplit_once('.')?;
    country(last)
        .filter(|_| last.len() == 2)
        .map(|country| country.code)
}

/// The country whose code is in all numbers of a page that have a code.
fn of_numbers(page: &Outline) -> Option<&'static str> {
    /// Maximum number of phone numbers examined.
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

/// The country of the domain in the page's email address, if that domain has the site's name.
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

/// The country of all addresses in a text that show one: by its name after a place or postal code, or by the form of
/// the code. If they are in several countries, `None`.
fn of_places(text: &str) -> Option<&'static str> {
    const MAX_LINES: usize = 5_000;
    const MAX_LINE: usize = 200;
    let mut found = None;
    let mut above = "";
    for line in text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .take(MAX_LINES)
    {
        if line.len() <= MAX_LINE {
            let parts = line.split(['|', '·', '•', ';']).map(str::trim);
            for code in parts.filter_map(|part| of_place(part, above)) {
                if found.is_some_and(|known| known != code) {
                    return None;
                }
                found = Some(code);
            }
        }
        above = line;
    }
    found
}

/// The country of an address, from a part of a line and the line above it.
fn of_place(part: &str, above: &str) -> Option<&'static str> {
    static BRITISH: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?-u:\b)[A-Z]{1,2}[0-9][0-9A-Z]? [0-9][ABD-HJLNP-UW-Z]{2}(?-u:\b)")
            .expect("the pattern is constant")
    });
    static AMERICAN: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r",? [A-Z]{2},? [0-9]{5}(?:-[0-9]{4})?(?-u:\b)").expect("the pattern is constant")
    });
    // `Kolkata – 700017`, `Raipur - 492007 (C.G.)`
    static INDIAN: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?:^|, ?)\p{Lu}[\p{L} ]{2,30}\s?[-–—]\s?[1-9][0-9]{2} ?[0-9]{3}(?:$|[.,]| ?\()")
            .expect("the pattern is constant")
    });
    let (place, name) = match part.rsplit_once([',', '(', '–']) {
        Some((place, name)) => (place.trim(), name),
        None => (above, part),
    };
    // A US state, first names, a bird, porcelain.
    let is_word = ["Georgia", "Jordan", "Chad", "Turkey", "China"].contains(&name.trim());
    let is_enough = part.contains(',') && !is_word;
    let of_name = ends_with_place(place, is_enough)
        .then(|| country_named(name))
        .flatten();
    of_name.or_else(|| {
        let known = [(&*BRITISH, "GB"), (&*AMERICAN, "US"), (&*INDIAN, "IN")];
        let mut known = known.iter().filter(|(pattern, _)| pattern.is_match(part));
        known.next().map(|(_, code)| *code)
    })
}

/// The country with a given name. Country codes do not count, because they are also ordinary words.
fn country_named(text: &str) -> Option<&'static str> {
    const SHORTEST: usize = 4;
    let name = text.trim().trim_end_matches(['.', ')']);
    let may_be = (SHORTEST..=30).contains(&name.len()) && name.starts_with(char::is_uppercase);
    may_be
        .then(|| country(name))
        .flatten()
        .map(|country| country.code)
}

/// Whether a text ends with a postal code and a place, in either order, or (if `alone`) is the name of a place.
fn ends_with_place(text: &str, alone: bool) -> bool {
    let last = text.rsplit(',').next().unwrap_or_default().trim();
    let words = || last.split([' ', '-']).filter(|word| !word.is_empty());
    let is_code =
        |word: &str| (4..=6).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit());
    let is_name = |word: &str| word.starts_with(char::is_uppercase);
    let is_sound = (1..=5).contains(&words().count())
        && words().all(|word| is_name(word) || word.starts_with(|sign: char| sign.is_ascii_digit()));
    let has_code = words().any(is_code) && words().any(is_name);
    let is_place = alone && last == text && words().all(is_name) && country_named(last).is_none();
    is_sound && (has_code || is_place)
}

/// The only country with this language that a text names.
fn named(text: &str, language: &str) -> Option<&'static str> {
    /// Shorter names occur within words, or are words.
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

/// The country in a language tag. A tag that repeats the language (`sv-SV`, `cs-CS`) means its home country, even if
/// another country has these letters.
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
            ("<p>1060 Vienna, Austria", "en", vec!["AT", "US"]),
            ("<p>Via Dante 5<br>20121 Milano<br>Italy", "en", vec!["IT", "US"]),
            ("<p>Paris, France", "en-US", vec!["FR", "US"]),
            ("<p>12 King Street, Leeds LS1 2HL", "en", vec!["GB", "US"]),
            (
                "<p>Kolkata – 700017<p>Raipur – 492007 (C.G.)",
                "en-US",
                vec!["IN", "US"],
            ),
            // Offices in two countries, a list of countries, a sentence, a state with the same name, an article.
            (
                "<p>Berlin, Germany<p>1 Main St, Austin, TX 78701",
                "en",
                vec!["US"],
            ),
            ("<p>France, Germany, Austria", "en", vec!["US"]),
            ("<p>Founded in 1990 in Linz, Austria", "en", vec!["US"]),
            ("<p>Atlanta, Georgia", "en", vec!["US"]),
            ("<p>Ham, Turkey", "en", vec!["US"]),
            ("<p>order 492007<p>part - 492007", "en", vec!["US"]),
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
