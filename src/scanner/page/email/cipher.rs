//! Decodes addresses that content management systems obfuscate.

use super::address::has_known_suffix;

/// Cloudflare: each byte was combined with the first by exclusive or.
pub(in crate::scanner::page) fn decode_cloudflare(code: &str) -> Option<String> {
    let bytes = hex::decode(code.trim()).ok()?;
    let (key, rest) = bytes.split_first()?;
    String::from_utf8(rest.iter().map(|byte| byte ^ key).collect()).ok()
}

/// TYPO3: characters were shifted within three ranges by a number that need not be known, as the text can only
/// begin with `mailto:`.
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
    // The ranges differ in length: back by three is not forward by what is left of one of them.
    (-26..27)
        .filter_map(back)
        .find(|text| text.starts_with("mailto:"))
}

/// ROT13, which some plugins of WordPress use: only where the text as it is is no address.
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
