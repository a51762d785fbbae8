//! Sends the metrics of `/metrics` to a collector at an interval: OTLP over HTTP as JSON, with our own HTTP client.
//!
//! The values are parsed from the text of `/metrics`, so both are the same and a new metric is in both. The messages
//! follow the OTLP specification 1.x, section "JSON Protobuf Encoding": 64-bit integers are strings, enums are
//! numbers.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::future::BoxFuture;
use http::Request;
use serde_json::{Value, json};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::fetch::Direct;

/// `AGGREGATION_TEMPORALITY_CUMULATIVE`: values count from the start of the process.
const CUMULATIVE: u8 = 2;

/// Where metrics are sent, and how often.
#[derive(Clone, Debug)]
pub struct MetricExport {
    url: String,
    direct: Direct,
    every: Duration,
    started: SystemTime,
}

impl MetricExport {
    /// To a collector whose address is that of OTLP/HTTP (`http://collector:4318`).
    pub fn new(endpoint: &Url, every: Duration, direct: Direct) -> Self {
        Self {
            url: format!("{}/v1/metrics", endpoint.as_str().trim_end_matches('/')),
            direct,
            every,
            started: SystemTime::now(),
        }
    }

    /// Sends until it is stopped, and then once more. `read` returns the text of `/metrics`, or why there is none.
    pub async fn run(
        self,
        read: impl Fn() -> BoxFuture<'static, Result<String, String>>,
        stop: CancellationToken,
    ) {
        let mut ticks = interval(self.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut was_sent = true;
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = stop.cancelled() => {}
            }
            let sent = match read().await {
                Ok(text) => self.send(&text).await,
                Err(reason) => Err(reason),
            };
            match (&sent, was_sent) {
                // Only once per outage, so that a collector that is unavailable for a day does not fill the log.
                (Err(reason), true) => tracing::warn!("Cannot send metrics to {}: {reason}", self.url),
                (Ok(()), false) => tracing::info!("Metrics are sent to {} again", self.url),
                _ => {}
            }
            was_sent = sent.is_ok();
            if stop.is_cancelled() {
                return;
            }
        }
    }

    async fn send(&self, text: &str) -> Result<(), String> {
        let message = message(text, self.started, SystemTime::now());
        let request = Request::post(&self.url)
            .header("content-type", "application/json")
            .body(message.to_string().into_bytes())
            .map_err(|error| error.to_string())?;
        let answer = self.direct.send(request).await;
        let status = answer.map_err(|error| error.to_string())?.status();
        if status.is_success() {
            Ok(())
        } else {
            Err(format!("it answers HTTP {}", status.as_u16()))
        }
    }
}

/// A metric of the text: its kind, and its values by their labels.
#[derive(Debug, Default)]
struct Metric {
    kind: String,
    points: BTreeMap<Vec<(String, String)>, Point>,
}

/// One value, or one histogram.
#[derive(Debug, Default)]
struct Point {
    value: f64,
    /// Upper bounds, as they are written, with how many values are at most that.
    buckets: Vec<(String, u64)>,
    sum: f64,
    count: u64,
}

/// The OTLP message for a text in the Prometheus format.
fn message(text: &str, started: SystemTime, now: SystemTime) -> Value {
    let metrics: Vec<Value> = metrics(text)
        .iter()
        .map(|(name, metric)| metric_json(name, metric, started, now))
        .collect();
    json!({ "resourceMetrics": [{
        "resource": { "attributes": attributes(&[("service.name".to_owned(), "sitelog".to_owned())]) },
        "scopeMetrics": [{ "scope": { "name": "sitelog", "version": env!("CARGO_PKG_VERSION") }, "metrics": metrics }],
    }] })
}

fn metrics(text: &str) -> BTreeMap<String, Metric> {
    let mut found: BTreeMap<String, Metric> = BTreeMap::new();
    for line in text.lines() {
        if let Some(declared) = line.strip_prefix("# TYPE ") {
            if let Some((name, kind)) = declared.split_once(' ') {
                kind.trim()
                    .clone_into(&mut found.entry(name.to_owned()).or_default().kind);
            }
            continue;
        }
        let Some((series, value)) = line.rsplit_once(' ').filter(|_| !line.starts_with('#')) else {
            continue;
        };
        let (Ok(value), Some((name, mut labels))) = (value.parse::<f64>(), series_of(series)) else {
            tracing::warn!("A line of the metrics cannot be read: {line}");
            continue;
        };
        let part = ["_bucket", "_sum", "_count"].into_iter().find_map(|ending| {
            let base = name.strip_suffix(ending)?;
            let is_histogram = found.get(base).is_some_and(|metric| metric.kind == "histogram");
            is_histogram.then(|| (base.to_owned(), ending))
        });
        let (base, ending) = part.unwrap_or((name, ""));
        let mut bound = None;
        labels.retain(|(label, value)| {
            let is_bound = ending == "_bucket" && label == "le";
            if is_bound {
                bound = Some(value.clone());
            }
            !is_bound
        });
        let point = found.entry(base).or_default().points.entry(labels).or_default();
        match (ending, bound) {
            ("_bucket", Some(bound)) => point.buckets.push((bound, whole(value))),
            ("_sum", _) => point.sum = value,
            ("_count", _) => point.count = whole(value),
            _ => point.value = value,
        }
    }
    found
}

/// A count, which the text writes as every number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts are whole, not negative, and far below 2^53"
)]
fn whole(value: f64) -> u64 {
    value as u64
}

/// `name{label="value",…}`; values are escaped as the format says: `\\`, `\"` and `\n`.
fn series_of(series: &str) -> Option<(String, Vec<(String, String)>)> {
    let Some((name, rest)) = series.split_once('{') else {
        return Some((series.to_owned(), Vec::new()));
    };
    let mut rest = rest.strip_suffix('}')?;
    let mut labels = Vec::new();
    while !rest.is_empty() {
        let (label, after) = rest.split_once("=\"")?;
        let mut value = String::new();
        let mut characters = after.char_indices();
        let end = loop {
            match characters.next()? {
                (_, '\\') => match characters.next()?.1 {
                    'n' => value.push('\n'),
                    other => value.push(other),
                },
                (at, '"') => break at,
                (_, other) => value.push(other),
            }
        };
        labels.push((label.to_owned(), value));
        rest = after[end + 1..].trim_start_matches(',');
    }
    Some((name.to_owned(), labels))
}

fn metric_json(name: &str, metric: &Metric, started: SystemTime, now: SystemTime) -> Value {
    let (started, now) = (nanoseconds(started), nanoseconds(now));
    let unit = if name.ends_with("_seconds") {
        "s"
    } else if name.ends_with("_bytes") {
        "By"
    } else {
        ""
    };
    let points: Vec<Value> = metric
        .points
        .iter()
        .map(|(labels, point)| {
            let mut point_json = json!({ "attributes": attributes(labels), "timeUnixNano": now });
            if metric.kind != "gauge" {
                point_json["startTimeUnixNano"] = started.as_str().into();
            }
            if metric.kind == "histogram" {
                point_json["count"] = point.count.to_string().into();
                point_json["sum"] = point.sum.into();
                point_json["bucketCounts"] = bucket_counts(point);
                point_json["explicitBounds"] = bounds(point);
            } else {
                point_json["asDouble"] = point.value.into();
            }
            point_json
        })
        .collect();
    let data = match metric.kind.as_str() {
        "counter" => {
            json!({ "dataPoints": points, "aggregationTemporality": CUMULATIVE, "isMonotonic": true })
        }
        "histogram" => json!({ "dataPoints": points, "aggregationTemporality": CUMULATIVE }),
        _ => json!({ "dataPoints": points }),
    };
    let kind = match metric.kind.as_str() {
        "counter" => "sum",
        "histogram" => "histogram",
        _ => "gauge",
    };
    json!({ "name": name, "unit": unit, kind: data })
}

/// Counts of each bucket alone, where the text has those of all up to it; the last one is beyond all bounds.
fn bucket_counts(point: &Point) -> Value {
    let mut before = 0;
    let each = point.buckets.iter().map(|(_, up_to)| {
        let alone = up_to.saturating_sub(before);
        before = *up_to;
        alone.to_string()
    });
    each.collect::<Vec<_>>().into()
}

fn bounds(point: &Point) -> Value {
    let finite = point
        .buckets
        .iter()
        .filter_map(|(bound, _)| bound.parse::<f64>().ok().filter(|bound| bound.is_finite()));
    finite.collect::<Vec<_>>().into()
}

fn attributes(labels: &[(String, String)]) -> Value {
    let attributes = labels
        .iter()
        .map(|(name, value)| json!({ "key": name, "value": { "stringValue": value } }));
    attributes.collect::<Vec<_>>().into()
}

fn nanoseconds(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_nanos().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"# HELP a_total Of some kind.
# TYPE a_total counter
a_total{route="/a/{id}",status="2xx"} 3
a_total{route="say \"hi\", \\ \n",status="}"} 1

# TYPE lag gauge
lag 1.5
# TYPE took_seconds histogram
took_seconds_bucket{stage="home",le="0.1"} 2
took_seconds_bucket{stage="home",le="1"} 2
took_seconds_bucket{stage="home",le="+Inf"} 5
took_seconds_sum{stage="home"} 12.25
took_seconds_count{stage="home"} 5
# TYPE plain_count gauge
plain_count 7
"#;

    #[test]
    fn a_message_says_what_the_text_does() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        let message = message(TEXT, at(1), at(2));
        let of = |name: &str| {
            let metrics = &message["resourceMetrics"][0]["scopeMetrics"][0]["metrics"];
            let mut metrics = metrics.as_array().unwrap().iter();
            metrics.find(|metric| metric["name"] == name).unwrap().clone()
        };
        let counter = &of("a_total")["sum"];
        assert_eq!(
            (&counter["isMonotonic"], &counter["aggregationTemporality"]),
            (&json!(true), &json!(2))
        );
        let points = counter["dataPoints"].as_array().unwrap();
        assert_eq!(points.len(), 2);
        assert_eq!(
            points[0],
            json!({
                "attributes": [
                    { "key": "route", "value": { "stringValue": "/a/{id}" } },
                    { "key": "status", "value": { "stringValue": "2xx" } },
                ],
                "startTimeUnixNano": "1000000000", "timeUnixNano": "2000000000", "asDouble": 3.0,
            })
        );
        assert_eq!(
            points[1]["attributes"][0]["value"]["stringValue"],
            "say \"hi\", \\ \n"
        );
        assert_eq!(
            of("lag")["gauge"]["dataPoints"],
            json!([{ "attributes": [], "timeUnixNano": "2000000000", "asDouble": 1.5 }])
        );
        let histogram = of("took_seconds");
        assert_eq!(histogram["unit"], "s");
        let point = &histogram["histogram"]["dataPoints"][0];
        assert_eq!(
            (
                &point["bucketCounts"],
                &point["explicitBounds"],
                &point["count"],
                &point["sum"]
            ),
            (
                &json!(["2", "0", "3"]),
                &json!([0.1, 1.0]),
                &json!("5"),
                &json!(12.25)
            )
        );
        assert_eq!(of("plain_count")["gauge"]["dataPoints"][0]["asDouble"], 7.0);
    }
}
