//! `sitelog export`.

use std::fs::File;
use std::process::Stdio;

use serde_json::Value;

use super::{findings, send_csv, table};
use crate::support::app::TestApp;

async fn with_results() -> (TestApp, String) {
    let app = TestApp::start().await;
    let batch = send_csv(&app, "name,domain\nAnna,a.com\nBob,b.com\n").await;
    let scans = app.scans_of_batch(&batch, 2).await;
    app.complete(scans[0]["scan_id"].as_str().unwrap(), &findings())
        .await;
    app.create_scan("c.com").await;
    app.get_in_status("/api/v4/domains/a.com", "completed").await;
    app.get_until("/api/v4/domains/c.com", |answer| answer.status == 200)
        .await;
    (app, batch)
}

async fn run(app: &TestApp, arguments: &[&str]) -> (Option<i32>, Vec<u8>, String) {
    let command = app.command(&[&["export"], arguments].concat());
    let output = tokio::process::Command::from(command).output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), output.stdout, said)
}

#[tokio::test]
async fn it_writes_what_the_api_does() {
    let (app, batch) = with_results().await;
    for (arguments, path) in [
        (vec!["domains"], "domains?format=csv".to_owned()),
        (
            vec!["jobs", "--format", "ndjson"],
            "scans?format=ndjson".to_owned(),
        ),
        (
            vec!["domains", "--status", "completed"],
            "domains?format=csv&status=completed".to_owned(),
        ),
        (
            vec!["domains", "--has-email", "true"],
            "domains?format=csv&has_email=true".to_owned(),
        ),
        (
            vec!["domains", "--batch", &batch],
            format!("batches/{batch}/domains?format=csv"),
        ),
        (
            vec!["jobs", "--batch", &batch],
            format!("batches/{batch}/scans?format=csv"),
        ),
        (
            vec!["urls", "--domain", "a.com"],
            "domains/a.com/urls?format=csv".to_owned(),
        ),
    ] {
        let (code, written, said) = run(&app, &arguments).await;
        assert_eq!(code, Some(0), "{arguments:?}: {said}");
        let served = app.get(&format!("/api/v4/{path}")).await;
        assert_eq!(
            String::from_utf8(written).unwrap(),
            served.text(),
            "{arguments:?}"
        );
    }
    let (_, one, _) = run(&app, &["domains", "--domain", "c.com"]).await;
    assert_eq!(table(&one).1.len(), 1);
    let other = ["domains", "--tenant", super::OTHER, "--format", "ndjson"];
    assert_eq!(run(&app, &other).await, (Some(0), Vec::new(), String::new()));
}

#[tokio::test]
async fn a_file_is_named_by_its_ending_and_appears_whole() {
    let (app, _) = with_results().await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("out.xlsx");
    let (code, written, said) = run(&app, &["domains", "-o", file.to_str().unwrap()]).await;
    assert_eq!((code, written.as_slice()), (Some(0), &b""[..]), "{said}");
    assert!(said.contains("3 rows"), "{said}");
    assert!(std::fs::read(&file).unwrap().starts_with(b"PK"));
    assert_eq!(
        std::fs::read_dir(dir.path()).unwrap().count(),
        1,
        "no part is left"
    );
}

#[tokio::test]
async fn what_is_wrong_is_told_by_the_exit_code() {
    let (app, _) = with_results().await;
    for wrong in [
        vec!["nothing"],
        vec!["urls", "--status", "failed"],
        vec!["jobs", "--wordpress", "true"],
        vec!["domains", "--batch", super::OTHER],
        vec!["domains", "--reason", "timeout"],
        vec!["jobs", "--reason", "no such reason"],
        vec!["domains", "--format", "pdf"],
        vec!["domains", "--domain", "localhost"],
    ] {
        let (code, _, said) = run(&app, &wrong).await;
        assert_eq!(code, Some(2), "{wrong:?}: {said}");
    }
    let mut full = app.command(&["export", "domains"]);
    full.stdout(File::options().write(true).open("/dev/full").unwrap());
    full.stderr(Stdio::piped());
    let child = tokio::process::Command::from(full).spawn().unwrap();
    let output = child.wait_with_output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("No space left"), "{said}");
    let (code, _, said) = run(&app, &["domains", "-o", "/nowhere/out.csv"]).await;
    assert_eq!(code, Some(3), "{said}");
}

#[tokio::test]
async fn a_reader_that_goes_away_ends_it_quietly() {
    let (app, _) = with_results().await;
    let mut command = app.command(&["export", "domains", "--format", "ndjson"]);
    let mut child = tokio::process::Command::from({
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    })
    .spawn()
    .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().await.unwrap();
    assert_eq!(
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stderr).as_ref()
        ),
        (Some(0), "")
    );
}

#[tokio::test]
async fn the_urls_of_all_domains_come_domain_by_domain() {
    let app = TestApp::scanning().await;
    for domain in ["site00000.sites.test", "site00001.sites.test"] {
        let scan = app.create_scan(domain).await;
        app.get_in_status(&format!("/api/v4/scans/{scan}"), "completed")
            .await;
    }
    let counted = async |domain: &str| {
        let path = format!("/api/v4/domains/{domain}/urls?limit=1000");
        let answer = app
            .get_until(&path, |answer| answer.json()["items"][0].is_object())
            .await;
        answer.json()["items"].as_array().unwrap().len()
    };
    let wanted = counted("site00000.sites.test").await + counted("site00001.sites.test").await;
    let (code, lines, said) = run(&app, &["urls", "--format", "ndjson"]).await;
    assert_eq!(code, Some(0), "{said}");
    let rows: Vec<Value> = serde_json::Deserializer::from_slice(&lines)
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(rows.len(), wanted);
    assert_eq!(rows[0]["domain"], "site00000.sites.test");
    assert_eq!(rows[wanted - 1]["domain"], "site00001.sites.test");
    let (_, some, _) = run(&app, &["urls", "--contains", "00001", "--format", "ndjson"]).await;
    assert!(some.len() < lines.len() && !some.is_empty());
}
