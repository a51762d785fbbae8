//! Recognises, from its bytes, a URL that already has the form of the WHATWG URL serialisation.
//!
//! Nearly all URLs of a sitemap have it, and are on the sitemap's own host. Parsing and serialising each of them would
//! take most of the time for a sitemap.

use url::Url;

/// Checks URLs under one origin.
#[derive(Debug)]
pub(super) struct PlainUrls {
    /// `https://host/`; `None` for a local file.
    origin: Option<String>,
}

impl PlainUrls {
    pub(super) fn under(base: &Url) -> Self {
        let is_web = matches!(base.scheme(), "http" | "https") && base.host().is_some();
        Self {
            origin: is_web.then(|| format!("{}/", base.origin().ascii_serialization())),
        }
    }

    /// Whether a text is a URL under this origin that parsing would not change. May be false for such a URL too.
    pub(super) fn is_plain(&self, text: &str) -> bool {
        let Some(rest) = self
            .origin
            .as_deref()
            .and_then(|origin| text.strip_prefix(origin))
        else {
            return false;
        };
        let rest = rest.as_bytes();
        // `/.` may begin a dot segment (`/../`), and `/%` an encoded one.
        let is_dot = |at: usize| matches!(rest.get(at), Some(b'.' | b'%'));
        rest.iter().all(|byte| KEPT[usize::from(*byte)])
            && !is_dot(0)
            && memchr::memchr_iter(b'/', rest).all(|slash| !is_dot(slash + 1))
    }
}

/// For each byte, whether parsing keeps it unchanged.
const KEPT: [bool; 256] = {
    let mut kept = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        kept[byte as usize] = is_kept(byte);
        byte += 1;
    }
    kept
};

/// Characters that stay as they are in a path and in a query (URL Standard, percent-encode sets).
const fn is_kept(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.'
                | b'_'
                | b'~'
                | b'!'
                | b'$'
                | b'&'
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b';'
                | b'='
                | b':'
                | b'@'
                | b'/'
                | b'%'
                | b'?'
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn base() -> Url {
        Url::parse("https://www.acme.test/sitemap.xml").unwrap()
    }

    #[test]
    fn ordinary_urls_are_plain_and_others_are_left_to_the_parser() {
        let plain = PlainUrls::under(&base());
        for (url, wanted) in [
            ("https://www.acme.test/a/b.html?c=d&e=%20f", true),
            ("https://www.acme.test/", true),
            ("https://www.acme.test", false),
            ("https://WWW.acme.test/", false),
            ("https://acme.test/a", false),
            ("https://www.acme.test/a/../b", false),
            ("https://www.acme.test/%2e%2e/b", false),
            ("https://www.acme.test/é", false),
            ("https://www.acme.test/a b", false),
            ("https://www.acme.test/a#b", false),
            ("https://www.acme.test:443/a", false),
        ] {
            assert_eq!(plain.is_plain(url), wanted, "{url}");
        }
    }

    proptest! {
        #[test]
        fn what_is_plain_is_what_the_parser_says(path in "[a-z0-9./%?#&=:@~ '\"<>\\\\^`{}|é2eE-]{0,30}") {
            let url = format!("https://www.acme.test/{path}");
            if PlainUrls::under(&base()).is_plain(&url) {
                prop_assert_eq!(String::from(Url::parse(&url).unwrap()), url);
            }
        }
    }
}
