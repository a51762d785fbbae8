//! Resolves names to addresses by DNS; the guard decides which of them may be used.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures::future::BoxFuture;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{CLOUDFLARE, GOOGLE, LookupIpStrategy, NameServerConfig, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;

use super::error::{FetchError, FetchSetupError};
use super::records::{self, RecordKind, RecordsError};

/// A source of addresses of names.
pub(super) trait Names: Send + Sync {
    /// All addresses of a name, none checked.
    fn addresses<'a>(&'a self, host: &'a str) -> BoxFuture<'a, Result<Vec<IpAddr>, FetchError>>;

    /// Its other records. A resolver of addresses only has none.
    fn records<'a>(
        &'a self,
        _host: &'a str,
        _kind: RecordKind,
    ) -> BoxFuture<'a, Result<Vec<String>, RecordsError>> {
        Box::pin(async { Err(RecordsError::NotAsked) })
    }
}

/// DNS, through the name servers of the settings, else the system's.
pub(super) struct SystemNames(TokioResolver);

impl SystemNames {
    pub(super) fn new(servers: &[SocketAddr]) -> Result<Self, FetchSetupError> {
        let resolver = resolver(servers).map_err(|error| FetchSetupError::Resolver(error.into()))?;
        Ok(Self(resolver))
    }
}

impl Names for SystemNames {
    fn addresses<'a>(&'a self, host: &'a str) -> BoxFuture<'a, Result<Vec<IpAddr>, FetchError>> {
        Box::pin(async move {
            // Rooted, so that the search list of resolv.conf is not used.
            let rooted = format!("{}.", host.trim_end_matches('.'));
            let found = self.0.lookup_ip(rooted.as_str()).await;
            Ok(found.map_err(|error| name_error(host, &error))?.iter().collect())
        })
    }

    fn records<'a>(
        &'a self,
        host: &'a str,
        kind: RecordKind,
    ) -> BoxFuture<'a, Result<Vec<String>, RecordsError>> {
        Box::pin(records::ask(&self.0, host, kind))
    }
}

/// The given name servers, else the system's; public ones where the system names none.
fn resolver(servers: &[SocketAddr]) -> Result<TokioResolver, NetError> {
    let system = || {
        TokioResolver::builder_tokio().unwrap_or_else(|error| {
            tracing::warn!("Cannot find the system's name servers ({error}); using public ones");
            let mut config = ResolverConfig::udp_and_tcp(&CLOUDFLARE);
            for server in ResolverConfig::udp_and_tcp(&GOOGLE).name_servers() {
                config.add_name_server(server.clone());
            }
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        })
    };
    let mut builder = if servers.is_empty() {
        system()
    } else {
        let servers = servers.iter().map(name_server).collect();
        let config = ResolverConfig::from_parts(None, Vec::new(), servers);
        TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
    };
    let options = builder.options_mut();
    options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    options.timeout = Duration::from_secs(3);
    options.attempts = 2;
    options.cache_size = 4096;
    builder.build()
}

fn name_server(address: &SocketAddr) -> NameServerConfig {
    let mut server = NameServerConfig::udp_and_tcp(address.ip());
    for connection in &mut server.connections {
        connection.port = address.port();
    }
    server
}

fn name_error(host: &str, error: &NetError) -> FetchError {
    let host = host.to_owned();
    if is_missing(error) {
        return FetchError::NameUnknown { host };
    }
    FetchError::ResolverSilent {
        host,
        cause: error.to_string(),
    }
}

/// Whether the answer is that there is nothing.
pub(super) fn is_missing(error: &NetError) -> bool {
    error.is_nx_domain() || (error.is_no_records_found() && !is_server_failure(error))
}

fn is_server_failure(error: &NetError) -> bool {
    use hickory_resolver::net::DnsError;
    use hickory_resolver::proto::op::ResponseCode;
    match error {
        NetError::Dns(DnsError::NoRecordsFound(missing)) => !matches!(
            missing.response_code,
            ResponseCode::NoError | ResponseCode::NXDomain
        ),
        _ => false,
    }
}
