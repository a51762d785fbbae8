//! Addresses in the visible text.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use memchr::memchr_iter;
use regex::Regex;

use super::MAX_EMAILS;
use super::address::{has_known_suffix, is_local};
use crate::scanner::page::characters::{is_latin, narrow};

/// Maximum `@` signs that are examined in one text.
const MAX_SIGNS: usize = 10_000;

/// Maximum bytes before and after the sign of an obfuscated address that may belong to it.
const MAX_LOCAL: usize = 150;
const MAX_DOMAIN: usize = 300;

/// The local part without a label in front of it, if only CSS separates the two: `Emailinfo@…`.
fn without_label(local: &str) -> &str {
    const LABELS: &[&str] = &[
        "Email", "E-mail", "E-Mail", "EMAIL", "E-posta", "E-Posta", "Courriel", "Correo",
    ];
    let bare = LABELS.iter().find_map(|label| local.strip_prefix(label));
    let is_one = |bare: &&str| {
        bare.len() >= 2 && *bare != "ing" && bare.starts_with(|sign: char| sign.is_ascii_lowercase())
    };
    bare.filter(is_one).unwrap_or(local)
}

/// Finds plain addresses: extends each `@` to both sides, up to the maximum length of an address.
pub(super) fn plain(text: &str, mut sink: impl FnMut(&str)) {
    for at in memchr_iter(b'@', text.as_bytes()).take(MAX_SIGNS) {
        if let Some(around) = around(text, at, 1)
            && !is_in_url(text, around.start)
        {
            let domain = &text[at + 1..around.end];
            sink(&format!(
                "{}@{}",
                without_label(without_elision(&text[around.start..at])),
                within_sentence(domain)
            ));
        }
    }
    // The full-width sign of East Asian keyboards. The rest of the address is often full-width too.
    for (at, sign) in text.match_indices('＠').take(MAX_EMAILS) {
        let start = text.floor_char_boundary(at.saturating_sub(MAX_LOCAL));
        let end = text.ceil_char_boundary((at + sign.len() + MAX_DOMAIN).min(text.len()));
        let near: String = text[start..end].chars().map(narrow).collect();
        let at = text[start..at]
            .chars()
            .map(|character| narrow(character).len_utf8())
            .sum();
        if let Some(around) = around(&near, at, 1) {
            sink(&format!(
                "{}@{}",
                &near[around.start..at],
                within_sentence(&near[at + 1..around.end])
            ));
        }
    }
}

/// The range of the local part and the domain around a sign of `length` bytes, if neither is empty.
fn around(text: &str, at: usize, length: usize) -> Option<std::ops::Range<usize>> {
    let (start, _) = text[..at]
        .char_indices()
        .rev()
        .take(64)
        .take_while(|(_, c)| is_local(*c) || is_latin(*c))
        .last()?;
    let mut end = at + length;
    let mut last = None;
    for character in text[at + length..].chars().take(253) {
        let is_part = character.is_alphanumeric() || matches!(character, '.' | '-');
        if !is_part || last.is_some_and(|last| is_glued(last, character)) {
            break;
        }
        end += character.len_utf8();
        last = Some(character);
    }
    (end > at + length).then_some(start..end)
}

/// Whether a letter right after an ASCII one begins the next word: domain labels do not mix scripts, and in scripts
/// without spaces between words, the text continues right after an address.
fn is_glued(before: char, letter: char) -> bool {
    before.is_ascii_alphanumeric() && letter.is_alphanumeric() && !letter.is_ascii() && !is_latin(letter)
}

/// Whether the text at `start` is the user or password in a URL (`https://user:password@host`).
fn is_in_url(text: &str, start: usize) -> bool {
    // This runs for each address of a page, so it looks back over a limited distance only.
    let near = &text[text.ceil_char_boundary(start.saturating_sub(MAX_LOCAL))..start];
    let word = near.rsplit(char::is_whitespace).next().unwrap_or_default();
    word.contains("://")
}

/// A local part without a French elision (`d'info@acme.fr`). After an O, the apostrophe is part of a name (`o'neil`).
fn without_elision(local: &str) -> &str {
    let Some((before, after)) = local.rsplit_once('\'') else {
        return local;
    };
    let is_name = before
        .strip_suffix(['o', 'O'])
        .is_some_and(|rest| rest.is_empty() || rest.ends_with(['.', '-', '_']));
    if is_name { local } else { after }
}

/// A domain without the next sentence, if no space separates the two: `acme.de.Tel`, `acme.deFax`.
fn within_sentence(domain: &str) -> &str {
    let is_small = |c: char| c.is_lowercase() || c.is_ascii_digit() || c == '-';
    for (at, _) in domain.char_indices().filter(|(_, c)| c.is_uppercase()) {
        let before = domain[..at].trim_end_matches('.');
        let is_whole = before.chars().all(|c| is_small(c) || c == '.');
        if before.contains('.') && is_whole && has_known_suffix(before) {
            return before;
        }
    }
    domain
}

/// Finds addresses that are written backwards and that CSS reverses for readers. A text with a known suffix after the
/// `@` is not one of them.
pub(super) fn reversed(text: &str, mut sink: impl FnMut(&str)) {
    for at in memchr_iter(b'@', text.as_bytes()).take(MAX_SIGNS) {
        let Some(around) = around(text, at, 1) else {
            continue;
        };
        let (domain, local) = (&text[around.start..at], &text[at + 1..around.end]);
        if has_known_suffix(local) || !domain.contains('.') {
            continue;
        }
        let turned: String = text[around].chars().rev().collect();
        if turned.rsplit('@').next().is_some_and(has_known_suffix) {
            sink(&turned);
        }
    }
}

/// Words for `@` that count only in brackets, because they are also other words.
const BRACKETED_AT: &[&str] = &["at", "@", "ät", "a", "ä", "chez", "bei", "affe"];
/// Words for `@` that have no other common meaning.
const AT: &[&str] = &[
    "arroba",
    "arobase",
    "arobas",
    "chiocciola",
    "zavinac",
    "zavináč",
    "zavinač",
    "kukac",
    "apenstaartje",
    "afenstaartje",
    "snabel-a",
    "snabela",
    "małpa",
    "собака",
    "klammeraffe",
    "krøllalfa",
    "krollalfa",
    "kroellalfa",
    "kröllalfa",
    "alfakrøll",
    "alfakroll",
    "alfakroell",
    "alfakröll",
    "アットマーク",
    "アット",
];
/// Words for the dot.
const DOT: &[&str] = &[
    "dot",
    "punkt",
    "point",
    "punto",
    "kropka",
    "tečka",
    "tecka",
    "pont",
    "точка",
    "ドット",
];
/// Symbols that the text asks readers to replace with `@`.
const SYMBOLS: &str = "★☆◎●■◆";
const OPEN: &str = "[({<（［【";
const CLOSE: &str = "])}>）］】";

/// Finds `info [at] example [dot] com` and similar forms.
pub(super) fn obfuscated(text: &str, mut sink: impl FnMut(&str)) {
    // The regular expressions are slow on text in which any word may begin an address, so they run only on the text
    // around these signs.
    static SIGNS: LazyLock<AhoCorasick> = LazyLock::new(|| {
        let builder = AhoCorasick::builder().ascii_case_insensitive(true).build(signs());
        builder.expect("a thousand words make a small automaton")
    });
    let mut end = 0;
    for sign in SIGNS.find_iter(text).take(MAX_EMAILS) {
        if sign.start() >= end {
            let start = text.floor_char_boundary(sign.start().saturating_sub(MAX_LOCAL));
            end = text.ceil_char_boundary((sign.end() + MAX_DOMAIN).min(text.len()));
            obfuscated_near(&text[start..end], &mut sink);
        }
    }
}

/// What each obfuscated address contains at least one of.
fn signs() -> Vec<String> {
    let mut signs: Vec<String> = SYMBOLS.chars().map(String::from).collect();
    let words = || {
        AT.iter()
            .chain(DOT)
            .flat_map(|word| [(*word).to_owned(), word.to_uppercase()])
    };
    for open in OPEN
        .chars()
        .flat_map(|open| [open.to_string(), format!("{open} ")])
    {
        signs.extend(words().map(|word| format!("{open}{word}")));
        // Short words begin many others.
        for word in BRACKETED_AT.iter().chain(&["."]) {
            let closed = CLOSE
                .chars()
                .flat_map(|close| [format!("{word}{close}"), format!("{word} {close}")]);
            signs.extend(closed.map(|rest| format!("{open}{rest}")));
        }
    }
    signs.extend(AT.iter().map(|word| format!(" {word} ")));
    signs.extend([" dot ", " punkt ", " punto ", " -at- "].map(str::to_owned));
    signs
}

fn obfuscated_near(text: &str, mut sink: impl FnMut(&str)) {
    static PATTERNS: LazyLock<[Regex; 4]> = LazyLock::new(|| {
        let local = r"(?i:([\p{Latin}0-9][\p{Latin}0-9._+-]{0,63}))";
        let bracketed = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| regex::escape(word)).collect();
            let [open, close] = [OPEN, CLOSE].map(regex::escape);
            format!(r"[{open}]\s?(?i:{})\s?[{close}]", words.join("|"))
        };
        let (at, dots) = (AT.join("|"), DOT.join("|"));
        let at_sign = bracketed(&[AT, BRACKETED_AT].concat());
        let dot_sign = bracketed(&[DOT, &["."]].concat());
        let label = r"[\p{Latin}0-9-]{1,63}";
        [
            format!(
                r"{local}(?:\s{{0,2}}{at_sign}\s{{0,2}}|\s{{1,2}}-at-\s{{1,2}})({label}(?:\s{{0,2}}(?:\.|{dot_sign})\s{{0,2}}{label}){{1,4}})"
            ),
            // A plain `@`; only the last dot is obfuscated.
            format!(
                r"{local}@({label}(?:\.{label}){{0,3}}\s?(?:{dot_sign}|\s(?i:dot)\s)\s?[a-zA-Z]{{2,20}})"
            ),
            // Without brackets, an ambiguous word such as `at` counts only if the dots are words too.
            format!(
                r"{local}\s(?:AT|at|arroba)\s({label}(?:\s(?:DOT|dot|punkt|punto)\s{label}){{1,3}})(?-u:\b)"
            ),
            // An unambiguous word for `@`, or a symbol.
            format!(
                r"{local}(?:\s(?i:{at})\s|[{SYMBOLS}])({label}(?:(?:\.|\s(?i:{dots})\s){label}){{1,4}})"
            ),
        ]
        .map(|pattern| Regex::new(&pattern).expect("the pattern is constant"))
    });
    static DOTS: LazyLock<Regex> = LazyLock::new(|| {
        let dots = DOT.join("|");
        let [open, close] = [OPEN, CLOSE].map(regex::escape);
        let pattern = format!(r"(?i)\s*[{open}]\s?(?:{dots}|\.)\s?[{close}]\s*|\s+(?:{dots})\s+|\s*\.\s*");
        Regex::new(&pattern).expect("the pattern is constant")
    });
    for pattern in &*PATTERNS {
        for found in pattern.captures_iter(text).take(MAX_EMAILS) {
            let domain = DOTS.replace_all(&found[2], ".");
            sink(&format!("{}@{}", &found[1], without_next_sentence(&domain)));
        }
    }
}

/// A domain without the word that begins the next sentence: `example.com. We`.
fn without_next_sentence(domain: &str) -> &str {
    match domain.rsplit_once('.') {
        Some((before, _))
            if !has_known_suffix(domain) && has_known_suffix(before) && before.contains('.') =>
        {
            before
        }
        _ => domain,
    }
}

/// Finds `info @ example.com`. Other texts look the same (`see us @ example.com`), so only common mailboxes count.
pub(super) fn spaced(text: &str, mut sink: impl FnMut(&str)) {
    static SPACED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?i)(?-u:\b)(info|kontakt|contact|contacto|office|mail|email|sales|support|service|hello|hallo|post|team|admin|booking|press|presse|webmaster) @ ([a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,4})",
        )
        .expect("the pattern is constant")
    });
    for found in SPACED.captures_iter(text).take(MAX_EMAILS) {
        sink(&format!("{}@{}", &found[1], &found[2]));
    }
}
