//! Whether a line contains a company's contact details: a phone number, a fax number, an email address.

use std::sync::LazyLock;

use regex::Regex;

/// Words in front of a phone number. Only whole words count: `Mittelstraße`, `Castellana` and `Kastell` do not match.
const NUMBERS: &str = r"t[eéè]l t[eé]l[eéè]phone telephon telef[oó]n[oie]? telefonnummer telefonszám telefonas telefoon telefono tel[eè]fon
    tlf tfno ph phone fon puh puhelin sími fax telefax telefaks faks fakss mobile? mobiel mobil(?:telefon|ní|ni|ny)
    m[oóò]vil m[oò]bil cell celular cellulare gsm handy whatsapp viber тел телефоны? моб факс τηλ τηλέφωνο τηλεφωνο φαξ";

/// Words in front of an email address, which also occur in street names: `rue du Mail 8`.
const MAILS: &str = r"e-?mails? mails? e-?post e-?posta e-?pasts correo courriel имейл почта netfang";

/// Text that no postal address contains, at any position.
const SIGNS: &[&str] = &[
    "@",
    "(at)",
    "[at]",
    "電話",
    "电话",
    "전화",
    "โทร",
    "هاتف",
    "טלפון",
    "ｔｅｌ",
    "ＴＥＬ",
];

/// Whether a line is about a phone number or an email address, and so is not part of a postal address.
pub(super) fn is_contact(line: &str) -> bool {
    static CONTACT: LazyLock<Regex> = LazyLock::new(|| {
        let (numbers, mails) = (words(NUMBERS), words(MAILS));
        // Words that no street and no place begins with.
        let openings = r"t[eé]l[eé]phone|telefon|tel[eé]fono|telefoon|phone|(?:tele)?fax|faks|e-?mail|whatsapp|gsm|телефон|факс";
        Regex::new(&format!(
            r"(?ix)(?:^|[^\p{{L}}]) (?:(?:{numbers})\s?(?:[.:：]|[+(]?[0-9])|(?:{mails})\s?[:：])
            |^[^\p{{L}}\p{{N}}]* (?:(?:{openings})(?:$|[^\p{{L}}])|(?:{numbers}|{mails})[^\p{{L}}\p{{N}}]*$)"
        ))
        .expect("the pattern is constant")
    });
    line.starts_with(['+', '☎'])
        || SIGNS.iter().any(|sign| line.contains(sign))
        || is_phone(line)
        || CONTACT.is_match(line)
}

/// Whether a line at least mentions contact details.
pub(super) fn mentions_contact(line: &str) -> bool {
    static MENTION: LazyLock<Regex> = LazyLock::new(|| {
        let (numbers, mails) = (words(NUMBERS), words(MAILS));
        // With their endings, and at the end of a longer word: `Geschäftstelefon`.
        let stems =
            r"telef[oóa]n|telefoo|t[eé]l[eé]phon|телефон|τηλ[έε]φ|telefa|e-?mail|whatsapp|puhelin|mobil";
        Regex::new(&format!(
            r"(?i)(?:^|[^\p{{L}}])(?:{numbers}|{mails})(?:$|[^\p{{L}}])|{stems}"
        ))
        .expect("the pattern is constant")
    });
    is_contact(line) || line.starts_with(['(', '0']) || MENTION.is_match(line)
}

/// Whether the digits of a line are a phone number: many in a row, or nothing else on the line. Words separate the
/// digits of a street: `1420 5th Ave, Suite 2200`.
fn is_phone(line: &str) -> bool {
    /// Minimum digits: in a row that is too long for a house number or a code; in a number that begins as only phone
    /// numbers do; and in the shortest phone number, which is alone on its line.
    const MANY: usize = 9;
    const AFTER_ZERO: usize = 7;
    const ALONE: usize = 6;
    const LONGEST: usize = 40;
    if line.len() > LONGEST && !line.starts_with(['(', '0']) {
        return false;
    }
    let is_part = |sign: char| sign.is_ascii_digit() || " ()./+-–".contains(sign);
    let digits = |run: &str| run.bytes().filter(u8::is_ascii_digit).count();
    let first = line.split(|sign: char| !is_part(sign)).next().unwrap_or_default();
    let is_alone = first.len() == line.len() && digits(first) >= ALONE && !super::is_code(line);
    let is_dialled = line.starts_with(['(', '0']) && digits(first) >= AFTER_ZERO;
    let is_long = || {
        line.split(|sign: char| !is_part(sign))
            .any(|run| digits(run) >= MANY)
    };
    is_alone || is_dialled || is_long() && !super::has_street(line)
}

/// Words separated by spaces, as alternatives of a regular expression.
fn words(words: &str) -> String {
    words.split_whitespace().collect::<Vec<_>>().join("|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_telephones_and_email_are_words_of_their_own() {
        for line in [
            "Tel. 1",
            "Tel 030 1",
            "Telefon",
            "Fon (0 52 41) 82 93-0",
            "Büro: Tel. 0511/1",
            "E-Mail senden",
            "Mail: info",
            "mail",
            "Тел.: 1",
            "Fax Zentrale",
            "Mobil 0171",
            "206-291-8273",
            "461 8293",
            "(41) 3028-4719",
            "01 52 15 20 00",
            "office@acme.test",
        ] {
            assert!(is_contact(line), "{line}");
        }
        for line in [
            "Carl-Bertelsmann-Str. 18",
            "Hotelstraße 5",
            "Mailänder Platz 7",
            "Paseo de la Castellana 100",
            "12 place de l’Hôtel de Ville",
            "8 rue du Mail",
            "Rue du Mail 80",
            "120 Martel Ave",
            "Mobile, AL 36602",
            "4500 Telephone Rd",
            "תל אביב",
            "Tel Aviv 6578402",
            "1420 5th Ave, Suite 2200",
            "12345 Main St, Suite 2200",
            "(13494) 경기도 성남시 분당구 판교로 182, 3층",
            "07000 Langkawi",
            "Tähe 120-122, 50107 Tartu",
            "400495",
            "010000, г. Астана",
        ] {
            assert!(!is_contact(line), "{line}");
        }
    }

    #[test]
    fn a_contact_may_be_mentioned_in_passing() {
        for line in [
            "Write us an email",
            "Geschäftstelefon 1",
            "Call our phone",
            "Telefonisch",
        ] {
            assert!(mentions_contact(line), "{line}");
        }
        for line in ["Kastell", "The hotel", "Our retail shops", "Mailand"] {
            assert!(!mentions_contact(line), "{line}");
        }
    }
}
