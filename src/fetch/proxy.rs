//! The proxy through which sites are fetched, if one is set.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

/// A proxy: `http` and `https` (CONNECT, RFC 9110, 9.3.6; plain http in absolute form), `socks5` (RFC 1928).
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyUrl(Url);

/// Why a text is not a proxy. The message does not repeat it, because it may contain a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a proxy such as http://proxy.example:3128 or socks5://127.0.0.1:1080")]
pub struct InvalidProxy;

impl FromStr for ProxyUrl {
    type Err = InvalidProxy;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text.trim()).map_err(|_| InvalidProxy)?;
        let is_known = matches!(url.scheme(), "http" | "https" | "socks5");
        let is_bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
        if !is_known || !is_bare || url.host_str().is_none_or(str::is_empty) {
            return Err(InvalidProxy);
        }
        Ok(Self(url))
    }
}

impl ProxyUrl {
    /// With name and password.
    pub(super) fn url(&self) -> &Url {
        &self.0
    }

    /// Whether it is given the names of sites and resolves them itself; else it is given addresses.
    pub(super) fn is_given_names(&self) -> bool {
        self.0.scheme() != "socks5"
    }

    /// Its name, if it is not an address: that is looked up, but not for a site of the same name.
    pub(super) fn name(&self) -> Option<String> {
        // Hosts of schemes like socks5 are not parsed as domains.
        let host = self.0.host_str()?;
        match Host::parse(host).ok()? {
            Host::Domain(name) => Some(name),
            Host::Ipv4(_) | Host::Ipv6(_) => None,
        }
    }
}

/// Without name and password.
impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, host) = (self.0.scheme(), self.0.host_str().unwrap_or_default());
        write!(f, "{scheme}://{host}")?;
        self.0.port().map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_a_scheme_and_a_host_and_its_password_is_not_shown() {
        for good in [
            "http://p.test:3128",
            "https://u:pw@p.test/",
            "socks5://127.0.0.1:1080",
        ] {
            let proxy: ProxyUrl = good.parse().unwrap();
            assert!(!format!("{proxy:?}").contains("pw"));
        }
        for bad in [
            "",
            "p.test:3128",
            "ftp://p.test",
            "socks5h://p.test",
            "http://p.test/path",
            "http://",
        ] {
            assert!(bad.parse::<ProxyUrl>().is_err(), "{bad}");
        }
        let name = |text: &str| text.parse::<ProxyUrl>().unwrap().name();
        assert_eq!(name("socks5://P.test:1").as_deref(), Some("p.test"));
        assert_eq!(name("socks5://127.0.0.1:1"), None);
        assert_eq!(name("http://[::1]:1"), None);
    }
}
