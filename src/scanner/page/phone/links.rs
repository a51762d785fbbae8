//! Numbers in links.

use std::sync::LazyLock;

use percent_encoding::percent_decode_str;
use regex::Regex;
use scraper::node::Element;
use url::Url;

use crate::scanner::page::characters::{digit, visible};
use crate::scanner::page::outline::behind_web_scheme;
use crate::scanner::page::tree::raw;

/// The number of a `tel:` link (also `callto:` and `sms:`) without its parameters, even if the scheme is misspelt.
pub(super) fn tel(href: &str) -> Option<String> {
    /// Maximum bytes of a link; one scheme may follow another.
    const MAX_HREF: usize = 500;
    let href = href.trim();
    if href.len() > MAX_HREF {
        return None;
    }
    let href = behind_web_scheme(href).unwrap_or(href);
    let is_sign =
        |sign: char| digit(sign).is_some() || matches!(sign, '+' | ' ' | '-' | '(' | ')' | '.' | '/');
    let number = if href.starts_with('+') && href.chars().all(is_sign) {
        href.to_owned()
    } else {
        let number = decoded(after_scheme(href)?.trim_start_matches('/'));
        // Some pages contain the scheme twice.
        tel(&number).unwrap_or(number)
    };
    let number = number
        .split([';', '?'])
        .next()
        .unwrap_or_default()
        .trim()
        .to_owned();
    (number.chars().filter_map(digit).count() >= 3).then_some(number)
}

fn after_scheme(href: &str) -> Option<&str> {
    const SCHEMES: &[&str] = &["tel", "tell", "callto", "phone", "telephone", "sms"];
    let end = href.find([':', '/'])?;
    let (scheme, rest) = (href[..end].trim_end_matches('.'), &href[end..]);
    let is_phone = SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known));
    // `tel//030…`; a single slash means a path.
    (is_phone && (rest.starts_with(':') || rest.starts_with("//"))).then(|| &rest[1..])
}

/// The number of a chat in another messenger, with its country code and a plus.
pub(super) fn messenger(href: &str) -> Option<String> {
    let href = href.trim();
    let target = if let Some(rest) = without_start(href, "viber://") {
        let (action, query) = rest.split_once('?')?;
        let is_chat = matches!(action.trim_end_matches('/'), "chat" | "add" | "contact");
        is_chat.then(|| parameter(query, "number"))??
    } else if let Some(rest) = without_start(href, "skype:") {
        decoded(rest.split('?').next()?)
    } else {
        let rest = behind_web_scheme(href)?;
        let number = ["t.me/+", "telegram.me/+", "signal.me/#p/+"]
            .iter()
            .find_map(|start| without_start(rest, start))?;
        format!("+{}", decoded(number.split(['?', '/']).next()?))
    };
    let is_viber = without_start(href, "viber:").is_some();
    let target = target.trim();
    // An unencoded plus becomes a space in a query.
    let digits = target.strip_prefix('+').or_else(|| is_viber.then_some(target))?;
    let is_number = (8..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| format!("+{digits}"))
}

/// The number of an element that a script turns into a `WhatsApp` button: from a click handler that opens a chat, or
/// from the settings of widely used WordPress plugins.
pub(super) fn whatsapp_button(element: &Element) -> Option<String> {
    static CHAT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(?i)(?:https?:)?//(?:www\.)?(?:wa\.me|(?:api\.|web\.)?whatsapp\.com)/[^'"\s\\]{1,300}"#)
            .expect("the pattern is constant")
    });
    let links = ["onclick", "data-href", "data-url", "data-link"];
    let chats = links.iter().filter_map(|name| raw(element, name));
    let mut chats = chats.filter_map(|value| CHAT.find(value));
    if let Some(number) = chats.find_map(|chat| whatsapp(chat.as_str())) {
        return Some(number);
    }
    let is_plugin = |class: &str| {
        [
            "joinchat",
            "ht-ctc",
            "ht_ctc",
            "nta_wa",
            "nta-wa",
            "nta_whatsapp",
            "qlwapp",
        ]
        .iter()
        .any(|plugin| class.starts_with(plugin))
    };
    raw(element, "class").filter(|classes| classes.split_ascii_whitespace().any(is_plugin))?;
    let plain = ["data-phone", "data-number"]
        .iter()
        .find_map(|name| raw(element, name));
    let settings = || {
        ["data-settings", "data-button"]
            .iter()
            .find_map(|name| raw(element, name))
    };
    chat_number(plain.unwrap_or_default()).or_else(|| in_settings(settings()?))
}

/// The number in the plugin settings (Click to Chat) that the plugin's script reads.
pub(super) fn in_script(script: &str) -> Option<String> {
    const MAX_SETTINGS: usize = 1_000;
    let start = script.find("ht_ctc_chat_var")?;
    let end = script.floor_char_boundary((start + MAX_SETTINGS).min(script.len()));
    in_settings(&script[start..end])
}

fn in_settings(settings: &str) -> Option<String> {
    static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#""(?:telephone|phone|number)"\s*:\s*"([^"]{8,30})""#).expect("the pattern is constant")
    });
    chat_number(&NUMBER.captures(settings)?[1])
}

fn chat_number(text: &str) -> Option<String> {
    let is_number = !text.contains(char::is_alphabetic);
    let digits: String = text.chars().filter_map(digit).collect();
    let digits = digits.strip_prefix("00").unwrap_or(&digits);
    (is_number && (8..=15).contains(&digits.len())).then(|| digits.to_owned())
}

/// The number of a `WhatsApp` chat link: only digits, which should start with the country code.
pub(super) fn whatsapp(href: &str) -> Option<String> {
    let href = href.trim();
    let target = match href.split_once(':') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("whatsapp") => {
            // `whatsapp://send?phone=…`, or the number directly after the scheme.
            match rest.split_once('?') {
                Some((_, query)) => phone_parameter(query)?,
                None => decoded(rest.trim_start_matches('/')),
            }
        }
        _ => from_url(href)?,
    };
    let target = target.replace("(0)", "");
    let digits: String = target.chars().filter_map(digit).collect();
    let digits = digits.strip_prefix("00").unwrap_or(&digits).to_owned();
    (digits.len() >= 8).then_some(digits)
}

fn from_url(href: &str) -> Option<String> {
    // Most links lead elsewhere; a cheap check shows this without parsing them.
    let lower = href.to_ascii_lowercase();
    if !lower.contains("wa.me") && !lower.contains("whatsapp") {
        return None;
    }
    let url = Url::parse(href)
        .or_else(|_| Url::parse(&format!("https://{}", href.trim_start_matches('/'))))
        .ok()?;
    let host = url.host_str()?;
    match host.strip_prefix("www.").unwrap_or(host) {
        "wa.me" => {
            let path = decoded(url.path());
            let mut segments = path.split('/').filter(|segment| !segment.is_empty());
            // `/c/` is a company's catalogue, `/p/<product>/` one of its products.
            let number = match segments.next() {
                Some("c") => segments.next(),
                Some("p") => segments.nth(1),
                first => first,
            };
            let is_number = |text: &&str| !text.contains(char::is_alphabetic);
            number
                .filter(is_number)
                .map(str::to_owned)
                .or_else(|| phone_parameter(url.query()?))
        }
        "whatsapp.com" | "api.whatsapp.com" | "web.whatsapp.com" => phone_parameter(url.query()?),
        _ => None,
    }
}

/// The parameter `phone=` of a query; a plus becomes a space there, and callers remove both.
fn phone_parameter(query: &str) -> Option<String> {
    parameter(query, "phone")
}

fn parameter(query: &str, wanted: &str) -> Option<String> {
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs
        .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
        .map(|(_, number)| number.into_owned())
}

/// The text after a prefix, in upper or lower case.
fn without_start<'t>(text: &'t str, start: &str) -> Option<&'t str> {
    let begins = text.get(..start.len())?.eq_ignore_ascii_case(start);
    begins.then(|| &text[start.len()..])
}

fn decoded(text: &str) -> String {
    visible(&percent_decode_str(text).decode_utf8_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chat_links_are_read_in_all_their_forms() {
        for href in [
            "https://wa.me/4915112345679",
            "https://wa.me/+49 151 12345679",
            "https://wa.me/%2B4915112345679?text=hi%2012",
            "http://www.wa.me/004915112345679/",
            "//wa.me/4915112345679",
            "wa.me/4915112345679",
            "https://wa.me/c/4915112345679",
            "https://wa.me/49(0)15112345679",
            "https://api.whatsapp.com/send?phone=4915112345679",
            "https://api.whatsapp.com/send/?text=x&phone=%2B49+151+12345679",
            "https://web.whatsapp.com/send?phone=+49-151-12345679",
            "https://www.whatsapp.com/send?phone=4915112345679",
            "whatsapp://send?phone=+4915112345679&text=x",
            "WhatsApp:+49 151 12345679",
        ] {
            assert_eq!(whatsapp(href).as_deref(), Some("4915112345679"), "{href}");
        }
        for href in [
            "https://wa.me/message/ABC12345678",
            "https://chat.whatsapp.com/ABC12345678",
            "https://api.whatsapp.com/send?text=12345678",
            "https://www.whatsapp.com/",
            "https://example.com/4915112345679",
            "whatsapp://send?text=hello",
        ] {
            assert_eq!(whatsapp(href), None, "{href}");
        }
    }

    #[test]
    fn numbers_of_other_messengers_are_read() {
        for href in [
            "viber://chat?number=%2B4915112345679",
            "viber://chat/?number=+4915112345679",
            "viber://add?number=4915112345679",
            "https://t.me/+4915112345679",
            "https://signal.me/#p/+4915112345679",
            "skype:+4915112345679?call",
        ] {
            assert_eq!(messenger(href).as_deref(), Some("+4915112345679"), "{href}");
        }
        for href in [
            "https://t.me/acme",
            "https://t.me/+AbCd15112345679",
            "https://t.me/15112345679",
            "skype:acme.shop?chat",
            "skype:live:15112345679",
            "viber://pa?chatURI=acme",
            "https://signal.group/#p/+4915112345679",
        ] {
            assert_eq!(messenger(href), None, "{href}");
        }
    }

    #[test]
    fn telephone_links_are_read_in_all_their_forms() {
        for (href, wanted) in [
            ("tel:+49-30-901820", Some("+49-30-901820")),
            ("TEL://+4930901820", Some("+4930901820")),
            ("tel:%2B49%2030%20901820", Some("+49 30 901820")),
            ("tel:tel:+4930901820", Some("+4930901820")),
            ("tel:+4930901820;ext=5", Some("+4930901820")),
            ("callto:030901820", Some("030901820")),
            ("tel:\u{202a}+4930901820\u{202c}", Some("+4930901820")),
            ("http://tel:07551123456", Some("07551123456")),
            ("+49 30 901820", Some("+49 30 901820")),
            ("tel//+4930901820", Some("+4930901820")),
            ("tell:+4930901820", Some("+4930901820")),
            ("tel.:+4930901820", Some("+4930901820")),
            ("tel:", None),
            ("tel/4930901820", None),
            ("https://tel.example/4930901820", None),
            ("+plus-4930901820", None),
            ("mailto:1234567@example.com", None),
        ] {
            assert_eq!(tel(href).as_deref(), wanted, "{href}");
        }
    }
}
