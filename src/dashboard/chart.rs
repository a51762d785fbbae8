//! Charts as inline SVG. The style sheet sets the colours; the texts stand beside the charts.

use maud::{Markup, html};

use super::parts::number;
use crate::projections::batch_jobs::BatchRow;

/// Width of a bar in its own units.
const WIDTH: f64 = 1000.0;

/// The progress of a batch: how many scans completed, failed and were cancelled, and how many remain.
pub(super) fn progress(row: &BatchRow, class: &str) -> Markup {
    let total = f64::from(row.total_domains.max(1));
    let share = |count: i32| f64::from(count) / total * WIDTH;
    let parts = [
        ("s-completed", row.completed_domains),
        ("s-failed", row.failed_domains),
        ("s-cancelled", row.cancelled_domains),
    ];
    let label = format!(
        "Scans of this batch: {} completed, {} failed, {} cancelled, of {} in all",
        row.completed_domains, row.failed_domains, row.cancelled_domains, row.total_domains
    );
    let mut left = 0.0;
    let parts = parts.map(|(class, count)| {
        let from = left;
        left += share(count);
        (class, format!("{from:.1}"), format!("{:.1}", left - from))
    });
    html! {
        svg class={ "bar " (class) } viewBox={ "0 0 " (WIDTH) " 10" } preserveAspectRatio="none" role="img" aria-label=(label) {
            @for (class, x, width) in parts { rect class=(class) x=(x) y="0" height="10" width=(width) {} }
        }
    }
}

/// How often each item occurs, the most frequent first. `what` says what the numbers count; names may be links.
pub(super) fn shares(what: &str, items: &[(Markup, i64)]) -> Markup {
    let most = items.iter().map(|(_, count)| *count).max().unwrap_or(1).max(1);
    html! {
        p.small.muted { (what) }
        ul.shares {
            @for (name, count) in items {
                li {
                    span { (name) }
                    span.number { (number(*count)) }
                    (part_of(*count, most))
                }
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "it is drawn")]
fn part_of(count: i64, most: i64) -> Markup {
    let width = count as f64 / most as f64 * WIDTH;
    html! {
        svg.bar.thin viewBox={ "0 0 " (WIDTH) " 10" } preserveAspectRatio="none" aria-hidden="true" {
            rect.s-share x="0" y="0" height="10" width=(format!("{width:.1}")) {}
        }
    }
}

/// One column of a chart over time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) completed: i64,
    pub(super) failed: i64,
}

/// Ended scans over time: completed ones at the bottom of each column, failed ones on top.
#[expect(clippy::cast_precision_loss, reason = "it is drawn")]
pub(super) fn columns(columns: &[Column], label: &str) -> Markup {
    let most = columns
        .iter()
        .map(|column| column.completed + column.failed)
        .max()
        .unwrap_or(1)
        .max(1) as f64;
    let (height, step) = (120.0, 600.0 / columns.len().max(1) as f64);
    let tall = |count: i64| count as f64 / most * (height - 4.0);
    html! {
        svg.chart viewBox="0 0 600 120" role="img" aria-label=(label) {
            @for (place, column) in columns.iter().enumerate() {
                @let x = format!("{:.1}", place as f64 * step + step * 0.1);
                @let width = format!("{:.1}", step * 0.8);
                @let (good, bad) = (tall(column.completed), tall(column.failed));
                rect.s-completed x=(x) width=(width) y=(format!("{:.1}", height - good)) height=(format!("{good:.1}")) {}
                rect.s-failed x=(x) width=(width) y=(format!("{:.1}", height - good - bad)) height=(format!("{bad:.1}")) {}
            }
            line.axis x1="0" x2="600" y1="119.5" y2="119.5" {}
        }
    }
}
