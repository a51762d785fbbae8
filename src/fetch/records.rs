//! The DNS records of a name in addition to its addresses. They are only reported; no fetch depends on them.

use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::net::NetError;
use hickory_resolver::proto::rr::rdata::TXT;
use hickory_resolver::proto::rr::{RData, RecordType};

use super::Fetcher;
use super::names::is_missing;

/// Maximum number of records of a kind that are kept.
const MAX_RECORDS: usize = 30;
/// Bytes of one record that are kept.
const MAX_RECORD: usize = 2_000;
/// The time limit of a DNS query, including its retries.
const MAX_WAIT: Duration = Duration::from_secs(6);

/// A kind of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are those of DNS")]
pub enum RecordKind {
    A,
    Aaaa,
    Ns,
    Mx,
    Txt,
    Cname,
    Caa,
}

/// Why there is no DNS response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordsError {
    /// The settings give the host's address, or only the proxy resolves names.
    #[error("the settings do not allow this DNS query")]
    NotAsked,
    /// The site has email addresses at more domains than are looked up.
    #[error("only the first five other domains of a site's email addresses are looked up")]
    TooManyDomains,
    /// Nothing came.
    #[error("no answer in time")]
    NoAnswer,
    /// `SERVFAIL`, `REFUSED` and similar, and invalid responses.
    #[error("the name server failed")]
    Failed,
}

impl Fetcher {
    /// Whether records of a name may be queried. Hosts of `connect_to` are not DNS's, unless name servers are set.
    pub fn may_ask_records(&self, name: &str) -> bool {
        let settings = self.settings();
        let is_pinned = self.guard().pinned(name).is_some();
        settings.dns_records && !settings.proxy_resolves && (!is_pinned || !settings.name_servers.is_empty())
    }

    /// The records of one kind, as in a zone file (`10 mx.example.com`); none is an answer too.
    pub async fn records(&self, name: &str, kind: RecordKind) -> Result<Vec<String>, RecordsError> {
        if !self.may_ask_records(name) {
            return Err(RecordsError::NotAsked);
        }
        let asked = self.guard().names().records(name, kind);
        let found = tokio::time::timeout(MAX_WAIT, asked).await;
        let mut found = found.map_err(|_| RecordsError::NoAnswer)??;
        // The order of a DNS response is random. Mail servers are sorted by preference (RFC 5321, 5.1).
        found.sort_by_cached_key(|record| (preference(record, kind), record.clone()));
        found.truncate(MAX_RECORDS);
        Ok(found)
    }
}

fn preference(record: &str, kind: RecordKind) -> Option<u16> {
    let (first, _) = record.split_once(' ').filter(|_| kind == RecordKind::Mx)?;
    first.parse().ok()
}

/// Asks a resolver.
pub(super) async fn ask(
    resolver: &TokioResolver,
    name: &str,
    kind: RecordKind,
) -> Result<Vec<String>, RecordsError> {
    let record_type = match kind {
        RecordKind::A => RecordType::A,
        RecordKind::Aaaa => RecordType::AAAA,
        RecordKind::Ns => RecordType::NS,
        RecordKind::Mx => RecordType::MX,
        RecordKind::Txt => RecordType::TXT,
        RecordKind::Cname => RecordType::CNAME,
        RecordKind::Caa => RecordType::CAA,
    };
    // Rooted, so that the search list of resolv.conf is not used.
    let rooted = format!("{}.", name.trim_end_matches('.'));
    match resolver.lookup(rooted.as_str(), record_type).await {
        Ok(found) => Ok(found
            .answers()
            .iter()
            .filter(|record| record.record_type() == record_type)
            .filter_map(|record| shown(&record.data))
            .collect()),
        Err(error) if is_missing(&error) => Ok(Vec::new()),
        Err(NetError::Timeout) => Err(RecordsError::NoAnswer),
        Err(_) => Err(RecordsError::Failed),
    }
}

fn shown(data: &RData) -> Option<String> {
    let host = |name: &hickory_resolver::proto::rr::Name| {
        let text = name.to_ascii().to_ascii_lowercase();
        text.strip_suffix('.')
            .filter(|name| !name.is_empty())
            .unwrap_or(".")
            .to_owned()
    };
    let text = match data {
        RData::A(address) => address.0.to_string(),
        RData::AAAA(address) => address.0.to_string(),
        RData::NS(name) => host(&name.0),
        RData::CNAME(name) => host(&name.0),
        RData::MX(mx) => format!("{} {}", mx.preference, host(&mx.exchange)),
        RData::TXT(text) => joined(text),
        RData::CAA(caa) => format!("{} {}", caa.tag, String::from_utf8_lossy(&caa.value)),
        _ => return None,
    };
    Some(bounded(&text))
}

/// The strings of a record are one text (RFC 7208, 3.3).
fn joined(text: &TXT) -> String {
    let mut bytes = Vec::new();
    for part in &text.txt_data {
        bytes.extend_from_slice(part);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn bounded(text: &str) -> String {
    text[..text.floor_char_boundary(MAX_RECORD)].to_owned()
}
