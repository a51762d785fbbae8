//! Runs the test sites by themselves, for a bench in another process: `cargo run --example sites -- [SITES [PORT]]`.
//!
//! Prints the two settings a scanner needs, ready for `eval`, and serves until it is ended.

#[expect(
    dead_code,
    reason = "tests count and hold requests; here the sites only serve"
)]
#[path = "../tests/it/support/sites/mod.rs"]
mod sites;

use sites::{Sites, SitesOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let defaults = SitesOptions::default();
    let options = SitesOptions {
        sites: arguments.next().map_or(Ok(2000), |sites| sites.parse())?,
        port: arguments.next().map_or(Ok(defaults.port), |port| port.parse())?,
        ..defaults
    };
    let sites = Sites::start(options).await?;
    println!("export SITELOG_FETCH__CONNECT_TO='{}'", sites.connect_to());
    println!("export SITELOG_FETCH__EXTRA_CA='{}'", sites.ca_pem().display());
    tokio::signal::ctrl_c().await?;
    Ok(())
}
