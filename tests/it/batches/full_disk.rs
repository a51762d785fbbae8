//! A full disk: nothing is accepted that cannot be stored, and everything continues when there is space again.

use std::process::Command;

use reqwest::StatusCode;
use serde_json::json;

use crate::support::server::Server;
use crate::support::sites::{Sites, SitesOptions};

/// A small file system in memory; `None` where mounting is not allowed.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount(megabytes: u32) -> Option<Self> {
        let place = tempfile::TempDir::with_prefix("sitelog-disk-").unwrap();
        let options = format!("size={megabytes}m,mode=0755");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(place.path())
            .status();
        mounted
            .is_ok_and(|status| status.success())
            .then_some(Self(place))
    }

    /// Fills the disk.
    fn fill(&self) {
        let _ = Command::new("dd")
            .args(["if=/dev/zero", "bs=64k", "status=none"])
            .arg(format!("of={}", self.0.path().join("ballast").display()))
            .status();
    }

    fn free(&self) {
        std::fs::remove_file(self.0.path().join("ballast")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_told_with_503_and_mends_by_itself() {
    let Some(disk) = SmallDisk::mount(220) else {
        eprintln!("skipped: this machine does not allow mounting a small disk");
        return;
    };
    let sites = Sites::start(SitesOptions {
        sites: 4,
        ..SitesOptions::default()
    })
    .await
    .unwrap();
    let data = disk.0.path().join("data");
    let mut server = Server::start(&sites, &[("SITELOG_DATA_DIR", data.to_str().unwrap())]);
    server
        .post("/api/v4/scans", &json!({ "domain": "site00000.sites.test" }))
        .await;
    disk.fill();
    // Until PostgreSQL needs room it has none for, it takes what comes; then each request is refused whole.
    let long = "x".repeat(200);
    let mut accepted = 0;
    let mut refused = false;
    for n in 0..3000 {
        let names: Vec<String> = (0..200)
            .map(|m| format!("{}.d{n}-{m}.sites.test", &long[..60]))
            .collect();
        match server
            .try_post("/api/v4/batches", &json!({ "domains": names }))
            .await
        {
            StatusCode::ACCEPTED => accepted += 1,
            StatusCode::SERVICE_UNAVAILABLE => {
                refused = true;
                break;
            }
            other => panic!("{other}"),
        }
    }
    assert!(refused, "{accepted} batches fit on a full disk");
    disk.free();
    let scan = server
        .post("/api/v4/scans", &json!({ "domain": "site00001.sites.test" }))
        .await;
    let path = format!("/api/v4/scans/{}", scan["scan_id"].as_str().unwrap());
    server.wait_for(&path, |scan| scan["status"] == "completed").await;
    let kept = server.all("/api/v4/batches").await.len();
    assert_eq!(
        kept, accepted,
        "what was accepted is there, what was refused is not"
    );
    server.terminate().await;
}
