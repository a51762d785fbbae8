//! The countries that a number without one may belong to.

use rlibphonenumber::Region;

use crate::scanner::page::country::{country, home_of, of_top_level_domain};
use crate::scanner::page::head::meta;
use crate::scanner::page::json_ld::Graph;
use crate::scanner::page::organization::stated_country;
use crate::scanner::page::outline::Outline;

/// Where a page may be.
#[derive(Debug, Default)]
pub(super) struct Regions {
    /// The surest first.
    pub(super) list: Vec<Region>,
    /// Whether the page says nothing of where it is.
    pub(super) is_guess: bool,
}

/// The country of the address, of the metas, of the domain and of the language, the surest first. Where none is
/// stated, the home of the language; for a site in English or in no known language, the United States.
pub(super) fn regions(page: &Outline, graph: &Graph, language: Option<&str>) -> Regions {
    let place = meta(
        page,
        &["geo.region", "geo.country", "business:contact_data:country_name"],
    );
    let place = place.and_then(|place| Some(country(place.split('-').next()?)?.code));
    let host = page.base.host_str().unwrap_or_default();
    let domain = host.rsplit('.').next().and_then(of_top_level_domain);
    let locale = || meta(page, &["og:locale"]);
    let of_language = language
        .and_then(of_tag)
        .or_else(|| locale().as_deref().and_then(of_tag));
    let mut codes: Vec<&str> = [stated_country(graph), place, domain, of_language]
        .into_iter()
        .flatten()
        .collect();
    let mut is_guess = false;
    if codes.is_empty() {
        codes.extend(match language.map(primary) {
            None | Some("en") => {
                is_guess = true;
                Some("US")
            }
            Some(language) => home_of(language),
        });
    }
    let mut list = Vec::new();
    for code in codes {
        if let Ok(region) = Region::try_from(code)
            && !list.contains(&region)
        {
            list.push(region);
        }
    }
    is_guess |= list.is_empty();
    Regions { list, is_guess }
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
    use super::*;

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
