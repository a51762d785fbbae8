//! Register and tax numbers of companies, with the words that introduce them.

mod check_digits;
mod numbers;

use std::borrow::Cow;
use std::sync::{LazyLock, OnceLock};

use aho_corasick::AhoCorasick;
use regex::Regex;
use regex_syntax::hir::literal::{ExtractKind, Extractor, Literal};

use self::numbers::KINDS;
use crate::scanner::page::characters::{digit, narrow};

/// Maximum number of register and tax numbers kept per page.
const MAX_IDENTIFIERS: usize = 20;

/// No such number has fewer digits; no imprint has longer lines.
const MIN_DIGITS: usize = 3;
const MAX_LINE: usize = 1_000;

/// Maximum bytes of a label on lines of its own. The label may name the law that requires the number.
const MAX_LABEL: usize = 120;

/// The words that introduce numbers, and the kind of number that each of them introduces.
struct Words {
    words: AhoCorasick,
    kinds: Vec<usize>,
}

impl Words {
    fn new() -> Option<Self> {
        let mut words = Vec::new();
        let mut kinds = Vec::new();
        for (at, kind) in KINDS.iter().enumerate() {
            for word in first_words(kind.pattern)? {
                words.push(word);
                kinds.push(at);
            }
        }
        let words = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(words)
            .ok()?;
        Some(Self { words, kinds })
    }

    /// The kinds that a text may introduce, in order.
    fn introduced(&self, text: &str) -> Vec<usize> {
        let words = self.words.find_overlapping_iter(text);
        let mut kinds: Vec<usize> = words.map(|word| self.kinds[word.pattern().as_usize()]).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }
}

/// The kinds of numbers that a text may introduce. Only their regular expressions are worth running.
fn introduced(text: &str) -> Vec<usize> {
    static WORDS: LazyLock<Option<Words>> = LazyLock::new(Words::new);
    match &*WORDS {
        Some(words) => words.introduced(text),
        None => (0..KINDS.len()).collect(),
    }
}

/// The strings with which a match of an expression can begin, in lower or upper case; `None` if it can begin with
/// anything.
fn first_words(pattern: &str) -> Option<Vec<String>> {
    /// Shorter strings occur in too many other words.
    const SHORTEST: usize = 3;
    let hir = regex_syntax::parse(&pattern.replace("(?i:", "(?:")).ok()?;
    let words = Extractor::new().kind(ExtractKind::Prefix).extract(&hir);
    let word = |literal: &Literal| {
        let word = String::from_utf8_lossy(literal.as_bytes()).into_owned();
        // The search ignores case only for ASCII letters.
        let ascii = word.find(|sign: char| !sign.is_ascii()).unwrap_or(word.len());
        let word = if ascii >= SHORTEST {
            word[..ascii].to_owned()
        } else {
            word
        };
        (word.chars().count() >= 2).then_some(word)
    };
    words.literals()?.iter().map(word).collect()
}

/// Numbers with the words that introduce them: on the same line or, for a label, on the lines before.
pub(super) fn identifiers(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut label = String::new();
    // Some tables have a separate cell for the colon.
    let lines = text.lines().map(str::trim);
    for line in lines.filter(|line| line.contains(char::is_alphanumeric)) {
        let line = plain(line);
        let digits = line.bytes().filter(u8::is_ascii_digit).count();
        if digits >= MIN_DIGITS && line.len() <= MAX_LINE {
            add(&mut found, &format!("{label} {line}"));
        }
        if digits >= MIN_DIGITS || line.len() > MAX_LABEL {
            label.clear();
        } else if goes_on(&line) && label.len() + line.len() <= MAX_LABEL {
            label.push(' ');
            label.push_str(&line);
        } else {
            label = line.into_owned();
        }
    }
    found
}

/// Whether a line continues a label that began on the line before: `gemäß § 27 a UStG:`.
fn goes_on(line: &str) -> bool {
    line.starts_with(char::is_lowercase) || line.starts_with('(')
}

/// Adds the numbers of a text that were not found before.
fn add(found: &mut Vec<String>, said: &str) {
    for at in introduced(said) {
        let kind = &KINDS[at];
        for hit in expression(at).captures_iter(said).take(MAX_IDENTIFIERS) {
            let number = hit.iter().skip(1).flatten().next();
            let number = number.map_or("", |number| number.as_str());
            let written = number.split_whitespace().collect::<Vec<_>>().join(" ");
            let is_known = found.iter().any(|known| known.ends_with(&written));
            if !is_known && (kind.is_right)(&written) && found.len() < MAX_IDENTIFIERS {
                found.push(format!("{}: {written}", kind.label));
            }
        }
    }
}

/// The expression of a kind, compiled when a page first introduces such a number: most kinds never occur.
fn expression(kind: usize) -> &'static Regex {
    static EACH: [OnceLock<Regex>; KINDS.len()] = [const { OnceLock::new() }; KINDS.len()];
    EACH[kind].get_or_init(|| Regex::new(KINDS[kind].pattern).expect("the pattern is constant"))
}

/// The text with full-width letters and digits, and the digits of other scripts, replaced by ASCII.
fn plain(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let plain = text.chars().map(|sign| digit(sign).unwrap_or(narrow(sign)));
    Cow::Owned(plain.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_is_introduced_by_words_that_are_known() {
        for kind in KINDS {
            let words = first_words(kind.pattern);
            let (label, pattern) = (kind.label, kind.pattern);
            assert!(words.is_some_and(|words| !words.is_empty()), "{label}: {pattern}");
        }
        assert!(!introduced("Umsatzsteuer-ID: DE 1").is_empty());
        assert!(introduced("tel. 01234567890").is_empty());
    }

    #[test]
    fn a_label_may_be_long_or_on_two_lines_or_have_a_cell_for_its_colon() {
        for text in [
            "Umsatzsteuer-Identifikationsnummer gemäß § 27 a Umsatzsteuergesetz:\nDE281347568",
            "Umsatzsteuer-Identifikationsnummer gemäß §27a UStG\n\nDE281347568",
            "Umsatzsteuer-Identifikationsnummer\ngemäß § 27 a UStG:\nDE281347568",
            "USt-IdNr.\n:\nDE281347568",
        ] {
            assert_eq!(identifiers(text), ["VAT: DE281347568"], "{text}");
        }
        for text in [
            "USt-IdNr.\nProdukte\nDE281347568",
            "Umsatzsteuer-Identifikationsnummer gemäß § 27 a UStG: 0341 33847\nDE281347568",
        ] {
            assert_eq!(identifiers(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn numbers_of_many_countries_are_read() {
        for (text, wanted) in [
            ("HR B 12 345", "Register: HR B 12 345"),
            ("Amtsgericht Köln, HRB 12345 B", "Register: HRB 12345 B"),
            ("FN123456a", "Register: 123456a"),
            (
                "Handelsregister-Nr. CH-020.3.928.374-1",
                "Register: CH-020.3.928.374-1",
            ),
            ("R.C.S. Luxembourg : B 182937", "RCS: B 182937"),
            ("K.v.K. Utrecht 30182746", "KvK: 30182746"),
            ("N. REA: MI 1938472", "REA: MI 1938472"),
            ("REA BO-384729", "REA: BO-384729"),
            ("Company Reg. No. 518293", "Company number: 518293"),
            (
                "Registered in England and Wales (OC382917)",
                "Company number: OC382917",
            ),
            ("Registered in Ireland No. 368047", "Company number: 368047"),
            ("VAT No. IE8273645T", "VAT: IE8273645T"),
            ("VAT no. 220 4302 31", "VAT: 220 4302 31"),
            ("Kennitala: 480293-8279", "Kennitala: 480293-8279"),
            ("Registrikood: 11928372", "Registrikood: 11928372"),
            ("Reg. nr 10060701", "Registrikood: 10060701"),
            (
                "Vienotais reģistrācijas numurs 40003182936",
                "Reģ. Nr.: 40003182936",
            ),
            ("Įmonės kodas: 302918372", "Įmonės kodas: 302918372"),
            ("PVM kodas: LT119283710", "VAT: LT119283710"),
            ("IČO: 271 93 845", "IČO: 271 93 845"),
            ("Cégjegyzékszám: 01-09-284719", "Cégjegyzékszám: 01-09-284719"),
            (
                "Nr. Reg. Com.: J12/1827/2009",
                "Registrul comerțului: J12/1827/2009",
            ),
            ("ДДС №: BG201839473", "VAT: BG201839473"),
            ("Matični broj: 17182948", "Matični broj: 17182948"),
            ("Matična številka: 6182933000", "Matični broj: 6182933000"),
            ("ID za DDV: SI81928378", "VAT: SI81928378"),
            ("MBS: 060291837", "MBS: 060291837"),
            ("Α.Φ.Μ.: 099827366", "ΑΦΜ: 099827366"),
            ("Αρ. ΓΕΜΗ: 128374903000", "ΓΕΜΗ: 128374903000"),
            ("Vergi Dairesi / No: Kadıköy / 9480291731", "Vergi No: 9480291731"),
            ("EIN 82-9374651", "EIN: 82-9374651"),
            ("GST/HST # 129182739 RT0001", "GST/HST: 129182739 RT0001"),
            ("RUT: 76.192.837-6", "RUT: 76.192.837-6"),
            ("CIN: U72200KA2013PTC097389", "CIN: U72200KA2013PTC097389"),
            (
                "统一社会信用代码：９1310115MA1K4829XA",
                "USCC: 91310115MA1K4829XA",
            ),
            ("เลขประจำตัวผู้เสียภาษี: 5105548129384", "Tax ID: 5105548129384"),
            ("Mã số thuế: 0312938472", "MST: 0312938472"),
            (
                "Foo Sdn. Bhd. (201801029374 / 1291400-X)",
                "Company number: 201801029374 / 1291400-X",
            ),
            ("TRN: 100293847500003", "TRN: 100293847500003"),
            ("سجل تجاري: ١٠١٠٤٨٢٩٣٧", "CR: 1010482937"),
            ("ח.פ. 514829373", "Company number: 514829373"),
            ("NZBN 9429048123452", "NZBN: 9429048123452"),
        ] {
            assert_eq!(identifiers(text), [wanted], "{text}");
        }
    }

    #[test]
    fn numbers_of_professions_and_other_registers_are_no_companys() {
        for text in [
            "FCA registered no. 718293",
            "Gas Safe registered no. 518293",
            "Registered charity no. 1082937",
            "Registered in England since 1998",
            "Reg. nr 10060702",
            "VAT no. 220 4302 32",
            "kt. 120174-3399",
            "AREA BO-384729",
            "ein 82-93746",
            "J12/1827/2009",
        ] {
            assert_eq!(identifiers(text), Vec::<String>::new(), "{text}");
        }
    }
}
