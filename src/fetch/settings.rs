//! The settings of fetching.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;

use super::proxy::ProxyUrl;
use crate::values::findings::Budget;
use crate::values::site_files::SiteFileSet;

/// How sites are fetched.
#[derive(Clone, Debug)]
pub struct FetchSettings {
    /// Hosts with a given address instead of DNS.
    pub connect_to: Vec<ConnectTo>,
    /// PEM file of certificates trusted in addition to the usual roots.
    pub extra_ca: Option<PathBuf>,
    /// Networks that are allowed although they are private.
    pub allow_private: Vec<IpNet>,
    /// Sent with each request.
    pub user_agent: String,
    /// Minimum time between two requests to one host.
    pub per_host_delay: Duration,
    /// For a TCP connection, TLS included.
    pub connect_timeout: Duration,
    /// From the request to the first byte of the answer.
    pub first_byte_timeout: Duration,
    /// Decoded bytes of an HTML page.
    pub max_page_bytes: u64,
    /// The proxy for requests to sites, except hosts of `connect_to`. Proxies of the environment are not used.
    pub proxy: Option<ProxyUrl>,
    /// Whether only the proxy resolves names: then the guard does not see their addresses.
    pub proxy_resolves: bool,
    /// Name servers to use instead of the system's.
    pub name_servers: Vec<SocketAddr>,
    /// Whether DNS is queried for more than addresses.
    pub dns_records: bool,
    /// Files that each scan reads in addition to pages and sitemaps; `None` if no scan may read any, even on request.
    pub files: Option<SiteFileSet>,
    /// Maximum requests of one attempt, redirects included.
    pub max_requests: u64,
    /// Maximum bytes received in one attempt: header fields, and bodies before decoding.
    pub max_bytes: u64,
    /// Maximum time of one attempt.
    pub max_time: Duration,
}

/// One `PATTERN=ADDR:PORT` of `SITELOG_FETCH__CONNECT_TO`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectTo {
    /// `*.farm.test` (any depth below) or an exact host name.
    pub pattern: String,
    /// Where matching hosts are reached, TLS and plain.
    pub address: SocketAddr,
}

impl FetchSettings {
    /// The budget of one attempt.
    pub fn budget(&self) -> Budget {
        Budget {
            requests: self.max_requests,
            bytes: self.max_bytes,
            milliseconds: u64::try_from(self.max_time.as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// Whether the User-Agent names a contact.
    pub fn tells_contact(&self) -> bool {
        self.user_agent.contains("://") || self.user_agent.contains('@')
    }
}

impl Default for FetchSettings {
    fn default() -> Self {
        Self {
            connect_to: Vec::new(),
            extra_ca: None,
            allow_private: Vec::new(),
            user_agent: format!("sitelog/{}", env!("CARGO_PKG_VERSION")),
            per_host_delay: Duration::ZERO,
            connect_timeout: Duration::from_secs(5),
            first_byte_timeout: Duration::from_secs(15),
            max_page_bytes: 4 * 1024 * 1024,
            proxy: None,
            proxy_resolves: false,
            name_servers: Vec::new(),
            dns_records: true,
            files: Some(SiteFileSet::default()),
            max_requests: 1_000,
            max_bytes: 1024 * 1024 * 1024,
            max_time: Duration::from_mins(1),
        }
    }
}

/// Why a text is not `PATTERN=ADDR:PORT`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not PATTERN=ADDRESS:PORT, such as *.farm.test=127.0.0.1:18443")]
pub struct InvalidConnectTo(pub String);

impl FromStr for ConnectTo {
    type Err = InvalidConnectTo;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidConnectTo(text.to_owned());
        let (pattern, address) = text.trim().split_once('=').ok_or_else(invalid)?;
        let pattern = pattern.trim().trim_end_matches('.').to_ascii_lowercase();
        let name = pattern.strip_prefix("*.").unwrap_or(&pattern);
        if name.is_empty() || name.contains(['*', '/', ':', ' ']) {
            return Err(invalid());
        }
        Ok(Self {
            address: address.trim().parse().map_err(|_| invalid())?,
            pattern,
        })
    }
}

impl ConnectTo {
    /// Whether a host (lower case) is reached at this address.
    pub fn matches(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host);
        match self.pattern.strip_prefix('*') {
            Some(suffix) => host.len() > suffix.len() && host.ends_with(suffix),
            None => host == self.pattern,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_with_a_star_matches_at_any_depth_but_not_the_name_itself() {
        let farm: ConnectTo = "*.farm.test=127.0.0.1:18443".parse().unwrap();
        assert!(farm.matches("a.farm.test") && farm.matches("www.a.farm.test"));
        assert!(!farm.matches("farm.test") && !farm.matches("afarm.test"));
    }

    #[test]
    fn an_exact_name_matches_only_itself() {
        let exact: ConnectTo = "Example.com=[::1]:80".parse().unwrap();
        assert!(exact.matches("example.com") && !exact.matches("www.example.com"));
    }

    #[test]
    fn what_is_not_pattern_and_address_is_refused() {
        for text in [
            "",
            "a.test",
            "=1.2.3.4:1",
            "a.test=1.2.3.4",
            "a.*.test=1.2.3.4:1",
            "*.=1.2.3.4:1",
        ] {
            assert!(text.parse::<ConnectTo>().is_err(), "{text}");
        }
    }
}
