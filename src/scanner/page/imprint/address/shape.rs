//! The forms of streets, houses and post office boxes in all countries.

use std::sync::LazyLock;

use regex::Regex;

/// Lines with more characters are prose.
pub(super) const MAX_LINE: usize = 160;

/// Addresses with an unmistakable form: with the symbol for a postal code, or the words for parts of a city.
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
    // A floor, a door, a district.
    let part = r"(?:(?: ?/ ?|, ?| ?[-–] ?| )[^/,\n]{1,30}){0,3}";
    Regex::new(&format!(
        r"^[^0-9\n]{{3,60}}[ :.]{number}{part},?$|^[0-9]{{1,5}}[a-zA-Z]?(?:[-–/][0-9]{{1,4}})?,? [^0-9\n –—|-][^0-9\n]{{2,59}}{part}$|^[0-9]{{1,5}}[a-zA-Z]? (?:{DIRECTION} )?[0-9]{{1,3}}(?:st|nd|rd|th) [^0-9\n]{{2,40}}{part}$|^(?:Level|Suite|Unit|Shop|Floor) [0-9A-Z]+[,/] ?.{{5,60}}$"
    ))
    .expect("the pattern is constant")
});

/// A street recognised by its street word, with a house number: for countries that write addresses without a postal
/// code.
pub(super) static NAMED_STREET: LazyLock<Regex> = LazyLock::new(|| {
    // In front of the street's name.
    let before = alternatives(
        r"calle c/ av\.? ave\. avda\.? avenida carrera cra\.? cll\.? jr\. jirón paseo plaza pza\. carretera ctra\.? camino boulevard
        blvd\.? diagonal pasaje calzada rua r\. travessa tv\. alameda praça rodovia estrada via viale piazza corso vicolo rue
        avenue place chemin allée impasse quai ul\. al\. pl\. os\. ulica aleja ulice nám\. náměstí str\. strada bd\. bulevardul
        calea aleea ул\.? улица вул\.? вулиця пр-?т\.? просп\.? проспект пр\.\s?(?-i:\p{Lu}) пр-кт\.? мкр\.? мікрорайон микрорайон пер\.? переулок шоссе бульвар бул\.? наб\. пл\.
        площадь jl\.? jalan jln\.? đường οδός λεωφ\.? λεωφόρος πλατεία rruga شارع طريق רחוב רח['׳] שדרות שד['׳] סמטת כיכר ถนน ซอย ถ\.",
    );
    // After the name: as a separate word, as the end of a word, or in front of the number.
    let behind = alternatives(ENGLISH_STREETS);
    let joined = alternatives(
        r"straße strasse str\. gasse platz allee damm ufer weg straat laan plein gracht kade singel vägen gatan gränd vej gade
        allé veien vegen gata gate plass torg katu tie kuja polku vegur stræti braut",
    );
    let own = alternatives(
        r"utca út útja tér tere körút krt\.? u\. cad\.? caddesi cd\.? sok\.? sk\.? sokak sokağı bulvarı blv\.? iela prospekts bulvāris gatvė tn\.? tänav mnt\.? maantee puiestee",
    );
    let number = r"(?:no|nr|nº|n°|núm|num|д|дом|č\.p)?[.:]?\s?#?[0-9]{1,5}";
    Regex::new(&format!(
        r"(?i)(?:^|[\s,;(])(?:{before})[\s.]?[^0-9\n]{{2,50}}?[\s,.-]{number}|[0-9]{{1,5}}[a-z]?,? (?:[^0-9\n,]{{2,40}}|(?:{DIRECTION} )?[0-9]{{1,3}}(?:st|nd|rd|th)) (?:{behind})(?:$|[\s,.])|{COLOMBIAN}|\p{{L}}{{2}}(?:{joined})\s[0-9]{{1,4}}|\p{{L}} (?:{own})\s?[^0-9\n]{{0,3}}{number}"
    ))
    .expect("the pattern is constant")
});

/// English street words, which follow the street's name.
pub(super) const ENGLISH_STREETS: &str = r"street st\.? road rd\.? avenue ave\.? lane ln\.? drive dr\.? boulevard blvd\.? court square
    highway hwy parkway pkwy\.? way terrace crescent grove quay mews parade esplanade";

/// The direction in front of a street's name in North America.
const DIRECTION: &str = r"(?:[NSEW]{1,2}\.?|North|South|East|West)";

/// In Colombia, streets and houses have numbers: `Cra 11 # 82-93`.
const COLOMBIAN: &str = r"(?:^|[\s,(])(?:calle|cll?\.?|carrera|cra\.?|kra?\.?|cr\.?|transversal|diagonal|dg\.?|avenida|av\.?)\s?[0-9]{1,3}\s?[a-z]?(?:\sbis)?(?:\s(?:sur|norte|este|oeste))?\s?(?:#|n[o.º°]{1,2})\s?[0-9]{1,3}";

/// A unit of a building: a floor, a door.
static UNIT: LazyLock<Regex> = LazyLock::new(|| {
    let words = alternatives(
        r"suite ste\.? unit apt\.? apartment floor level room rm\.? shop office building bldg\.? block pmb haus top stiege tür
        etage bâtiment bât\.? esc\.? local piso oficina sala loja conj\.? int\.? interno scala piano lok\.? bus bte",
    );
    Regex::new(&format!(
        r"(?i)^(?:(?:(?:{words}) ?#?|#)[0-9a-z]{{1,5}}(?:[-/][0-9a-z]{{1,4}})?[.,]?|(?:[0-9]{{1,2}}(?:st|nd|rd|th)|ground|first|second|third|top) floor)$"
    ))
    .expect("the pattern is constant")
});

/// A post office box and nothing else.
static BOX: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?ix)^(?:postfach|case\spostale|casella\spostale|casilla(?:\s(?:de\scorreos?|postal))?|caixa\spostal|apartado(?:\s(?:de\scorreos|postal))?
         |apdo\.?|bo[iî]te\spostale|b\.?\s?p\.?|c\.?\s?p\.?|cs|tsa|(?:g\.?)?p\.?\s?o\.?\s?box|postbus|postboks|box|pb|pl|postilokero
         |skr(?:ytka|\.)?\s(?:pocztowa|poczt\.?)|(?:poštovní|poštový|poštanski)\s\p{L}+|pf\.?|а/я|(?:private|locked)\sbag)
         \s?(?:n[°ºro]\.?|\#)?\s?[0-9][0-9\s-]{0,8}[a-z]?$",
    )
    .expect("the pattern is constant")
});

/// Words separated by spaces, as alternatives of a regular expression.
pub(super) fn alternatives(words: &str) -> String {
    words.split_whitespace().collect::<Vec<_>>().join("|")
}

/// Whether a line has at most `most` characters, in any script.
pub(super) fn is_short(line: &str, most: usize) -> bool {
    line.len() <= most || line.len() <= 4 * most && line.chars().count() <= most
}

pub(super) fn is_street(line: &str) -> bool {
    is_short(line, MAX_LINE) && !line.contains('§') && !is_sentence(line) && STREET.is_match(line)
}

/// Whether a line ends like a sentence, with a long word and a full stop, and is not a list of parts: `Seit 3
/// Generationen.`
fn is_sentence(line: &str) -> bool {
    const SHORTEST: usize = 6;
    let last = line.rsplit(' ').next().unwrap_or_default();
    let Some(word) = last.strip_suffix('.') else {
        return false;
    };
    word.chars().count() >= SHORTEST
        && word.chars().all(char::is_alphabetic)
        && !line.contains(',')
        && !names_street(line)
}

/// Whether a line contains a street word, the street's name and a number.
pub(super) fn names_street(line: &str) -> bool {
    const MAX: usize = 120;
    is_short(line, MAX) && line.bytes().any(|byte| byte.is_ascii_digit()) && NAMED_STREET.is_match(line)
}

/// Whether a line contains a house number, then an English street name.
pub(super) fn is_english_street(line: &str) -> bool {
    static ENGLISH: LazyLock<Regex> = LazyLock::new(|| {
        let streets = alternatives(ENGLISH_STREETS);
        Regex::new(&format!(
            r"(?i)(?:^|[\s,/])[0-9]{{1,5}}[a-z]?(?:[-/][0-9]{{1,4}})?,? [^\n,]{{2,40}} (?:{streets})(?:$|[\s,.])"
        ))
        .expect("the pattern is constant")
    });
    is_short(line, MAX_LINE) && ENGLISH.is_match(line)
}

/// Whether a line, or the text before its first comma or dash, is only a unit of a building.
pub(super) fn is_unit(line: &str) -> bool {
    let first = line.split([',', '–', '|', '·', '•']).next().unwrap_or_default();
    UNIT.is_match(first.split(" - ").next().unwrap_or_default().trim())
}

/// Whether a line is a post office box, which is not where the company is.
pub(super) fn is_box(line: &str) -> bool {
    is_short(line, 40) && BOX.is_match(line.trim_end_matches([',', ' ']))
}

pub(super) fn is_plain(line: &str) -> bool {
    is_short(line, 3 * MAX_LINE) && (!line.is_ascii() || line.contains("CEP")) && PLAIN.is_match(line)
}
