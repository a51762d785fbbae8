//! The messages between workers and dispatchers: JSON, compressed with zstd if they may be long.

use std::io::Read;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::FleetError;
use crate::log::body::MAX_CONTENT;
use crate::tasks::ClaimedTask;
use crate::tasks::workers::WorkerSighting;
use crate::values::report::SiteReport;
use crate::values::sitemap::SitemapUrl;
use crate::values::{ScanId, TenantId};
use crate::worker::Job;

/// The protocol version. A dispatcher refuses workers with another one.
pub const PROTOCOL: u32 = 1;

/// The most tasks that a worker gets at a time: the database gives them out one claim after the other, and the answer has to
/// fit into a message.
pub(super) const MAX_CLAIMED: usize = 1000;

/// Names the scan in a result's headers, so that it can be failed if nothing else of the result can be read.
pub(super) const SCAN: &str = "Sitelog-Scan";
/// The fence of the attempt, likewise.
pub(super) const FENCE: &str = "Sitelog-Fence";
/// The object that holds the result, where it is too large for the message.
pub(super) const OBJECT: &str = "Sitelog-Object";

/// Any request, with its worker.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Request<T> {
    pub(super) protocol: u32,
    pub(super) worker: WorkerSighting,
    pub(super) body: T,
}

/// A response, or why there is none.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer<T> {
    Done(T),
    /// The worker's release is another one.
    OtherRelease {
        needed: String,
    },
    /// The dispatcher could not do it.
    Failed {
        error: String,
        #[serde(rename = "may_pass")]
        is_transient: bool,
    },
}

/// Asks for tasks.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ClaimRequest {
    pub(super) wanted: usize,
}

/// A task that is the worker's while the lease holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Claim {
    pub(super) scan_id: ScanId,
    pub(super) tenant: TenantId,
    pub(super) host: String,
    pub(super) fence: i64,
}

impl From<&ClaimedTask> for Claim {
    fn from(task: &ClaimedTask) -> Self {
        Self {
            scan_id: task.scan_id,
            tenant: task.tenant,
            host: task.host.clone(),
            fence: task.fence,
        }
    }
}

impl From<Claim> for ClaimedTask {
    fn from(claim: Claim) -> Self {
        Self::received(claim.scan_id, claim.tenant, claim.host, claim.fence)
    }
}

/// Starts an attempt.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct BeginRequest {
    pub(super) scan_id: ScanId,
    pub(super) fence: i64,
}

/// What becomes of it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Begun {
    Scan {
        job: Box<Job>,
        /// The URLs of each sitemap in `job.kept`.
        urls: Vec<Vec<SitemapUrl>>,
        /// The number of the attempt.
        attempt: u32,
    },
    Ended,
    Superseded,
}

/// Renews leases and returns others.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct BeatRequest {
    pub(super) held: Vec<Claim>,
    /// Tasks that another worker may take at once.
    pub(super) given_back: Vec<Claim>,
    /// Whether the worker stops.
    pub(super) leaves: bool,
}

/// The fences that still hold.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct BeatAnswer {
    pub(super) held: Vec<i64>,
}

/// What an attempt read.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ScanResult {
    pub(super) worker: WorkerSighting,
    /// The number of the attempt; without one, the running attempt.
    pub(super) attempt: Option<u32>,
    /// From the claim to the delivery.
    pub(super) took: Duration,
    pub(super) cooldown: Duration,
    pub(super) report: SiteReport,
}

/// JSON.
pub(super) fn encode<T: Serialize>(message: &T) -> Vec<u8> {
    serde_json::to_vec(message).expect("messages are plain data")
}

/// JSON, in zstd.
pub(super) fn pack<T: Serialize>(message: &T) -> Vec<u8> {
    /// As for bodies of the log: URL lists shrink about tenfold.
    const LEVEL: i32 = 1;
    zstd::bulk::compress(&encode(message), LEVEL).expect("compressing into memory cannot fail")
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, FleetError> {
    serde_json::from_slice(bytes).map_err(|error| FleetError::Unreadable(error.to_string()))
}

/// Decompresses a message, up to the maximum size of the log.
pub(super) fn unpack<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, FleetError> {
    let unreadable = |error: &dyn std::fmt::Display| FleetError::Unreadable(error.to_string());
    let limit = u64::try_from(MAX_CONTENT).unwrap_or(u64::MAX);
    let decoder = zstd::Decoder::with_buffer(bytes).map_err(|error| unreadable(&error))?;
    let mut content = Vec::new();
    let read = decoder.take(limit + 1).read_to_end(&mut content);
    if read.map_err(|error| unreadable(&error))? > MAX_CONTENT {
        return Err(unreadable(&format_args!("it has more than {MAX_CONTENT} bytes")));
    }
    decode(&content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::FailureReason;

    fn result() -> ScanResult {
        ScanResult {
            worker: WorkerSighting {
                name: "w".into(),
                version: "1".into(),
                concurrency: 1,
                over_nats: true,
            },
            attempt: Some(3),
            took: Duration::from_millis(1500),
            cooldown: Duration::ZERO,
            report: SiteReport::failed(FailureReason::TlsFailed, "no".into()),
        }
    }

    #[test]
    fn a_result_survives_the_way() {
        let there: ScanResult = unpack(&pack(&result())).unwrap();
        assert_eq!(
            (there.attempt, there.took),
            (Some(3), Duration::from_millis(1500))
        );
        assert_eq!(there.report.outcome.unwrap_err().reason, FailureReason::TlsFailed);
    }

    #[test]
    fn what_is_no_result_is_refused() {
        let packed = pack(&result());
        for bad in [&b""[..], b"{}", &packed[..packed.len() / 2], &pack(&"text")] {
            assert!(unpack::<ScanResult>(bad).is_err());
        }
        // 300 MB of spaces in a few kilobytes.
        let mut bomb = zstd::Encoder::new(Vec::new(), 1).unwrap();
        let spaces = vec![b' '; 1024 * 1024];
        for _ in 0..300 {
            std::io::Write::write_all(&mut bomb, &spaces).unwrap();
        }
        let error = unpack::<ScanResult>(&bomb.finish().unwrap()).unwrap_err();
        assert!(error.to_string().contains("more than"), "{error}");
    }
}
