//! The document is for tools: what clients are generated from it work with the real server.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::server::Server;
use crate::support::sites::{Sites, SitesOptions};

/// Passed over, loudly, where Python, Node.js or the network is missing.
#[tokio::test(flavor = "multi_thread")]
async fn generated_clients_do_a_scan_a_batch_and_a_list() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("script/api-clients");
    let installed = Command::new(&script)
        .arg("--install")
        .stdin(Stdio::null())
        .output();
    if !installed.is_ok_and(|output| output.status.success()) {
        eprintln!(
            "SKIPPED: the tools that generate clients cannot be installed here; /openapi.json is not tried with them"
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
    for language in ["python", "typescript"] {
        assert!(
            said.contains(&format!("{language}: a scan, a batch and a list")),
            "{said}"
        );
    }
}
