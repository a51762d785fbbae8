//! The only module that sends requests to other servers.
//!
//! A [`Fetcher`] fetches one URL and follows its redirects. The address guard checks each hop, and connections are
//! made only to checked addresses. Bodies are streams with byte limits. What a response means (robots.txt, sitemap,
//! page) does not belong here.

mod address;
mod body;
mod budget;
mod certificate;
mod direct;
mod error;
mod fetcher;
mod forward;
mod guard;
mod headers;
mod names;
mod proxy;
mod records;
mod send_error;
pub mod settings;
mod storage;
#[cfg(test)]
pub mod test_dns;
#[cfg(test)]
pub mod test_site;
#[cfg(test)]
mod tests;
mod throttle;
mod tls;
#[cfg(test)]
mod wire_tests;

pub use address::is_public;
pub use body::{Body, Bytes, ReadBody};
pub use budget::Cost;
pub use direct::{Direct, DirectError};
pub use error::{FetchError, FetchSetupError, Phase};
pub use fetcher::{Answer, Fetcher, Limits};
pub use forward::{ForwardError, Forwarded, Forwarder};
pub use headers::Headers;
pub use proxy::{InvalidProxy, ProxyUrl};
pub use records::{RecordKind, RecordsError};
pub use settings::{ConnectTo, FetchSettings, InvalidConnectTo};
pub use storage::StorageClient;
