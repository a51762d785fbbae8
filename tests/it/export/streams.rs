//! Long lists: all rows, each once, and an incomplete file is never taken for a complete one.

use std::collections::BTreeSet;

use futures::StreamExt;
use serde_json::Value;

use super::table;
use crate::support::app::TestApp;

/// More than ten pages.
const ROWS: usize = 5_500;

async fn many(app: &TestApp) -> String {
    let list: Vec<String> = (0..ROWS).map(|n| format!("{n},d{n:05}.com")).collect();
    let list = format!("n,domain\n{}\n", list.join("\n"));
    let answer = app.post_text("/api/v4/batches", "text/csv", list).await;
    let batch = answer.json()["batch_id"].as_str().unwrap().to_owned();
    let last = format!("/api/v4/scans?batch={batch}&domain=d{:05}.com", ROWS - 1);
    app.get_until(&last, |answer| answer.json()["items"][0].is_object())
        .await;
    let last = format!("/api/v4/domains/d{:05}.com", ROWS - 1);
    app.get_until(&last, |answer| answer.status == 200).await;
    batch
}

#[tokio::test]
async fn every_row_comes_exactly_once_while_others_change() {
    let app = TestApp::start().await;
    let batch = many(&app).await;
    for path in [
        "domains?",
        &format!("batches/{batch}/domains?"),
        &format!("scans?batch={batch}&"),
    ] {
        let response = app.call("GET", &format!("/api/v4/{path}format=csv")).open().await;
        let mut body = response.into_body().into_data_stream();
        let (mut file, mut pieces) = (Vec::new(), 0);
        while let Some(piece) = body.next().await {
            let piece = piece.unwrap();
            assert!(
                piece.len() < 1_000_000,
                "a page at a time, not {} bytes",
                piece.len()
            );
            file.extend_from_slice(&piece);
            pieces += 1;
            if pieces == 3 {
                // Rows before and behind the place that was reached change, and one is new before it.
                let scans = app
                    .get(&format!("/api/v4/scans?batch={batch}&limit=3"))
                    .await
                    .json();
                for scan in scans["items"].as_array().unwrap() {
                    let scan = scan["scan_id"].as_str().unwrap();
                    app.post(&format!("/api/v4/scans/{scan}/cancel")).await;
                }
                app.create_scan("a-new-one.com").await;
                app.create_scan(&format!("d{:05}.com", ROWS - 2)).await;
            }
        }
        assert!(pieces > ROWS / 500, "{pieces} pieces");
        let (header, rows) = table(&file);
        let place = header.iter().position(|name| name == "domain").unwrap();
        let names: Vec<&String> = rows
            .iter()
            .map(|row| &row[place])
            .filter(|name| name.starts_with('d'))
            .collect();
        let each: BTreeSet<_> = names.iter().collect();
        assert_eq!((names.len(), each.len()), (ROWS, ROWS), "{path}");
    }
}

#[tokio::test]
async fn a_body_breaks_off_when_the_rest_cannot_be_read() {
    let app = TestApp::start().await;
    many(&app).await;
    let response = app.call("GET", "/api/v4/domains?format=ndjson").open().await;
    assert_eq!(response.status(), 200);
    let mut body = response.into_body().into_data_stream();
    let mut lines = Vec::new();
    while lines.is_empty() {
        lines.extend_from_slice(&body.next().await.unwrap().unwrap());
    }
    app.cut_database();
    let mut end = Ok(());
    while let Some(piece) = body.next().await {
        match piece {
            Ok(piece) => lines.extend_from_slice(&piece),
            Err(error) => end = Err(error),
        }
    }
    assert!(end.is_err(), "an end that is none");
    let whole = lines.strip_suffix(b"\n").unwrap().split(|byte| *byte == b'\n');
    let rows: Vec<Value> = whole.map(|line| serde_json::from_slice(line).unwrap()).collect();
    assert!(rows.len() < ROWS, "{}", rows.len());
    app.get("/api/v4/domains?format=csv")
        .await
        .problem(503, "unavailable");
}
