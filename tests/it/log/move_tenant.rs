//! Moving a tenant to another database, and back.

use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};
use sitelog::values::TenantId;

use crate::support::app::{TestApp, wait_for};

fn run(app: &TestApp, arguments: &[&str]) -> (Option<i32>, String) {
    let output = app.command(arguments).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

fn succeed(app: &TestApp, arguments: &[&str]) -> String {
    let (code, said) = run(app, arguments);
    assert_eq!(code, Some(0), "{said}");
    said
}

fn export(app: &TestApp, tenant: &str, file: &Path) -> String {
    succeed(app, &["tenant", "export", tenant, file.to_str().unwrap()])
}

/// What a client sees of its domains, its batch and its scan.
async fn seen(app: &TestApp, paths: &[String]) -> Vec<Value> {
    let mut seen = Vec::new();
    let head = app.head().await;
    for path in paths {
        // As the read models are once they have followed the log to its end.
        let path = format!("{path}?at_least={head}");
        let answer = app.get_until(&path, |answer| answer.status == 200).await;
        let mut answer = answer.json();
        for item in answer["items"].as_array_mut().into_iter().flatten() {
            // Positions are the other log's.
            item.as_object_mut().unwrap().remove("position");
        }
        seen.push(answer);
    }
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_moves_with_all_its_streams_and_back() {
    let tenant = TenantId::DEFAULT.to_string();
    let (old, new) = (TestApp::scanning().await, TestApp::scanning().await);
    let batch = old
        .create_batch(&["site00000.sites.test", "site00001.sites.test"])
        .await;
    old.get_in_status(&format!("/api/v4/batches/{batch}"), "completed")
        .await;
    let scan = old.create_scan("site00002.sites.test").await;
    old.get_in_status(&format!("/api/v4/scans/{scan}"), "completed")
        .await;
    // Another tenant, whose events stay.
    let other = old
        .call("POST", "/api/v4/scans")
        .tenant("00000000-0000-4000-8000-00000000000b")
        .json(&json!({ "domain": "site00003.sites.test" }))
        .send()
        .await;
    assert_eq!(other.status, 202, "{}", other.text());
    let other = format!("/api/v4/scans/{}", other.json()["scan_id"].as_str().unwrap());
    wait_for("the scan of the other tenant", async || {
        let scan = old
            .call("GET", &other)
            .tenant("00000000-0000-4000-8000-00000000000b")
            .send()
            .await;
        (scan.json()["status"] == "completed").then_some(())
    })
    .await;

    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("tenant");
    assert!(export(&old, &tenant, &file).contains("events and"));
    // A file that is there is not replaced; a checked one is whole; one that was changed is refused, with the line.
    assert_eq!(
        run(&old, &["tenant", "export", &tenant, file.to_str().unwrap()]).0,
        Some(2)
    );
    let check = |file: &Path| run(&new, &["tenant", "import", "--check", file.to_str().unwrap()]);
    assert_eq!(check(&file).0, Some(0));
    let whole = zstd::decode_all(std::fs::File::open(&file).unwrap()).unwrap();
    let changed = |from: &str, to: &str| {
        let text = String::from_utf8(whole.clone()).unwrap().replacen(from, to, 1);
        let path = dir.path().join("changed");
        let mut file = std::fs::File::create(&path).unwrap();
        file.write_all(&zstd::encode_all(text.as_bytes(), 1).unwrap())
            .unwrap();
        check(&path)
    };
    for (from, to, said) in [
        ("site00002", "site00009", "is not an event of the log"),
        ("\"root\":\"", "\"root\":\"00", "have the root"),
        ("{\"events\":", "{\"events\":1", "does not match the number"),
        (
            "sitelog-tenant/1",
            "sitelog-tenant/9",
            "format that this release does not know",
        ),
    ] {
        let (code, found) = changed(from, to);
        assert!(
            code == Some(3) && found.contains(said),
            "{from}: {code:?} {found}"
        );
    }

    let imported = succeed(&new, &["tenant", "import", file.to_str().unwrap()]);
    assert!(imported.contains("0 were already here"), "{imported}");
    let again = succeed(&new, &["tenant", "import", file.to_str().unwrap()]);
    assert!(again.contains("imported 0 events"), "{again}");
    let paths = [
        format!("/api/v4/batches/{batch}"),
        format!("/api/v4/scans/{scan}"),
        "/api/v4/domains/site00001.sites.test".to_owned(),
        "/api/v4/domains/site00002.sites.test/urls".to_owned(),
        "/api/v4/domains".to_owned(),
    ];
    new.get_in_status(&paths[0], "completed").await;
    new.get_in_status(&paths[1], "completed").await;
    assert_eq!(seen(&new, &paths).await, seen(&old, &paths).await);
    assert_eq!(new.get("/api/v4/domains/site00003.sites.test").await.status, 404);
    let first = new.get("/api/v4/events?limit=1").await.json();
    assert_eq!(first["items"][0]["position"], json!(1));

    // It continues in the new log, and comes back with what was added there.
    let later = new.create_scan("site00002.sites.test").await;
    new.get_in_status(&format!("/api/v4/scans/{later}"), "completed")
        .await;
    let back = dir.path().join("back");
    export(&new, &tenant, &back);
    let (code, refused) = run(&old, &["tenant", "import", back.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{refused}");
    old.get_in_status(&format!("/api/v4/scans/{later}"), "completed")
        .await;
    for app in [&old, &new] {
        succeed(app, &["log", "verify"]);
        succeed(app, &["projections", "verify"]);
    }

    // Where the tenant has been at work on its own, findings are under other salts.
    let used = TestApp::scanning().await;
    let scan = used.create_scan("site00001.sites.test").await;
    used.get_in_status(&format!("/api/v4/scans/{scan}"), "completed")
        .await;
    let (code, refused) = run(&used, &["tenant", "import", file.to_str().unwrap()]);
    assert_eq!(code, Some(3));
    assert!(refused.contains("site00001.sites.test"), "{refused}");
}
