//! Which hosts belong to one site.

use url::{Host, Url};

/// Whether two URLs have the same registrable domain (public suffix list); IP addresses must be equal.
pub fn same_site(one: &Url, other: &Url) -> bool {
    match (one.host(), other.host()) {
        (Some(Host::Domain(one)), Some(Host::Domain(other))) => {
            one == other || registrable(one) == registrable(other)
        }
        (one, other) => one == other,
    }
}

/// The registrable domain of a host, or the host itself if it has none.
pub fn registrable(host: &str) -> &str {
    psl::domain_str(host).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(one: &str, other: &str) -> bool {
        same_site(&Url::parse(one).unwrap(), &Url::parse(other).unwrap())
    }

    #[test]
    fn subdomains_are_one_site_and_neighbours_under_a_public_suffix_are_not() {
        assert!(same("https://www.example.co.uk/", "http://cdn.example.co.uk/x"));
        assert!(!same("https://a.co.uk/", "https://b.co.uk/"));
        assert!(!same("https://a.github.io/", "https://b.github.io/"));
        assert!(!same("http://1.2.3.4/", "http://2.2.3.4/"));
    }
}
