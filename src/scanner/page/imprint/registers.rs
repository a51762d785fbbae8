//! Register and tax numbers of companies, with the words that introduce them.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use regex::{Regex, RegexSet};
use regex_syntax::hir::literal::{ExtractKind, Extractor, Literal};

/// Numbers kept of one page.
const MAX_IDENTIFIERS: usize = 20;

/// Fewer digits are in no such number; longer lines are no imprint's; a label is short.
const FEWEST_DIGITS: usize = 3;
const MAX_LINE: usize = 1_000;
const MAX_LABEL: usize = 60;

/// Numbers by which registers and tax offices know a company: the label they are given, how pages introduce them,
/// and how they are formed. The words in front make them safe to take from running text.
const NUMBERS: &[(&str, &str)] = &[
    (
        "VAT",
        r"(?i:VAT|USt\.?|Umsatzsteuer|UID|MwSt|TVA|P\.? ?IVA|partita iva|IVA|BTW|moms|NIP|DIČ|DPH|CIF|NIF|Y-tunnus)[^\n]{0,60}?(?-u:\b)((?:ATU[0-9]{8}|(?:DE|EE|EL|PT)(?: ?[0-9]){9}|BE ?[01]?[0-9]{3}[. ]?[0-9]{3}[. ]?[0-9]{3}|(?:CZ|LT|LV|BG|RO|HR|PL|SE|DK|FI|HU|LU|MT|SI|SK|IT) ?[0-9]{7,12}|(?:FR|CY|IE|ES|GB|NL) ?[0-9A-Z][0-9A-Z ]{7,13}[0-9A-Z]|CHE-?[0-9]{3}\.?[0-9]{3}\.?[0-9]{3}))(?-u:\b)",
    ),
    (
        "Register",
        r"(?-u:\b)(HR ?[AB] ?(?:Nr\.? ?)?[0-9]{1,6}(?: ?[A-Z](?-u:\b))?)",
    ),
    (
        "Register",
        r"(?-u:\b)(?i:Firmenbuch(?:nummer)?|FN)(?-u:\b)[^\n0-9]{0,20}([0-9]{5,6} ?[a-z])(?-u:\b)",
    ),
    ("Register", r"(?-u:\b)(CHE-?[0-9]{3}\.[0-9]{3}\.[0-9]{3})(?-u:\b)"),
    (
        "Register",
        r"(?i:vereinsregister|registergericht|amtsgericht)[^\n]{0,60}(?-u:\b)(VR ?(?:Nr\.? ?)?[0-9]{2,6})(?-u:\b)",
    ),
    (
        "ZVR",
        r"(?-u:\b)ZVR(?:-?(?:Zahl|Nr\.?|Nummer))?[^\n0-9]{0,6}([0-9][0-9 ]{6,12}[0-9])(?-u:\b)",
    ),
    (
        "SIRET",
        r"(?i:siret)[^\n0-9]{0,20}([0-9]{3} ?[0-9]{3} ?[0-9]{3} ?[0-9]{5})(?-u:\b)",
    ),
    (
        "SIREN",
        r"(?i:siren|(?-u:\b)RCS(?-u:\b))[^\n0-9]{0,25}([0-9]{3} ?[0-9]{3} ?[0-9]{3})(?-u:\b)",
    ),
    (
        "P.IVA",
        r"(?i:p\.? ?iva|partita iva)[^\n0-9]{0,15}([0-9]{11})(?-u:\b)",
    ),
    (
        "KvK",
        r"(?i:kvk|kamer van koophandel)[^\n0-9]{0,20}([0-9]{8})(?-u:\b)",
    ),
    (
        "CIF",
        r"(?-u:\b)(?:CIF|NIF|C\.I\.F|N\.I\.F)(?-u:\b)[^\n0-9A-Z]{0,6}([A-Z][- ]?[0-9]{7}[0-9A-Z]|[0-9]{8}-?[A-Z])(?-u:\b)",
    ),
    (
        "NIF",
        r"(?-u:\b)(?:NIPC|NIF)(?-u:\b)[^\n0-9A-Za-z]{0,6}((?:PT ?)?[125689][0-9]{2} ?[0-9]{3} ?[0-9]{3})(?-u:\b)",
    ),
    (
        "Enterprise number",
        r"(?:(?i:ondernemingsn(?:r\.?|ummer)|(?:n[°º]|num[ée]ro) d['’]entreprise)|(?-u:\b)KBO(?-u:\b)|(?-u:\b)BCE(?-u:\b))[^\n0-9]{0,12}?((?:BE ?)?[01]?[0-9]{3}[. ]?[0-9]{3}[. ]?[0-9]{3})(?-u:\b)",
    ),
    (
        "Y-tunnus",
        r"(?i:y-tunnus)[^\n0-9A-Za-z]{0,6}([0-9]{7}-[0-9])(?-u:\b)",
    ),
    (
        "Adószám",
        r"(?i:adószám)[^\n0-9A-Za-z]{0,6}([0-9]{8}-[0-9]-[0-9]{2})(?-u:\b)",
    ),
    (
        "REGON",
        r"(?-u:\b)REGON(?-u:\b)[^\n0-9A-Za-z]{0,6}([0-9]{14}|[0-9]{9})(?-u:\b)",
    ),
    (
        "ACN",
        r"(?-u:\b)(?:ACN|A\.C\.N\.)[^\n0-9A-Za-z]{0,6}([0-9]{3} ?[0-9]{3} ?[0-9]{3})(?-u:\b)",
    ),
    (
        "UEN",
        r"(?-u:\b)UEN(?: [Nn]o\.?)?[^\n0-9A-Za-z]{0,6}([0-9]{8,9}[A-Z]|[TSR][0-9]{2}[A-Z]{2}[0-9]{4}[A-Z])(?-u:\b)",
    ),
    // South Africa.
    (
        "Company number",
        r"(?i:reg(?:istration)?\.? ?(?:no|nr|number)\.?)[^\n0-9A-Za-z]{0,6}((?:19|20)[0-9]{2}/[0-9]{6}/[0-9]{2})(?-u:\b)",
    ),
    (
        "Company number",
        r"(?i:company (?:registration )?(?:number|no\.?|nr\.?)|registered (?:in [A-Za-z &]{3,30})?(?:number|no\.?|nr\.?))[^\n0-9A-Z]{0,6}((?:SC|NI|OC)?[0-9]{6,8})(?-u:\b)",
    ),
    (
        "NIP",
        r"(?-u:\b)NIP(?-u:\b)[^\n0-9]{0,6}([0-9]{3}-?[0-9]{3}-?[0-9]{2}-?[0-9]{2})(?-u:\b)",
    ),
    ("KRS", r"(?-u:\b)KRS(?-u:\b)[^\n0-9]{0,10}([0-9]{10})(?-u:\b)"),
    (
        "IČO",
        r"(?-u:\b)(?:IČO?|ICO)[^\n0-9\p{L}]{0,6}([0-9]{2} ?[0-9]{3} ?[0-9]{3})(?-u:\b)",
    ),
    (
        "CVR",
        r"(?-u:\b)CVR(?-u:\b)[^\n0-9]{0,12}([0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2})(?-u:\b)",
    ),
    (
        "Organisation number",
        r"(?i:org(?:anisations)?\.? ?-?(?:nr|nummer)\.?)[^\n0-9]{0,6}([0-9]{6}-[0-9]{4}|[0-9]{3} ?[0-9]{3} ?[0-9]{3})(?-u:\b)",
    ),
    (
        "CNPJ",
        r"(?i:cnpj)(?:/MF)?[^\n0-9]{0,6}([0-9]{2}\.?[0-9]{3}\.?[0-9]{3}/?[0-9]{4}-?[0-9]{2})(?-u:\b)",
    ),
    (
        "CUIT",
        r"(?i:c\.?u\.?i\.?t\.?)(?-u:\b|:)[^\n0-9]{0,6}([0-9]{2}-?[0-9]{8}-?[0-9])(?-u:\b)",
    ),
    (
        "RUC",
        r"(?-u:\b)R\.?U\.?C\.?[^\n0-9A-Z]{0,8}((?:10|15|17|20)[0-9]{9}|[0-9]{13})(?-u:\b)",
    ),
    (
        "NIT",
        r"(?-u:\b)N\.?I\.?T\.?[^\n0-9A-Z]{0,6}([0-9]{3}\.?[0-9]{3}\.?[0-9]{3}(?: ?- ?[0-9])?)(?-u:\b)",
    ),
    (
        "RFC",
        r"(?-u:\b)R\.?F\.?C\.?[^\n0-9A-Z]{1,6}([A-ZÑ&]{3,4}[0-9]{6}[0-9A-Z]{3})(?-u:\b)",
    ),
    ("INN", r"ИНН[^\n0-9]{0,10}([0-9]{12}|[0-9]{10})(?-u:\b)"),
    ("OGRN", r"ОГРН(?:ИП)?[^\n0-9]{0,10}([0-9]{15}|[0-9]{13})(?-u:\b)"),
    ("EDRPOU", r"[ЄЕ]ДРПОУ[^\n0-9]{0,6}([0-9]{8})(?-u:\b)"),
    (
        "EIK",
        r"(?:ЕИК|Булстат|БУЛСТАТ)[^\n0-9]{0,6}([0-9]{9}(?:[0-9]{4})?)(?-u:\b)",
    ),
    (
        "CUI",
        r"(?-u:\b)C\.?(?:U\.?I|I\.?F)\.?[^\n0-9A-Z]{0,6}((?:RO ?)?[0-9]{6,10})(?-u:\b)",
    ),
    ("OIB", r"(?-u:\b)OIB(?-u:\b)[^\n0-9]{0,6}([0-9]{11})(?-u:\b)"),
    ("PIB", r"(?-u:\b)(?:PIB|ПИБ)[^\n0-9]{0,6}([0-9]{9})(?-u:\b)"),
    (
        "GSTIN",
        r"(?-u:\b)GST(?:IN)?(?: No\.?)?[^\n0-9A-Z]{0,6}([0-9]{2}[A-Z]{5}[0-9]{4}[A-Z][0-9A-Z]{3})(?-u:\b)",
    ),
    ("Corporate number", r"法人番号[^\n0-9]{0,6}([0-9]{13})(?-u:\b)"),
    (
        "Business number",
        r"(?:사업자(?:등록)?\s?번호[^\n0-9]{0,6}([0-9]{3}-?[0-9]{2}-?[0-9]{5})|(?:統一編號|統編)[^\n0-9]{0,6}([0-9]{8}))(?-u:\b)",
    ),
    ("MERSIS", r"(?i:mersis)(?: no)?[^\n0-9]{0,6}([0-9]{16})(?-u:\b)"),
    (
        "ABN",
        r"(?-u:\b)ABN(?-u:\b)[^\n0-9]{0,6}([0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{3})(?-u:\b)",
    ),
];

/// Whether a text holds a word that introduces any number at all: what the expressions cost is then worth its while.
fn introduces(text: &str) -> bool {
    static WORDS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
        let words: Option<Vec<Vec<String>>> =
            NUMBERS.iter().map(|(_, pattern)| first_words(pattern)).collect();
        AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(words?.concat())
            .ok()
    });
    WORDS.as_ref().is_none_or(|words| words.is_match(text))
}

/// What a text that an expression matches begins with in place of the match, one of it, in any case; `None` if
/// that may be anything.
fn first_words(pattern: &str) -> Option<Vec<String>> {
    let hir = regex_syntax::parse(&pattern.replace("(?i:", "(?:")).ok()?;
    let words = Extractor::new().kind(ExtractKind::Prefix).extract(&hir);
    let word = |literal: &Literal| {
        let word = String::from_utf8_lossy(literal.as_bytes()).into_owned();
        // Other letters than those of ASCII are looked for in one case alone.
        let ascii = word.find(|sign: char| !sign.is_ascii()).unwrap_or(word.len());
        let word = if ascii >= 2 {
            word[..ascii].to_owned()
        } else {
            word
        };
        (word.chars().count() >= 2).then_some(word)
    };
    words.literals()?.iter().map(word).collect()
}

/// Numbers with the words that introduce them, which are on their line or, as a label does, on the one before.
pub(super) fn identifiers(text: &str) -> Vec<String> {
    static ANY: LazyLock<RegexSet> = LazyLock::new(|| {
        RegexSet::new(NUMBERS.iter().map(|(_, pattern)| pattern)).expect("the patterns are constant")
    });
    static EACH: LazyLock<Vec<Regex>> = LazyLock::new(|| {
        let patterns = NUMBERS.iter().map(|(_, pattern)| pattern);
        patterns
            .map(|pattern| Regex::new(pattern).expect("the pattern is constant"))
            .collect()
    });
    let mut found: Vec<String> = Vec::new();
    let mut label = "";
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let digits = line.bytes().filter(u8::is_ascii_digit).count();
        if digits >= FEWEST_DIGITS && line.len() <= MAX_LINE {
            let said = format!("{label} {line}");
            let numbers = introduces(&said).then(|| ANY.matches(&said));
            for number in numbers.into_iter().flatten() {
                for hit in EACH[number].captures_iter(&said).take(MAX_IDENTIFIERS) {
                    let court = hit
                        .iter()
                        .skip(1)
                        .flatten()
                        .next()
                        .map_or("", |court| court.as_str());
                    let written = court.split_whitespace().collect::<Vec<_>>().join(" ");
                    let is_known = found.iter().any(|known| known.ends_with(&written));
                    if !is_known && found.len() < MAX_IDENTIFIERS {
                        found.push(format!("{}: {written}", NUMBERS[number].0));
                    }
                }
            }
        }
        label = if line.len() <= MAX_LABEL && digits == 0 {
            line
        } else {
            ""
        };
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_is_introduced_by_words_that_are_known() {
        for (label, pattern) in NUMBERS {
            let words = first_words(pattern);
            assert!(words.is_some_and(|words| !words.is_empty()), "{label}: {pattern}");
        }
        assert!(introduces("Umsatzsteuer-ID: DE 1"));
        assert!(!introduces("tel. 01234567890"));
    }
}
