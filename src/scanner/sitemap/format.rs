//! Detects the format of a document from its first characters.

use super::text::lists_urls;

/// Whether a document has one URL per line: it has URLs, but no known root element and no HTML.
pub(super) fn is_url_list(head: &str) -> bool {
    const ROOTS: &[&str] = &[
        "urlset",
        "sitemapindex",
        "rss",
        "rdf",
        "feed",
        "html",
        "!doctype",
        "?xml",
    ];
    let has_root = memchr::memchr_iter(b'<', head.as_bytes()).any(|at| {
        let rest = &head[at + 1..];
        let end = rest
            .find(|c: char| c.is_whitespace() || matches!(c, '>' | '/'))
            .unwrap_or(rest.len());
        let name = rest[..end].rsplit(':').next().unwrap_or_default();
        ROOTS.iter().any(|root| name.eq_ignore_ascii_case(root))
    });
    !has_root && lists_urls(head)
}

/// Whether it is the page that a bot protection service shows instead of the document.
pub(super) fn is_challenge(head: &str) -> bool {
    const MARKS: &[&str] = &[
        "cf_chl_opt",
        "cf-chl-",
        "challenge-form",
        "challenge-platform",
        "/_Incapsula_Resource",
        "captcha-delivery.com",
        "px-captcha",
        "_pxCaptcha",
        "awswaf",
        "sgcaptcha",
        "ddos-guard",
        "Just a moment...",
    ];
    MARKS.iter().any(|mark| head.contains(mark))
}
