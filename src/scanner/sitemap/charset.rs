//! The encoding of a document.
//!
//! The order is: byte order mark, UTF-16 detected from zero bytes, HTTP header, XML declaration, then UTF-8, or
//! detection if it is not valid UTF-8. An unknown label counts as none.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// Decides the encoding from the first bytes of a document.
pub(super) fn sniff(head: &[u8], http_label: Option<&str>) -> &'static Encoding {
    if let Some((encoding, _)) = Encoding::for_bom(head) {
        return encoding;
    }
    match head {
        [0, first, ..] if *first != 0 => return UTF_16BE,
        [first, 0, second, ..] if *first != 0 && *second != 0 => return UTF_16LE,
        _ => {}
    }
    let http = http_label.and_then(|label| Encoding::for_label(label.as_bytes()));
    let declared = declared_in_xml(head).map(Encoding::output_encoding);
    match (http, declared) {
        // Servers declare UTF-8 for whatever they send; a different declaration was written for this document.
        (Some(http), Some(declared)) if http == UTF_8 && declared != UTF_8 => {
            if is_utf8(head) {
                UTF_8
            } else {
                declared
            }
        }
        (Some(encoding), _) | (None, Some(encoding)) => encoding,
        (None, None) if is_utf8(head) => UTF_8,
        (None, None) => guess(head),
    }
}

fn declared_in_xml(head: &[u8]) -> Option<&'static Encoding> {
    let start = head.iter().position(|byte| *byte == b'<')?;
    let declaration = head[start..].strip_prefix(b"<?xml")?;
    let end = declaration.iter().take(256).position(|byte| *byte == b'>')?;
    let text = std::str::from_utf8(&declaration[..end]).ok()?;
    let value = text
        .split_once("encoding")?
        .1
        .trim_start()
        .strip_prefix('=')?
        .trim_start();
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    Encoding::for_label(value[1..].split(quote).next()?.as_bytes())
}

/// Whether the bytes are valid UTF-8; the last character may be incomplete.
fn is_utf8(head: &[u8]) -> bool {
    match std::str::from_utf8(head) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    }
}

fn guess(head: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(head, true);
    detector.guess(None, Utf8Detection::Allow)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_is_found_where_it_is_told() {
        let cases: &[(&[u8], Option<&str>, &str)] = &[
            (b"\xff\xfe<\0", None, "UTF-16LE"),
            (b"\0<\0u", None, "UTF-16BE"),
            (b"<\0u\0", None, "UTF-16LE"),
            (
                b"<?xml version='1.0' encoding='windows-1251'?>\xea",
                None,
                "windows-1251",
            ),
            (
                b"\n<?xml encoding=\"windows-1251\"?>\xea\xe0",
                Some("utf-8"),
                "windows-1251",
            ),
            (b"<?xml encoding=\"x-unheard-of\"?>", None, "UTF-8"),
            (b"<?xml encoding=\"UTF-16\"?>", None, "UTF-8"),
            (b"<urlset>", Some("iso-8859-1"), "windows-1252"),
            (b"<urlset>\xc3", None, "UTF-8"),
        ];
        for (head, http, name) in cases {
            assert_eq!(sniff(head, *http).name(), *name);
        }
    }
}
