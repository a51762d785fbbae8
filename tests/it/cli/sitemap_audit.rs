//! `sitelog sitemap --audit`.

use serde_json::{Value, json};

use super::{sitelog, text};
use crate::support::sites::{Sites, SitesOptions};

fn audit(arguments: &[&str]) -> Value {
    let output = sitelog(&[&["sitemap", "--audit"], arguments].concat())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn counts(report: &Value) -> Vec<(&str, u64)> {
    let faults = report["faults"].as_array().unwrap().iter();
    faults
        .map(|fault| (fault["check"].as_str().unwrap(), fault["count"].as_u64().unwrap()))
        .collect()
}

#[test]
fn a_file_is_compared_with_the_site_that_is_named() {
    let file = tempfile::NamedTempFile::with_suffix(".txt").unwrap();
    std::fs::write(
        file.path(),
        "https://a.com/\nhttps://a.com/\nhttp://a.com/x\nhttps://b.com/\n",
    )
    .unwrap();
    let path = file.path().to_str().unwrap();
    let report = audit(&[path, "--url", "https://a.com/sitemap.txt"]);
    assert_eq!(
        (&report["home"], &report["entries"]),
        (&json!("https://a.com/"), &json!(3))
    );
    assert_eq!(
        counts(&report),
        [("outside_host", 1), ("plain_http", 1), ("duplicate", 1)]
    );
    assert_eq!(report["sample"], json!([]));
    let refused = sitelog(&["sitemap", "--audit", path]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        text(&refused.stderr).contains("--url"),
        "{}",
        text(&refused.stderr)
    );
    let alone = sitelog(&["sitemap", "--sample", "3", path]).output().unwrap();
    assert_eq!(alone.status.code(), Some(2));
}

#[tokio::test]
async fn a_sample_of_a_site_is_fetched() {
    let sites = Sites::start(SitesOptions {
        sites: 2,
        urls_per_sitemap: 40,
        ..SitesOptions::default()
    })
    .await
    .unwrap();
    let arguments = [
        "sitemap",
        "https://site00001.sites.test/sitemap.xml",
        "--follow",
        "--audit",
        "--sample",
        "3",
    ];
    let output = tokio::process::Command::from(sitelog(&arguments))
        .env("SITELOG_FETCH__CONNECT_TO", sites.connect_to())
        .env("SITELOG_FETCH__EXTRA_CA", sites.ca_pem())
        .output()
        .await
        .unwrap();
    let report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
    assert!(report["entries"].as_u64().unwrap() > 3, "{report}");
    let sample = report["sample"].as_array().unwrap();
    assert_eq!(sample.len(), 3, "{report}");
    assert!(
        sample.iter().all(|url| url["status"].as_u64().unwrap() >= 200),
        "{report}"
    );
}
