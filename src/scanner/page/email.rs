//! E-mail addresses of a page, plain and obfuscated, without the look-alikes.

use std::sync::LazyLock;

use memchr::memchr_iter;
use regex::Regex;

use super::json_ld::{Node, texts};
use super::outline::Outline;
use crate::scanner::site::registrable;
use crate::values::findings::Email;

/// Addresses kept of one page.
const MAX_EMAILS: usize = 200;

/// Domains of placeholders and of machinery that leaves address-like ids in pages.
const NOT_CONTACTS: &[&str] = &[
    "example.com",
    "example.org",
    "example.net",
    "domain.com",
    "yourdomain.com",
    "mydomain.com",
    "yoursite.com",
    "mysite.com",
    "email.com",
    "yourcompany.com",
    "company.com",
    "sentry.io",
    "wixpress.com",
    "sentry.wixpress.com",
    "sentry-next.wixpress.com",
    "ingest.sentry.io",
    "schema.org",
    "w3.org",
    "doe.com",
    "address.com",
    "website.com",
    "acme.com",
    "test.com",
    "beispiel.de",
    "muster.de",
    "mustermann.de",
    "exemple.com",
    "ejemplo.com",
    "esempio.it",
];

/// All addresses in order of trust: links first, then what is hidden from robots, then data, then text.
pub(super) fn emails(page: &Outline<'_>, nodes: &[Node]) -> Vec<Email> {
    let mut found = Found {
        page: page.base.as_str(),
        site: page.base.host_str().map(registrable).unwrap_or_default(),
        list: Vec::new(),
    };
    for anchor in &page.anchors {
        if let Some(address) = mailto(&anchor.href) {
            address.split(',').for_each(|one| found.add(one, "mailto", true));
        }
        if let Some((_, code)) = anchor.href.split_once("/cdn-cgi/l/email-protection#") {
            found.add(&decode_cloudflare(code).unwrap_or_default(), "cloudflare", true);
        }
    }
    for code in &page.cloudflare_emails {
        found.add(&decode_cloudflare(code).unwrap_or_default(), "cloudflare", true);
    }
    for address in nodes.iter().flat_map(|node| texts(node, "email")) {
        found.add(mailto(&address).as_deref().unwrap_or(&address), "json_ld", true);
    }
    in_text(&page.text, |address| found.add(address, "text", false));
    obfuscated(&page.text, |address| found.add(address, "obfuscated", false));
    // The site's own before those of others; within each in the order of trust.
    let Found { site, mut list, .. } = found;
    list.sort_by_key(|email| {
        let domain = email.value.rsplit('@').next().unwrap_or_default();
        registrable(domain) != site
    });
    list
}

struct Found<'a> {
    page: &'a str,
    site: &'a str,
    list: Vec<Email>,
}

impl Found<'_> {
    /// Adds an address unless it is known or no contact. What is marked as an address may have any domain; what
    /// merely looks like one must have one under a known suffix, or the site's own.
    fn add(&mut self, address: &str, source: &str, marked: bool) {
        let value = address
            .trim()
            .trim_matches(['.', '<', '>', '"', '\''])
            .to_lowercase();
        let Some((local, domain)) = value.rsplit_once('@') else {
            return;
        };
        let known = || psl::suffix(domain.as_bytes()).is_some_and(|suffix| suffix.is_known());
        let acceptable = is_address(local, domain)
            && !is_placeholder(local, domain)
            && (marked || known() || domain == self.site || registrable(domain) == self.site);
        let is_new = self.list.iter().all(|email| email.value != value);
        if acceptable && is_new && self.list.len() < MAX_EMAILS {
            self.list.push(Email {
                source: source.to_owned(),
                page: self.page.to_owned(),
                value,
            });
        }
    }
}

fn is_address(local: &str, domain: &str) -> bool {
    let domain = idna::domain_to_ascii(domain).unwrap_or_default();
    let last = domain.rsplit('.').next().unwrap_or_default();
    let sound_local = (1..=64).contains(&local.len())
        && local.chars().all(|c| is_local(c) || c.is_alphanumeric())
        && !local.contains("..")
        && local.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    let sound_domain = domain.contains('.')
        && domain.len() <= 253
        && domain.split('.').all(|label| {
            !label.is_empty() && label.len() <= 63 && !label.starts_with('-') && !label.ends_with('-')
        })
        && (last.starts_with("xn--")
            || last.len() >= 2 && last.bytes().all(|byte| byte.is_ascii_alphabetic()));
    sound_local && sound_domain && !is_asset(last)
}

/// `logo@2x.png`.
fn is_asset(extension: &str) -> bool {
    [
        "png", "jpg", "jpeg", "gif", "webp", "svg", "avif", "css", "js", "mjs", "woff", "ttf", "ico", "html",
        "json", "pdf",
    ]
    .contains(&extension)
}

fn is_placeholder(local: &str, domain: &str) -> bool {
    let hashed = local.len() >= 20 && local.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let machinery = NOT_CONTACTS
        .iter()
        .any(|known| domain == *known || domain.ends_with(&format!(".{known}")));
    let escaped = local.starts_with("u003") || local.starts_with("x3e") || local.contains('%');
    hashed
        || machinery
        || escaped
        || matches!(
            local,
            "you" | "your" | "youremail" | "your-email" | "yourname" | "your.name" | "name@" | "user@"
        )
}

/// The addresses of a `mailto:` link.
fn mailto(href: &str) -> Option<String> {
    let href = href.trim();
    let rest = href
        .get(..7)
        .filter(|scheme| scheme.eq_ignore_ascii_case("mailto:"))
        .map(|_| &href[7..])?;
    let addresses = percent_decode(rest.split('?').next().unwrap_or_default());
    // The scheme twice, or a name before the address (`Ann <ann@acme.com>`).
    let addresses = mailto(&addresses).unwrap_or(addresses);
    let bare = addresses
        .split_once('<')
        .and_then(|(_, inside)| inside.split_once('>'));
    Some(bare.map_or_else(|| addresses.clone(), |(address, _)| address.to_owned()))
}

fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Each byte was combined with the first by exclusive or.
fn decode_cloudflare(code: &str) -> Option<String> {
    let bytes = hex::decode(code.trim()).ok()?;
    let (key, rest) = bytes.split_first()?;
    String::from_utf8(rest.iter().map(|byte| byte ^ key).collect()).ok()
}

/// Grows each `@` to both sides, no further than an address may be long.
fn in_text(text: &str, mut sink: impl FnMut(&str)) {
    for at in memchr_iter(b'@', text.as_bytes()).take(10_000) {
        let before = text[..at]
            .char_indices()
            .rev()
            .take(64)
            .take_while(|(_, c)| is_local(*c))
            .last();
        let after = text[at + 1..]
            .char_indices()
            .take(253)
            .take_while(|(_, c)| c.is_alphanumeric() || matches!(c, '.' | '-'))
            .last();
        if let (Some((start, _)), Some((end, last))) = (before, after) {
            sink(&text[start..at + 1 + end + last.len_utf8()]);
        }
    }
}

fn is_local(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '%' | '+' | '-')
}

/// `info [at] example [dot] com` and kin.
fn obfuscated(text: &str, mut sink: impl FnMut(&str)) {
    static AT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?i)([a-z0-9][a-z0-9._+-]{0,63})\s{0,2}[\[({<]\s?(?:at|@|ät)\s?[\])}>]\s{0,2}([a-z0-9-]{1,63}(?:\s{0,2}(?:\.|[\[({<]\s?(?:dot|punkt|point|\.)\s?[\])}>])\s{0,2}[a-z0-9-]{1,63}){1,4})",
        )
        .expect("the pattern is constant")
    });
    static DOT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)\s*[\[({<]\s?(?:dot|punkt|point|\.)\s?[\])}>]\s*|\s*\.\s*")
            .expect("the pattern is constant")
    });
    for found in AT.captures_iter(text).take(MAX_EMAILS) {
        sink(&format!("{}@{}", &found[1], DOT.replace_all(&found[2], ".")));
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::super::json_ld::nodes;
    use super::super::outline::outline;
    use super::*;

    fn found(html: &str) -> Vec<(String, String)> {
        let page = outline(html, &Url::parse("https://shop.site.test/").unwrap());
        let nodes = nodes(&page.json_ld);
        emails(&page, &nodes)
            .into_iter()
            .map(|email| (email.value, email.source))
            .collect()
    }

    fn values(html: &str) -> Vec<String> {
        found(html).into_iter().map(|(value, _)| value).collect()
    }

    #[test]
    fn addresses_are_found_in_every_guise() {
        for (html, source) in [
            ("<a href='MAILTO:Info%40acme-shop.com?subject=x'>", "mailto"),
            ("<a href='mailto:info&#64;acme-shop.com'>", "mailto"),
            ("<a href='mailto:Ann Acme <info@acme-shop.com>'>", "mailto"),
            ("<a href='mailto:Mailto:info@acme-shop.com'>", "mailto"),
            ("<p>info&#64;acme-shop.com.</p>", "text"),
            ("Mail:info@acme-<b></b>shop.com", "text"),
            ("<p>info [at] acme-shop (dot) com</p>", "obfuscated"),
            ("<p>info(at)acme-shop.com</p>", "obfuscated"),
            (
                "<script type='application/ld+json'>{\"email\":\"mailto:info@acme-shop.com\"}</script>",
                "json_ld",
            ),
            (
                "<span data-cfemail='11787f777e5170727c743c62797e613f727e7c'>",
                "cloudflare",
            ),
        ] {
            assert_eq!(
                found(html),
                [("info@acme-shop.com".to_owned(), source.to_owned())],
                "{html}"
            );
        }
    }

    #[test]
    fn the_sites_own_addresses_come_first() {
        let html = "<a href=mailto:help@other.com><a href=mailto:b@site.test><p>a@shop.site.test";
        assert_eq!(
            values(html),
            ["b@site.test", "a@shop.site.test", "help@other.com"]
        );
    }

    #[test]
    fn look_alikes_are_not_addresses() {
        for html in [
            "logo@2x.png",
            "a@b",
            "you@example.com",
            "d41d8cd98f00b204e9800998ecf8427e@sentry.io",
            "@handle.com",
            "npm i react@18.2.0",
            "x@y.nosuchsuffix",
            "<script>var a='dev@company.io'</script>",
        ] {
            assert_eq!(values(html), Vec::<String>::new(), "{html}");
        }
    }

    #[test]
    fn a_site_may_have_addresses_under_its_own_name_whatever_the_suffix() {
        assert_eq!(values("<p>sales@site.test or x@other.test"), ["sales@site.test"]);
    }
}
