//! Addresses in the visible text.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use memchr::memchr_iter;
use regex::Regex;

use super::MAX_EMAILS;
use super::address::{has_known_suffix, is_local};
use crate::scanner::page::characters::{is_latin, narrow};

/// `@` signs looked at in one page.
const MAX_SIGNS: usize = 10_000;

/// Bytes before and after the sign of a disguised address that may belong to it.
const MAX_LOCAL: usize = 150;
const MAX_DOMAIN: usize = 300;

/// The local part without the label right before it, which only styles set apart: `Emailinfo@…`.
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

/// Grows each `@` to both sides, no further than an address may be long.
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
    // The sign as East Asian keyboards type it, and often all the rest.
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

/// What is on both sides of a sign of some length: a local part and a domain, if neither is empty.
fn around(text: &str, at: usize, length: usize) -> Option<std::ops::Range<usize>> {
    let (start, _) = text[..at]
        .char_indices()
        .rev()
        .take(64)
        .take_while(|(_, c)| is_local(*c))
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

/// Whether a letter right after one of ASCII begins the next word: no label of a domain has letters of two scripts,
/// and scripts without blanks between words continue right behind an address.
fn is_glued(before: char, letter: char) -> bool {
    before.is_ascii_alphanumeric() && letter.is_alphanumeric() && !letter.is_ascii() && !is_latin(letter)
}

/// Whether what begins at `start` is the password or user of a URL (`https://user:password@host`).
fn is_in_url(text: &str, start: usize) -> bool {
    // Looked at for each address of a page: no further back than the scheme may be.
    let near = &text[text.ceil_char_boundary(start.saturating_sub(MAX_LOCAL))..start];
    let word = near.rsplit(char::is_whitespace).next().unwrap_or_default();
    word.contains("://")
}

/// French joins the word before by an apostrophe (`d'info@acme.fr`); a name in an address has it after an O.
fn without_elision(local: &str) -> &str {
    let Some((before, after)) = local.rsplit_once('\'') else {
        return local;
    };
    let is_name = before
        .strip_suffix(['o', 'O'])
        .is_some_and(|rest| rest.is_empty() || rest.ends_with(['.', '-', '_']));
    if is_name { local } else { after }
}

/// A domain up to where the next sentence was glued to it: `acme.de.Tel`, `acme.deFax`.
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

/// Addresses written backwards, which a style reverses for readers. No domain ends the way they begin.
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

/// `info [at] example [dot] com` and similar forms.
pub(super) fn obfuscated(text: &str, mut sink: impl FnMut(&str)) {
    // What every one of them has. The expressions are slow where each word may begin an address, so they see no more
    // than the neighbourhood of these.
    static SIGNS: LazyLock<AhoCorasick> = LazyLock::new(|| {
        let signs = [
            "at]",
            "at)",
            "at}",
            "at>",
            "at）",
            "at］",
            "at ]",
            "at )",
            "@]",
            "@)",
            "@}",
            "ät]",
            "ät)",
            "[@",
            "(@",
            "arobase",
            "chiocciola",
            "zavin",
            "kukac",
            "apenstaartje",
            "snabel",
            "roba]",
            "roba)",
            "chez]",
            "chez)",
            "[dot",
            "(dot",
            "{dot",
            "[punkt",
            "(punkt",
            "[point",
            "(point",
            "[punto",
            "(punto",
            "[tečka",
            "(tečka",
            "[tecka",
            "(tecka",
            "[.]",
            "(.)",
            " dot ",
            " punkt ",
            " punto ",
            "(a)",
            "[a]",
            "{a}",
            "(ä)",
            "[ä]",
            "at】",
            "małpa",
            "собака",
            "affe)",
            "affe]",
            "アット",
            " -at- ",
            "(kropka",
            "[kropka",
            "(bei",
            "[bei",
            "arobas",
            "arroba",
            "llalfa",
            "klammeraffe",
            "afenstaart",
            "★",
            "☆",
            "◎",
            "●",
            "■",
            "◆",
        ];
        let builder = AhoCorasick::builder().ascii_case_insensitive(true).build(signs);
        builder.expect("a few words make a small automaton")
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

fn obfuscated_near(text: &str, mut sink: impl FnMut(&str)) {
    static BRACKETED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?i)([a-z0-9][a-z0-9._+-]{0,63})\s{0,2}(?:[\[({<（［【]\s?(?:at|@|ät|a|ä|arroba|arobase|chez|chiocciola|zavin[aá][cč]|kukac|apenstaartje|snabel-?a|małpa|собака|klammeraffe|affe|bei|arobas|kr(?:ø|oe?|ö)llalfa|alfakr(?:ø|oe?|ö)ll|afenstaartje|アット(?:マーク)?)\s?[\])}>）］】]|-at-)\s{0,2}([a-z0-9-]{1,63}(?:\s{0,2}(?:\.|[\[({<（［【]\s?(?:dot|punkt|point|punto|kropka|te[cč]ka|pont|точка|ドット|\.)\s?[\])}>）］】])\s{0,2}[a-z0-9-]{1,63}){1,4})",
        )
        .expect("the pattern is constant")
    });
    // Only the dot is in brackets.
    static DOTTED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?i)([a-z0-9][a-z0-9._+-]{0,63})@([a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,3}\s?(?:[\[({<]\s?(?:dot|punkt|point|punto|kropka|te[cč]ka|pont|\.)\s?[\])}>]|\sdot\s)\s?[a-z]{2,20})",
        )
        .expect("the pattern is constant")
    });
    // Without brackets both signs must be words.
    static WORDS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"([a-z0-9][a-z0-9._+-]{0,63})\s(?:AT|at|arroba)\s([a-z0-9-]{1,63}(?:\s(?:DOT|dot|punkt|punto)\s[a-z0-9-]{1,63}){1,3})(?-u:\b)",
        )
        .expect("the pattern is constant")
    });
    // A word that nothing else means, or a sign that the text asks readers to replace.
    static PLAIN: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?i)([a-z0-9][a-z0-9._+-]{0,63})(?:\s(?:arobase?|chiocciola|kr(?:ø|oe?|ö)llalfa|snabel-?a|apenstaartje|afenstaartje|klammeraffe|kukac|zavin[aá][cč]|małpa)\s|[★☆◎●■◆])([a-z0-9-]{1,63}(?:(?:\.|\s(?:dot|punkt|point|punto|kropka|te[cč]ka|pont)\s)[a-z0-9-]{1,63}){1,4})",
        )
        .expect("the pattern is constant")
    });
    static DOT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)\s*[\[({<（［【]\s?(?:dot|punkt|point|punto|kropka|te[cč]ka|pont|точка|ドット|\.)\s?[\])}>）］】]\s*|\s+(?:dot|punkt|point|punto|kropka|te[cč]ka|pont)\s+|\s*\.\s*")
            .expect("the pattern is constant")
    });
    for pattern in [&*BRACKETED, &*DOTTED, &*WORDS, &*PLAIN] {
        for found in pattern.captures_iter(text).take(MAX_EMAILS) {
            let domain = DOT.replace_all(&found[2], ".");
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

/// `info @ example.com`. Other texts look the same (`see us @ example.com`), so only common mailboxes count.
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
