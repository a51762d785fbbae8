//! The formats of exports, and their content.

use std::io::Cursor;

use calamine::{Data, Reader, Xlsx};
use serde_json::Value;
use sitelog::values::domain_fields::PLAIN_FINDINGS;

use super::{column, findings, send_csv, table};
use crate::support::app::TestApp;

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

const PARQUET: &str = "application/vnd.apache.parquet";

/// A service that knows one domain by one completed scan.
pub(super) async fn one_domain() -> TestApp {
    let app = TestApp::start().await;
    let scan = app.create_scan("a.com").await;
    app.complete(&scan, &findings()).await;
    app.get_in_status(&format!("/api/v4/scans/{scan}"), "completed")
        .await;
    app.get_in_status("/api/v4/domains/a.com", "completed").await;
    app
}

#[tokio::test]
async fn columns_are_documented_and_stay() {
    let app = one_domain().await;
    let batch = send_csv(&app, "b.com\n").await;
    let mut tables = Vec::new();
    for path in [
        "domains".to_owned(),
        format!("batches/{batch}/domains"),
        "scans".to_owned(),
        "domains/a.com/urls".to_owned(),
        "domains/a.com/sitemap-audit".to_owned(),
    ] {
        let answer = app.get(&format!("/api/v4/{path}?format=csv")).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        let (header, _) = table(&answer.body);
        tables.push(header.join(" "));
    }
    let read =
        |path: &str| std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let (page, findings) = (read("docs/api.md"), read("docs/findings.md"));
    let names =
        |text: &str| -> Vec<String> { text.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    let row = page
        .lines()
        .find_map(|line| line.strip_prefix("| domains |"))
        .unwrap();
    let plain: Vec<&str> = PLAIN_FINDINGS.iter().map(|plain| plain.name).collect();
    assert_eq!(
        [names(row), plain.iter().map(|name| (*name).to_owned()).collect()]
            .concat()
            .join(" "),
        tables[0]
    );
    for name in tables.iter().flat_map(|table| table.split(' ')) {
        assert!(
            page.contains(&format!("`{name}`")) || findings.contains(&format!("| `{name}` |")),
            "docs/api.md and docs/findings.md lack the column {name}"
        );
    }
}

#[tokio::test]
async fn a_form_is_chosen_by_format_or_by_accept() {
    let app = one_domain().await;
    let path = "/api/v4/domains";
    for (accept, format, wanted) in [
        (None, None, "application/json"),
        (Some("text/html, */*;q=0.8"), None, "application/json"),
        (Some("text/csv"), None, "text/csv; charset=utf-8; header=present"),
        (Some("text/csv"), Some("json"), "application/json"),
        (Some("application/x-ndjson"), None, "application/x-ndjson"),
        (Some("application/json"), Some("ndjson"), "application/x-ndjson"),
        (None, Some("xlsx"), XLSX),
        (None, Some("parquet"), PARQUET),
        (Some(PARQUET), None, PARQUET),
    ] {
        let path = format.map_or(path.to_owned(), |format| format!("{path}?format={format}"));
        let call = app.call("GET", &path);
        let call = accept.map_or(app.call("GET", &path), |accept| call.header("accept", accept));
        let answer = call.send().await;
        assert_eq!(
            (
                answer.status,
                answer.header("content-type"),
                answer.header("vary")
            ),
            (200, Some(wanted), Some("accept")),
            "{accept:?} {format:?}"
        );
        let attachment = answer.header("content-disposition");
        assert_eq!(
            attachment.is_some(),
            wanted != "application/json",
            "{attachment:?}"
        );
    }
    let answer = app.get("/api/v4/domains?format=pdf").await;
    answer.problem(400, "invalid_query");
    for wrong in ["limit=0", "limit=x", "cursor=%25", "status=odd"] {
        let answer = app.get(&format!("/api/v4/domains?format=csv&{wrong}")).await;
        answer.problem(400, "invalid_query");
    }
    app.get("/api/v4/domains/none.com/urls?format=csv")
        .await
        .problem(404, "not_found");
    app.get(&format!("/api/v4/batches/{}/domains?format=csv", super::OTHER))
        .await
        .problem(404, "not_found");
}

#[tokio::test]
async fn csv_holds_texts_that_do_nothing_and_lists_in_one_cell() {
    let app = one_domain().await;
    let answer = app.get("/api/v4/domains?format=csv").await;
    assert_eq!(
        answer.header("content-disposition"),
        Some("attachment; filename=\"domains.csv\"")
    );
    assert!(answer.text().starts_with("domain,domain_unicode,status,"));
    assert!(answer.text().ends_with("\r\n"));
    for (name, wanted) in [
        ("title", "'=HYPERLINK(\"http://evil.test\",\"x\")"),
        ("description", "two\r\nlines, \"quoted\"; Grüße"),
        ("email_addresses", "a@a.com; b@a.com"),
        ("phone_numbers", "+4989123456; +12125550001"),
        ("technologies", "nginx; Vue 3.1"),
        ("organization", "Anna & Co"),
        ("is_wordpress", "false"),
        ("sitemap_urls", "0"),
        ("facebook_url", ""),
    ] {
        assert_eq!(column(&answer, name), [wanted], "{name}");
    }
    let time = &column(&answer, "last_scan")[0];
    assert!(
        time.ends_with('Z') && chrono::DateTime::parse_from_rfc3339(time).is_ok(),
        "{time}"
    );
}

#[tokio::test]
async fn ndjson_is_the_list_of_the_api_line_by_line() {
    let app = one_domain().await;
    for path in ["/api/v4/domains", "/api/v4/scans"] {
        let list = app.get(path).await.json()["items"].take();
        let lines = app.get(&format!("{path}?format=ndjson")).await.text();
        let lines: Vec<Value> = lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(Value::from(lines), list, "{path}");
    }
}

#[tokio::test]
async fn a_workbook_opens_and_holds_the_same_cells() {
    let app = one_domain().await;
    let batch = send_csv(&app, "name,domain,n\n=1+1,a.com,007\n").await;
    let answer = app
        .get(&format!("/api/v4/batches/{batch}/domains?format=xlsx"))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(
        answer.header("content-length"),
        Some(answer.body.len().to_string().as_str())
    );
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(answer.body.to_vec())).unwrap();
    let sheet = book.worksheet_range_at(0).unwrap().unwrap();
    assert!(
        book.worksheet_formula("Sheet1").unwrap().is_empty(),
        "nothing is a formula"
    );
    let rows: Vec<&[Data]> = sheet.rows().collect();
    assert_eq!(rows.len(), 2);
    let cell = |name: &str| {
        let place = rows[0]
            .iter()
            .position(|cell| cell == &Data::String(name.to_owned()));
        rows[1].get(place.unwrap_or_else(|| panic!("no {name}"))).unwrap()
    };
    for (name, wanted) in [
        ("title", "=HYPERLINK(\"http://evil.test\",\"x\")"),
        ("phone_numbers", "+4989123456; +12125550001"),
        ("name", "=1+1"),
        ("n", "007"),
        ("input_domain", "a.com"),
    ] {
        assert_eq!(cell(name), &Data::String(wanted.to_owned()), "{name}");
    }
    assert_eq!(cell("is_wordpress"), &Data::Bool(false));
    assert_eq!(cell("line"), &Data::Float(2.0));
    assert_eq!(cell("facebook_url"), &Data::Empty);
}
