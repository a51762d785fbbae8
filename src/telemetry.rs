//! Logs and metrics of the process.

use std::io::{self, Write};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::values::printable::Printable;

/// Sends log lines to stderr; `RUST_LOG` overrides the level.
pub fn init_logs(default_level: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default_level));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| LogLines(io::stderr()))
        // Colours could not be distinguished from escape sequences in logged texts.
        .with_ansi(false)
        .with_target(false)
        .with_span_events(FmtSpan::NONE);
    // A second initialisation (several servers in one test process) keeps the first.
    let _ = subscriber.try_init();
}

/// Writes log lines, one per event. An event may quote text of sites and users; it is always written as one line.
struct LogLines<W>(W);

impl<W: Write> Write for LogLines<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let line = text.strip_suffix('\n').unwrap_or(&text);
        // At once: other threads log, too.
        let shown = format!("{}\n", Printable(line));
        self.0.write_all(shown.as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Upper bounds of the buckets of a histogram, by its unit.
const COUNTS: [f64; 9] = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0];
const SECONDS: [f64; 12] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0, 60.0,
];
const BYTES: [f64; 8] = [10e3, 50e3, 100e3, 500e3, 1e6, 10e6, 100e6, 1e9];

/// The recorder of this process, installed at first use.
pub fn metrics() -> PrometheusHandle {
    static HANDLE: std::sync::OnceLock<PrometheusHandle> = std::sync::OnceLock::new();
    HANDLE
        .get_or_init(|| {
            let of = |ending: &str| Matcher::Suffix(ending.to_owned());
            PrometheusBuilder::new()
                .set_buckets(&COUNTS)
                .and_then(|builder| builder.set_buckets_for_metric(of("_seconds"), &SECONDS))
                .and_then(|builder| builder.set_buckets_for_metric(of("_bytes"), &BYTES))
                .expect("there are buckets")
                .install_recorder()
                .expect("nothing else installs a recorder")
        })
        .clone()
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Failed(String);

    #[test]
    fn an_event_is_one_line_that_does_nothing_to_a_terminal() {
        let hostile = "\u{1b}]0;x\u{7}\u{9b}31m\r\n2026 ERROR forged\u{202e}\u{7f}";
        let kept = Kept::default();
        let writer = kept.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || LogLines(writer.clone()))
            .with_ansi(false)
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            let error = Failed(hostile.to_owned());
            tracing::error!(
                display = %hostile,
                debug = ?hostile,
                error = &error as &dyn std::error::Error,
                text = hostile,
                "{hostile}"
            );
        });
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        let line = text.strip_suffix('\n').unwrap();
        let acting = |c: char| c.is_control() || c == '\u{202e}';
        assert!(!line.contains(acting), "{line:?}");
    }
}
