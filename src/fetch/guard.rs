//! Decides which URLs and addresses may be requested, and resolves names only to permitted addresses.
//!
//! The client connects only to what [`Guard`] returns, so there is no second resolution that could return another
//! address (DNS rebinding). Hosts of `connect_to` are reached at the address in the settings, unchecked.
//!
//! This also holds with a `socks5` proxy, which gets a checked address. An `http` proxy gets a name and uses any of
//! its addresses, so all of them must be permitted. That the name resolves to the same addresses there is the proxy's
//! responsibility.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use super::address::is_public;
use super::error::{FetchError, FetchSetupError};
use super::names::{Names, SystemNames};
use super::proxy::ProxyUrl;
use super::settings::{ConnectTo, FetchSettings};

/// The rules for addresses, and the resolver that applies them.
pub(super) struct Guard {
    connect_to: Vec<ConnectTo>,
    allow_private: Vec<IpNet>,
    names: Arc<dyn Names>,
    proxy: Option<String>,
}

impl Guard {
    pub(super) fn new(settings: &FetchSettings) -> Result<Self, FetchSetupError> {
        Ok(Self::with_names(
            settings,
            Arc::new(SystemNames::new(&settings.name_servers)?),
        ))
    }

    /// The same with another resolver than DNS.
    pub(super) fn with_names(settings: &FetchSettings, names: Arc<dyn Names>) -> Self {
        Self {
            connect_to: settings.connect_to.clone(),
            allow_private: settings.allow_private.clone(),
            names,
            proxy: settings.proxy.as_ref().and_then(ProxyUrl::name),
        }
    }

    /// The resolver.
    pub(super) fn names(&self) -> &dyn Names {
        &*self.names
    }

    /// The address of a host in the settings.
    pub(super) fn pinned(&self, host: &str) -> Option<SocketAddr> {
        let rule = self.connect_to.iter().find(|rule| rule.matches(host))?;
        Some(rule.address)
    }

    /// Checks a URL before its name is resolved: scheme, literal address, port.
    pub(super) async fn check(&self, url: &Url) -> Result<(), FetchError> {
        let forbidden = |why: String| FetchError::Forbidden {
            url: url.to_string(),
            why,
        };
        if !matches!(url.scheme(), "http" | "https") {
            return Err(forbidden(format!("{} is neither http nor https", url.scheme())));
        }
        let literal = match url.host() {
            None => return Err(forbidden("it has no host".to_owned())),
            Some(Host::Domain(name)) if self.pinned(name).is_some() => return Ok(()),
            Some(Host::Domain(_)) => None,
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        };
        if let Some(address) = literal
            && !self.permits(address)
        {
            return Err(forbidden(format!("{address} is not a public address")));
        }
        if matches!(url.port(), None | Some(80 | 443)) || self.may_use_any_port(url, literal).await? {
            return Ok(());
        }
        Err(forbidden("only the ports 80 and 443 are allowed".to_owned()))
    }

    /// Other ports are for the private networks of the settings.
    async fn may_use_any_port(&self, url: &Url, literal: Option<IpAddr>) -> Result<bool, FetchError> {
        if self.allow_private.is_empty() {
            return Ok(false);
        }
        if let Some(address) = literal {
            return Ok(self.is_allowed_private(address));
        }
        let addresses = self.lookup_site(url.host_str().unwrap_or_default()).await?;
        Ok(addresses
            .iter()
            .all(|address| self.is_allowed_private(address.ip())))
    }

    /// The addresses that the client may connect to for a host; port 0 stands for the scheme's own. The proxy may be
    /// anywhere: every site is looked up as a site, too, before it is requested through one.
    pub(super) async fn lookup(&self, host: &str) -> Result<Vec<SocketAddr>, FetchError> {
        if self.proxy.as_deref() == Some(host) {
            let found = self.names.addresses(host).await?;
            return Ok(found.iter().map(|address| SocketAddr::new(*address, 0)).collect());
        }
        self.lookup_site(host).await
    }

    /// The addresses of a site that may be connected to.
    async fn lookup_site(&self, host: &str) -> Result<Vec<SocketAddr>, FetchError> {
        if let Some(address) = self.pinned(host) {
            return Ok(vec![address]);
        }
        let found = self.all_addresses(host).await?;
        let permitted: Vec<SocketAddr> = found
            .iter()
            .filter(|address| self.permits(**address))
            .map(|address| SocketAddr::new(*address, 0))
            .collect();
        if permitted.is_empty() {
            return Err(not_public(host, found[0]));
        }
        Ok(permitted)
    }

    /// Checks a site before it is requested through the proxy.
    ///
    /// Where another party chooses among its addresses, all of them must be permitted. That is so for a
    /// proxy that is given names, and for a site with the proxy's own name, whose addresses [`lookup`](Self::lookup)
    /// gives out unchecked.
    pub(super) async fn check_through(&self, proxy: &ProxyUrl, host: &str) -> Result<(), FetchError> {
        if self.pinned(host).is_some() {
            return Ok(());
        }
        if !proxy.is_given_names() && self.proxy.as_deref() != Some(host) {
            return self.lookup_site(host).await.map(drop);
        }
        let found = self.all_addresses(host).await?;
        match found.into_iter().find(|address| !self.permits(*address)) {
            Some(address) => Err(not_public(host, address)),
            None => Ok(()),
        }
    }

    /// What its name resolves to, none checked; at least one address.
    async fn all_addresses(&self, host: &str) -> Result<Vec<IpAddr>, FetchError> {
        let found = self.names.addresses(host).await?;
        if found.is_empty() {
            return Err(FetchError::NameUnknown {
                host: host.to_owned(),
            });
        }
        Ok(found)
    }

    fn permits(&self, address: IpAddr) -> bool {
        is_public(address) || self.is_allowed_private(address)
    }

    fn is_allowed_private(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.allow_private.iter().any(|net| net.contains(&address))
    }
}

fn not_public(host: &str, address: IpAddr) -> FetchError {
    FetchError::Forbidden {
        url: host.to_owned(),
        why: format!("its address {address} is not public"),
    }
}

/// The guard as the client's resolver: our error is wrapped in the client's error and extracted again.
pub(super) struct GuardedResolve(pub(super) Arc<Guard>);

impl Resolve for GuardedResolve {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = Arc::clone(&self.0);
        Box::pin(async move {
            let addresses = guard.lookup(name.as_str()).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(connect_to: &[&str], allow_private: &[&str]) -> Guard {
        Guard::new(&FetchSettings {
            connect_to: connect_to.iter().map(|rule| rule.parse().unwrap()).collect(),
            allow_private: allow_private.iter().map(|net| net.parse().unwrap()).collect(),
            ..FetchSettings::default()
        })
        .unwrap()
    }

    async fn passes(guard: &Guard, url: &str) -> bool {
        guard.check(&Url::parse(url).unwrap()).await.is_ok()
    }

    #[tokio::test]
    async fn literal_addresses_are_refused_in_any_notation() {
        let guard = guard(&[], &[]);
        for url in [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://[::1]/",
            "http://[::ffff:10.0.0.1]/",
            "http://169.254.169.254/latest/meta-data/",
            "http://[fd00:ec2::254]/",
        ] {
            assert!(!passes(&guard, url).await, "{url}");
        }
        assert!(passes(&guard, "http://1.1.1.1/").await);
    }

    #[tokio::test]
    async fn other_schemes_and_ports_are_refused() {
        let guard = guard(&[], &[]);
        for url in [
            "ftp://example.com/",
            "file:///etc/passwd",
            "http://example.com:22/",
            "https://1.1.1.1:8443/",
        ] {
            assert!(!passes(&guard, url).await, "{url}");
        }
        assert!(passes(&guard, "http://example.com:443/").await);
    }

    #[tokio::test]
    async fn private_networks_of_the_settings_are_allowed_on_any_port() {
        let guard = guard(&[], &["127.0.0.0/8"]);
        assert!(passes(&guard, "http://127.0.0.1:8080/").await);
        assert!(!passes(&guard, "http://10.0.0.1/").await);
    }

    #[tokio::test]
    async fn pinned_hosts_are_reached_where_the_settings_say() {
        let guard = guard(&["*.farm.test=127.0.0.1:18443"], &[]);
        assert!(passes(&guard, "http://a.farm.test:8080/").await);
        assert_eq!(
            guard.lookup("a.farm.test").await.unwrap(),
            ["127.0.0.1:18443".parse().unwrap()]
        );
    }

    #[tokio::test]
    async fn a_name_for_the_loopback_address_is_refused() {
        let error = guard(&[], &[]).lookup("localhost").await.unwrap_err();
        assert!(matches!(error, FetchError::Forbidden { .. }), "{error}");
    }
}
