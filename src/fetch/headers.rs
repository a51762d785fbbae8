//! The headers of a response as plain text, so that other modules do not need the HTTP crate's types.

use std::time::Duration;

use chrono::{DateTime, FixedOffset, Utc};

use crate::values::revisit::Validators;

/// A longer `ETag` is not kept.
const MAX_VALIDATOR: usize = 512;

/// Header fields in the order received; names lower case, values with invalid UTF-8 read as Latin-1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// Headers from pairs; names are converted to lower case.
    pub fn new(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(
            pairs
                .into_iter()
                .map(|(name, value)| (name.to_ascii_lowercase(), value))
                .collect(),
        )
    }

    /// The first value of a header, by its lower-case name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// All fields.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The media type without parameters, lower case.
    pub fn media_type(&self) -> Option<String> {
        let value = self.get("content-type")?;
        let media = value.split(';').next().unwrap_or_default().trim();
        (!media.is_empty()).then(|| media.to_ascii_lowercase())
    }

    /// The `charset` of `Content-Type`.
    pub fn charset(&self) -> Option<&str> {
        let value = self.get("content-type")?;
        value.split(';').skip(1).find_map(|parameter| {
            let (name, label) = parameter.split_once('=')?;
            name.trim()
                .eq_ignore_ascii_case("charset")
                .then(|| label.trim().trim_matches(['"', '\'']))
        })
    }

    /// The validators for a later conditional request of the same URL (RFC 9110, 8.8), if there are any.
    ///
    /// A `Last-Modified` that is not before the answer is left out: the file may change within the same second and keep
    /// it (8.8.2.2), and some servers send the time of the answer.
    pub fn validators(&self) -> Option<Validators> {
        let is_old = match (self.date("last-modified"), self.date("date")) {
            (Some(modified), Some(answered)) => modified < answered,
            (Some(modified), None) => modified < Utc::now(),
            (None, _) => false,
        };
        let sound = |value: &&str| (1..=MAX_VALIDATOR).contains(&value.len()) && value.is_ascii();
        let text = |name| self.get(name).map(str::trim).filter(sound).map(str::to_owned);
        let validators = Validators {
            etag: text("etag"),
            last_modified: text("last-modified").filter(|_| is_old),
        };
        (validators != Validators::default()).then_some(validators)
    }

    fn date(&self, name: &str) -> Option<DateTime<FixedOffset>> {
        DateTime::parse_from_rfc2822(self.get(name)?.trim()).ok()
    }

    /// Bytes of the fields as HTTP/1.1 writes them.
    pub(super) fn bytes(&self) -> u64 {
        self.iter()
            .map(|(name, value)| (name.len() + value.len() + 4) as u64)
            .sum()
    }

    /// `Retry-After` as a time to wait, at most a day (RFC 9110, 10.2.3). A date refers to the server's clock, which is
    /// known from `Date`; `now` is for servers that do not send it.
    pub fn retry_after(&self, now: DateTime<Utc>) -> Option<Duration> {
        let value = self.get("retry-after")?.trim();
        let wait = if let Ok(seconds) = value.parse() {
            Duration::from_secs(seconds)
        } else {
            let until = DateTime::parse_from_rfc2822(value).ok()?;
            let sent = self.date("date").map_or(now, |sent| sent.to_utc());
            (until.to_utc() - sent).to_std().unwrap_or_default()
        };
        Some(wait.min(Duration::from_hours(24)))
    }
}

impl From<&reqwest::header::HeaderMap> for Headers {
    fn from(map: &reqwest::header::HeaderMap) -> Self {
        Self(
            map.iter()
                .map(|(name, value)| (name.as_str().to_owned(), text_of(value.as_bytes())))
                .collect(),
        )
    }
}

fn text_of(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(
        |_| bytes.iter().map(|byte| char::from(*byte)).collect(),
        str::to_owned,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &str, value: &str) -> Headers {
        Headers::new([(name.to_owned(), value.to_owned())])
    }

    #[test]
    fn the_content_type_is_taken_apart() {
        let found = headers("Content-Type", "Text/HTML ; Charset=\"ISO-8859-1\"");
        assert_eq!(found.media_type().as_deref(), Some("text/html"));
        assert_eq!(found.charset(), Some("ISO-8859-1"));
    }

    #[test]
    fn a_validator_is_kept_if_something_can_be_asked_by_it() {
        let of = |pairs: &[(&str, &str)]| {
            let pairs = pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            Headers::new(pairs).validators()
        };
        let (then, now) = ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:38 GMT");
        let kept = of(&[("ETag", "W/\"a\""), ("Last-Modified", then), ("Date", now)]).unwrap();
        assert_eq!(
            (kept.etag.as_deref(), kept.last_modified.as_deref()),
            (Some("W/\"a\""), Some(then))
        );
        assert_eq!(of(&[("Last-Modified", now), ("Date", now)]), None);
        assert_eq!(of(&[("Last-Modified", "yesterday"), ("ETag", "")]), None);
        assert_eq!(of(&[("ETag", &"x".repeat(1000))]), None);
        assert!(of(&[("Last-Modified", then)]).is_some());
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        let now = DateTime::parse_from_rfc2822("Sun, 06 Nov 1994 08:49:37 GMT")
            .unwrap()
            .to_utc();
        let wait = |value| headers("retry-after", value).retry_after(now);
        assert_eq!(wait("120"), Some(Duration::from_mins(2)));
        assert_eq!(
            wait("Sun, 06 Nov 1994 08:50:07 GMT"),
            Some(Duration::from_secs(30))
        );
        assert_eq!(wait("Sun, 06 Nov 1994 08:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(wait("soon"), None);
        let by_its_own_clock = Headers::new([
            ("date".to_owned(), "Sun, 06 Nov 2044 08:49:37 GMT".to_owned()),
            (
                "retry-after".to_owned(),
                "Sun, 06 Nov 2044 08:49:57 GMT".to_owned(),
            ),
        ]);
        assert_eq!(by_its_own_clock.retry_after(now), Some(Duration::from_secs(20)));
    }
}
