//! Parses dates in the formats found in sitemaps.

use std::sync::LazyLock;

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveTime, SecondsFormat, TimeDelta, Utc};
use regex::{Captures, Regex};

/// A date as W3C date (`2005-01-01`) or date-time in UTC (`2005-01-01T10:20:30Z`); `None` if it is not a date, or
/// ambiguous (`01/02/2005`). A time without a zone counts as UTC.
pub(super) fn normalise(text: &str) -> Option<String> {
    if let Some(normal) = already_normal(text) {
        return Some(normal);
    }
    // `[Europe/Berlin]` and `(Central European Time)` repeat the offset.
    let text = text.split(['[', '(']).next().unwrap_or_default().trim();
    if let Some(instant) = standard(text) {
        return is_sensible(instant.date_naive()).then(|| written(instant));
    }
    let Some(clock) = CLOCK.captures(text) else {
        let (date, _) = date(text)?;
        return is_sensible(date).then(|| date.format("%Y-%m-%d").to_string());
    };
    let found = clock.get(0)?;
    let rest = format!("{} {}", &text[..found.start()], &text[found.end()..]);
    let (date, is_whole) = date(&rest)?;
    let time = date.and_time(time_of_day(&clock)?) - zone(&clock)?;
    (is_whole && is_sensible(date)).then(|| written(time.and_utc()))
}

/// The two forms that nearly all sitemaps use, a date and a date-time in UTC, recognised by their bytes alone.
fn already_normal(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let number = |at: usize, length: usize| -> Option<u32> {
        bytes.get(at..at + length)?.iter().try_fold(0, |value, digit| {
            digit
                .is_ascii_digit()
                .then(|| value * 10 + u32::from(digit - b'0'))
        })
    };
    let is = |at: usize, byte: u8| bytes.get(at) == Some(&byte);
    let (year, month, day) = (number(0, 4)?, number(5, 2)?, number(8, 2)?);
    // Later days than the 28th need the calendar.
    let is_date =
        is(4, b'-') && is(7, b'-') && year >= 1000 && (1..=12).contains(&month) && (1..=28).contains(&day);
    if is_date && bytes.len() == 10 {
        return Some(text.to_owned());
    }
    let (hour, minute, second) = (number(11, 2)?, number(14, 2)?, number(17, 2)?);
    let is_time = is(10, b'T') && is(13, b':') && is(16, b':') && hour < 24 && minute < 60 && second < 60;
    let is_utc = matches!(&bytes[19..], b"Z" | b"+00:00");
    (is_date && is_time && is_utc).then(|| [&text[..19], "Z"].concat())
}

/// RFC 3339 and RFC 2822 (`Sat, 01 Jan 2005 10:20:30 GMT`).
fn standard(text: &str) -> Option<DateTime<Utc>> {
    let instant = DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_rfc2822(text));
    instant.ok().map(|instant| instant.to_utc())
}

/// Whether the year has four digits: for a missing date, software writes year 1 or earlier (`-0001-11-30`).
fn is_sensible(date: NaiveDate) -> bool {
    use chrono::Datelike;
    (1000..=9999).contains(&date.year())
}

/// A time of day with its fraction, half of the day and zone: `T10:20:30.5+01:00`, `8:53:11 AM`, `10:20 UTC`.
static CLOCK: LazyLock<Regex> = LazyLock::new(|| {
    let clock = r"(?xi) (?:^|[T\s,]+) (?:at\s+)? (?<hour>\d{1,2}) : (?<minute>\d{2}) (?: : (?<second>\d{2}) (?: [.,] (?<fraction>\d{1,9}) \d* )? )?
        (?: \s* (?<half>[ap]) \.? m (?-u:\b) \.? )?
        (?: \s* (?: (?: UTC | GMT | Z ) (?-u:\b) )? \s* (?<offset> [+-] \d{1,2} (?: :? \d{2} )? (?-u:\b) )? (?: \s* (?: UTC | GMT ) (?-u:\b) )? )";
    Regex::new(clock).expect("a constant expression")
});

fn time_of_day(clock: &Captures<'_>) -> Option<NaiveTime> {
    let number = |name: &str| {
        clock
            .name(name)
            .map_or(Some(0), |part| part.as_str().parse::<u32>().ok())
    };
    let hour = number("hour")?;
    let half = clock.name("half").map(|half| half.as_str().to_ascii_lowercase());
    let hour = match (half.as_deref(), hour) {
        (Some("a"), 12) => 0,
        (Some("a"), 13..) => return None,
        (Some("p"), 0..12) => hour + 12,
        _ => hour,
    };
    let fraction = clock.name("fraction").map_or("", |part| part.as_str());
    let nanoseconds = format!("{fraction:0<9}").parse().ok()?;
    NaiveTime::from_hms_nano_opt(hour, number("minute")?, number("second")?, nanoseconds)
}

/// The offset of a time from UTC.
fn zone(clock: &Captures<'_>) -> Option<TimeDelta> {
    let Some(offset) = clock.name("offset") else {
        return Some(TimeDelta::zero());
    };
    let (sign, digits) = offset.as_str().split_at(1);
    let digits = digits.replace(':', "");
    let (hours, minutes) = if digits.len() > 2 {
        digits.split_at(digits.len() - 2)
    } else {
        (digits.as_str(), "0")
    };
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let seconds = (hours * 60 + minutes) * 60 * if sign == "-" { -1 } else { 1 };
    FixedOffset::east_opt(seconds).map(|_| TimeDelta::seconds(seconds.into()))
}

/// A date with its parts in any unambiguous order, and whether it names a day.
fn date(text: &str) -> Option<(NaiveDate, bool)> {
    let text = text.trim_matches(|character: char| character.is_whitespace() || character == ',');
    if let Some(date) = compact(text) {
        return Some((date, true));
    }
    let parts: Vec<&str> = text.split(['-', '/', '.']).collect();
    let number = |part: &str| -> Option<u32> {
        let is_number = (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| part.parse().ok())?
    };
    let numbers: Option<Vec<u32>> = parts.iter().map(|part| number(part)).collect();
    let is_year = |at: usize| parts.get(at).is_some_and(|part| part.len() == 4);
    let day = |year: u32, month, day| NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day);
    let found = match numbers.as_deref() {
        Some([year]) if is_year(0) => (day(*year, 1, 1)?, false),
        Some([year, month]) if is_year(0) => (day(*year, *month, 1)?, false),
        Some([year, month, of_month]) if is_year(0) => (day(*year, *month, *of_month)?, true),
        Some([first, second, year]) if is_year(2) => {
            // Unambiguous only if one of the two cannot be a month, or both are the same.
            if *first > 12 || first == second {
                (day(*year, *second, *first)?, true)
            } else if *second > 12 {
                (day(*year, *first, *second)?, true)
            } else {
                return None;
            }
        }
        _ => (with_month_name(text)?, true),
    };
    Some(found)
}

/// `20050101`.
fn compact(text: &str) -> Option<NaiveDate> {
    let is_compact = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    is_compact.then(|| NaiveDate::parse_from_str(text, "%Y%m%d").ok())?
}

/// `May 8, 2024`, `08-May-2024`, `Wed May 08 2024`.
fn with_month_name(text: &str) -> Option<NaiveDate> {
    let (mut year, mut month, mut day) = (None, None, None);
    let words = text.split(|character: char| !character.is_ascii_alphanumeric());
    for word in words.filter(|word| !word.is_empty()) {
        let digits = word.bytes().take_while(u8::is_ascii_digit).count();
        let place = match (digits, &word[digits..]) {
            (0, name) => match (month_named(name), is_weekday(name)) {
                (Some(number), _) => {
                    if month.replace(number).is_some() {
                        return None;
                    }
                    continue;
                }
                (None, true) => continue,
                (None, false) => return None,
            },
            (4, "") => &mut year,
            (1 | 2, "" | "st" | "nd" | "rd" | "th") => &mut day,
            _ => return None,
        };
        if place.replace(word[..digits].parse::<u32>().ok()?).is_some() {
            return None;
        }
    }
    NaiveDate::from_ymd_opt(i32::try_from(year?).ok()?, month?, day?)
}

fn month_named(name: &str) -> Option<u32> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let at = MONTHS.iter().position(|month| is_short_for(name, month))?;
    u32::try_from(at + 1).ok()
}

fn is_weekday(name: &str) -> bool {
    const DAYS: [&str; 7] = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    DAYS.iter().any(|day| is_short_for(name, day))
}

fn is_short_for(name: &str, word: &str) -> bool {
    name.len() >= 3
        && word
            .get(..name.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(name))
}

/// A time in UTC, without zeros at the end of its fraction: `.45Z` instead of `.450Z`.
fn written(instant: DateTime<Utc>) -> String {
    let text = instant.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    match text.split_once('.') {
        Some((seconds, fraction)) => {
            let digits = fraction.trim_end_matches('Z').trim_end_matches('0');
            format!("{seconds}.{digits}Z")
        }
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_that_can_be_read_in_one_way_are_read() {
        for (text, wanted) in [
            ("2024-05-08", "2024-05-08"),
            ("2024", "2024-01-01"),
            ("2024-5", "2024-05-01"),
            ("2024/05/08", "2024-05-08"),
            ("2024/5/8 8:53", "2024-05-08T08:53:00Z"),
            ("2024.05.08", "2024-05-08"),
            ("20240508", "2024-05-08"),
            ("28.5.2024", "2024-05-28"),
            ("23/05/2024", "2024-05-23"),
            ("05/23/2024", "2024-05-23"),
            ("5/5/2024", "2024-05-05"),
            ("May 8, 2024", "2024-05-08"),
            ("8th May 2024", "2024-05-08"),
            ("08-May-2024", "2024-05-08"),
            ("Wednesday, 8 May 2024", "2024-05-08"),
            ("2024-05-08 10:00:00 UTC", "2024-05-08T10:00:00Z"),
            ("2024-05-08 10:00:00 +0000 UTC", "2024-05-08T10:00:00Z"),
            ("2024-05-08 10:00:00 GMT+2", "2024-05-08T08:00:00Z"),
            ("2024-05-08T10:00:00.4500+0200", "2024-05-08T08:00:00.45Z"),
            ("2024-05-08T10:00:00+02:00[Europe/Berlin]", "2024-05-08T08:00:00Z"),
            ("2024-05-08T10:00", "2024-05-08T10:00:00Z"),
            ("2024-05-08T10:00Z", "2024-05-08T10:00:00Z"),
            ("2024-05-08 8:53:11 AM", "2024-05-08T08:53:11Z"),
            ("5/23/2024 8:53:11 PM", "2024-05-23T20:53:11Z"),
            ("5/23/2024 12:53:11 AM", "2024-05-23T00:53:11Z"),
            ("May 23, 2024, 12:53 p.m.", "2024-05-23T12:53:00Z"),
            ("May 23, 2024 at 3:05pm", "2024-05-23T15:05:00Z"),
            ("Wed May  8 10:00:00 UTC 2024", "2024-05-08T10:00:00Z"),
            (
                "Wed May 08 2024 10:00:00 GMT+0200 (Central European Summer Time)",
                "2024-05-08T08:00:00Z",
            ),
            ("Wed, 08 May 2024 10:00:00 GMT", "2024-05-08T10:00:00Z"),
            ("1851-09-18T00:00:00-05:00", "1851-09-18T05:00:00Z"),
            ("2024-02-29T23:30:00-01:00", "2024-03-01T00:30:00Z"),
        ] {
            assert_eq!(normalise(text).as_deref(), Some(wanted), "{text}");
        }
    }

    #[test]
    fn dates_that_are_none_or_several_are_not() {
        for text in [
            "",
            "-0001-11-30T00:00:00+00:00",
            "-0001-11-30",
            "0000-00-00 00:00:00",
            "0001-01-01T00:00:00Z",
            "0001-01-01",
            "03/04/2024",
            "03.04.2024",
            "03/04/2024 8:53:11 AM",
            "08/05/24",
            "2024-13-01",
            "2024-02-30",
            "2024-05-08 25:00:00",
            "2024-05-08 13:00 AM",
            "2024-05-08T10:00:00+99:00",
            "2024-05 10:00",
            "May 2024 May",
            "tomorrow",
            "10:00",
            "2024-05-08 10:00:00 XYZ",
        ] {
            assert_eq!(normalise(text), None, "{text}");
        }
    }
}
