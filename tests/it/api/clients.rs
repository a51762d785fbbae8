//! The client packages, which are generated from the API document, work with the real server.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::server::Server;
use crate::support::sites::{Sites, SitesOptions};

/// Skipped with a message if Python, Node.js or the network is missing.
#[tokio::test(flavor = "multi_thread")]
async fn the_client_packages_work_with_the_server() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("script/clients");
    let installed = Command::new(&script)
        .arg("--install")
        .stdin(Stdio::null())
        .output();
    if !installed.is_ok_and(|output| output.status.success()) {
        eprintln!(
            "SKIPPED: the tools that make the client packages cannot be installed here; clients are not tried"
        );
        return;
    }
    let sites = Sites::start(SitesOptions {
        sites: 10,
        urls_per_sitemap: 3,
        ..SitesOptions::default()
    })
    .await
    .unwrap();
    let server = Server::start(&sites, &[("SITELOG_AUTH__MODE", "required")]);
    let url = format!("http://{}", server.address());
    let key = server.first_key().unwrap().to_owned();
    let worked = Command::new(&script)
        .args([&url, &key])
        .stdin(Stdio::null())
        .output();
    let output = worked.unwrap();
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{said}");
    let done = [
        "a scan",
        "a batch",
        "a list",
        "an error",
        "a repeated request",
        "a webhook",
    ];
    for language in ["python", "typescript"] {
        for what in done {
            assert!(said.contains(&format!("{language}: {what}\n")), "{said}");
        }
    }
}
