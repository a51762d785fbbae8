//! The encoding of a page: byte order mark, UTF-8, HTTP header, `<meta>`, then detection.

use std::sync::LazyLock;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use scraper::Selector;

use super::tree;

/// How many bytes are searched for a `<meta>`; real pages exceed the standard's 1024 bytes.
const PRESCAN: usize = 4096;

/// Maximum bytes examined for a guess.
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

/// Non-ASCII text that is valid UTF-8 is UTF-8, whatever its label: text in other encodings is practically never valid
/// UTF-8.
fn is_plainly_utf8(bytes: &[u8]) -> bool {
    !bytes.is_ascii() && std::str::from_utf8(bytes).is_ok()
}

/// For a page that is labelled UTF-8 but is not: the guess, if most non-ASCII characters would be lost.
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

/// The encoding in a `<meta>` or an XML declaration; not one that belongs to a script or a link.
fn declared(head: &[u8]) -> Option<&'static Encoding> {
    static METAS: LazyLock<Selector> =
        LazyLock::new(|| Selector::parse("meta[charset], meta[content]").expect("the selector is constant"));
    let (head, _) = WINDOWS_1252.decode_without_bom_handling(head);
    let xml = head
        .starts_with("<?xml")
        .then(|| head.split_once("encoding=").map(|(_, label)| label))
        .flatten();
    let page = tree::parse(&head).html;
    let metas = page.select(&METAS).filter_map(|meta| {
        let content = || meta.attr("content").and_then(after_charset);
        meta.attr("charset").or_else(content)
    });
    let mut labels = metas.chain(xml);
    labels.find_map(|label| match Encoding::for_label(label_at(label).as_bytes()) {
        // If the page were UTF-16, this label would not have been readable.
        Some(encoding) if encoding == UTF_16LE || encoding == UTF_16BE => Some(UTF_8),
        found => found,
    })
}

/// What follows `charset=` in a content type.
fn after_charset(content: &str) -> Option<&str> {
    let at = content.to_ascii_lowercase().find("charset=")?;
    Some(&content[at + "charset=".len()..])
}

/// The label at the beginning of a text, quoted or not.
fn label_at(text: &str) -> &str {
    let text = text.trim_start_matches(['"', '\'', ' ']);
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':' | '.')));
    &text[..end.unwrap_or(text.len())]
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
        assert_eq!(
            decode(
                b"<script charset=gbk></script><!-- charset=big5 --><meta charset=iso-8859-2>\xb3",
                None
            )
            .chars()
            .last(),
            Some('ł')
        );
        assert_eq!(
            decode(
                b"<meta http-equiv=content-type content='text/html; charset=\"koi8-r\"'>\xc1",
                None
            )
            .chars()
            .last(),
            Some('а')
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
