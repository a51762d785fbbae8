//! Settings of traces and metrics that are sent to a collector.

use std::time::Duration;

use url::Url;

use super::error::Faults;
use super::raw::RawTelemetry;
use super::{ConfigError, value, without_password};

/// Where traces and metrics are sent, and which.
#[derive(Clone, Debug)]
pub struct TelemetrySettings {
    /// A collector that accepts OTLP over HTTP.
    pub endpoint: Url,
    /// The share of scans that are traced: 1 for all.
    pub trace_sample: f64,
    /// How often metrics are sent; `None` if they are not.
    pub metrics_every: Option<Duration>,
}

/// The share of scans that are traced when nothing is set.
pub(super) const DEFAULT_TRACE_SAMPLE: f64 = 1.0;

const ENDPOINT: &str = "SITELOG_TELEMETRY__OTLP_ENDPOINT";
const SAMPLE: &str = "SITELOG_TELEMETRY__TRACE_SAMPLE";
const SECONDS: &str = "SITELOG_TELEMETRY__METRICS_SECONDS";

/// What is sent to a collector; `None` if there is none, or if something is wrong with the settings.
pub(super) fn telemetry_settings(raw: RawTelemetry, faults: &mut Faults) -> Option<TelemetrySettings> {
    let sample = raw.trace_sample.unwrap_or(DEFAULT_TRACE_SAMPLE);
    if !(0.0..=1.0).contains(&sample) {
        let expected = "a number from 0 (no traces) to 1 (all), such as 0.01";
        faults.push(value(SAMPLE, &sample.to_string(), expected));
    }
    if let Some(given) = raw.metrics_seconds.filter(|given| !(1..=3600).contains(given)) {
        faults.push(value(
            SECONDS,
            &given.to_string(),
            "a number of seconds from 1 to 3600",
        ));
    }
    let Some(given) = raw.otlp_endpoint.filter(|url| !url.is_empty()) else {
        let other = "SITELOG_TELEMETRY__OTLP_ENDPOINT, the collector";
        for (name, is_set) in [
            (SAMPLE, raw.trace_sample.is_some()),
            (SECONDS, raw.metrics_seconds.is_some()),
        ] {
            if is_set {
                faults.push(ConfigError::Needs { name, other });
            }
        }
        return None;
    };
    Some(TelemetrySettings {
        endpoint: faults.take(collector(&given))?,
        trace_sample: sample,
        metrics_every: raw.metrics_seconds.map(Duration::from_secs),
    })
}

/// Where a collector listens.
fn collector(given: &str) -> Result<Url, ConfigError> {
    let url = Url::parse(given).ok();
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some());
    let expected = "the address of a collector that accepts OTLP over HTTP, such as http://127.0.0.1:4318";
    url.ok_or_else(|| value(ENDPOINT, &without_password(given), expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(change: impl FnOnce(&mut RawTelemetry)) -> (Option<TelemetrySettings>, String) {
        let mut raw = RawTelemetry {
            otlp_endpoint: Some("http://127.0.0.1:4318".to_owned()),
            ..RawTelemetry::default()
        };
        change(&mut raw);
        let mut faults = Faults::default();
        let settings = telemetry_settings(raw, &mut faults);
        let faults: Vec<String> = faults.0.iter().map(ToString::to_string).collect();
        (settings, faults.join("\n"))
    }

    #[test]
    fn a_collector_has_an_address_and_gets_all_traces_and_no_metrics_unless_it_is_set() {
        let (settings, faults) = with(|_| ());
        let settings = settings.unwrap();
        assert!(faults.is_empty() && settings.metrics_every.is_none());
        assert!((settings.trace_sample - 1.0).abs() < f64::EPSILON);
        let (settings, faults) = with(|raw| raw.otlp_endpoint = Some(String::new()));
        assert!(settings.is_none() && faults.is_empty());
        for (change, named) in [
            (
                (|raw| raw.otlp_endpoint = Some("collector:4318".to_owned())) as fn(&mut RawTelemetry),
                "SITELOG_TELEMETRY__OTLP_ENDPOINT is 'collector:4318'",
            ),
            (
                |raw| raw.trace_sample = Some(1.5),
                "SITELOG_TELEMETRY__TRACE_SAMPLE is '1.5'",
            ),
            (
                |raw| raw.trace_sample = Some(f64::NAN),
                "SITELOG_TELEMETRY__TRACE_SAMPLE is 'NaN'",
            ),
            (
                |raw| raw.metrics_seconds = Some(0),
                "SITELOG_TELEMETRY__METRICS_SECONDS is '0'",
            ),
            (
                |raw| {
                    raw.otlp_endpoint = None;
                    raw.metrics_seconds = Some(60);
                },
                "SITELOG_TELEMETRY__METRICS_SECONDS requires SITELOG_TELEMETRY__OTLP_ENDPOINT",
            ),
        ] {
            let (_, faults) = with(change);
            assert!(faults.contains(named), "{named}: {faults}");
        }
    }
}
