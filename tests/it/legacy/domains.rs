//! `/api/v3/domains`: the list, direct submission and the import of a file.

use serde_json::{Value, json};

use super::{accepted, findings, without_times};
use crate::support::app::TestApp;
use crate::support::call::Answer;

const PREFIXES: [&str; 2] = ["/api/v3", "/api/v3/api/v3"];

async fn submit(app: &TestApp, domains: &Value) -> Answer {
    let body = json!({ "domains": domains, "auto_queue": true });
    app.post_json("/api/v3/domains/direct-submit", &body).await
}

/// Waits until the list holds so many.
async fn listed(app: &TestApp, query: &str, total: i64) -> Value {
    let path = format!("/api/v3/domains{query}");
    app.get_until(&path, |answer| answer.json()["total"] == total)
        .await
        .json()
}

fn names(list: &Value) -> Vec<&str> {
    list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["domain"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn what_is_submitted_is_scanned_and_listed() {
    let app = TestApp::start().await;
    let answer = submit(&app, &json!(["https://www.B.com/x", "a.com"])).await;
    let ids = answer.json()["domain_ids"].clone();
    let expected = json!({ "submitted_count": 2, "domain_ids": ids, "auto_queued": true, "normalized_domains": ["b.com", "a.com"] });
    assert_eq!(answer.both(), (200, expected));
    let list = listed(&app, "?sort_by=domain&sort_desc=false", 2).await;
    assert_eq!(
        (&list["page"], &list["size"], &list["pages"]),
        (&json!(1), &json!(20), &json!(1))
    );
    let first = without_times(list["items"][0].clone(), &["created_at", "updated_at"]);
    let expected = json!({
        "id": ids[1], "domain": "a.com", "sitemap_curation_status": "New", "sitemap_analysis_status": "queued",
        "sitemap_analysis_error": null, "status": "pending",
    });
    assert_eq!(first, expected);
    // Each read model follows the log at its own pace.
    let both = |answer: &Answer| {
        answer.json()["items"]
            .as_array()
            .is_some_and(|items| items.len() == 2)
    };
    let scans = app.get_until("/api/v4/scans", both).await.json();
    let scan = scans["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|scan| scan["domain"] == "a.com")
        .unwrap()
        .clone();
    app.complete(scan["scan_id"].as_str().unwrap(), &findings()).await;
    app.get_until("/api/v3/domains?domain_filter=A.co", |answer| {
        answer.json()["items"][0]["status"] == "completed"
            && answer.json()["items"][0]["sitemap_analysis_status"] == "submitted"
    })
    .await;
}

#[tokio::test]
async fn one_that_is_known_refuses_all() {
    let app = TestApp::start().await;
    let id = submit(&app, &json!(["a.com"])).await.json()["domain_ids"][0]
        .as_str()
        .unwrap()
        .to_owned();
    let head = app.head().await;
    let answer = submit(&app, &json!(["new.com", "www.a.com"])).await;
    let message = format!("Domain already exists: a.com (ID: {id})");
    let expected = json!({ "error": true, "message": message, "status_code": 409, "detail": message });
    assert_eq!(answer.both(), (409, expected));
    let twice = submit(&app, &json!(["x.com", "x.com"])).await;
    assert_eq!(twice.status, 409);
    assert_eq!(app.head().await, head);
}

#[tokio::test]
async fn a_repeat_with_the_same_key_is_no_conflict() {
    let app = TestApp::start().await;
    let send = async || {
        let call = app.call("POST", "/api/v3/domains/direct-submit").key("k1");
        call.json(&json!({ "domains": ["a.com"] })).send().await
    };
    let first = send().await;
    let head = app.head().await;
    assert_eq!((send().await.both(), app.head().await), (first.both(), head));
    assert_eq!(first.status, 200);
}

#[tokio::test]
async fn a_list_that_does_not_fit_is_refused() {
    let app = TestApp::start().await;
    for (domains, kind) in [
        (json!([]), "too_short"),
        (json!(vec!["a.com"; 101]), "too_long"),
        (json!(["localhost"]), "value_error"),
        (json!("a.com"), "list_type"),
    ] {
        let answer = submit(&app, &domains).await;
        assert_eq!(
            (answer.status, &answer.json()["detail"][0]["type"]),
            (422, &json!(kind))
        );
    }
    assert_eq!(app.head().await, 0);
}

#[tokio::test]
async fn the_list_is_paged_sorted_and_filtered() {
    let app = TestApp::start().await;
    let domains: Vec<String> = (0..7).map(|n| format!("d{n}.com")).collect();
    accepted(
        &app,
        200,
        "/api/v3/domains/direct-submit",
        &json!({ "domains": domains }),
    )
    .await;
    for prefix in PREFIXES {
        app.get_until(&format!("{prefix}/domains"), |answer| answer.json()["total"] == 7)
            .await;
    }
    let page = listed(&app, "?sort_by=domain&sort_desc=false&size=3&page=2", 7).await;
    assert_eq!(
        (names(&page), &page["pages"]),
        (vec!["d3.com", "d4.com", "d5.com"], &json!(3))
    );
    let last = listed(&app, "?sort_by=domain&sort_desc=true&size=3", 7).await;
    assert_eq!(names(&last), ["d6.com", "d5.com", "d4.com"]);
    assert_eq!(names(&listed(&app, "?domain_filter=D2", 1).await), ["d2.com"]);
    assert_eq!(listed(&app, "?domain_filter=%25", 0).await["pages"], 0);
    assert_eq!(
        listed(&app, "?sitemap_curation_status=New", 7).await["items"]
            .as_array()
            .unwrap()
            .len(),
        7
    );
    listed(&app, "?sitemap_curation_status=Selected", 0).await;
    for (query, status, kind) in [
        ("?page=0", 422, "greater_than_equal"),
        ("?size=101", 422, "less_than_equal"),
        ("?size=x", 422, "int_parsing"),
        ("?sitemap_curation_status=x", 422, "enum"),
    ] {
        let answer = app.get(&format!("/api/v3/domains{query}")).await;
        assert_eq!(
            (answer.status, &answer.json()["detail"][0]["type"]),
            (status, &json!(kind)),
            "{query}"
        );
    }
    let answer = app.get("/api/v3/domains?sort_by=title").await;
    assert!(
        answer.status == 400 && answer.text().contains("Invalid sort field 'title'"),
        "{}",
        answer.text()
    );
}

#[tokio::test]
async fn what_people_had_said_of_a_domain_is_listed_and_found_by() {
    let app = TestApp::start().await;
    assert_eq!(
        submit(&app, &json!(["a.com", "b.com", "c.com"])).await.status,
        200
    );
    listed(&app, "", 3).await;
    sqlx::query(
        "insert into legacy_row (source_table, source_id, outcome, tenant_id, domain, content) values \
           ('domains', '1', 'imported', $1, 'b.com', '{\"sitemap_curation_status\": \"Selected\"}')",
    )
    .bind(sitelog::values::TenantId::DEFAULT.0)
    .execute(app.app.log.pool())
    .await
    .unwrap();
    let selected = listed(&app, "?sitemap_curation_status=Selected", 1).await;
    assert_eq!(names(&selected), ["b.com"]);
    assert_eq!(selected["items"][0]["sitemap_curation_status"], "Selected");
    let new = listed(
        &app,
        "?sitemap_curation_status=New&sort_by=domain&sort_desc=false",
        2,
    )
    .await;
    assert_eq!(names(&new), ["a.com", "c.com"]);
    let sorted = listed(&app, "?sort_by=sitemap_curation_status&sort_desc=true&size=1", 3).await;
    assert_eq!(names(&sorted), ["b.com"]);
}

async fn import(app: &TestApp, name: &str, content: &[u8]) -> Answer {
    let mut body = format!(
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: text/csv\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(content);
    body.extend_from_slice(b"\r\n--b--\r\n");
    app.post_text(
        "/api/v3/domains/import-csv",
        "multipart/form-data; boundary=b",
        body,
    )
    .await
}

#[tokio::test]
async fn each_row_of_a_file_is_told_what_became_of_it() {
    let app = TestApp::start().await;
    let known = submit(&app, &json!(["known.com"])).await.json()["domain_ids"][0].clone();
    let content = b"Domain,note\nnew.com,x\n\nwww.known.com,y\nnot a domain\nHTTPS://NEW.com/\n";
    let answer = import(&app, "list.csv", content).await;
    let mut result = answer.json();
    let new = result["results"][0]["id"].take();
    assert!(uuid::Uuid::try_parse(new.as_str().unwrap()).is_ok());
    let row = |number: i32, value: &str, status: &str, id: &Value, error: Value| json!({ "row_number": number, "value": value, "status": status, "id": id, "error": error });
    let expected = json!({ "total_rows": 4, "successful": 1, "failed": 1, "skipped": 2, "results": [
        row(1, "new.com", "success", &Value::Null, Value::Null),
        row(2, "known.com", "skipped", &known, json!("Domain already exists in database")),
        row(3, "not a domain", "error", &Value::Null, json!("Invalid domain format: not a domain")),
        row(4, "new.com", "skipped", &Value::Null, json!("Duplicate within CSV (already processed)")),
    ] });
    assert_eq!((answer.status, result), (200, expected));
    listed(&app, "", 2).await;
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_refused() {
    let app = TestApp::start().await;
    let many = "a.com\n".repeat(1001);
    for (name, content, message) in [
        ("list.txt", &b"a.com"[..], "File must be a CSV (.csv)"),
        ("list.csv", b"\xff\xfe", "File must be UTF-8 encoded"),
        ("list.csv", b"", "CSV file is empty"),
        (
            "list.csv",
            many.as_bytes(),
            "CSV exceeds maximum of 1000 rows (found 1001)",
        ),
    ] {
        let answer = import(&app, name, content).await;
        assert_eq!((answer.status, &answer.json()["message"]), (400, &json!(message)));
    }
    let answer = app.post_json("/api/v3/domains/import-csv", &json!({})).await;
    assert_eq!(
        (answer.status, &answer.json()["detail"][0]["loc"]),
        (422, &json!(["body", "file"]))
    );
    assert_eq!(app.head().await, 0);
}
