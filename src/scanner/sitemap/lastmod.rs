//! Reads dates in the shapes found in sitemaps.

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, Utc};

/// A date as W3C date (`2005-01-01`) or date-time in UTC (`2005-01-01T10:20:30Z`); `None` if it is none, or one
/// that can be read in two ways (`01/02/2005`).
pub(super) fn normalise(text: &str) -> Option<String> {
    let text = text.trim();
    if let Some(normal) = already_normal(text) {
        return Some(normal);
    }
    let text = text.find('[').map_or(text, |zone_name| &text[..zone_name]);
    if let Some(date) = date_only(text) {
        return Some(date.format("%Y-%m-%d").to_string());
    }
    let instant = with_zone(text).or_else(|| without_zone(text))?;
    Some(shorten_fraction(
        instant.to_rfc3339_opts(SecondsFormat::AutoSi, true),
    ))
}

/// The two shapes that nearly all sitemaps have, a date and a date-time in UTC, by their bytes alone.
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
    // Whether a month has more than 28 days is left to the calendar.
    let is_date =
        is(4, b'-') && is(7, b'-') && year > 0 && (1..=12).contains(&month) && (1..=28).contains(&day);
    if is_date && bytes.len() == 10 {
        return Some(text.to_owned());
    }
    let (hour, minute, second) = (number(11, 2)?, number(14, 2)?, number(17, 2)?);
    let is_time = is(10, b'T') && is(13, b':') && is(16, b':') && hour < 24 && minute < 60 && second < 60;
    let is_utc = matches!(&bytes[19..], b"Z" | b"+00:00");
    (is_date && is_time && is_utc).then(|| format!("{}Z", &text[..19]))
}

fn date_only(text: &str) -> Option<NaiveDate> {
    let number = |part: &str| -> Option<u32> {
        let plain = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| part.parse().ok())?
    };
    let parts: Vec<&str> = if text.len() == 8 && text.is_ascii() {
        match number(text) {
            Some(_) => vec![&text[..4], &text[4..6], &text[6..]],
            None => text.split('-').collect(),
        }
    } else {
        text.split('-').collect()
    };
    let (year, rest) = parts.split_first()?;
    if year.len() != 4 || rest.len() > 2 || rest.iter().any(|part| part.len() > 2) {
        return None;
    }
    let month = rest.first().map_or(Some(1), |part| number(part))?;
    let day = rest.get(1).map_or(Some(1), |part| number(part))?;
    NaiveDate::from_ymd_opt(i32::try_from(number(year)?).ok()?, month, day)
        .filter(|_| number(year) != Some(0))
}

fn with_zone(text: &str) -> Option<DateTime<Utc>> {
    const FORMS: &[&str] = &[
        "%Y-%m-%dT%H:%M:%S%.f%#z",
        "%Y-%m-%dT%H:%M%#z",
        "%Y-%m-%d %H:%M:%S%.f %#z",
    ];
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Some(instant.to_utc());
    }
    // `Sat, 01 Jan …` or `1 Jan …`.
    if text.contains(' ')
        && let Ok(instant) = DateTime::parse_from_rfc2822(text)
    {
        return Some(instant.to_utc());
    }
    let utc = text.strip_suffix(['Z', 'z']).map(|time| format!("{time}+00:00"));
    let text = utc.as_deref().unwrap_or(text);
    FORMS
        .iter()
        .find_map(|form| DateTime::parse_from_str(text, form).ok())
        .map(|instant| instant.to_utc())
}

fn without_zone(text: &str) -> Option<DateTime<Utc>> {
    const FORMS: &[&str] = &[
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%d %H:%M",
    ];
    FORMS
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
        .map(|time| time.and_utc())
}

/// `.450Z` is `.45Z`.
fn shorten_fraction(text: String) -> String {
    match text.split_once('.') {
        Some((seconds, fraction)) => {
            let digits = fraction.trim_end_matches('Z').trim_end_matches('0');
            format!("{seconds}.{digits}Z")
        }
        None => text,
    }
}
