//! How a list of domains is read in each of its formats.

use serde_json::{Value, json};

use crate::support::app::TestApp;

/// Lines and inputs of what was rejected.
fn rejected(accepted: &Value) -> Vec<(u64, &str)> {
    let lines = accepted["rejected"].as_array().unwrap().iter();
    lines
        .map(|line| (line["line"].as_u64().unwrap(), line["input"].as_str().unwrap()))
        .collect()
}

#[tokio::test]
async fn the_same_list_gives_the_same_report_in_each_form() {
    let app = TestApp::start().await;
    let json = json!(["a.com", "https://www.a.com/x", "127.0.0.1", "b.com"]);
    let forms = [
        ("application/json", json!({ "domains": json }).to_string()),
        (
            "text/plain",
            "a.com\nhttps://www.a.com/x\n127.0.0.1\nb.com\n".to_owned(),
        ),
        (
            "text/csv",
            "a.com,1\nhttps://www.a.com/x,2\n127.0.0.1,3\nb.com,4\n".to_owned(),
        ),
        (
            "application/x-ndjson",
            "\"a.com\"\n{\"url\":\"https://www.a.com/x\"}\n\"127.0.0.1\"\n\"b.com\"\n".to_owned(),
        ),
    ];
    for (media_type, body) in forms {
        let answer = app.post_text("/api/v4/batches", media_type, body).await;
        let accepted = answer.json();
        assert_eq!(answer.status, 202, "{media_type}: {}", answer.text());
        let counts = (
            accepted["accepted"].as_u64(),
            accepted["duplicates"].as_u64(),
            rejected(&accepted),
        );
        assert_eq!(counts, (Some(2), Some(1), vec![(3, "127.0.0.1")]), "{media_type}");
        assert_eq!(accepted["rejected"][0]["reason"], "invalid_domain");
        let scans = app
            .scans_of_batch(accepted["batch_id"].as_str().unwrap(), 2)
            .await;
        let domains: Vec<_> = scans
            .iter()
            .map(|scan| (scan["line"].as_u64(), scan["domain"].as_str()))
            .collect();
        assert_eq!(
            domains,
            [(Some(1), Some("a.com")), (Some(4), Some("b.com"))],
            "{media_type}"
        );
    }
}

#[tokio::test]
async fn a_csv_column_is_found_by_its_name_and_lines_are_those_of_the_file() {
    let app = TestApp::start().await;
    let csv = "\u{feff}name;Website\r\n\"Two\r\nlines\";a.com\r\nX;no good\r\n";
    let accepted = app
        .post_text("/api/v4/batches", "text/csv; charset=utf-8", csv)
        .await
        .json();
    assert_eq!(
        (accepted["accepted"].as_u64(), rejected(&accepted)),
        (Some(1), vec![(4, "no good")])
    );
}

#[tokio::test]
async fn an_encoding_is_taken_as_declared_or_as_it_looks_and_faults_are_named_by_line() {
    let app = TestApp::start().await;
    let list = &b"a.com\nb.com\nm\xfcnchen.de\n"[..];
    for media_type in ["text/csv", "text/plain", "application/x-ndjson"] {
        let answer = app
            .post_text("/api/v4/batches", &format!("{media_type}; charset=utf-8"), list)
            .await;
        assert_eq!(answer.problem(400, "not_utf8")["line"], 3);
    }
    let path = "/api/v4/batches?dry_run=true";
    for media_type in ["text/csv", "text/plain; charset=ISO-8859-1"] {
        let read = app.post_text(path, media_type, list).await.json();
        assert_eq!(read["accepted"], 3, "{read}");
    }
    let unknown = app.post_text(path, "text/csv; charset=klingon", list).await;
    unknown.problem(400, "wrong_encoding");
    assert_eq!(app.head().await, 0);
}

#[tokio::test]
async fn what_cannot_be_read_as_a_list_is_refused_and_says_where_and_what_to_do() {
    let app = TestApp::start().await;
    let swallowing = "domain,name\na.com,Ada\nb.com,\"Bob\nc.com,Cy\nd.com,Dee\n";
    let refused = app.post_text("/api/v4/batches", "text/csv", swallowing).await;
    let problem = refused.problem(400, "invalid_csv");
    assert_eq!(problem["line"], 3);
    assert!(problem["detail"].as_str().unwrap().contains("'Bob'"), "{problem}");
    let names = format!("domain,{}\na.com\n", vec!["n".repeat(20_000); 998].join(","));
    let refused = app.post_text("/api/v4/batches", "text/csv", names).await;
    let problem = refused.problem(400, "column_name_too_long");
    assert!(
        problem["detail"].as_str().unwrap().contains("column 2 "),
        "{problem}"
    );
    let refused = app.post_text("/api/v4/batches", "text/csv", "%PDF-1.7\n").await;
    refused.problem(400, "not_a_list");
    let refused = app.post_text("/api/v4/batches", XLSX, &b"PK\x03\x04x"[..]).await;
    refused.problem(400, "invalid_workbook");
    assert_eq!(app.head().await, 0);
}

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

#[tokio::test]
async fn the_column_is_told_and_another_may_be_chosen_and_a_repeat_says_the_same() {
    let app = TestApp::start().await;
    let list = "Name,Url,Website\nAnna,https://linkedin.com/in/anna,a.com\n";
    let found = app
        .post_text("/api/v4/batches?dry_run=true", "text/csv", list)
        .await
        .json();
    assert_eq!(
        found["column"],
        json!({ "number": 3, "name": "Website", "chosen_by": "header" })
    );
    let post = || {
        app.call("POST", "/api/v4/batches?column=url")
            .key("k")
            .body("text/csv", list)
            .send()
    };
    let (first, again) = (post().await.json(), post().await.json());
    assert_eq!(
        first["column"],
        json!({ "number": 2, "name": "Url", "chosen_by": "request" })
    );
    assert_eq!(first, again);
    let scans = app.scans_of_batch(first["batch_id"].as_str().unwrap(), 1).await;
    assert_eq!(scans[0]["domain"], "linkedin.com");
    let unknown = app
        .post_text("/api/v4/batches?column=Homepage", "text/csv", list)
        .await;
    let problem = unknown.problem(400, "unknown_column");
    assert!(
        problem["detail"].as_str().unwrap().contains("'Website'"),
        "{problem}"
    );
    let objects = json!({ "domains": [{ "old": "a.com", "new": "b.com" }] });
    let chosen = app
        .post_json("/api/v4/batches?dry_run=true&column=new", &objects)
        .await
        .json();
    assert_eq!(
        (&chosen["accepted"], &chosen["column"]["name"]),
        (&json!(1), &json!("new"))
    );
}

#[tokio::test]
async fn a_workbook_is_read_and_addresses_of_free_providers_are_left_out_and_named() {
    let app = TestApp::start().await;
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    for (row, (name, email)) in [
        ("Name", "E-Mail"),
        ("Anna", "anna@a.com"),
        ("Bob", "bob@gmail.com"),
    ]
    .into_iter()
    .enumerate()
    {
        sheet.write_string(u32::try_from(row).unwrap(), 0, name).unwrap();
        sheet.write_string(u32::try_from(row).unwrap(), 1, email).unwrap();
    }
    let content = book.save_to_buffer().unwrap();
    for media_type in [XLSX, "text/csv"] {
        let read = app
            .post_text("/api/v4/batches?dry_run=true", media_type, content.clone())
            .await
            .json();
        assert_eq!(
            (&read["accepted"], rejected(&read)),
            (&json!(1), vec![(3, "bob@gmail.com")]),
            "{read}"
        );
        assert_eq!(read["rejected"][0]["reason"], "free_mail_host");
        assert_eq!(read["column"]["chosen_by"], "email_addresses");
        assert!(!read["notes"].as_array().unwrap().is_empty(), "{read}");
    }
}

#[tokio::test]
async fn a_list_with_nothing_to_do_is_refused() {
    let app = TestApp::start().await;
    for (media_type, body) in [
        ("application/json", r#"{"domains":[]}"#),
        ("text/plain", "\n \n"),
        ("text/csv", "domain\n"),
    ] {
        let answer = app.post_text("/api/v4/batches", media_type, body).await;
        answer.problem(422, "empty_batch");
    }
    let answer = app
        .post_json(
            "/api/v4/batches",
            &json!({ "domains": ["localhost", 5, "", null] }),
        )
        .await;
    let problem = answer.problem(422, "no_valid_domain");
    assert_eq!(
        rejected(&problem),
        [(1, "localhost"), (2, "5"), (3, ""), (4, "null")]
    );
    assert_eq!(app.head().await, 0);
}

#[tokio::test]
async fn more_than_100_000_domains_are_too_many() {
    let app = TestApp::start().await;
    let lines: Vec<String> = (0..=100_000).map(|n| format!("d{n}.com")).collect();
    let answer = app
        .post_json("/api/v4/batches", &json!({ "domains": lines }))
        .await;
    answer.problem(422, "too_many_domains");
    assert_eq!(app.head().await, 0);
    let answer = app
        .post_text(
            "/api/v4/batches?dry_run=true",
            "text/plain",
            lines[1..].join("\n"),
        )
        .await;
    assert_eq!(
        (answer.status, &answer.json()["accepted"]),
        (200, &json!(100_000))
    );
}

#[tokio::test]
async fn a_dry_run_reports_the_same_and_writes_nothing() {
    let app = TestApp::start().await;
    let body = json!({ "domains": ["a.com", "a.com", "no good"] });
    let dry = app.post_json("/api/v4/batches?dry_run=true", &body).await;
    assert_eq!((dry.status, app.head().await), (200, 0));
    let (dry, done) = (dry.json(), app.post_json("/api/v4/batches", &body).await.json());
    for field in ["accepted", "duplicates", "rejected"] {
        assert_eq!(dry[field], done[field], "{field}");
    }
    assert_eq!((&dry["batch_id"], &dry["position"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn options_come_from_the_body_or_the_query_and_are_brought_within_bounds() {
    let app = TestApp::start().await;
    let json = json!({ "domains": ["a.com"], "max_pages": 7, "max_concurrent": 5000 });
    let by_body = app.post_json("/api/v4/batches?max_pages=9", &json).await.json();
    let by_query = app
        .post_text(
            "/api/v4/batches?max_pages=9&max_concurrent=0",
            "text/plain",
            "a.com",
        )
        .await
        .json();
    let by_nobody = app
        .post_text("/api/v4/batches", "text/plain", "a.com")
        .await
        .json();
    for (accepted, pages, concurrent) in [(by_body, 7, 1000), (by_query, 9, 1), (by_nobody, 4, 50)] {
        let batch = app.get(accepted["links"]["self"].as_str().unwrap()).await.json();
        assert_eq!(
            batch["options"],
            json!({ "max_pages": pages, "max_concurrent": concurrent })
        );
    }
}

#[tokio::test]
async fn a_file_from_windows_loses_no_line() {
    let app = TestApp::start().await;
    let csv = "a.com,1\r\nb.com,2\r\n\r\nno good,3\r\nc.com,4\r\n";
    let accepted = app.post_text("/api/v4/batches", "text/csv", csv).await.json();
    assert_eq!(rejected(&accepted), [(4, "no good")]);
    let scans = app
        .scans_of_batch(accepted["batch_id"].as_str().unwrap(), 3)
        .await;
    let lines: Vec<_> = scans.iter().map(|scan| scan["line"].as_u64()).collect();
    assert_eq!(lines, [Some(1), Some(2), Some(5)]);
}
