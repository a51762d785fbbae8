//! Progress bars for files that are read or written: on stderr, only on a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output;

/// The current amount, for an unknown total.
pub(super) fn of_unknown_length(what: &'static str) -> anyhow::Result<ProgressBar> {
    let bar = shown(ProgressBar::no_length());
    bar.set_style(ProgressStyle::with_template(
        "{spinner} {bytes} {msg}  {bytes_per_sec}",
    )?);
    bar.set_message(what);
    Ok(bar)
}

/// The share that is done, and the remaining time.
pub(super) fn of_length(what: &'static str, bytes: u64) -> anyhow::Result<ProgressBar> {
    let bar = shown(ProgressBar::new(bytes));
    bar.set_style(ProgressStyle::with_template(
        "{bar:40} {bytes}/{total_bytes} {msg}  {bytes_per_sec}  {eta} left",
    )?);
    bar.set_message(what);
    Ok(bar)
}

fn shown(bar: ProgressBar) -> ProgressBar {
    if !output::is_watched() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    bar
}
