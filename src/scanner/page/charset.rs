//! Which characters the bytes of a page stand for: byte order mark, plain UTF-8, HTTP, `<meta>`, then a guess.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use memchr::memmem;

/// Where a `<meta>` is looked for; the standard's 1024 bytes are not kept to in the wild.
const PRESCAN: usize = 4096;

/// Bytes looked at for a guess.
const GUESSED: usize = 256 * 1024;

/// The text of a page, without NUL characters.
pub(super) fn decode(bytes: &[u8], http_label: Option<&str>) -> String {
    let encoding = Encoding::for_bom(bytes)
        .map(|(encoding, _)| encoding)
        .or_else(|| is_plainly_utf8(bytes).then_some(UTF_8))
        .or_else(|| http_label.and_then(|label| Encoding::for_label(label.as_bytes())))
        .or_else(|| declared(&bytes[..bytes.len().min(PRESCAN)]))
        .unwrap_or_else(|| guess(bytes));
    let (text, _, faulty) = encoding.decode(bytes);
    let mut text = text.into_owned();
    if faulty && encoding == UTF_8 {
        text = better_of(text, bytes);
    }
    if memchr::memchr(0, text.as_bytes()).is_some() {
        text.retain(|character| character != '\0');
    }
    text
}

/// Text that is valid UTF-8 beyond ASCII is UTF-8, whatever its label; nothing else is so by accident.
fn is_plainly_utf8(bytes: &[u8]) -> bool {
    !bytes.is_ascii() && std::str::from_utf8(bytes).is_ok()
}

/// A page that says UTF-8 and is not: the guess, if most of what is beyond ASCII would be lost.
fn better_of(text: String, bytes: &[u8]) -> String {
    let lost = text.chars().filter(|character| *character == '\u{fffd}').count();
    let beyond_ascii = text.chars().filter(|character| !character.is_ascii()).count();
    if lost * 2 < beyond_ascii {
        return text;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(&bytes[..bytes.len().min(GUESSED)], true);
    detector
        .guess(None, Utf8Detection::Deny)
        .decode(bytes)
        .0
        .into_owned()
}

/// `<meta charset=…>` or `content="…; charset=…"`, or an XML declaration.
fn declared(head: &[u8]) -> Option<&'static Encoding> {
    let head = head.to_ascii_lowercase();
    let places = memmem::find_iter(&head, b"charset=").map(|at| at + 8);
    let xml = head
        .starts_with(b"<?xml")
        .then(|| memmem::find(&head, b"encoding="))
        .flatten();
    for at in places.chain(xml.map(|at| at + 9)) {
        let label: Vec<u8> = head[at..]
            .iter()
            .copied()
            .skip_while(|byte| matches!(byte, b'"' | b'\'' | b' '))
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':' | b'.'))
            .collect();
        match Encoding::for_label(&label) {
            // A page in UTF-16 could not have been read this far.
            Some(encoding) if encoding == UTF_16LE || encoding == UTF_16BE => return Some(UTF_8),
            Some(encoding) => return Some(encoding),
            None => {}
        }
    }
    None
}

fn guess(bytes: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(&bytes[..bytes.len().min(GUESSED)], true);
    detector.guess(None, Utf8Detection::Allow)
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn the_encoding_is_found_where_it_is_told_or_guessed() {
        assert_eq!(decode(b"\xef\xbb\xbf\xc3\xa4", Some("latin1")), "ä");
        assert_eq!(decode(b"\xe4", Some("iso-8859-1")), "ä");
        assert_eq!(
            decode(b"<meta charset='windows-1251'>\xea", None),
            "<meta charset='windows-1251'>к"
        );
        assert_eq!(decode("größe".as_bytes(), None), "größe");
        assert_eq!(decode(b"a\0b", None), "ab");
        assert_eq!(decode("größe".as_bytes(), Some("iso-8859-1")), "größe");
        assert_eq!(
            decode(b"gr\xf6\xdfe und m\xfche, f\xfcr \xfcber", Some("utf-8")),
            "größe und mühe, für über"
        );
    }
}
