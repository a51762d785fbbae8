//! Decodes character references of XML and HTML (`&amp;`, `&#228;`, `&eacute;`).
//!
//! Used for sitemaps and pages. The sitemap reader handles the entities that a document declares.

use std::borrow::Cow;

use memchr::memchr;

/// Longest name of an entity.
const MAX_NAME: usize = 40;

/// Resolves numeric references, and named ones with `named`. Unresolved references stay unchanged, so that a raw `&` of
/// a query string is text.
pub fn resolve<'a>(text: &'a str, named: &mut dyn FnMut(&str) -> Option<String>) -> Cow<'a, str> {
    let Some(first) = memchr(b'&', text.as_bytes()) else {
        return Cow::Borrowed(text);
    };
    let mut resolved = String::with_capacity(text.len());
    resolved.push_str(&text[..first]);
    let mut rest = &text[first..];
    while let Some(at) = memchr(b'&', rest.as_bytes()) {
        resolved.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some((value, length)) = reference(rest, named) {
            resolved.push_str(&value);
            rest = &rest[length..];
        } else {
            resolved.push('&');
            rest = &rest[1..];
        }
    }
    resolved.push_str(rest);
    Cow::Owned(resolved)
}

/// Resolves numeric references and HTML's own entities only.
pub fn resolve_html(text: &str) -> Cow<'_, str> {
    resolve(text, &mut html_entity)
}

/// The character for a name in HTML.
pub fn html_entity(name: &str) -> Option<String> {
    // Nearly all references are to the five entities of XML.
    let common = match name {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        _ => "",
    };
    if !common.is_empty() {
        return Some(common.to_owned());
    }
    let (first, second) = web_atoms::NAMED_ENTITIES.get(format!("{name};").as_str())?;
    let characters = [*first, *second].into_iter().filter(|code| *code != 0);
    let value: String = characters.filter_map(char::from_u32).collect();
    (!value.is_empty()).then_some(value)
}

/// The reference at the beginning of a text that starts with `&`, and its length.
fn reference(text: &str, named: &mut dyn FnMut(&str) -> Option<String>) -> Option<(String, usize)> {
    if let Some(number) = text.strip_prefix("&#") {
        return numeric(number).map(|(character, length)| (character.to_string(), length + 2));
    }
    let end = text.bytes().take(MAX_NAME).position(|byte| byte == b';')?;
    let name = &text[1..end];
    let is_name = name
        .chars()
        .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':'));
    if name.is_empty() || !is_name {
        return None;
    }
    named(name).map(|value| (value, end + 1))
}

fn numeric(text: &str) -> Option<(char, usize)> {
    let (digits_at, radix) = if text.starts_with(['x', 'X']) {
        (1, 16)
    } else {
        (0, 10)
    };
    let digits = text[digits_at..]
        .bytes()
        .take(8)
        .take_while(|byte| char::from(*byte).is_digit(radix))
        .count();
    let end = digits_at + digits;
    let code = u32::from_str_radix(&text[digits_at..end], radix).ok()?;
    let length = end + usize::from(text[end..].starts_with(';'));
    let character = match code {
        // HTML reads these as windows-1252, which is what their authors meant.
        0x80..=0x9f => {
            let byte = [u8::try_from(code).ok()?];
            encoding_rs::WINDOWS_1252.decode(&byte).0.chars().next()?
        }
        _ => char::from_u32(code).filter(|character| *character != '\0')?,
    };
    Some((character, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_resolved_once_and_raw_ampersands_stay() {
        for (text, wanted) in [
            ("a=1&amp;b=2", "a=1&b=2"),
            ("a=1&amp;amp;b=2", "a=1&amp;b=2"),
            ("a=1&b=2&copy=3", "a=1&b=2&copy=3"),
            ("caf&eacute;&nosuch;", "café&nosuch;"),
            ("&#228;&#xE4;&#150;&#38 x", "ää–& x"),
            ("&", "&"),
            ("&#;&#xZ;&;", "&#;&#xZ;&;"),
        ] {
            assert_eq!(resolve_html(text), wanted);
        }
    }
}
