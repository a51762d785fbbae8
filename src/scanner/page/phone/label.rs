//! The meaning of the words around a number.

mod ids;
mod words;

use std::collections::HashMap;
use std::sync::LazyLock;

use self::ids::{ABBREVIATED, ID_WORDS, NUMBER_ENDINGS, NUMBER_WORDS, NUMBERED};
use self::words::{FAX, FAX_WORDS, JOINERS, PHONE, PHONE_WORDS};
use crate::scanner::page::characters::{digit, is_latin};

/// What a number is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Phone,
    Fax,
    /// A register, account or article number.
    Id,
}

/// Maximum bytes of a label after its number.
const MAX_LABEL: usize = 40;

/// Maximum number of words between a label and its number: `Fax number for orders:`.
const MAX_WORDS_BETWEEN: usize = 4;

/// The kind of a number, from the text in front of it: the kinds of the last label, more than one if labels are
/// joined (`Tel./Fax:`).
pub(super) fn kinds(text: &str) -> Vec<Kind> {
    // Text in front of another number belongs to that number.
    let number = text
        .char_indices()
        .rev()
        .map(|(at, character)| (at, digit(character).is_some()));
    let mut digits = 0;
    let mut start = 0;
    for (at, is_digit) in number {
        digits = if is_digit { digits + 1 } else { 0 };
        if digits == 3 {
            start = at;
            break;
        }
    }
    let words = words(&text[start..]);
    let mut kinds = Vec::new();
    let mut between = 0;
    for (at, word) in words.iter().enumerate().rev() {
        let is_beside = between == 0 && kinds.is_empty();
        let is_id =
            is_beside && (is_numbered(&words, at) || at + 1 == words.len() && is_abbreviated(word, text));
        match kind(word).or(is_id.then_some(Kind::Id)) {
            // `VAT BE 0472.816.935`, `Licence RBQ : 5748-2163-01`.
            Some(Kind::Id) if between == 1 && kinds.is_empty() && ends_with_letters(text) => {
                return vec![Kind::Id];
            }
            // A tax office has a phone number too.
            Some(Kind::Id) if between > 0 => break,
            // The word in front is a part of its name: `P. IVA`.
            Some(Kind::Id) if kinds.is_empty() => return vec![Kind::Id],
            Some(kind) => {
                kinds.push(kind);
                between = 0;
            }
            None if joins(word) && at > 0 => {}
            None if kinds.is_empty() && between < MAX_WORDS_BETWEEN => between += 1,
            None => break,
        }
    }
    kinds.reverse();
    kinds
}

/// Whether a word between a label and its number does not change the meaning.
fn joins(word: &str) -> bool {
    JOINERS.contains(&word) || NUMBER_WORDS.contains(&word)
}

/// Whether a word is about a thing that has a number, and a word beside it means "number": `Policy number`, `Kód
/// zboží`.
fn is_numbered(words: &[String], at: usize) -> bool {
    let is_number = |word: &String| NUMBER_WORDS.contains(&word.as_str());
    // In `Phone number for orders` the number is that of the phone.
    let is_of_thing =
        |place: usize| is_number(&words[place]) && !(place > 0 && is_of_machine(&words[place - 1]));
    NUMBERED.contains(&words[at].as_str())
        && (words.get(at + 1).is_some_and(is_number) || (at.saturating_sub(2)..at).any(is_of_thing))
}

/// Whether a compound that ends with a word for "number" states what has the number: `Kundennr`, `varenummer`.
fn is_numbered_compound(word: &str) -> bool {
    let mut endings = NUMBER_ENDINGS.iter();
    endings.any(|ending| {
        let thing = word.strip_suffix(ending);
        thing
            .is_some_and(|thing| NUMBERED.contains(&thing) || NUMBERED.contains(&thing.trim_end_matches('s')))
    })
}

/// Whether the last word of a text is abbreviated: `Cod.`
fn is_abbreviated(word: &str, text: &str) -> bool {
    ABBREVIATED.contains(&word) && text.trim_end().trim_end_matches(':').ends_with('.')
}

/// Whether the last word of a text is a country code, or the letters of an authority.
fn ends_with_letters(text: &str) -> bool {
    let text = text.trim_end_matches(|sign: char| !sign.is_alphanumeric());
    let word = text
        .rsplit(|sign: char| !sign.is_alphanumeric())
        .next()
        .unwrap_or_default();
    (2..=4).contains(&word.len()) && word.bytes().all(|letter| letter.is_ascii_uppercase())
}

/// Whether a word is a phone or fax label.
pub(super) fn is_of_machine(word: &str) -> bool {
    matches!(kind(&word.to_lowercase()), Some(Kind::Phone | Kind::Fax))
}

/// Whether the text between two numbers does not begin something else: `… / …`, `… oder …`.
pub(super) fn is_joint(text: &str) -> bool {
    words(text).iter().all(|word| JOINERS.contains(&word.as_str()))
}

/// Whether a text is only a label.
pub(super) fn is_label(text: &str) -> bool {
    const MAX_WORDS: usize = 4;
    let words = words(text);
    let is_known = |at: &usize| kind(&words[*at]).is_some() || is_numbered(&words, *at);
    let places = || 0..words.len();
    let others = places().filter(|at| !is_known(at) && !joins(&words[*at]));
    (1..=MAX_WORDS).contains(&words.len()) && others.count() <= 1 && places().any(|at| is_known(&at))
}

/// The kind from the word in brackets directly after a number (`(Fax)`), and the rest of the text.
pub(super) fn in_brackets(text: &str) -> Option<(Kind, &str)> {
    let inside = text.trim_start().strip_prefix(['(', '[', '（'])?;
    let end = inside.find([')', ']', '）']).filter(|end| *end <= MAX_LABEL)?;
    let rest = inside[end..].trim_start_matches([')', ']', '）']);
    match words(&inside[..end]).as_slice() {
        [word] => Some((kind(word)?, rest)),
        _ => None,
    }
}

/// The kind of a number from the word after it at the end of its line: `… fax`.
pub(super) fn at_the_end(text: &str) -> Option<Kind> {
    if text.len() > MAX_LABEL {
        return None;
    }
    match words(text).as_slice() {
        [word] => kind(word),
        _ => None,
    }
}

/// Words or their stems by first letter: a page has tens of thousands of words to look up.
struct ByFirst(HashMap<char, Vec<&'static str>>);

impl ByFirst {
    fn new(list: &[&'static str]) -> Self {
        let mut by_first: HashMap<char, Vec<&'static str>> = HashMap::new();
        for stem in list {
            by_first
                .entry(stem.chars().next().unwrap_or_default())
                .or_default()
                .push(stem);
        }
        Self(by_first)
    }

    fn any(&self, word: &str, is_like: impl Fn(&str, &str) -> bool) -> bool {
        let list = word.chars().next().and_then(|first| self.0.get(&first));
        list.is_some_and(|list| list.iter().any(|stem| is_like(word, stem)))
    }

    fn begins(&self, word: &str) -> bool {
        self.any(word, |word, stem| word.starts_with(stem))
    }

    fn has(&self, word: &str) -> bool {
        self.any(word, |word, known| word == known)
    }
}

/// The first letter of the scripts that do not put spaces between words.
const WITHOUT_BLANKS: char = '\u{590}';

fn kind(word: &str) -> Option<Kind> {
    static FAXES: LazyLock<ByFirst> = LazyLock::new(|| ByFirst::new(FAX));
    static IDS: LazyLock<ByFirst> = LazyLock::new(|| ByFirst::new(ID_WORDS));
    static PHONES: LazyLock<ByFirst> = LazyLock::new(|| ByFirst::new(PHONE));
    static PHONE_WHOLE: LazyLock<ByFirst> = LazyLock::new(|| ByFirst::new(PHONE_WORDS));
    let may_hold = word.chars().next() >= Some(WITHOUT_BLANKS);
    let holds = |stems: &[&str]| {
        may_hold
            && stems
                .iter()
                .any(|stem| stem.chars().next() >= Some(WITHOUT_BLANKS) && word.contains(stem))
    };
    if FAXES.begins(word) || holds(FAX) || FAX_WORDS.contains(&word) {
        Some(Kind::Fax)
    } else if IDS.has(word) || holds(ID_WORDS) || is_numbered_compound(word) {
        Some(Kind::Id)
    } else if PHONES.begins(word) || holds(PHONE) || PHONE_WHOLE.has(word) {
        Some(Kind::Phone)
    } else {
        None
    }
}

/// Runs of letters in lower case; a word also ends where the script changes (`電話FAX`).
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut last: Option<bool> = None;
    for character in text.chars() {
        if let Some(word) = pictured(character) {
            words.push(word.to_owned());
            last = None;
            continue;
        }
        // `电 话`: spaces widen words of two characters to the width of longer ones.
        let is_one_sign = |word: &String| word.starts_with(is_ideograph) && word.chars().count() == 1;
        if character.is_whitespace() && last == Some(false) && words.last().is_some_and(is_one_sign) {
            continue;
        }
        if !character.is_alphabetic() && !is_mark(character) {
            last = None;
            continue;
        }
        let character = crate::scanner::page::characters::narrow(character);
        let script = is_latin(character) || character < WITHOUT_BLANKS;
        match (last, words.last_mut()) {
            (Some(known), Some(word)) if known == script || is_mark(character) => {
                word.extend(character.to_lowercase());
            }
            _ => words.push(character.to_lowercase().collect()),
        }
        last = Some(script);
    }
    words
}

fn is_ideograph(character: char) -> bool {
    matches!(character, '\u{4e00}'..='\u{9fff}')
}

/// The word for a pictograph of a phone or fax machine.
fn pictured(sign: char) -> Option<&'static str> {
    match sign {
        '📠' | '🖷' | '℻' => Some("fax"),
        '☎' | '📞' | '📱' | '✆' | '☏' | '🕿' | '🕾' => Some("tel"),
        _ => None,
    }
}

/// Vowel signs of South and Southeast Asian scripts are parts of words, and so are Japanese marks.
fn is_mark(character: char) -> bool {
    matches!(character, '\u{900}'..='\u{dff}' | '\u{e30}'..='\u{e4e}' | '\u{3099}'..='\u{309c}' | '\u{30fc}')
}

/// Whether the label of a number is a single letter: `O: 555-0101`.
pub(super) fn is_letter(text: &str) -> bool {
    let has_sign = text.trim_end().ends_with([':', '.']);
    has_sign && words(text).last().is_some_and(|word| word.chars().count() == 1)
}

/// `F 555-0102`: a single F means a fax machine if other numbers have letters as labels too.
pub(super) fn is_f(text: &str) -> bool {
    words(text)
        .last()
        .is_some_and(|word| matches!(word.as_str(), "f" | "ф" | "φ"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_known_in_many_languages() {
        use Kind::{Fax, Id, Phone};
        for (text, wanted) in [
            ("Tel.:", vec![Phone]),
            ("Tel./Fax:", vec![Phone, Fax]),
            ("Telefon und Fax", vec![Phone, Fax]),
            ("Tel. & Telefax:", vec![Phone, Fax]),
            ("TEL・FAX", vec![Phone, Fax]),
            ("電話／ＦＡＸ", vec![Phone, Fax]),
            ("電話兼FAX", vec![Phone, Fax]),
            ("Fax number for orders:", vec![Fax]),
            ("Telefon: siehe unten, Fax:", vec![Fax]),
            ("Télécopie :", vec![Fax]),
            ("Faks:", vec![Fax]),
            ("Télécop. :", vec![Fax]),
            ("Fac-símile:", vec![Fax]),
            ("eFax", vec![Fax]),
            ("팩시밀리", vec![Fax]),
            ("Telefon (auch Fax):", vec![Phone, Fax]),
            ("тел./факс", vec![Phone, Fax]),
            ("传真：", vec![Fax]),
            ("手 机:", vec![Phone]),
            ("电    话：", vec![Phone]),
            ("传 真：", vec![Fax]),
            ("地 址：", vec![]),
            ("ファックス", vec![Fax]),
            ("팩스", vec![Fax]),
            ("โทรสาร", vec![Fax]),
            ("فاكس", vec![Fax]),
            ("פקס", vec![Fax]),
            ("Belgegeçer", vec![Fax]),
            ("Halifax", vec![]),
            ("Fairfax", vec![]),
            ("NIP:", vec![Id]),
            ("P. IVA", vec![Id]),
            ("Y-tunnus:", vec![Id]),
            ("Artikel-Nr.", vec![Id]),
            ("Art.nr", vec![Id]),
            ("Rechnung Nr.", vec![Id]),
            ("Kundennr:", vec![Id]),
            ("Vertragsnummer", vec![Id]),
            ("Varenummer:", vec![Id]),
            ("Cikkszám:", vec![Id]),
            ("Part no.", vec![Id]),
            ("Policy number", vec![Id]),
            ("Kód zboží:", vec![Id]),
            ("Número de pedido:", vec![Id]),
            ("Numéro de commande", vec![Id]),
            ("Sipariş No:", vec![Id]),
            ("Номер заказа", vec![Id]),
            ("Артикул:", vec![Id]),
            ("Réf.", vec![Id]),
            ("cod.", vec![Id]),
            ("证书编号", vec![Id]),
            ("Aktenzeichen", vec![Id]),
            // Something that has a number may also have a phone.
            ("Kunden:", vec![]),
            ("Order:", vec![]),
            ("Privacy Policy", vec![]),
            ("Cape Cod", vec![]),
            ("Customer service number:", vec![]),
            ("BTW BE", vec![Kind::Id]),
            ("Licence RBQ :", vec![Kind::Id]),
            ("VAT office in", vec![]),
            ("Phone number for order:", vec![Phone]),
            ("Rufnummer", vec![]),
            ("Telefonnummer", vec![Phone]),
            ("Número de teléfono:", vec![Phone]),
            ("Telefonní číslo:", vec![Phone]),
            ("Номер телефона:", vec![Phone]),
            ("電話番号", vec![Phone]),
            ("Téléc. :", vec![Fax]),
            ("ISDN-Leonardo", vec![Fax]),
            ("Telecom", vec![]),
            ("☎", vec![Phone]),
            ("📠", vec![Fax]),
            ("Hotel Post", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(kinds(text), wanted, "{text}");
        }
    }

    #[test]
    fn a_label_may_stand_behind_its_number() {
        assert_eq!(in_brackets(" (Fax) 030"), Some((Kind::Fax, " 030")));
        assert_eq!(in_brackets(" (Graz)"), None);
        assert_eq!(at_the_end(" fax"), Some(Kind::Fax));
        assert_eq!(at_the_end(" in Graz"), None);
    }

    #[test]
    fn labels_are_told_from_prose() {
        for text in ["Tel.", "FAX", "Telefax-Nr.", "Fax number", "電話番号", "Tél./Fax"] {
            assert!(is_label(text), "{text}");
        }
        for text in [
            "Call us today and ask",
            "Adresse",
            "We have no fax machine here",
            "",
        ] {
            assert!(!is_label(text), "{text}");
        }
    }
}
