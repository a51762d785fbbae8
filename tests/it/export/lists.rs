//! The other columns of a batch's list are exported with the results.

use serde_json::{Value, json};

use super::{OTHER, column, findings, send_csv, table};
use crate::support::app::TestApp;

const LIST: &str = "name;Website;title;city\n\
    Anna;https://www.a.com/;Dr;München\n\
    Bob;b.com;=cmd;\n\
    Zoe;A.com;Prof;Rome\n\
    Eve;no domain;x;y\n";

async fn sent() -> (TestApp, String) {
    let app = TestApp::start().await;
    let batch = send_csv(&app, LIST).await;
    let scans = app.scans_of_batch(&batch, 2).await;
    let scan = scans[0]["scan_id"].as_str().unwrap();
    app.complete(scan, &findings()).await;
    // Each read model follows the log by itself.
    app.get_in_status("/api/v4/domains/a.com", "completed").await;
    app.get_in_status(&format!("/api/v4/scans/{scan}"), "completed")
        .await;
    app.get_in_status(&format!("/api/v4/batches/{batch}"), "running")
        .await;
    (app, batch)
}

#[tokio::test]
async fn each_form_and_each_list_of_a_batch_gives_the_columns_back() {
    let (app, batch) = sent().await;
    for path in [
        format!("/api/v4/batches/{batch}/domains?format=csv"),
        format!("/api/v4/batches/{batch}/scans?format=csv"),
        format!("/api/v4/scans?batch={batch}&format=csv"),
        format!("/api/v4/domains?batch={batch}&format=csv"),
    ] {
        let answer = app.get(&path).await;
        assert_eq!(column(&answer, "domain"), ["a.com", "b.com"], "{path}");
        assert_eq!(
            column(&answer, "name"),
            ["Anna", "Bob"],
            "the first line counts: {path}"
        );
        assert_eq!(column(&answer, "city"), ["München", ""], "{path}");
        assert_eq!(
            column(&answer, "Website"),
            ["https://www.a.com/", "b.com"],
            "{path}"
        );
        let titled = if path.contains("domains") {
            "input_title"
        } else {
            "title"
        };
        assert_eq!(column(&answer, titled), ["Dr", "'=cmd"], "{path}");
    }
    let domains = format!("/api/v4/batches/{batch}/domains");
    let lines = app.get(&format!("{domains}?format=ndjson")).await.text();
    let rows: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        (
            &rows[0]["name"],
            &rows[0]["input_title"],
            &rows[0]["scan_status"],
            &rows[0]["email_addresses"]
        ),
        (
            &json!("Anna"),
            &json!("Dr"),
            &json!("completed"),
            &json!(["a@a.com", "b@a.com"])
        )
    );
    assert_eq!(
        (&rows[1]["input_title"], &rows[1]["line"]),
        (&json!("=cmd"), &json!(3))
    );
    assert_eq!(app.get(&domains).await.json()["items"], Value::from(rows));
}

#[tokio::test]
async fn the_list_of_a_batch_is_paged_and_filtered_by_its_scans() {
    let (app, batch) = sent().await;
    let path = format!("/api/v4/batches/{batch}/domains");
    let first = app.get(&format!("{path}?limit=1")).await.json();
    let next = first["next"].as_str().unwrap();
    let second = app.get(&format!("{path}?limit=1&cursor={next}")).await.json();
    assert_eq!(second["items"][0]["domain"], "b.com");
    let rest = app.get(&format!("{path}?format=csv&cursor={next}")).await;
    assert_eq!(column(&rest, "name"), ["Bob"]);
    let some = app.get(&format!("{path}?format=csv&limit=1")).await;
    assert_eq!(column(&some, "name"), ["Anna"]);
    let ended = app.get(&format!("{path}?format=csv&status=completed")).await;
    assert_eq!(column(&ended, "name"), ["Anna"]);
}

#[tokio::test]
async fn fields_of_objects_go_out_with_their_types() {
    let app = TestApp::start().await;
    let domains = json!({ "domains": [{ "domain": "a.com", "age": 5, "tags": ["x", "y"] }, "b.com"] });
    let answer = app.post_json("/api/v4/batches", &domains).await;
    let batch = answer.json()["batch_id"].as_str().unwrap().to_owned();
    app.scans_of_batch(&batch, 2).await;
    let path = format!("/api/v4/batches/{batch}/domains");
    let rows = app.get(&path).await.json()["items"].take();
    assert_eq!(
        (&rows[0]["age"], &rows[0]["tags"]),
        (&json!(5), &json!(["x", "y"]))
    );
    assert_eq!(rows[1]["age"], Value::Null);
    let file = app.get(&format!("{path}?format=csv")).await;
    assert_eq!(column(&file, "tags"), ["x; y", ""]);
}

#[tokio::test]
async fn a_list_with_too_many_columns_is_refused() {
    let app = TestApp::start().await;
    let list = format!("domain{}\na.com\n", ",x".repeat(1000));
    let answer = app.post_text("/api/v4/batches", "text/csv", list).await;
    answer.problem(422, "too_many_columns");
}

#[tokio::test]
async fn no_export_shows_another_tenants_rows_or_columns() {
    let (app, batch) = sent().await;
    for path in [
        format!("/api/v4/domains?batch={batch}"),
        format!("/api/v4/scans?batch={batch}"),
        "/api/v4/domains?limit=1000".to_owned(),
        "/api/v4/scans?limit=1000".to_owned(),
    ] {
        for format in ["csv", "ndjson", "xlsx", "parquet"] {
            let answer = app
                .call("GET", &format!("{path}&format={format}"))
                .tenant(OTHER)
                .send()
                .await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            if format == "csv" {
                let (header, rows) = table(&answer.body);
                assert!(rows.is_empty(), "{path}");
                assert!(!header.iter().any(|name| name == "city"), "{path}: {header:?}");
            }
            if format == "parquet" {
                let (columns, rows) = super::parquet::read(&answer.body);
                assert!(rows.is_empty() && !columns.contains(&"city".to_owned()), "{path}");
            }
            if format == "ndjson" {
                assert_eq!(answer.text(), "", "{path}");
            }
        }
    }
    for path in [
        format!("batches/{batch}/domains"),
        format!("batches/{batch}/scans"),
        "domains/a.com/urls".to_owned(),
    ] {
        let call = app.call("GET", &format!("/api/v4/{path}?format=csv"));
        call.tenant(OTHER).send().await.problem(404, "not_found");
    }
}

#[tokio::test]
async fn a_page_of_rows_with_much_beside_them_ends_early_and_the_next_one_goes_on() {
    let app = TestApp::start().await;
    let note = "x".repeat(20_000);
    let lines = (0..600).map(|number| format!("site{number:03}.com;{note}\n"));
    let list = format!("domain;note\n{}", lines.collect::<String>());
    let answer = app.post_text("/api/v4/batches", "text/csv", list).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let batch = answer.json()["batch_id"].as_str().unwrap().to_owned();
    let scans = format!("/api/v4/batches/{batch}/scans?limit=1000");
    app.get_until(&scans, |answer| {
        answer.json()["items"]
            .as_array()
            .is_some_and(|items| items.len() == 600)
    })
    .await;
    let (mut seen, mut pages, mut next) = (Vec::new(), 0, String::new());
    loop {
        let page = app
            .get(&format!("/api/v4/batches/{batch}/domains?limit=1000{next}"))
            .await;
        assert!(
            page.text().len() < 9 << 20,
            "a page has {} bytes",
            page.text().len()
        );
        pages += 1;
        let page = page.json();
        let items = page["items"].as_array().unwrap();
        assert!(items.iter().all(|item| item["note"] == json!(note)));
        seen.extend(
            items
                .iter()
                .map(|item| item["domain"].as_str().unwrap().to_owned()),
        );
        match page["next"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => break,
        }
    }
    let all: Vec<String> = (0..600).map(|number| format!("site{number:03}.com")).collect();
    assert_eq!(seen, all);
    assert!(pages > 1, "12 MB came as one page");
}
