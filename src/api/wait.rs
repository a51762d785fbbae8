//! `Prefer: wait=N` (RFC 7240, 4.3): the response to a request for a scan can wait for the scan's end.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::ApiState;
use super::problem::Problem;
use super::watch::Watched;
use crate::values::TenantId;

/// Maximum number of seconds; larger values are clamped.
const MAX_SECONDS: u64 = 60;
/// Maximum number of waiting responses: half of the concurrent requests, so that others always have room.
const AT_ONCE: usize = 128;

/// The limit of responses that wait; clones share it.
#[derive(Clone, Debug)]
pub struct WaitSlots(Arc<Semaphore>);

impl Default for WaitSlots {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

/// The seconds that a request wants to wait; none if the preference is missing or invalid.
pub(super) fn asked(headers: &HeaderMap) -> Option<u64> {
    let values = headers.get_all("prefer").into_iter();
    let preferences = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','));
    // If a preference occurs twice, the first one counts (RFC 7240, 2).
    let mut waits = preferences.filter_map(|preference| {
        let (name, value) = preference.split(';').next()?.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("wait")
            .then(|| value.trim().trim_matches('"').to_owned())
    });
    let seconds: u64 = waits.next()?.parse().ok()?;
    Some(seconds.min(MAX_SECONDS))
}

/// `Preference-Applied`, for a response that waited.
pub(super) fn applied(seconds: u64) -> [(HeaderName, HeaderValue); 1] {
    let value = HeaderValue::from_str(&format!("wait={seconds}"));
    let value = value.expect("letters and digits");
    [(HeaderName::from_static("preference-applied"), value)]
}

/// The result of waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waited {
    /// The scan ended, with the event at this position.
    Ended(i64),
    /// The scan did not end in that time, or the server stops.
    TimedOut,
    /// There was no free slot: too many responses wait already.
    NoSlot,
}

/// Waits for the end of a scan. No connection is held meanwhile.
pub(super) async fn for_end(
    state: &ApiState,
    tenant: TenantId,
    scan: &str,
    seconds: u64,
) -> Result<Waited, Problem> {
    let Ok(_slot) = state.limits.waits.0.try_acquire() else {
        return Ok(Waited::NoSlot);
    };
    let until = Instant::now() + Duration::from_secs(seconds);
    let scan = Watched::Scan(scan.to_owned());
    let ended = state.watch.end_of(state, tenant, &scan);
    match tokio::time::timeout_at(until, ended).await {
        Ok(end) => Ok(end?.map_or(Waited::TimedOut, Waited::Ended)),
        Err(_) => Ok(Waited::TimedOut),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&'static str]) -> Option<u64> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("prefer", HeaderValue::from_static(value));
        }
        asked(&headers)
    }

    #[test]
    fn the_first_wait_counts_however_it_is_written() {
        assert_eq!(of(&["wait=10"]), Some(10));
        assert_eq!(of(&["respond-async, WAIT = \"7\"; x=y, wait=3"]), Some(7));
        assert_eq!(of(&["return=minimal", "wait=3"]), Some(3));
        assert_eq!(of(&["wait=3600"]), Some(60));
        assert_eq!(of(&["wait=0"]), Some(0));
        for nothing in [&["wait"][..], &["wait=soon"], &["wait=-1"], &["awaited=3"], &[]] {
            assert_eq!(of(nothing), None, "{nothing:?}");
        }
    }
}
