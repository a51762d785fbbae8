//! The name of a site, in its normalised form.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// A registrable or deeper host name: lower case, punycode (RFC 5891), without scheme, `www.`, port or path.
///
/// The form is the predecessor's (one leading `www.` is dropped, a URL is cut down to its host), so that a site
/// is one domain however people paste it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DomainName(String);

/// Why a text is not a domain; the message is for the person who sent it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDomain {
    /// Nothing but blanks.
    #[error("the domain is empty")]
    Empty,
    /// An IPv4 or IPv6 literal in any notation.
    #[error("'{0}' is an IP address; send a domain name")]
    IpAddress(String),
    /// A port was given.
    #[error("'{0}' has a port; send only the domain")]
    Port(String),
    /// User name or password before an `@`.
    #[error("'{0}' {what}; send only the domain", what = user_words(.0))]
    UserInfo(String),
    /// An URL of a scheme other than http or https.
    #[error("'{0}' is not an http or https address")]
    Scheme(String),
    /// Longer than RFC 1035 allows.
    #[error("the name is {0} characters long; at most 253 are allowed")]
    TooLong(usize),
    /// One label only, such as `localhost`.
    #[error("'{0}' has no top-level domain")]
    SingleLabel(String),
    /// Anything else that no host name may hold.
    #[error("'{0}' is not a domain name{why}", why = why(.0))]
    Malformed(String),
}

impl DomainName {
    /// Reads a domain as people write it: `Example.com`, `https://www.example.com/contact`, `münchen.de`.
    pub fn parse(input: &str) -> Result<Self, InvalidDomain> {
        let text = input.trim();
        if text.is_empty() {
            return Err(InvalidDomain::Empty);
        }
        let shown = || shorten(text);
        let host = host_of(text)?;
        if is_ipv6_like(host) || host.trim_end_matches('.').parse::<IpAddr>().is_ok() {
            return Err(InvalidDomain::IpAddress(shown()));
        }
        if let Some((before, port)) = host.rsplit_once(':') {
            let is_port = port.bytes().all(|b| b.is_ascii_digit());
            return Err(match before.parse::<IpAddr>() {
                Ok(_) if is_port => InvalidDomain::IpAddress(shown()),
                _ if is_port => InvalidDomain::Port(shown()),
                _ => InvalidDomain::Malformed(shown()),
            });
        }
        let host = host.strip_suffix('.').unwrap_or(host);
        if host.len() > 4 * 253 {
            return Err(InvalidDomain::TooLong(host.chars().count()));
        }
        let ascii = to_ascii(host).ok_or_else(|| {
            let length = host.chars().count();
            if length > 253 {
                InvalidDomain::TooLong(length)
            } else {
                InvalidDomain::Malformed(shown())
            }
        })?;
        let name = without_www(&ascii);
        if name.len() > 253 {
            return Err(InvalidDomain::TooLong(name.len()));
        }
        check_labels(name, &shown)?;
        Ok(Self(name.to_owned()))
    }

    /// The stored form: ASCII, punycode where needed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form for people: Unicode where the punycode is valid, else the stored form.
    pub fn readable(&self) -> String {
        let (unicode, result) = idna::domain_to_unicode(&self.0);
        if result.is_ok() { unicode } else { self.0.clone() }
    }
}

/// An email address, or a URL with a user name.
fn user_words(text: &str) -> &'static str {
    if text.contains(['/', ':']) {
        "has a user name"
    } else {
        "is an email address"
    }
}

/// Why a text is not a domain name, if one character or label shows it.
fn why(text: &str) -> String {
    let start = web_scheme(text).map_or(text, |(_, rest)| rest);
    let host = start.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let is_refused =
        |letter: &char| letter.is_ascii() && !letter.is_ascii_alphanumeric() && !matches!(letter, '-' | '.');
    if let Some(letter) = host.chars().find(is_refused) {
        return match letter {
            ' ' => ": it contains a space".to_owned(),
            letter if letter.is_control() => ": it contains a control character".to_owned(),
            letter => format!(": '{letter}' is not allowed"),
        };
    }
    let labels: Vec<&str> = host.trim_end_matches('.').split('.').collect();
    let has = |is_wrong: fn(&str) -> bool| labels.iter().any(|label| is_wrong(label));
    if has(|label| label.len() > 63 && label.is_ascii()) {
        ": a label is longer than 63 characters".to_owned()
    } else if has(|label| label.starts_with('-') || label.ends_with('-')) {
        ": a label begins or ends with a hyphen".to_owned()
    } else if labels.len() > 1 && has(str::is_empty) {
        ": it has an empty label".to_owned()
    } else {
        String::new()
    }
}

/// Cuts scheme, default port, path, query and fragment away, as browsers do (WHATWG URL): `https:a.com` and
/// `http:/a.com` name a host, and a scheme that was pasted twice counts once.
fn host_of(text: &str) -> Result<&str, InvalidDomain> {
    let (mut scheme, mut rest) = (None, text);
    while let Some((name, after)) = web_scheme(rest) {
        (scheme, rest) = (Some(name), after);
    }
    if scheme.is_none() {
        if text.contains("://") {
            return Err(InvalidDomain::Scheme(shorten(text)));
        }
        rest = text.strip_prefix("//").unwrap_or(text);
    }
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let host = &rest[..end];
    if host.contains('@') {
        return Err(InvalidDomain::UserInfo(shorten(text)));
    }
    if host.is_empty() {
        return Err(InvalidDomain::Malformed(shorten(text)));
    }
    let default_port = match scheme {
        Some(WebScheme::Http) => ":80",
        Some(WebScheme::Https) => ":443",
        None => return Ok(host),
    };
    Ok(host.strip_suffix(default_port).unwrap_or(host))
}

#[derive(Clone, Copy)]
enum WebScheme {
    Http,
    Https,
}

/// The scheme that a text begins with, and what follows its slashes.
fn web_scheme(text: &str) -> Option<(WebScheme, &str)> {
    let (name, rest) = text.split_once(':')?;
    let scheme = match () {
        () if name.eq_ignore_ascii_case("http") => WebScheme::Http,
        () if name.eq_ignore_ascii_case("https") => WebScheme::Https,
        () => return None,
    };
    Some((scheme, rest.trim_start_matches(['/', '\\'])))
}

/// Whether a host with colons is an IPv6 address, with or without brackets.
fn is_ipv6_like(host: &str) -> bool {
    let inner = host.strip_prefix('[').unwrap_or(host);
    let address = inner.split([']', '%']).next().unwrap_or_default();
    address.matches(':').count() >= 2
        && address
            .bytes()
            .all(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.'))
}

/// UTS 46 processing to lower-case ASCII, strict about what a host name may hold.
fn to_ascii(host: &str) -> Option<String> {
    let plain = host
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
    if plain
        && !host
            .to_ascii_lowercase()
            .split('.')
            .any(|label| label.starts_with("xn--"))
    {
        return Some(host.to_ascii_lowercase());
    }
    idna::domain_to_ascii_cow(host.as_bytes(), idna::AsciiDenyList::STD3)
        .ok()
        .map(std::borrow::Cow::into_owned)
}

/// Removes one leading `www.`, but only if a whole domain is left (`www.com` is a domain itself).
fn without_www(name: &str) -> &str {
    name.strip_prefix("www.")
        .filter(|rest| rest.contains('.'))
        .unwrap_or(name)
}

fn check_labels(name: &str, shown: &dyn Fn() -> String) -> Result<(), InvalidDomain> {
    let labels: Vec<&str> = name.split('.').collect();
    let malformed = |label: &&str| {
        label.is_empty()
            || label.len() > 63
            || label.starts_with('-')
            || label.ends_with('-')
            || !label
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    if labels.iter().any(malformed) {
        return Err(InvalidDomain::Malformed(shown()));
    }
    let last = labels.last().copied().unwrap_or_default();
    // WHATWG URL, "ends in a number": such a host is parsed as an IPv4 address by every client.
    if last.bytes().all(|b| b.is_ascii_digit()) || (last.starts_with("0x") && labels.len() <= 4) {
        return Err(InvalidDomain::IpAddress(shown()));
    }
    if labels.len() < 2 {
        return Err(InvalidDomain::SingleLabel(shown()));
    }
    if !last.starts_with("xn--") && (last.len() < 2 || !last.bytes().all(|b| b.is_ascii_alphabetic())) {
        return Err(InvalidDomain::Malformed(shown()));
    }
    Ok(())
}

/// Echoes at most 80 characters of what was sent.
fn shorten(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for DomainName {
    type Error = InvalidDomain;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<DomainName> for String {
    fn from(domain: DomainName) -> Self {
        domain.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(input: &str) -> String {
        DomainName::parse(input).unwrap().as_str().to_owned()
    }

    #[test]
    fn one_site_is_one_domain_however_it_is_pasted() {
        for input in [
            "example.com",
            " Example.COM ",
            "https://www.example.com/contact?x=1#f",
            "http://example.com",
            "HTTPS://EXAMPLE.COM/",
            "//example.com/a",
            "www.example.com",
            "example.com.",
            "example.com/about",
            "example.com?x",
            "https:example.com",
            "http:/example.com",
            "https:///example.com/",
            "https:\\\\example.com\\x",
            "https://https://example.com",
            "http://https://www.example.com/a",
            "https://example.com:443/",
            "http://example.com:80",
        ] {
            assert_eq!(parsed(input), "example.com", "{input}");
        }
    }

    #[test]
    fn only_one_www_is_dropped_and_never_the_name_itself() {
        assert_eq!(parsed("www.www.example.com"), "www.example.com");
        assert_eq!(parsed("www.com"), "www.com");
        assert_eq!(parsed("awww.com"), "awww.com");
    }

    #[test]
    fn international_names_are_stored_as_punycode_and_shown_readable() {
        for input in [
            "münchen.de",
            "MÜNCHEN.DE",
            "xn--mnchen-3ya.de",
            "https://www.münchen.de/x",
        ] {
            assert_eq!(parsed(input), "xn--mnchen-3ya.de", "{input}");
        }
        assert_eq!(DomainName::parse("münchen.de").unwrap().readable(), "münchen.de");
        assert_eq!(parsed("例え.テスト"), "xn--r8jz45g.xn--zckzah");
    }

    #[test]
    fn names_with_hyphens_and_digits_pass() {
        for input in ["a--b.com", "1und1.de", "3.14.example.com", "x.co", "a.b-c.museum"] {
            assert_eq!(parsed(input), input);
        }
    }

    #[test]
    fn an_error_says_what_is_wrong_with_the_name() {
        for (input, words) in [
            (
                "exa_mple.com",
                "'exa_mple.com' is not a domain name: '_' is not allowed",
            ),
            (
                "not a domain",
                "'not a domain' is not a domain name: it contains a space",
            ),
            (
                "-a.com",
                "'-a.com' is not a domain name: a label begins or ends with a hyphen",
            ),
            ("a..com", "'a..com' is not a domain name: it has an empty label"),
            (
                "info@example.com",
                "'info@example.com' is an email address; send only the domain",
            ),
            (
                "user:pw@example.com",
                "'user:pw@example.com' has a user name; send only the domain",
            ),
        ] {
            assert_eq!(DomainName::parse(input).unwrap_err().to_string(), words);
        }
        let long = format!("{}.com", "a".repeat(64));
        let error = DomainName::parse(&long).unwrap_err().to_string();
        assert!(
            error.ends_with(": a label is longer than 63 characters"),
            "{error}"
        );
    }

    type Wanted = fn(&InvalidDomain) -> bool;

    #[test]
    fn what_is_not_a_domain_is_refused_with_its_own_reason() {
        use InvalidDomain as E;
        let long = format!("{}.com", "a.".repeat(130));
        let cases: &[(&str, Wanted)] = &[
            ("", |e| matches!(e, E::Empty)),
            ("   ", |e| matches!(e, E::Empty)),
            ("127.0.0.1", |e| matches!(e, E::IpAddress(_))),
            ("http://[::1]/", |e| matches!(e, E::IpAddress(_))),
            ("::1", |e| matches!(e, E::IpAddress(_) | E::Port(_))),
            ("2130706433", |e| matches!(e, E::IpAddress(_))),
            ("0x7f.1", |e| matches!(e, E::IpAddress(_))),
            ("0x7f000001", |e| matches!(e, E::IpAddress(_))),
            ("127.1", |e| matches!(e, E::IpAddress(_))),
            ("１２７.0.0.1", |e| matches!(e, E::IpAddress(_))),
            ("example.com:8080", |e| matches!(e, E::Port(_))),
            ("example.com:80", |e| matches!(e, E::Port(_))),
            ("http://example.com:443/", |e| matches!(e, E::Port(_))),
            ("http://127.0.0.1:80/", |e| matches!(e, E::IpAddress(_))),
            ("[::1]:80", |e| matches!(e, E::IpAddress(_))),
            ("fe80::1%eth0", |e| matches!(e, E::IpAddress(_))),
            ("[\"example.com\"", |e| matches!(e, E::Malformed(_))),
            ("[example.com]", |e| matches!(e, E::Malformed(_))),
            ("ftp:example.com", |e| matches!(e, E::Malformed(_))),
            ("https:", |e| matches!(e, E::Malformed(_))),
            ("https://https://", |e| matches!(e, E::Malformed(_))),
            ("user:pw@example.com", |e| matches!(e, E::UserInfo(_))),
            ("info@example.com", |e| matches!(e, E::UserInfo(_))),
            ("ftp://example.com", |e| matches!(e, E::Scheme(_))),
            ("javascript://example.com", |e| matches!(e, E::Scheme(_))),
            ("localhost", |e| matches!(e, E::SingleLabel(_))),
            ("not a domain", |e| matches!(e, E::Malformed(_))),
            ("exa_mple.com", |e| matches!(e, E::Malformed(_))),
            ("-a.com", |e| matches!(e, E::Malformed(_))),
            ("a-.com", |e| matches!(e, E::Malformed(_))),
            ("a..com", |e| matches!(e, E::Malformed(_))),
            (".com", |e| matches!(e, E::Malformed(_))),
            ("example.c0m", |e| matches!(e, E::Malformed(_))),
            ("https://", |e| matches!(e, E::Malformed(_))),
            ("xn--a.com", |e| matches!(e, E::Malformed(_))),
            ("a\u{0}b.com", |e| matches!(e, E::Malformed(_))),
            (&long, |e| matches!(e, E::TooLong(_))),
        ];
        for (input, expected) in cases {
            let error = DomainName::parse(input).expect_err(input);
            assert!(expected(&error), "{input}: {error:?}");
        }
    }

    #[test]
    fn labels_and_names_end_at_the_limits_of_rfc_1035() {
        let label = "a".repeat(63);
        assert!(DomainName::parse(&format!("{label}.com")).is_ok());
        assert!(DomainName::parse(&format!("{label}a.com")).is_err());
        let name = format!("{label}.{label}.{label}.{}.com", "a".repeat(57));
        assert_eq!(name.len(), 253);
        assert!(DomainName::parse(&name).is_ok());
        assert_eq!(
            DomainName::parse(&format!("b{name}")),
            Err(InvalidDomain::TooLong(254))
        );
    }

    #[test]
    fn serde_goes_through_parse() {
        assert!(serde_json::from_str::<DomainName>("\"127.0.0.1\"").is_err());
        let domain: DomainName = serde_json::from_str("\"Example.com\"").unwrap();
        assert_eq!(serde_json::to_string(&domain).unwrap(), "\"example.com\"");
    }
}
