//! Numbers in links.

use percent_encoding::percent_decode_str;
use url::Url;

use crate::scanner::page::characters::{digit, visible};

/// The number of a `tel:` link (also `callto:` and `sms:`), without its parameters.
pub(super) fn tel(href: &str) -> Option<String> {
    let (scheme, number) = href.trim().split_once(':')?;
    let is_phone = ["tel", "callto", "phone", "telephone", "sms"]
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known));
    if !is_phone {
        return None;
    }
    let number = decoded(number.trim_start_matches('/'));
    // Careless hands write the scheme twice.
    let number = tel(&number).unwrap_or(number);
    let number = number
        .split([';', '?'])
        .next()
        .unwrap_or_default()
        .trim()
        .to_owned();
    (number.chars().filter_map(digit).count() >= 3).then_some(number)
}

/// The number of a `WhatsApp` chat link, digits alone, which should have its country's code in front.
pub(super) fn whatsapp(href: &str) -> Option<String> {
    let href = href.trim();
    let target = match href.split_once(':') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("whatsapp") => {
            // `whatsapp://send?phone=…`, and without anything between.
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
    // Most links lead elsewhere, and need not be taken apart to see it.
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
            // `/c/` is a firm's catalogue, `/p/<product>/` one of its products.
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

/// `phone=` of a query; a plus is a blank there, and both are left out.
fn phone_parameter(query: &str) -> Option<String> {
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs
        .find(|(name, _)| name.eq_ignore_ascii_case("phone"))
        .map(|(_, number)| number.into_owned())
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
    fn telephone_links_are_read_in_all_their_forms() {
        for (href, wanted) in [
            ("tel:+49-30-901820", Some("+49-30-901820")),
            ("TEL://+4930901820", Some("+4930901820")),
            ("tel:%2B49%2030%20901820", Some("+49 30 901820")),
            ("tel:tel:+4930901820", Some("+4930901820")),
            ("tel:+4930901820;ext=5", Some("+4930901820")),
            ("callto:030901820", Some("030901820")),
            ("tel:\u{202a}+4930901820\u{202c}", Some("+4930901820")),
            ("tel:", None),
            ("mailto:1234567@example.com", None),
        ] {
            assert_eq!(tel(href).as_deref(), wanted, "{href}");
        }
    }
}
