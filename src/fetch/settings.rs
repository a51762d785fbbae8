//! What may be set about fetching.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

/// How sites are asked.
#[derive(Clone, Debug)]
pub struct FetchSettings {
    /// Hosts that are reached at a given address instead of by DNS.
    pub connect_to: Vec<ConnectTo>,
    /// PEM file of certificates trusted besides the usual roots.
    pub extra_ca: Option<PathBuf>,
    /// Networks that are allowed although they are private.
    pub allow_private: Vec<IpNet>,
    /// Sent with each request.
    pub user_agent: String,
    /// Least time between two requests to one host.
    pub per_host_delay: Duration,
    /// For a TCP connection, TLS included.
    pub connect_timeout: Duration,
    /// From the request to the first byte of the answer.
    pub first_byte_timeout: Duration,
    /// Decoded bytes of an HTML page.
    pub max_page_bytes: u64,
}

/// One `PATTERN=ADDR:PORT` of `SITELOG_FETCH__CONNECT_TO`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectTo {
    /// `*.farm.test` (any depth below) or an exact host name.
    pub pattern: String,
    /// Where matching hosts are reached, TLS and plain.
    pub address: SocketAddr,
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
        }
    }
}
