//! Addresses in links.

use percent_encoding::percent_decode_str;

use super::address::has_known_suffix;
use super::cipher::decode_cloudflare;
use super::{cipher, text};
use crate::scanner::page::outline::behind_web_scheme;

/// Finds the addresses in a link's target, and in which form it states them.
pub(super) fn addresses(href: &str, mut sink: impl FnMut(&str, &'static str)) {
    if let Some(target) = mailto(href) {
        address_list(&target, |address| sink(address, "mailto"));
    } else if let Some(address) = bare(href) {
        sink(address, "mailto");
    } else if let Some((path, code)) = href.split_once('#')
        && path.ends_with("/cdn-cgi/l/email-protection")
    {
        // Parameters for the mail program follow the code unencoded.
        let code = code.split(['?', '&']).next().unwrap_or_default();
        cloudflare(code, |address| sink(address, "cloudflare"));
    } else if href.starts_with("javascript:")
        && let Some((_, call)) = href.split_once("linkTo_UnCryptMailto(")
    {
        // TYPO3: the link holds the shifted text, and a script on the page holds the shift.
        let token = call
            .split(['\'', '"'])
            .nth(1)
            .map(percent_decode)
            .unwrap_or_default();
        if let Some(target) = cipher::unshifted(&token.replace('\\', ""))
            .as_deref()
            .and_then(mailto)
        {
            address_list(&target, |address| sink(address, "mailto"));
        }
    }
}

/// The addresses that Cloudflare encoded: it encodes what follows `mailto:`.
pub(super) fn cloudflare(code: &str, sink: impl FnMut(&str)) {
    if let Some(target) = decode_cloudflare(code) {
        address_list(&target, sink);
    }
}

/// The addresses in what follows `mailto:` (RFC 6068: before the `?`, and in the field `to`), separated by commas or,
/// as in many mail programs, by semicolons.
pub(super) fn address_list(target: &str, mut sink: impl FnMut(&str)) {
    let target = mailto(target).unwrap_or_else(|| target.to_owned());
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let to = query.split('&').filter_map(|field| {
        let (name, value) = field.split_once('=')?;
        name.eq_ignore_ascii_case("to").then_some(value)
    });
    for list in std::iter::once(path).chain(to) {
        for one in percent_decode(list).split([',', ';']) {
            // A name may be before the address: `Ann <ann@acme.com>`.
            let inside = one.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
            let address: String = inside
                .map_or(one, |(address, _)| address)
                .split_whitespace()
                .collect();
            if address.contains('@') {
                sink(&address);
            } else {
                text::obfuscated(one, &mut sink);
            }
        }
    }
}

/// What follows `mailto:`. Some pages repeat it, misspell it, or add the slashes of other schemes.
fn mailto(href: &str) -> Option<String> {
    let mut target = after_scheme(href)?;
    while let Some(inner) = after_scheme(target) {
        target = inner;
    }
    Some(target.trim_end_matches('/').to_owned())
}

fn after_scheme(href: &str) -> Option<&str> {
    const SCHEMES: &[&str] = &["mailto:", "mailto;", "mail:", "maito:", "mailt:", "malto:"];
    let href = href.trim();
    let href = behind_web_scheme(href).unwrap_or(href);
    let rest = SCHEMES.iter().find_map(|scheme| {
        let begins = href.get(..scheme.len())?.eq_ignore_ascii_case(scheme);
        begins.then(|| &href[scheme.len()..])
    })?;
    Some(rest.trim_start_matches("//"))
}

/// An address that is the whole link, without a scheme or with the `http://` that some systems put before all links.
fn bare(href: &str) -> Option<&str> {
    let href = href.trim();
    let address = behind_web_scheme(href).unwrap_or(href).trim_end_matches('/');
    let (local, domain) = address.split_once('@')?;
    let is_plain = |text: &str| !text.contains(['/', ':', '?', '#', '@', '&', '=']);
    (is_plain(local) && is_plain(domain) && has_known_suffix(&domain.to_ascii_lowercase())).then_some(address)
}

fn percent_decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}
