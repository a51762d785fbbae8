//! Log lines about a database that does not respond. Every request then fails with the same error, so one line every
//! ten seconds reports it, with the number of requests that failed since the previous line.

use std::collections::HashMap;
use std::error::Error;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_secs(10);

/// When a line was last written, and how many were left out since.
type Written = HashMap<&'static str, (Instant, u64)>;

/// Writes a warning, unless the same one was written within the last ten seconds.
pub(super) fn warn(error: &(dyn Error + 'static), message: &'static str) {
    static WRITTEN: LazyLock<Mutex<Written>> = LazyLock::new(Mutex::default);
    let repeated = repeated(
        &mut WRITTEN.lock().unwrap_or_else(PoisonError::into_inner),
        message,
        Instant::now(),
    );
    if let Some(repeated) = repeated {
        tracing::warn!(error, repeated, "{message}");
    }
}

/// How many lines were left out before this one; `None` if it is left out as well.
fn repeated(written: &mut Written, message: &'static str, now: Instant) -> Option<u64> {
    match written.get_mut(message) {
        Some((last, left_out)) if now.duration_since(*last) < PAUSE => {
            *left_out += 1;
            None
        }
        _ => Some(
            written
                .insert(message, (now, 0))
                .map_or(0, |(_, left_out)| left_out),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_in_ten_seconds_says_how_many_were_left_out() {
        let (mut written, start) = (Written::new(), Instant::now());
        let mut after =
            |seconds, message| repeated(&mut written, message, start + Duration::from_secs(seconds));
        assert_eq!(after(0, "keys"), Some(0));
        assert_eq!(after(1, "keys"), None);
        assert_eq!(after(1, "log"), Some(0));
        assert_eq!(after(9, "keys"), None);
        assert_eq!(after(10, "keys"), Some(2));
        assert_eq!(after(30, "keys"), Some(0));
    }
}
