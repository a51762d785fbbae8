//! Countries: their codes, languages and names (`country/countries.txt`).

use std::sync::LazyLock;

/// A country.
pub(super) struct Country {
    /// ISO 3166-1 alpha-2.
    pub(super) code: &'static str,
    /// ISO 3166-1 alpha-3.
    long: &'static str,
    /// ISO 639-1, the most widely written language first.
    pub(super) languages: Vec<&'static str>,
    /// In its own languages and in those of neighbouring countries and visitors, lower case.
    pub(super) names: Vec<&'static str>,
}

/// Finds a country by its code of two or three letters or by its name, in any case.
pub(super) fn country(text: &str) -> Option<&'static Country> {
    let text = text.trim().trim_end_matches('.');
    // Reserved for the United Kingdom, and used by its own people.
    let text = if text.eq_ignore_ascii_case("uk") {
        "GB"
    } else {
        text
    };
    let name = text.to_lowercase();
    COUNTRIES.iter().find(|country| {
        country.code.eq_ignore_ascii_case(text)
            || country.long.eq_ignore_ascii_case(text)
            || country.names.contains(&name.as_str())
    })
}

/// The home country of a language; `None` if several countries have an equal claim (English, Arabic).
pub(super) fn home_of(language: &str) -> Option<&'static str> {
    const HOMES: &str = "de:DE fr:FR es:ES pt:PT it:IT nl:NL sv:SE da:DK el:GR ru:RU ko:KR zh:CN ms:MY ta:IN bn:BD ur:PK \
        fa:IR ro:RO sr:RS hr:HR sq:AL tr:TR hu:HU sw:KE eu:ES ca:ES gl:ES cy:GB gd:GB nn:NO no:NO iw:IL \
        in:ID fil:PH tl:PH yo:NG zu:ZA xh:ZA af:ZA fy:NL br:FR co:FR oc:FR sh:RS gu:IN mr:IN te:IN kn:IN ml:IN \
        pa:IN jv:ID su:ID tt:RU";
    let mut homes = HOMES.split(' ').filter_map(|home| home.split_once(':'));
    let found = homes.find(|(known, _)| *known == language);
    found.map(|(_, code)| code).or_else(|| {
        let mut speaking = COUNTRIES
            .iter()
            .filter(|country| country.languages.contains(&language));
        speaking
            .next()
            .filter(|_| speaking.next().is_none())
            .map(|country| country.code)
    })
}

/// The country of a top-level domain, which may be the domain of a country or a region. Domains that are sold worldwide
/// as words (`.io`, `.me`, `.co`) give `None`.
pub(super) fn of_top_level_domain(label: &str) -> Option<&'static str> {
    const SOLD_AS_WORDS: &[&str] = &[
        "ac", "ad", "ag", "ai", "am", "as", "bz", "cc", "cd", "cf", "ci", "cm", "co", "cx", "dj", "eu", "fm",
        "ga", "gd", "gg", "gl", "gq", "gs", "gy", "hm", "io", "je", "ki", "la", "lc", "ly", "me", "ml", "mn",
        "ms", "mu", "nf", "nu", "pm", "pn", "pw", "re", "sc", "sh", "st", "su", "sx", "tc", "tf", "tk", "tl",
        "to", "tv", "vc", "vg", "vu", "wf", "ws", "yt",
    ];
    const PLACES: &[(&str, &str)] = &[
        ("berlin hamburg koeln cologne bayern nrw ruhr saarland", "DE"),
        ("wien tirol", "AT"),
        ("swiss zuerich", "CH"),
        ("paris bzh alsace corsica", "FR"),
        ("london scot wales cymru", "GB"),
        ("irish", "IE"),
        ("amsterdam frl", "NL"),
        ("brussels vlaanderen gent", "BE"),
        ("madrid barcelona cat gal eus", "ES"),
        ("moscow xn--80adxhks tatar", "RU"),
        ("istanbul ist", "TR"),
        ("tokyo osaka kyoto nagoya yokohama okinawa ryukyu", "JP"),
        ("taipei", "TW"),
        ("nyc boston miami vegas", "US"),
        ("quebec", "CA"),
        ("rio", "BR"),
        ("sydney melbourne", "AU"),
        ("kiwi", "NZ"),
        ("capetown durban joburg", "ZA"),
        ("helsinki", "FI"),
        ("stockholm", "SE"),
        ("budapest", "HU"),
        ("abudhabi dubai xn--mgbca7dzdo", "AE"),
        // In the country's own script.
        ("xn--p1ai", "RU"),
        ("xn--j1amh", "UA"),
        ("xn--90ais", "BY"),
        ("xn--90a3ac", "RS"),
        ("xn--d1alf", "MK"),
        ("xn--qxam", "GR"),
        ("xn--node", "GE"),
        ("xn--y9a3aq", "AM"),
        ("xn--80ao21a", "KZ"),
        ("xn--fiqs8s xn--fiqz9s", "CN"),
        ("xn--kpry57d xn--kprw13d", "TW"),
        ("xn--j6w193g", "HK"),
        ("xn--3e0b707e", "KR"),
        ("xn--o3cw4h", "TH"),
        ("xn--h2brj9c", "IN"),
        ("xn--wgbh1c", "EG"),
        ("xn--mgberp4a5d4ar", "SA"),
        ("xn--mgbaam7a8h", "AE"),
        ("xn--mgbayh7gpa", "JO"),
        ("xn--4dbrk0ce", "IL"),
    ];
    let label = label.to_ascii_lowercase();
    if SOLD_AS_WORDS.contains(&label.as_str()) {
        return None;
    }
    if label.len() == 2 {
        return country(&label).map(|country| country.code);
    }
    let of_place = PLACES
        .iter()
        .find(|(labels, _)| labels.split(' ').any(|known| known == label));
    of_place.map(|(_, code)| *code)
}

/// The whole table: the only source for languages and names of countries.
pub(super) fn all() -> impl Iterator<Item = &'static Country> {
    COUNTRIES.iter()
}

static COUNTRIES: LazyLock<Vec<Country>> = LazyLock::new(|| {
    let lines = include_str!("country/countries.txt").lines();
    let countries = lines.filter(|line| !line.starts_with('#')).map(|line| {
        let (codes, names) = line.split_once(" | ")?;
        let mut codes = codes.split(' ');
        Some(Country {
            code: codes.next()?,
            long: codes.next()?,
            languages: codes.collect(),
            names: names.split("; ").collect(),
        })
    });
    let countries: Option<Vec<Country>> = countries.collect();
    countries.expect("the table is constant and has its form on each line")
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_are_known_by_codes_and_names() {
        for (text, wanted) in [
            ("at", "AT"),
            ("AUT", "AT"),
            ("Österreich", "AT"),
            ("UK", "GB"),
            ("Brasil", "BR"),
            ("日本", "JP"),
            ("U.S.A.", "US"),
            ("Česká republika", "CZ"),
        ] {
            assert_eq!(country(text).map(|country| country.code), Some(wanted), "{text}");
        }
        assert!(country("Atlantis").is_none());
        assert!(country("EU").is_none());
    }

    #[test]
    fn a_language_has_one_home_or_none() {
        for (language, wanted) in [
            ("de", Some("DE")),
            ("ja", Some("JP")),
            ("cs", Some("CZ")),
            ("uk", Some("UA")),
            ("nb", Some("NO")),
            ("en", None),
            ("ar", None),
            ("xx", None),
        ] {
            assert_eq!(home_of(language), wanted, "{language}");
        }
    }

    #[test]
    fn top_level_domains_are_at_home_where_they_are_not_sold_as_words() {
        for (label, wanted) in [
            ("at", Some("AT")),
            ("uk", Some("GB")),
            ("wien", Some("AT")),
            ("xn--p1ai", Some("RU")),
            ("io", None),
            ("eu", None),
            ("com", None),
            ("shop", None),
        ] {
            assert_eq!(of_top_level_domain(label), wanted, "{label}");
        }
    }
}
