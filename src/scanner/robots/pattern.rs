//! Paths of rules and URLs in one normalised form, and whether they match.

use std::fmt::Write;

use memchr::memmem;

/// Path and query of a URL as written; the fragment does not count.
pub(super) fn path_of(url: &str) -> &str {
    let after_scheme = url.find("://").map_or_else(
        || url.strip_prefix("//").unwrap_or(url),
        |scheme_end| &url[scheme_end + 3..],
    );
    let Some(start) = after_scheme.find(['/', '?', ';']) else {
        return "/";
    };
    let path = &after_scheme[start..];
    let path = path.split('#').next().unwrap_or_default();
    if path.starts_with('/') { path } else { "/" }
}

/// Normalises a path: non-ASCII characters are percent-encoded, hexadecimal digits are in upper case.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii() {
            escaped.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    upper_case_escapes(&escaped)
}

pub(super) fn upper_case_escapes(text: &str) -> String {
    let mut pieces = text.split('%');
    let mut result = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        result.push('%');
        match piece.get(..2) {
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                result.push_str(&digits.to_ascii_uppercase());
                result.push_str(&piece[2..]);
            }
            _ => result.push_str(piece),
        }
    }
    result
}

/// `*` matches anything, a final `$` the end. Linear: each piece is matched at its first occurrence.
pub(super) fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, anchored) = match pattern.strip_suffix('$') {
        Some(rest) => (rest, true),
        None => (pattern, false),
    };
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = path.strip_prefix(first) else {
        return false;
    };
    let mut pieces = pieces.peekable();
    if pieces.peek().is_none() {
        return !anchored || rest.is_empty();
    }
    while let Some(piece) = pieces.next() {
        if anchored && pieces.peek().is_none() {
            return rest.ends_with(piece);
        }
        match memmem::find(rest.as_bytes(), piece.as_bytes()) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    true
}
