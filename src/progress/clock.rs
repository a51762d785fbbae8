//! Checks whether the clocks are right. Only displayed times depend on them; a wrong clock is reported.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::Serialize;
use sqlx::PgPool;

use super::ProgressError;

/// The tolerated difference: clocks are corrected by this much regularly.
const TOLERATED_SECONDS: f64 = 60.0;

/// A comparison of the clocks of this process, of the database and of the log.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClockCheck {
    /// This process's clock minus the database's.
    pub offset_seconds: f64,
    /// How far the time of the last event lies ahead of the database's clock.
    pub log_ahead_seconds: f64,
    /// How often recorded times went back, because the clock had been wrong.
    pub corrections: i64,
    /// The last of these places.
    pub last_correction: Option<Correction>,
}

/// Where recorded times go back.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Correction {
    /// The first event with an earlier time than the one before it.
    pub position: i64,
    /// The time of the one before it.
    pub was: DateTime<Utc>,
    /// Its own.
    pub became: DateTime<Utc>,
}

/// One row of the query: the database's time, how far the log is ahead, and the corrections.
type Row = (
    DateTime<Utc>,
    f64,
    i64,
    Option<i64>,
    Option<DateTime<Utc>>,
    Option<DateTime<Utc>>,
);

impl ClockCheck {
    /// Compares the clocks.
    pub async fn read(pool: &PgPool) -> Result<Self, ProgressError> {
        // Get a connection first, so that waiting for one does not count as network time.
        let mut connection = pool.acquire().await?;
        let asked = Utc::now();
        let (now, log_ahead_seconds, corrections, position, was, became): Row = sqlx::query_as(
            "select clock_timestamp(), \
                    case when isfinite(h.recorded_at) \
                         then greatest(extract(epoch from h.recorded_at - clock_timestamp()), 0) else 0 end::float8, \
                    (select count(*) from clock_correction), c.position, c.was, c.became \
               from log_head h \
               left join lateral (select * from clock_correction order by position desc limit 1) c on true",
        )
        .fetch_one(&mut *connection)
        .await?;
        let last_correction = position
            .zip(was.zip(became))
            .map(|(position, (was, became))| Correction {
                position,
                was,
                became,
            });
        Ok(Self {
            offset_seconds: offset(asked, now, Utc::now()),
            log_ahead_seconds,
            corrections,
            last_correction,
        })
    }

    /// Current problems, and what to do.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.offset_seconds.abs() > TOLERATED_SECONDS {
            problems.push(format!(
                "this machine's clock is {} the database's; correct the wrong clock (both are used for displayed times, \
                 neither affects the order of work)",
                distance(self.offset_seconds)
            ));
        }
        if self.log_ahead_seconds > TOLERATED_SECONDS {
            problems.push(format!(
                "the last event of the log is {} the database's clock: the clock is wrong, or it was wrong when that event was \
                 recorded; if it is right now, the next event has the right time again, and nothing is delayed",
                distance(self.log_ahead_seconds)
            ));
        }
        problems
    }

    /// Past errors of the clock.
    pub fn note(&self) -> Option<String> {
        let Correction {
            position,
            was,
            became,
        } = self.last_correction.as_ref()?;
        let time = |time: &DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
        let places = match self.corrections {
            1 => String::new(),
            count => format!("; the last of {count} such corrections"),
        };
        Some(format!(
            "the clock was corrected: at event {position} recorded times go back from {} to {}{places}",
            time(was),
            time(became)
        ))
    }
}

/// The offset of a clock that was read between two readings of ours; 0 if the duration of the request may explain it.
fn offset(asked: DateTime<Utc>, theirs: DateTime<Utc>, answered: DateTime<Utc>) -> f64 {
    let early = (asked - theirs).max(TimeDelta::zero());
    let late = (theirs - answered).max(TimeDelta::zero());
    (early - late).as_seconds_f64()
}

fn distance(seconds: f64) -> String {
    let (length, side) = (seconds.abs(), if seconds > 0.0 { "ahead of" } else { "behind" });
    let (number, unit) = match length {
        0.0..7200.0 => (length / 60.0, "minutes"),
        7200.0..172_800.0 => (length / 3600.0, "hours"),
        _ => (length / 86_400.0, "days"),
    };
    format!("{number:.0} {unit} {side}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn message(offset_seconds: f64, log_ahead_seconds: f64) -> String {
        let clock = ClockCheck {
            offset_seconds,
            log_ahead_seconds,
            corrections: 0,
            last_correction: None,
        };
        clock.problems().join("\n")
    }

    #[test]
    fn a_slow_answer_is_no_wrong_clock() {
        for (asked, theirs, answered, expected) in [
            (0, 0, 0, 0.0),
            (0, 90, 100, 0.0),
            (0, 90, 1, -89.0),
            (600, 0, 601, 600.0),
        ] {
            assert!((offset(at(asked), at(theirs), at(answered)) - expected).abs() < 1e-9);
        }
    }

    #[test]
    fn a_wrong_clock_is_told_with_its_direction_and_size() {
        assert_eq!(message(30.0, 59.0), "");
        assert!(message(600.0, 0.0).contains("10 minutes ahead of the database's"));
        assert!(message(-10_800.0, 0.0).contains("3 hours behind the database's"));
        assert!(message(0.0, 315_360_000.0).contains("3650 days ahead of the database's clock"));
    }
}
