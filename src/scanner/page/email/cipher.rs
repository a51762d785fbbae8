//! Decodes addresses that content management systems obfuscate.

use super::address::has_known_suffix;

/// Cloudflare: each byte is combined with the first one by XOR.
pub(in crate::scanner::page) fn decode_cloudflare(code: &str) -> Option<String> {
    let bytes = hex::decode(code.trim()).ok()?;
    let (key, rest) = bytes.split_first()?;
    String::from_utf8(rest.iter().map(|byte| byte ^ key).collect()).ok()
}

/// TYPO3: characters are shifted within three ranges. The shift is found by trying: the text must begin with
/// `mailto:`.
pub(super) fn unshifted(token: &str) -> Option<String> {
    const RANGES: [(u8, u8); 3] = [(0x2b, 0x3a), (0x40, 0x5a), (0x61, 0x7a)];
    if token.len() > 500 {
        return None;
    }
    let back = |by: i32| -> Option<String> {
        let bytes = token.bytes().map(|byte| {
            let range = RANGES
                .iter()
                .find(|(first, last)| (*first..=*last).contains(&byte));
            range.map_or(byte, |(first, last)| {
                let length = i32::from(last - first) + 1;
                let shifted = (i32::from(byte - first) - by).rem_euclid(length);
                u8::try_from(shifted).map_or(byte, |shifted| first + shifted)
            })
        });
        String::from_utf8(bytes.collect()).ok()
    };
    // Both directions are tried: the ranges differ in length, so no forward shift equals a backward one in all three.
    (-26..27)
        .filter_map(back)
        .find(|text| text.starts_with("mailto:"))
}

/// ROT13, which some WordPress plugins use. `None` if the text itself has a known suffix, or its rotation has none.
pub(super) fn rotated(text: &str) -> Option<String> {
    let (_, domain) = text.rsplit_once('@')?;
    if has_known_suffix(domain) {
        return None;
    }
    let turn = |first: u8, byte: u8| first + (byte - first + 13) % 26;
    let rotated: String = text
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' => turn(b'a', byte),
            b'A'..=b'Z' => turn(b'A', byte),
            other => other,
        })
        .map(char::from)
        .collect();
    let (_, domain) = rotated.rsplit_once('@')?;
    (text.is_ascii() && has_known_suffix(domain)).then_some(rotated)
}
