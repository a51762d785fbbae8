//! Schedules: words or a cron expression, in a time zone.
//!
//! All functions are pure: they get the times as arguments.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, Offset, TimeDelta, TimeZone, Utc, Weekday};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::nearest::{did_you_mean, nearest};

/// The default hour of a daily run.
const USUAL_HOUR: u32 = 3;
/// The shortest time from one occurrence of a cron expression to the next.
const SHORTEST: TimeDelta = TimeDelta::minutes(5);
/// Occurrences that are examined to find the shortest time between two.
const MAX_EXAMINED: usize = 400;
/// They are searched within this time, which holds each weekday of each month but few of the 29th of February.
const YEAR: TimeDelta = TimeDelta::days(366);
/// Maximum number of missed occurrences that are counted.
const MAX_MISSED: u32 = 1000;
/// Characters of a rhythm.
const MAX_LENGTH: usize = 100;
/// Local dates that are tried for the next occurrence of words: two months and some.
const DATES: u64 = 70;

/// The schedule.
#[derive(Clone, Debug)]
pub struct Rhythm {
    text: String,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Hourly,
    /// On some days, within an hour.
    Days(OnDays, u32),
    Cron(Box<Cron>),
}

#[derive(Clone, Copy, Debug)]
enum OnDays {
    All,
    Of(Weekday),
    /// Of the month; the last one where there is no such day.
    Number(u32),
}

/// Why a text is not a schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRhythm {
    /// Neither words nor cron.
    #[error(
        "the schedule '{0}' is unknown; it must be hourly, daily, daily at 6, weekly on monday, weekly on monday at 6, monthly, \
         monthly on 15, or a cron expression such as '30 6 * * 1-5'"
    )]
    Unknown(String),
    /// Cron, but not valid.
    #[error("the schedule '{0}' is not a valid cron expression: {1}")]
    Cron(String, String),
    /// Too often.
    #[error("the schedule '{0}' is due more often than every 5 minutes")]
    TooOften(String),
    /// Never.
    #[error("the schedule '{0}' is never due")]
    Never(String),
}

impl FromStr for Rhythm {
    type Err = InvalidRhythm;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
        let shown = || text.trim().chars().take(MAX_LENGTH).collect::<String>();
        if text.len() > MAX_LENGTH {
            return Err(InvalidRhythm::Unknown(shown()));
        }
        let parts: Vec<&str> = words.iter().map(String::as_str).collect();
        let kind = match of_words(&parts) {
            Some(kind) => kind,
            None if parts.len() == 5 => of_cron(&parts.join(" "), shown)?,
            None => return Err(InvalidRhythm::Unknown(shown())),
        };
        Ok(Self {
            text: parts.join(" "),
            kind,
        })
    }
}

fn of_words(words: &[&str]) -> Option<Kind> {
    if words == ["hourly"] {
        return Some(Kind::Hourly);
    }
    let (words, hour) = match words {
        [words @ .., "at", hour] => (words, hour.parse().ok().filter(|hour| *hour < 24)?),
        words => (words, USUAL_HOUR),
    };
    let days = match words {
        ["daily"] => OnDays::All,
        ["weekly"] => OnDays::Of(Weekday::Mon),
        ["weekly", "on", day] => OnDays::Of(day.parse().ok()?),
        ["monthly"] => OnDays::Number(1),
        ["monthly", "on", day] => OnDays::Number(day.parse().ok().filter(|day| (1..=31).contains(day))?),
        _ => return None,
    };
    Some(Kind::Days(days, hour))
}

/// What is wrong with a cron expression.
fn cron_words(text: &str) -> String {
    const FIELDS: [(&str, u32, u32); 5] = [
        ("minute", 0, 59),
        ("hour", 0, 23),
        ("day of the month", 1, 31),
        ("month", 1, 12),
        ("day of the week", 0, 7),
    ];
    let given: Vec<&str> = text.split_whitespace().collect();
    if given.len() != FIELDS.len() {
        return format!("it has {} fields instead of 5", given.len());
    }
    for (field, (name, least, most)) in given.iter().zip(FIELDS) {
        // The number behind a slash is a step.
        let values = field.split(',').filter_map(|part| part.split('/').next());
        for number in values.flat_map(|part| part.split('-')) {
            let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            let is_allowed = || {
                number
                    .parse()
                    .is_ok_and(|value: u32| (least..=most).contains(&value))
            };
            if is_number && !is_allowed() {
                return format!("the {name} {number} is out of range ({least} to {most})");
            }
        }
    }
    "the fields are minute, hour, day of the month, month and day of the week, each a number, a range (1-5), a list (1,15), \
     a step (*/10) or *"
        .to_owned()
}

fn of_cron(text: &str, shown: impl Fn() -> String) -> Result<Kind, InvalidRhythm> {
    let parser = CronParser::builder()
        .seconds(Seconds::Disallowed)
        .year(Year::Disallowed)
        .build();
    let cron = parser.parse(text);
    let cron = cron.map_err(|_| InvalidRhythm::Cron(shown(), cron_words(text)))?;
    // The same year for everybody: what is allowed does not depend on the day.
    let start = DateTime::UNIX_EPOCH + YEAR * 50;
    let mut before = None;
    for at in cron.iter_after(start).take(MAX_EXAMINED) {
        if before.is_some_and(|before| at - before < SHORTEST) {
            return Err(InvalidRhythm::TooOften(shown()));
        }
        before = Some(at);
        if at > start + YEAR {
            break;
        }
    }
    if before.is_none() {
        return Err(InvalidRhythm::Never(shown()));
    }
    Ok(Kind::Cron(Box::new(cron)))
}

impl Rhythm {
    /// Once a day.
    pub const DAILY: &str = "daily";

    /// The text in its usual form.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it gives exact times; words leave the minute open.
    pub fn is_exact(&self) -> bool {
        matches!(self.kind, Kind::Cron(_))
    }
}

impl PartialEq for Rhythm {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Rhythm {}

impl fmt::Display for Rhythm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Rhythm {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Rhythm {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A time zone of the IANA database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone(Tz);

/// A name that is not a time zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a time zone of the IANA database{suggestion}; names look like Europe/Berlin or America/New_York", suggestion = did_you_mean(*.1))]
pub struct UnknownZone(pub String, pub Option<&'static str>);

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(Tz::UTC);

    /// Its name.
    pub fn name(self) -> &'static str {
        self.0.name()
    }
}

impl FromStr for Zone {
    type Err = UnknownZone;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let zone = name.trim().parse().map(Self);
        zone.map_err(|_| {
            let shown: String = name.trim().chars().take(MAX_LENGTH).collect();
            // Not the short old names: `Eire` and `EST` resemble too much.
            let known = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
            let near = nearest(&shown, known.filter(|name| name.contains('/') || *name == "UTC"));
            UnknownZone(shown, near)
        })
    }
}

impl Serialize for Zone {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A schedule in a time zone, for one monitor.
#[derive(Clone, Debug)]
pub struct Schedule {
    rhythm: Rhythm,
    zone: Zone,
    /// Seconds into the hour, where the rhythm leaves them open.
    spread: i64,
}

/// The result of a check of a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueCheck {
    /// The occurrence that is due.
    pub due: Option<DateTime<Utc>>,
    /// Occurrences before it that were missed and are skipped; at most 1000 are counted.
    pub missed: u32,
    /// When to check again: the next occurrence. `None` if there is none.
    pub next: Option<DateTime<Utc>>,
}

impl Schedule {
    /// The schedule of one monitor: each has its own minute within the hour, always the same.
    pub fn new(rhythm: Rhythm, zone: Zone, id: Uuid) -> Self {
        let hash = Sha256::digest(id.as_bytes());
        let number = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]);
        Self {
            rhythm,
            zone,
            spread: i64::from(number % 3600),
        }
    }

    /// The first occurrence after a time.
    pub fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match &self.rhythm.kind {
            Kind::Hourly => {
                let into = (after.timestamp() - self.spread).rem_euclid(3600);
                DateTime::from_timestamp(after.timestamp() - into + 3600, 0)
            }
            Kind::Days(days, hour) => self.next_day(*days, *hour, after),
            Kind::Cron(cron) => {
                let after = after.with_timezone(&self.zone.0);
                let next = cron.find_next_occurrence(&after, false).ok()?;
                Some(next.to_utc())
            }
        }
    }

    /// Says what is due at `now`, if `last` was the last occurrence that was handled, and an earlier check planned the
    /// next one for `planned`.
    ///
    /// After a pause one occurrence is due, the latest, however many were missed. A `last` that is still to come was
    /// written under a wrong clock: the rhythm continues from `now`, and `planned` counts if it is earlier.
    pub fn check(&self, last: DateTime<Utc>, planned: Option<DateTime<Utc>>, now: DateTime<Utc>) -> DueCheck {
        let expected = self.next_after(last.min(now));
        let first = if last > now {
            [planned, expected].into_iter().flatten().min()
        } else {
            expected
        };
        let Some(first) = first.filter(|first| *first <= now) else {
            return DueCheck {
                due: None,
                missed: 0,
                next: first,
            };
        };
        let (due, missed) = self.latest(first, now);
        DueCheck {
            due: Some(due),
            missed,
            next: self.next_after(due.max(now)),
        }
    }

    /// The latest occurrence up to `now`, from the first one on, and how many were before it.
    fn latest(&self, first: DateTime<Utc>, now: DateTime<Utc>) -> (DateTime<Utc>, u32) {
        let (mut latest, mut missed) = (first, 0);
        while let Some(next) = self.next_after(latest).filter(|next| *next <= now) {
            latest = next;
            missed += 1;
            if missed >= MAX_MISSED {
                return (self.near_the_end(latest, now), missed);
            }
        }
        (latest, missed)
    }

    /// The same without going through all of them.
    fn near_the_end(&self, after: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
        let spans = [1, 24, 24 * 8, 24 * 40, 24 * 400].map(TimeDelta::hours);
        let starts = spans
            .into_iter()
            .map(|span| now - span)
            .filter(|start| *start > after);
        for start in starts.chain([after]) {
            let in_time = |next: &DateTime<Utc>| *next <= now;
            let Some(mut latest) = self.next_after(start).filter(in_time) else {
                continue;
            };
            while let Some(next) = self.next_after(latest).filter(in_time) {
                latest = next;
            }
            return latest;
        }
        after
    }

    fn next_day(&self, days: OnDays, hour: u32, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        // A day earlier, because an occurrence may be later than its local date says.
        let from = after.with_timezone(&self.zone.0).date_naive().pred_opt()?;
        let dates = (0..DATES).filter_map(|days| from.checked_add_days(Days::new(days)));
        dates
            .filter(|date| days.has(*date))
            .filter_map(|date| self.instant(date, hour))
            .find(|at| *at > after)
    }

    /// The moment of a local time. A local time that occurs twice means the first one. A local time that is skipped
    /// when clocks are set forward is moved later by the length of the gap.
    fn instant(&self, date: NaiveDate, hour: u32) -> Option<DateTime<Utc>> {
        let time = NaiveTime::from_hms_opt(hour, 0, 0)?;
        let local = date.and_time(time) + TimeDelta::seconds(self.spread);
        if let Some(at) = self.zone.0.from_local_datetime(&local).earliest() {
            return Some(at.to_utc());
        }
        let before = self
            .zone
            .0
            .offset_from_utc_datetime(&(local - TimeDelta::days(2)));
        let offset = TimeDelta::seconds(before.fix().local_minus_utc().into());
        Some((local - offset).and_utc())
    }
}

impl OnDays {
    fn has(self, date: NaiveDate) -> bool {
        match self {
            Self::All => true,
            Self::Of(day) => date.weekday() == day,
            Self::Number(day) => {
                let last = u32::from(date.num_days_in_month());
                date.day() == day.min(last)
            }
        }
    }
}

#[cfg(test)]
mod tests;
