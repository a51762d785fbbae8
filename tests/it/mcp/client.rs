//! The official client of the protocol.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::python;
use crate::support::server::Server;
use crate::support::sites::{Sites, SitesOptions};

/// Skipped with a message if Python or the network is missing.
#[tokio::test(flavor = "multi_thread")]
async fn an_agent_learns_who_runs_ten_shops_in_six_calls() {
    let Some(python) = python::with("mcp", &["mcp>=2.3,<3"]) else {
        eprintln!(
            "SKIPPED: the official client of MCP cannot be installed here; only raw messages are tried"
        );
        return;
    };
    let sites = Sites::start(SitesOptions {
        sites: 10,
        urls_per_sitemap: 3,
        ..SitesOptions::default()
    })
    .await
    .unwrap();
    let server = Server::start(&sites, &[("SITELOG_AUTH__MODE", "required")]);
    let shops: Vec<String> = (0..10)
        .map(|number| format!("site{number:05}.sites.test"))
        .collect();
    let output = Command::new(python)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/mcp/agent.py"))
        .arg(format!("http://{}", server.address()))
        .arg(server.first_key().unwrap())
        .arg(env!("CARGO_BIN_EXE_sitelog"))
        .args(&shops)
        // What is on this machine is not reached through a proxy.
        .envs([("NO_PROXY", "127.0.0.1"), ("no_proxy", "127.0.0.1")])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("http: 10 shops in 6 calls") && said.contains("stdio: the same"),
        "{said}"
    );
}
