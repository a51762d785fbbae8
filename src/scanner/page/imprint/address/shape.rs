//! The forms of address lines in all countries.

use std::sync::LazyLock;

use regex::{Match, Regex};

/// Longer lines are prose.
pub(super) const MAX_LINE: usize = 160;

/// A postal code and its place, as countries write them.
pub(super) static POSTCODE: LazyLock<Regex> = LazyLock::new(|| {
    let codes = [
        // The continent has the code before the place.
        r"(?:^|[,;•·|–-] ?|\s)(?:[A-Z]{1,2} ?[-–]? ?)?(?:[0-9]{4,5}|[0-9]{2}-[0-9]{3}|[0-9]{3} [0-9]{2}|[0-9]{4} ?[A-Z]{2}|[0-9]{4}-[0-9]{3}),? \p{Lu}\p{L}",
        // Russia and its neighbours.
        r"(?:^|[,; ])[0-9]{5,6}, ?(?:г\.|м\.|\p{Lu})",
        // The United Kingdom, Canada.
        r"(?-u:\b)[A-Z]{1,2}[0-9][0-9A-Z]? [0-9][A-Z]{2}(?-u:\b)",
        r"(?-u:\b)[ABCEGHJ-NPRSTVXY][0-9][A-Z][ -]?[0-9][A-Z][0-9](?-u:\b)",
        // The United States, Australia.
        r"(?-u:\b)[A-Z]{2},? [0-9]{5}(?:-[0-9]{4})?(?-u:\b)",
        r"(?-u:\b)(?:NSW|VIC|QLD|SA|WA|TAS|ACT|NT),? [0-9]{4}(?-u:\b)",
        // Brazil.
        r"(?-u:\b)[0-9]{5}-[0-9]{3}(?-u:\b)",
        // Argentina.
        r"(?-u:\b)[A-Z][0-9]{4}[A-Z]{3}(?-u:\b)|(?-u:\b)[A-Z][0-9]{4} \p{Lu}\p{L}",
        // India, Indonesia, Thailand: behind the place.
        r"\p{Lu}\p{L}+,? ?[-–]? ?[0-9]{3} ?[0-9]{3}(?:$|[,. ])",
        r"\p{L}{3,},? [0-9]{5}$",
        r"[\x{e00}-\x{e7f}] ?[0-9]{5}$",
    ];
    Regex::new(&codes.join("|")).expect("the pattern is constant")
});

/// Addresses that nothing else looks like: with the sign for a postal code, or the words for parts of a city.
static PLAIN: LazyLock<Regex> = LazyLock::new(|| {
    let shapes = [
        r"〒 ?\p{Nd}{3}[\p{Pd}−ー]\p{Nd}{4}",
        r"(?:東京都|北海道|京都府|大阪府|\p{Han}{2,3}県)\p{Han}{1,10}[市区町村郡].{0,60}(?:\p{Nd}|丁目|番地)",
        r"\p{Hangul}{2,}(?:특별시|광역시|특별자치시|도|시) \p{Hangul}+(?:시|군|구) .{2,60}\p{Nd}",
        r"(?:\p{Han}{2,4}[省市])?\p{Han}{1,6}[市区區县縣]\p{Han}{1,12}(?:路|街|道|巷|弄).{0,20}(?:\p{Nd}|[一二三四五六七八九十]).{0,20}[号號]",
        r"CEP:? ?[0-9]{5}-?[0-9]{3}",
    ];
    Regex::new(&shapes.join("|")).expect("the pattern is constant")
});

/// A street and a house number, in either order.
static STREET: LazyLock<Regex> = LazyLock::new(|| {
    let number = r"[0-9]{1,5} ?[a-zA-Zа-яА-Я]?(?: ?[-–/] ?[0-9]{1,4} ?[a-zA-Z]?)?";
    // A floor, a door, a quarter.
    let part = r"(?:(?: ?/ ?|, ?| ?[-–] ?| )[^/,\n]{1,30}){0,3}";
    Regex::new(&format!(
        r"^[^0-9\n]{{3,60}}[ :.]{number}{part},?$|^[0-9]{{1,5}}[a-zA-Z]?(?:[-–/][0-9]{{1,4}})?,? [^0-9\n –—|-][^0-9\n]{{2,59}}{part}$|^[0-9]{{1,5}} [0-9]{{1,3}}(?:st|nd|rd|th) [^0-9\n]{{3,40}}$|^(?:Level|Suite|Unit|Shop|Floor) [0-9A-Z]+[,/] ?.{{5,60}}$"
    ))
    .expect("the pattern is constant")
});

/// A street by the word for it, with a house number: for countries whose addresses are written without a postal code.
static NAMED_STREET: LazyLock<Regex> = LazyLock::new(|| {
    // Before the name of the street.
    let before = alternatives(
        r"calle c/ av\.? ave\. avda\.? avenida carrera cra\.? jr\. jirón paseo plaza pza\. carretera ctra\.? camino boulevard
        blvd\.? diagonal pasaje calzada rua r\. travessa tv\. alameda praça rodovia estrada via viale piazza corso vicolo rue
        avenue place chemin allée impasse quai ul\. al\. pl\. os\. ulica aleja ulice nám\. náměstí str\. strada bd\. bulevardul
        calea aleea ул\.? улица вул\.? вулиця пр-?т\.? просп\.? проспект пер\.? переулок шоссе бульвар бул\.? наб\. пл\.
        площадь jl\.? jalan jln\.? đường οδός λεωφ\.? λεωφόρος πλατεία rruga شارع طريق ถนน ซอย ถ\.",
    );
    // Behind it, as a word of its own, as the end of one, or before the number.
    let behind = alternatives(ENGLISH_STREETS);
    let joined = alternatives(
        r"straße strasse str\. gasse platz allee damm ufer weg straat laan plein gracht kade singel vägen gatan gränd vej gade
        allé veien vegen gata gate plass torg katu tie kuja polku",
    );
    let own = alternatives(
        r"utca út útja tér tere körút krt\.? u\. cad\.? caddesi cd\.? sok\.? sk\.? sokak sokağı bulvarı blv\.?",
    );
    let number = r"(?:no|nr|nº|n°|núm|num|д|дом|č\.p)?[.:]?\s?#?[0-9]{1,5}";
    Regex::new(&format!(
        r"(?i)(?:^|[\s,;(])(?:{before})[\s.]?[^0-9\n]{{2,50}}?[\s,.-]{number}|[0-9]{{1,5}}[a-z]?,? [^0-9\n,]{{2,40}} (?:{behind})(?:$|[\s,.])|\p{{L}}{{2}}(?:{joined})\s[0-9]{{1,4}}|\p{{L}} (?:{own})\s?[^0-9\n]{{0,3}}{number}"
    ))
    .expect("the pattern is constant")
});

/// Words of English for a street, which are behind its name.
const ENGLISH_STREETS: &str = r"street st\.? road rd\.? avenue ave\.? lane ln\.? drive dr\.? boulevard blvd\.? court square
    highway hwy parkway pkwy\.? way terrace crescent";

/// A house number as long as a postal code, before a street as English writes it.
static LONG_NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    let streets = alternatives(ENGLISH_STREETS);
    Regex::new(&format!(
        r"(?i)^[0-9]{{4,5}}[a-z]? (?:[^\n,]{{2,40}}? (?:{streets}|circle|cir\.?|trail|pike|loop)|broadway)(?-u:\b|\.)\.?(?: [NSEW]{{1,2}}(?-u:\b))?"
    ))
    .expect("the pattern is constant")
});

/// A part of a house: a floor, a door.
static UNIT: LazyLock<Regex> = LazyLock::new(|| {
    let words = alternatives(
        r"suite ste\.? unit apt\.? apartment floor level room rm\.? shop office building bldg\.? block pmb haus top stiege tür
        etage bâtiment bât\.? esc\.? local piso oficina sala loja conj\.? int\.? interno scala piano lok\.? bus bte",
    );
    Regex::new(&format!(
        r"(?i)^(?:(?:{words}) ?#?|#)[0-9a-z]{{1,5}}(?:[-/][0-9a-z]{{1,4}})?[.,]?$"
    ))
    .expect("the pattern is constant")
});

/// Words apart by blanks as alternatives of an expression.
fn alternatives(words: &str) -> String {
    words.split_whitespace().collect::<Vec<_>>().join("|")
}

/// A postal code that is behind its place, or alone on its line.
static CODE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:[A-Z]{1,2}[- ])?(?:[0-9]{4,6}|[0-9]{3} [0-9]{2}|[0-9]{2}-[0-9]{3}|[0-9]{5}-[0-9]{3}|[0-9]{4}-[0-9]{3})$")
        .expect("the pattern is constant")
});

pub(super) fn is_street(line: &str) -> bool {
    line.len() <= MAX_LINE && !line.contains('§') && STREET.is_match(line)
}

/// Whether a line has the word for a street, its name and a number.
pub(super) fn names_street(line: &str) -> bool {
    const MAX: usize = 120;
    line.len() <= MAX && line.bytes().any(|byte| byte.is_ascii_digit()) && NAMED_STREET.is_match(line)
}

pub(in crate::scanner::page::imprint) fn is_postcode(line: &str) -> bool {
    // Most lines have not the digits for it.
    let digits = line.bytes().filter(u8::is_ascii_digit).count();
    (2..=24).contains(&digits) && line.len() <= MAX_LINE && postcode(line, 0).is_some()
}

/// The first postal code with its place from a byte on. The house number that a line begins with is none:
/// `1515 Gulf Blvd., Largo, FL 33785`.
pub(super) fn postcode(line: &str, from: usize) -> Option<Match<'_>> {
    let Some(street) = LONG_NUMBER.find(line) else {
        return POSTCODE.find_at(line, from);
    };
    let rest = line[street.end()..].trim();
    let behind = POSTCODE.find_at(line, from.max(street.end()));
    let is_street = rest.is_empty() || rest.starts_with(',') || is_unit(rest) || behind.is_some();
    if is_street {
        behind
    } else {
        POSTCODE.find_at(line, from)
    }
}

/// Whether a line, or what is before its comma, is a part of a house and nothing else.
pub(super) fn is_unit(line: &str) -> bool {
    UNIT.is_match(line.split(',').next().unwrap_or_default().trim())
}

/// Whether a line is a postal code and nothing else.
pub(super) fn is_code(line: &str) -> bool {
    line.len() <= 12 && CODE.is_match(line)
}

pub(super) fn is_plain(line: &str) -> bool {
    line.len() <= 3 * MAX_LINE && (!line.is_ascii() || line.contains("CEP")) && PLAIN.is_match(line)
}

/// Whether a line that has a postal code has the street too, before the code or behind the place.
pub(super) fn has_street(line: &str) -> bool {
    let Some(code) = postcode(line, 0) else {
        return false;
    };
    let before = line[..code.start()].trim_matches(SIGNS);
    // Hungary and Russia have the street behind the place, and some without a comma.
    let rest = &line[code.end()..];
    let behind = rest
        .split_once(',')
        .map_or("", |(_, rest)| rest)
        .trim_matches([' ', '.']);
    is_street(before) || is_street(behind) || names_street(rest)
}

/// Signs around the parts of a line.
pub(super) const SIGNS: [char; 8] = [' ', ',', ';', '|', '•', '·', '-', '–'];

/// What is between the parts of a line.
static APART: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\s*[·•|©]\s*|\s[–—-]\s").expect("the pattern is constant"));

/// The part of a line that is the address in it, from the street to the place. What else is there is apart by
/// signs, or begins with a word that no address has (`© Acme · Weg 1, 8010 Graz · Org.nr 1`).
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
    let has_street = |start: &&usize| {
        let part = line
            .get(**start..code.start())
            .unwrap_or_default()
            .trim_matches(SIGNS);
        is_street(part) || names_street(part)
    };
    let last_hard = || {
        before()
            .filter(|apart| is_hard(apart.as_str()))
            .last()
            .map_or(0, |apart| apart.end())
    };
    let start = starts
        .iter()
        .rev()
        .find(has_street)
        .copied()
        .unwrap_or_else(last_hard);
    // In a sentence: `Our office is in Via Roma 5, 00100 Roma`.
    let start = match NAMED_STREET.find_at(line, start) {
        Some(street) if is_told(&line[start..street.start()]) => street.start(),
        _ => start,
    };
    line[start..end(line, &code).max(start)].trim_matches(SIGNS)
}

fn is_hard(apart: &str) -> bool {
    !apart.trim().starts_with(['–', '—', '-'])
}

/// Where the address ends whose postal code is there: at a sign, at a word that no address has, or with its sentence.
pub(super) fn end(line: &str, code: &Match<'_>) -> usize {
    static END: LazyLock<Regex> = LazyLock::new(|| {
        let words = alternatives(
            r"org\.?-?n orgnr cvr ust uid vat siret siren rcs p\.?\s?iva c\.f\. nip regon krs ičo?: kvk cnpj инн tel tél тел τηλ fon
            phone fax mobil e-?mail www\. https?: copyright \p{L}[\p{L}.-]{3,30}\s?:\s",
        );
        Regex::new(&format!(r"(?i)[\s,;(]+(?:{words}|\S+@)")).expect("the pattern is constant")
    });
    // Shorter words before a dot are abbreviations: `3100 St. Pölten`.
    static SENTENCE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?:\p{L}{4}|[0-9][A-Z]{2}|[0-9]{4}|\))(\.(?:\s+\p{Lu}|$))")
            .expect("the pattern is constant")
    });
    let mut apart = APART.find_iter(line).filter(|apart| apart.start() >= code.end());
    let apart = apart
        .find(|apart| is_hard(apart.as_str()))
        .map(|apart| apart.start());
    let stop = END.find_at(line, code.end()).map(|stop| stop.start());
    let sentence = SENTENCE.captures_at(line, code.start());
    let sentence = sentence.and_then(|found| found.get(1)).map(|dot| dot.start());
    let ends = [apart, stop, sentence].into_iter().flatten();
    ends.filter(|end| *end >= code.end()).min().unwrap_or(line.len())
}

/// Whether a text has a row of words in lower case as sentences do: `This site is hosted by Acme Ltd`.
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
