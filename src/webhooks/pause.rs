//! The pause of deliveries to an endpoint after a failed attempt, and the rule when it has failed for so long that it
//! is disabled. (After a 410, which `attempt.rs` recognises, it is disabled immediately.) `deliver.rs` disables it.

use std::time::Duration;

/// Seconds after the first failed attempt, the second, and so on; the last applies to all further ones.
const PAUSES: [u64; 10] = [1, 5, 15, 60, 300, 900, 1800, 3600, 7200, 14_400];
/// An endpoint that has failed for this long, without a success, is disabled.
const DISABLED_AFTER: Duration = Duration::from_hours(24);
/// The part of a pause that is left to chance, so that endpoints that failed together do not come back together.
const JITTER: f64 = 0.25;

/// The pause after this many failed attempts in a row, or the one that the endpoint asked for if that is longer;
/// `chance` is from 0 to 1.
pub(super) fn after(failures: u32, chance: f64, asked: Option<Duration>) -> Duration {
    let place = usize::try_from(failures.saturating_sub(1)).unwrap_or(usize::MAX);
    let pause = PAUSES[place.min(PAUSES.len() - 1)];
    let longest = Duration::from_secs(PAUSES[PAUSES.len() - 1]);
    let varied = Duration::from_secs(pause).mul_f64(1.0 - JITTER + 2.0 * JITTER * chance);
    // Never earlier than the endpoint asked for.
    let varied = varied.max(asked.unwrap_or_default().min(longest));
    // PostgreSQL knows no nanoseconds.
    Duration::from_millis(u64::try_from(varied.as_millis()).unwrap_or(u64::MAX))
}

/// Whether an endpoint is disabled, so many seconds after the first of the attempts that failed in a row. Of an endpoint
/// without order this is asked for one event: if the endpoint took others since, only that event is given up (`retry.rs`).
pub(super) fn is_disabled_after(seconds_of_failures: f64) -> bool {
    seconds_of_failures > DISABLED_AFTER.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_disabled_after_a_day_of_failures() {
        assert!(!is_disabled_after(0.0) && !is_disabled_after(86_400.0));
        assert!(is_disabled_after(86_400.1));
    }

    #[test]
    fn pauses_grow_to_hours_and_vary() {
        assert_eq!(after(1, 0.5, None), Duration::from_secs(1));
        assert_eq!(after(2, 0.0, None), Duration::from_millis(3750));
        assert_eq!(after(2, 1.0, None), Duration::from_millis(6250));
        assert_eq!(after(99, 1.0, None), Duration::from_hours(5));
        let day: Duration = (1..=14).map(|failures| after(failures, 0.0, None)).sum();
        assert!(day > Duration::from_hours(12), "{day:?}");
        let asked = |seconds| after(1, 0.5, Some(Duration::from_secs(seconds)));
        assert_eq!(
            (asked(0), asked(90)),
            (Duration::from_secs(1), Duration::from_secs(90))
        );
        assert_eq!(asked(999_999), Duration::from_hours(4));
    }
}
