//! The operator of a site, as named in a sentence: `This site is operated by Acme Ltd, a company in Leeds.`

use std::sync::LazyLock;

use regex::Regex;

use super::forms::{is_legal_name, name_pattern, names_form, without_rest};
use super::names::role_sentence;

/// Longer lines are texts of another kind; a longer name is more than one name.
const MAX_LINE: usize = 4_000;
const MAX_NAME: usize = 80;

/// How sentences about a site state who owns or runs it.
const VERBS: &str = r"(?:édité|exploité|publié)e?s?\s(?:et\s\p{L}+\s)?par|propriété\sde|(?:owned|operated|published|provided|run)(?:\s(?:and|&)\s(?:owned|operated|managed|maintained|controlled))?\sby|betrieben\s(?:von|durch)|(?:ein\s)?angebot\sder|herausgegeben\svon|propiedad\sde|titularidad\sde|proprietà\sdi|gestito\sda|edito\sda|eigendom\svan|beheerd\sdoor|propriedade\sd[aeo]|operado\spor|prowadzony\sprzez";

/// What the sentence is about.
const SITES: &str = r"(?-u:\b)(?:web-?\s?)?(?:sites?|seiten?|shop|stores?|app|platform|plattform|blog|services?|portal|sitio|sito|loja|boutique|serwis|winkel)(?-u:\b)|web-?(?:site|seite|shop)";

/// The company that operates the site, according to a sentence.
pub(super) fn operator(text: &str) -> Option<String> {
    static BEHIND: LazyLock<Regex> = LazyLock::new(|| {
        let name = name_pattern(r"[\p{Lu}\p{Lo}0-9]", MAX_NAME);
        Regex::new(&format!(
            r"^\s(?i:de\s|la\s|l['’]|der\s|die\s|dem\s|the\s|las?\s|société\s|sociedad\s|società\s|entreprise\s|empresa\s|firma\s|company\s|spółka\s|společnost\s|spoločnosť\s|компания\s|компанія\s|фирма\s|дружество\s|het\s|az?\s)*({name})(?:[\s,.;()]|$)"
        ))
        .expect("the pattern is constant")
    });
    let lines = text
        .lines()
        .filter(|line| line.len() <= MAX_LINE && names_form(line));
    lines.take(200).find_map(|line| {
        let named = |end: usize| {
            let name = BEHIND.captures(&line[end..])?;
            plausible(name.get(1)?.as_str())
        };
        let of_role = || {
            role_sentence(line)
                .and_then(named)
                .filter(|name| !is_processor(name))
        };
        verb(line).and_then(named).or_else(of_role).or_else(|| we(line))
    })
}

/// Whether a line states who owns or runs the site.
pub(super) fn names_operator(line: &str) -> bool {
    line.len() <= MAX_LINE && verb(line).is_some()
}

/// Where the name begins in a sentence about the site's operator.
fn verb(line: &str) -> Option<usize> {
    static VERB: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(&format!(
            r"(?i)(?:{SITES})[^.!?\n]{{0,20}}(?:\.[^\s.]{{2,30}}){{0,3}}[^.!?\n]{{0,40}}\s(?:{VERBS})(?-u:\b)"
        ))
        .expect("the pattern is constant")
    });
    VERB.find(line).map(|verb| verb.end())
}

/// Whether a company is one that privacy policies name as the operator of an embedded service.
fn is_processor(name: &str) -> bool {
    const PROCESSORS: &[&str] = &[
        "google",
        "youtube",
        "meta",
        "facebook",
        "instagram",
        "twitter",
        "x",
        "linkedin",
        "amazon",
        "microsoft",
        "vimeo",
        "cloudflare",
        "pinterest",
        "tiktok",
        "hotjar",
        "stripe",
        "paypal",
        "klarna",
        "hubspot",
        "intuit",
        "usercentrics",
        "cybot",
        "onetrust",
        "adobe",
        "automattic",
        "ovh",
        "ionos",
        "strato",
        "hetzner",
        "wix",
        "shopify",
        "squarespace",
        "godaddy",
        "borlabs",
        "1&1",
        "mittwald",
        "etracker",
        "openstreetmap",
        "new",
        "xing",
    ];
    let first = name
        .split([' ', '.', ','])
        .next()
        .unwrap_or_default()
        .to_lowercase();
    PROCESSORS.contains(&first.as_str())
}

/// The company that a contract calls `we`: `Acme Tools, Inc., a Delaware corporation (“Acme”, “we”)`.
fn we(line: &str) -> Option<String> {
    static WE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(?:, an? [^(),.\n]{3,60})? ?\([^()\n]{0,60}[“"'‘](?:[Ww]e|[Uu]s|[Oo]ur)[,”"'’]"#)
            .expect("the pattern is constant")
    });
    const SMALL: &[&str] = &["and", "of", "&", "the", "for"];
    let at = WE.find(line)?.start();
    let start = line.floor_char_boundary(at.saturating_sub(MAX_NAME));
    let before = &line[start..at];
    // The name consists of the capitalized words in front of the bracket.
    let mut name = before.len();
    let starts = before.rmatch_indices(' ').map(|(at, _)| at + 1);
    for at in starts.chain((start == 0).then_some(0)) {
        let word = before[at..].split(' ').next().unwrap_or_default();
        if word.starts_with(|first: char| first.is_uppercase() || first.is_numeric()) {
            name = at;
        } else if !SMALL.contains(&word) {
            break;
        }
    }
    plausible(before[name..].trim())
}

/// The company name in a text, if the text is exactly one.
fn plausible(name: &str) -> Option<String> {
    let name = without_rest(name).trim();
    let is_small = |word: &str| word.chars().all(char::is_lowercase);
    let small = name.split_whitespace().filter(|word| is_small(word)).count();
    // A shorter word before a dot is an abbreviation.
    let ends_sentence =
        |before: &str| before.len() > 4 && before.chars().rev().take(4).all(char::is_alphabetic);
    let is_one = name
        .match_indices(". ")
        .all(|(at, _)| !ends_sentence(&name[..at]));
    (small <= 2 && is_one && is_legal_name(name)).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_names_the_operator() {
        for (text, wanted) in [
            (
                "Le site www.acme.fr est édité par la société Acme Conseil, SAS au capital de 50 000 €",
                Some("Acme Conseil, SAS"),
            ),
            ("Ce site est édité par SARL Dupont, 1 rue X", Some("SARL Dupont")),
            ("Le site est la propriété de Dupont SARL.", Some("Dupont SARL")),
            (
                "This website is owned and operated by Acme Tools LLC.",
                Some("Acme Tools LLC"),
            ),
            (
                "The service is operated by Acme Tools, Inc., a Delaware corporation",
                Some("Acme Tools, Inc."),
            ),
            (
                "Diese Website wird betrieben von der Weber Bau GmbH in Graz",
                Some("Weber Bau GmbH"),
            ),
            (
                "A contract between you and Acme Tools, Inc., a Delaware corporation (“Acme”, “we” or “us”). By Stripe, Inc.",
                Some("Acme Tools, Inc."),
            ),
            ("Acme, Inc. (\"we\") sells tools", Some("Acme, Inc.")),
            ("The hotel is operated by Other Hotels Ltd", None),
            ("This site is hosted by Other Ltd", None),
            (
                "Le site est édité par le cabinet Acme, inscrit au barreau et hébergé par OVH SAS",
                None,
            ),
            ("They call it Other Ltd (“the bank”)", None),
            (
                "Betreiber dieses Onlineshops ist die Weber Bau GmbH, Weg 1",
                Some("Weber Bau GmbH"),
            ),
            (
                "Prodávajícím je společnost Acme Nářadí s.r.o., se sídlem Dlouhá 1",
                Some("Acme Nářadí s.r.o."),
            ),
            (
                "Le site est édité par la SARL Atelier Acme au capital de 8 000 €, immatriculée",
                Some("SARL Atelier Acme"),
            ),
            ("Betreiber ist die Google Ireland Limited, Gordon House", None),
            ("Betreiber des Kartendienstes ist die Other GmbH", None),
            ("Our payment provider is Other Ltd", None),
        ] {
            assert_eq!(operator(text).as_deref(), wanted, "{text}");
        }
    }
}
