//! The company whose register number, tax number or seat follows its name: `Acme S.L. – CIF B12345678`, `Acme sp. z o.o. z
//! siedzibą w …`. Names without such facts may be those of others.

use std::sync::LazyLock;

use regex::Regex;

use super::forms::{names_form, without_rest};
use super::labels::{Label, without_label};
use super::names::{companies, is_statement};
use super::registers;

/// Maximum number of lines examined, and maximum bytes of a line.
const MAX_LINES: usize = 3_000;
const MAX_LINE: usize = 1_000;
/// Maximum bytes after a name in which its number or seat begins.
const MAX_FACT: usize = 80;

/// Characters between a name and what is stated of it.
const SEPARATORS: [char; 11] = [' ', ',', ';', '.', '|', '·', '•', '–', '—', '-', '('];

/// The first such company of a text.
pub(super) fn registered(text: &str) -> Option<String> {
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let mut named = lines
        .iter()
        .enumerate()
        .take(MAX_LINES)
        .filter(|(_, line)| line.len() <= MAX_LINE && names_form(line));
    named.find_map(|(at, line)| {
        companies(line).find_map(|name| {
            let start = line.find(name)?;
            let rest = line[start + name.len()..].trim_start_matches(SEPARATORS);
            let next = lines.get(at + 1).copied().unwrap_or_default();
            let is_name = begins_field(&line[..start]) && !is_statement(name) && is_capitalised(name);
            let is_registered = is_name && has_fact(if rest.is_empty() { next } else { rest });
            is_registered.then(|| without_rest(name).to_owned())
        })
    })
}

/// Whether what is in front of a name ends another field of its line.
fn begins_field(before: &str) -> bool {
    let before = before.trim_end();
    before.is_empty() || before.ends_with(['|', '·', '•', '–', '—', ':', '©'])
}

/// Whether a text begins with a number or a seat.
fn has_fact(text: &str) -> bool {
    static SEAT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?i)^(?:z\ssiedzibą|mit\s(?:dem\s)?sitz|con\s(?:sede|domicilio)|com\s(?:sede|domicílio)|se\ssídlem|so\ssídlom|(?:ayant\sson|dont\sle)\ssiège|au\scapital|met\s(?:maatschappelijke\s)?zetel|gevestigd|with\s(?:its\s)?registered\soffice|med\ssäte|s\ssedežem|sa\ssjedištem|sa\ssedištem|cu\ssediul|със?\sседалище)(?:\s|:)",
        )
        .expect("the pattern is constant")
    });
    let start = &text[..text.floor_char_boundary(MAX_FACT)];
    SEAT.is_match(start) || has_labelled_seat(start) || !registers::identifiers(start).is_empty()
}

/// Whether one of the first fields has a label of an address: `za usluge, sjedište: …`.
fn has_labelled_seat(text: &str) -> bool {
    let fields = text.split([',', ';', '·', '|']).take(2);
    fields
        .filter(|field| field.contains(':'))
        .any(|field| without_label(field.trim()).0 == Some(Label::Address))
}

/// Whether most longer words begin with a capital letter, unlike those of a sentence.
fn is_capitalised(name: &str) -> bool {
    const SHORTEST: usize = 4;
    let words = name
        .split_whitespace()
        .filter(|word| word.chars().count() >= SHORTEST);
    let (small, others): (Vec<&str>, Vec<&str>) =
        words.partition(|word| word.starts_with(char::is_lowercase));
    small.len() <= others.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_company_with_its_number_or_seat_is_the_owner() {
        for (text, wanted) in [
            (
                "Foo Royo Odontología, S.L.P. – CIF B99284716",
                "Foo Royo Odontología, S.L.P.",
            ),
            (
                "Acme Comércio de Produtos Ltda. – CNPJ 27.384.615/0001-42",
                "Acme Comércio de Produtos Ltda.",
            ),
            (
                "Acme Edukacja Sp. z o.o. z siedzibą we Wrocławiu, ul. Foo 74/3",
                "Acme Edukacja Sp. z o.o.",
            ),
            (
                "ACME NAUTIČKI CENTAR d.o.o. za usluge, sjedište: Ulica Foo 187",
                "ACME NAUTIČKI CENTAR d.o.o.",
            ),
            (
                "Foo & Bar – Acme Rural, Lda. · NIPC 508 274 613",
                "Foo & Bar – Acme Rural, Lda.",
            ),
            ("Kontakt | Acme S.r.l. - P.IVA 01234567897", "Acme S.r.l."),
            ("Acme Oy\nY-tunnus: 2736451-8", "Acme Oy"),
        ] {
            assert_eq!(registered(text).as_deref(), Some(wanted), "{text}");
        }
        for text in [
            "Pat Foo, Sondagens do Acme, S.A.",
            "Foo works with Acme Ltd, VAT 12",
            "Acme Sp. z o.o. offers more than 100 products",
        ] {
            assert_eq!(registered(text), None, "{text}");
        }
    }
}
