//! Figures of the whole service against sites of our own: `cargo bench --bench service -- [SECTION…]`.
//!
//! Sections: `throughput` (durable scans against a bare fetch of the same URLs), `latency` (of a status request while
//! hostile pages are scanned), `memory` (per concurrent scan), `crowd` (two thousand clients at once), `unfair` (one
//! tenant that asks for much beside another), `large` (100,000 scans are cancelled, and 100,000 retried), `pages` (a
//! batch of 100,000 domains) and `monitors` (10,000 of them, and 100 webhooks). The last three only when they are
//! named, for each takes long. The sites, the service and the client are processes of their own, all on this machine.

#[expect(
    dead_code,
    clippy::unwrap_used,
    reason = "made for tests, which do more with it"
)]
#[path = "../../tests/it/support/browser.rs"]
mod browser;
mod client;
mod crowd;
mod large;
mod latency;
mod memory;
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
mod monitors;
mod pages;
#[expect(dead_code, reason = "the bench of the fleet does more with it")]
mod processes;
#[expect(
    dead_code,
    reason = "tests count and hold requests; here the sites only serve"
)]
#[path = "../../tests/it/support/sites/mod.rs"]
mod sites;
mod throughput;
mod unfair;

/// How long the browser waits for a page; in the tests this constant is in `support`.
const PATIENCE: std::time::Duration = std::time::Duration::from_mins(10);

/// The argument with which this program starts itself as the site server.
pub const SERVE_SITES: &str = "--serve-sites";

/// Two figures depend on it: `unfair`, and the retry of `large`.
fn note_on_priorities() {
    let setting = "/proc/sys/kernel/sched_autogroup_enabled";
    if std::fs::read_to_string(setting).is_ok_and(|value| value.trim() == "1") {
        println!(
            "kernel.sched_autogroup_enabled is 1: outside a control group Linux ignores the priorities of background work\n"
        );
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    if arguments.first().is_some_and(|first| first == SERVE_SITES) {
        runtime.block_on(processes::serve_sites(&arguments[1..]));
        return;
    }
    let _ = rustls::crypto::ring::default_provider().install_default();
    note_on_priorities();
    let wants = |section: &str| arguments.is_empty() || arguments.iter().any(|argument| argument == section);
    runtime.block_on(async {
        if wants("throughput") {
            throughput::run().await;
        }
        if wants("latency") {
            latency::run().await;
        }
        if wants("crowd") {
            crowd::run().await;
        }
        if wants("memory") {
            memory::run().await;
        }
        if wants("unfair") {
            unfair::run().await;
        }
        if arguments.iter().any(|argument| argument == "large") {
            large::run().await;
        }
        if arguments.iter().any(|argument| argument == "monitors") {
            monitors::run().await;
        }
        if arguments.iter().any(|argument| argument == "pages") {
            pages::run().await;
        }
    });
}
