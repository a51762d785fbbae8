//! What is an address that reaches someone, by its two parts (lower case).

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

/// Whether both parts are formed as those of addresses in use are (narrower than RFC 5321).
pub(super) fn is_address(local: &str, domain: &str) -> bool {
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

/// Whether an address stands for one that is still to be filled in, or is a machine's id.
pub(super) fn is_placeholder(local: &str, domain: &str) -> bool {
    let hashed = local.len() >= 20 && local.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let machinery = NOT_CONTACTS
        .iter()
        .any(|known| domain == *known || domain.ends_with(&format!(".{known}")));
    let escaped = local.starts_with("u003") || local.starts_with("x3e") || local.contains('%');
    // The login of `git@host:owner/repository`.
    let is_login = local == "git" && ["github.com", "gitlab.com", "bitbucket.org"].contains(&domain);
    hashed
        || machinery
        || escaped
        || is_login
        || matches!(
            local,
            "you" | "your" | "youremail" | "your-email" | "yourname" | "your.name" | "name@" | "user@"
        )
}

/// Whether a domain ends as the public suffix list knows domains to end.
pub(super) fn has_known_suffix(domain: &str) -> bool {
    psl::suffix(domain.as_bytes()).is_some_and(|suffix| suffix.is_known())
}

/// Characters of a local part that texts use without quotes.
pub(super) fn is_local(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '%' | '+' | '-' | '\'')
}
