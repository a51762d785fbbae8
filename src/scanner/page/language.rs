//! The language of a page as a BCP 47 tag.

use super::head::meta;
use super::outline::Outline;
use crate::fetch::Headers;

/// `<html lang>`, else metas, else the header, else a guess by the text.
pub(super) fn language(page: &Outline, headers: &Headers) -> Option<String> {
    let stated = [
        page.language.clone(),
        meta(
            page,
            &["content-language", "og:locale", "language", "dc.language"],
        ),
        headers.get("content-language").map(str::to_owned),
    ];
    stated
        .into_iter()
        .flatten()
        .find_map(|tag| normalise(&tag))
        .or_else(|| guess(&page.text))
}

/// `en_us` is `en-US`; what is no tag is nothing.
fn normalise(tag: &str) -> Option<String> {
    let first = tag
        .split([',', ';', ' ', '.', '@'])
        .next()?
        .trim()
        .replace('_', "-");
    let mut parts = first.split('-');
    let primary = parts.next()?.to_ascii_lowercase();
    if !(2..=3).contains(&primary.len()) || !primary.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return None;
    }
    let mut normal = primary;
    for part in parts {
        if part.is_empty() || part.len() > 8 || !part.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            break;
        }
        normal.push('-');
        normal.push_str(&match part.len() {
            2 => part.to_ascii_uppercase(),
            4 if part.as_bytes()[0].is_ascii_alphabetic() => {
                part[..1].to_ascii_uppercase() + &part[1..].to_ascii_lowercase()
            }
            _ => part.to_ascii_lowercase(),
        });
    }
    Some(normal)
}

/// Only where there is enough text to be sure.
fn guess(text: &str) -> Option<String> {
    const ENOUGH: usize = 200;
    let sample: String = text
        .chars()
        .filter(|character| *character != '\n')
        .take(4_000)
        .collect();
    if sample.len() < ENOUGH {
        return None;
    }
    let info = whatlang::detect(&sample).filter(whatlang::Info::is_reliable)?;
    Some(two_letters(info.lang().code()).to_owned())
}

/// BCP 47 wants the shortest code there is (ISO 639-1).
fn two_letters(code: &str) -> &str {
    const SHORT: &[(&str, &str)] = &[
        ("eng", "en"),
        ("deu", "de"),
        ("fra", "fr"),
        ("spa", "es"),
        ("ita", "it"),
        ("por", "pt"),
        ("nld", "nl"),
        ("pol", "pl"),
        ("ces", "cs"),
        ("slk", "sk"),
        ("slv", "sl"),
        ("hrv", "hr"),
        ("srp", "sr"),
        ("rus", "ru"),
        ("ukr", "uk"),
        ("bul", "bg"),
        ("mkd", "mk"),
        ("bel", "be"),
        ("ron", "ro"),
        ("hun", "hu"),
        ("ell", "el"),
        ("tur", "tr"),
        ("fin", "fi"),
        ("swe", "sv"),
        ("nob", "nb"),
        ("dan", "da"),
        ("est", "et"),
        ("lav", "lv"),
        ("lit", "lt"),
        ("cat", "ca"),
        ("epo", "eo"),
        ("lat", "la"),
        ("cmn", "zh"),
        ("jpn", "ja"),
        ("kor", "ko"),
        ("vie", "vi"),
        ("tha", "th"),
        ("ind", "id"),
        ("tgl", "tl"),
        ("jav", "jv"),
        ("hin", "hi"),
        ("ben", "bn"),
        ("urd", "ur"),
        ("pan", "pa"),
        ("guj", "gu"),
        ("tam", "ta"),
        ("tel", "te"),
        ("kan", "kn"),
        ("mal", "ml"),
        ("mar", "mr"),
        ("nep", "ne"),
        ("ori", "or"),
        ("sin", "si"),
        ("mya", "my"),
        ("khm", "km"),
        ("pes", "fa"),
        ("arb", "ar"),
        ("ara", "ar"),
        ("heb", "he"),
        ("yid", "yi"),
        ("kat", "ka"),
        ("hye", "hy"),
        ("aze", "az"),
        ("uzb", "uz"),
        ("tuk", "tk"),
        ("amh", "am"),
        ("afr", "af"),
        ("zul", "zu"),
        ("sna", "sn"),
        ("aka", "ak"),
        ("cym", "cy"),
    ];
    SHORT
        .iter()
        .find(|(long, _)| *long == code)
        .map_or(code, |(_, short)| short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_written_as_bcp_47_wants() {
        for (tag, wanted) in [
            ("en_us", Some("en-US")),
            ("DE", Some("de")),
            ("zh-hans-cn", Some("zh-Hans-CN")),
            ("pt-BR.UTF-8", Some("pt-BR")),
            ("english", None),
            ("{{lang}}", None),
        ] {
            assert_eq!(normalise(tag).as_deref(), wanted, "{tag}");
        }
    }

    #[test]
    fn text_tells_the_language_where_nothing_else_does() {
        let text =
            "Wir sind ein kleines Unternehmen aus Graz und stellen seit vielen Jahren Möbel her. ".repeat(4);
        assert_eq!(guess(&text).as_deref(), Some("de"));
        assert_eq!(guess("Hallo"), None);
    }
}
