//! Bad input: a problem that names it, never 500, and nothing written.

use serde_json::{Value, json};

use crate::support::app::TestApp;

#[tokio::test]
async fn what_is_no_domain_is_refused_with_what_was_sent() {
    let app = TestApp::start().await;
    let long_label = format!("{}.com", "a".repeat(64));
    let long_name = format!("{}com", "a.".repeat(126));
    assert_eq!(long_name.len(), 255);
    for input in [
        "",
        "   ",
        "localhost",
        "not a domain",
        "a",
        "com",
        ".",
        "..",
        ".com",
        "a..com",
        "-a.com",
        "a-.com",
        "a_b.com",
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "2130706433",
        "[::1]",
        "::1",
        "https://[::1]/",
        "http://127.0.0.1:80/",
        "a.com:80",
        "https://a.com:8443/",
        "user:pw@a.com",
        "https://user@a.com/",
        "ftp://a.com",
        "javascript://a.com",
        "file:///etc/passwd",
        "a.com\u{0}",
        "a\nb.com",
        "xn--.com",
        "xn--zz--.com",
        "a.c",
        "a.1",
        "💩",
        "a b.com",
        "*.com",
        "<script>.com",
        "'; drop table events; --",
        &long_label,
        &long_name,
    ] {
        let answer = app.post_json("/api/v4/scans", &json!({ "domain": input })).await;
        let problem = answer.problem(422, "invalid_domain");
        assert_eq!(problem["input"], input);
    }
    assert_eq!(app.head().await, 0);
}

#[tokio::test]
async fn a_name_of_253_characters_is_one() {
    let app = TestApp::start().await;
    let label = "a".repeat(61);
    let name = format!("{label}.{label}.{label}.{label}.a.com");
    assert_eq!(name.len(), 253);
    app.create_scan(&name).await;
    app.create_scan(&format!("www.{name}")).await;
    let answer = app
        .post_json("/api/v4/scans", &json!({ "domain": format!("b{name}") }))
        .await;
    let detail = answer.problem(422, "invalid_domain")["detail"].to_string();
    assert!(detail.contains("254"), "{detail}");
}

#[tokio::test]
async fn broken_json_is_told_with_line_and_column() {
    let app = TestApp::start().await;
    for path in ["/api/v4/scans", "/api/v4/batches"] {
        for (body, line) in [
            ("", 1),
            ("{", 1),
            ("{\"domain\":\n\"a.com\",\n", 3),
            ("\u{feff}{}", 1),
            ("nope", 1),
        ] {
            let answer = app.post_text(path, "application/json", body).await;
            let problem = answer.problem(400, "invalid_json");
            assert!(
                problem["line"]
                    .as_i64()
                    .is_some_and(|reported| (reported - line).abs() <= 1),
                "{body}: {problem}"
            );
            assert!(problem["column"].is_i64());
        }
        let binary = app
            .post_text(path, "application/json", &b"{\"domain\": \"\xff\"}"[..])
            .await;
        assert_eq!(binary.status / 100, 4, "{}", binary.text());
    }
    assert_eq!(app.head().await, 0);
}

#[tokio::test]
async fn fields_of_a_wrong_type_or_missing_are_told() {
    let app = TestApp::start().await;
    let scans = [
        json!({}),
        json!([]),
        json!("a.com"),
        json!(null),
        json!({ "domain": 5 }),
        json!({ "domain": null }),
        json!({ "domain": ["a.com"] }),
        json!({ "domain": "a.com", "max_pages": "5" }),
        json!({ "domain": "a.com", "max_pages": 1.5 }),
        json!({ "domain": "a.com", "max_pages": true }),
    ];
    let batches = [
        json!({}),
        json!([]),
        json!({ "domains": "a.com" }),
        json!({ "domains": { "a.com": 1 } }),
        json!({ "domains": null }),
        json!({ "domains": ["a.com"], "max_concurrent": "7" }),
        json!({ "domains": ["a.com"], "max_pages": {} }),
    ];
    let all = scans.iter().map(|body| ("/api/v4/scans", body));
    for (path, body) in all.chain(batches.iter().map(|body| ("/api/v4/batches", body))) {
        app.post_json(path, body).await.problem(422, "invalid_field");
    }
    assert_eq!(app.head().await, 0);
}

#[tokio::test]
async fn numbers_beyond_64_bits_are_refused_and_large_ones_brought_within_bounds() {
    let app = TestApp::start().await;
    let send = async |number: &str| {
        let body = format!(r#"{{"domain": "a.com", "max_pages": {number}}}"#);
        app.post_text("/api/v4/scans", "application/json", body).await
    };
    send("99999999999999999999999")
        .await
        .problem(422, "invalid_field");
    assert_eq!(send("9223372036854775807").await.status, 202);
}

#[tokio::test]
async fn other_content_types_are_refused_by_name() {
    let app = TestApp::start().await;
    for (path, media_type) in [
        ("/api/v4/scans", "text/plain"),
        ("/api/v4/scans", "application/x-www-form-urlencoded"),
        ("/api/v4/batches", "application/xml"),
        ("/api/v4/batches", "multipart/form-data; boundary=x"),
    ] {
        let answer = app.post_text(path, media_type, "a.com").await;
        let problem = answer.problem(415, "unsupported_media_type");
        let named = media_type.split(';').next().unwrap();
        assert!(problem["detail"].as_str().unwrap().contains(named), "{problem}");
    }
    let untyped = app
        .call("POST", "/api/v4/scans")
        .untyped(r#"{"domain":"a.com"}"#)
        .send()
        .await;
    untyped.problem(415, "unsupported_media_type");
    let typed = app
        .post_text(
            "/api/v4/scans",
            "Application/JSON; charset=utf-8",
            r#"{"domain":"a.com"}"#,
        )
        .await;
    assert_eq!(typed.status, 202);
}

#[tokio::test]
async fn a_body_beyond_32_megabytes_is_refused() {
    let app = TestApp::start().await;
    for (path, media_type) in [
        ("/api/v4/scans", "application/json"),
        ("/api/v4/batches", "text/plain"),
    ] {
        let answer = app.post_text(path, media_type, vec![b'\n'; (32 << 20) + 1]).await;
        let problem = answer.problem(413, "body_too_large");
        assert!(problem["detail"].as_str().unwrap().contains("32 MB"));
    }
    // One line: millions of them take a debug build half a minute.
    let just = app
        .post_text("/api/v4/batches", "text/plain", vec![b' '; 32 << 20])
        .await;
    just.problem(422, "empty_batch");
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems() {
    let app = TestApp::start().await;
    for path in [
        "/nothing",
        "/api",
        "/api/v4",
        "/api/v4/",
        "/api/v4/nothing",
        "/api/v4/scans/",
        "/api/v5/scans",
    ] {
        app.get(path).await.problem(404, "not_found");
    }
    for (method, path) in [
        ("DELETE", "/api/v4/scans"),
        ("PUT", "/api/v4/scans/x"),
        ("GET", "/api/v4/scans/x/cancel"),
        ("POST", "/api/v4/domains"),
        ("POST", "/livez"),
        ("POST", "/openapi.json"),
    ] {
        let answer = app.call(method, path).send().await;
        answer.problem(405, "method_not_allowed");
        assert!(answer.header("allow").is_some(), "{method} {path}");
    }
}

#[tokio::test]
async fn queries_that_cannot_be_understood_are_refused() {
    let app = TestApp::start().await;
    let nul = base64_url("\0");
    for query in [
        "scans?limit=0".to_owned(),
        "scans?limit=1001".to_owned(),
        "scans?limit=x".to_owned(),
        "scans?cursor=%25".to_owned(),
        "scans?cursor=YQ".to_owned(),
        "scans?status=done".to_owned(),
        "scans?domain=localhost".to_owned(),
        "scans?batch=x".to_owned(),
        "scans?at_least=x".to_owned(),
        "batches?limit=-1".to_owned(),
        "batches?cursor=YQ".to_owned(),
        "domains?status=done".to_owned(),
        "domains?is_wordpress=maybe".to_owned(),
        "domains?batch=x".to_owned(),
        "domains?contains=%00".to_owned(),
        format!("domains?cursor={nul}"),
        "events?after=x".to_owned(),
        "events?limit=0".to_owned(),
        "events?cursor=YQ".to_owned(),
        "events?stream=a%00b".to_owned(),
        "scans?limit=1&limit=2".to_owned(),
    ] {
        app.get(&format!("/api/v4/{query}"))
            .await
            .problem(400, "invalid_query");
    }
    let answer = app
        .post_json("/api/v4/batches?dry_run=maybe", &json!({ "domains": ["a.com"] }))
        .await;
    answer.problem(400, "invalid_query");
    assert_eq!(app.head().await, 0);
}

#[tokio::test]
async fn numbers_far_out_in_queries_are_no_fault() {
    let app = TestApp::start().await;
    app.create_scan("a.com").await;
    let latest = app.get("/api/v4/events?after=9223372036854775807").await;
    assert_eq!(latest.status, 200);
    for query in [
        "events?after=-9223372036854775808",
        "scans?at_least=-9223372036854775808",
    ] {
        let path = format!("/api/v4/{query}");
        assert_eq!(app.get(&path).await.status, 400, "{query}");
    }
}

#[tokio::test]
async fn unknown_and_malformed_names_are_not_found() {
    let app = TestApp::start().await;
    for path in [
        "domains/unknown.com",
        "domains/localhost",
        "domains/%00",
        "domains/%ff",
        "domains/unknown.com/urls",
        "streams/domain_scan/x",
        "streams/nothing/00000000-0000-4000-8000-00000000dead",
        "streams/domain_scan/00000000-0000-4000-8000-00000000dead",
    ] {
        app.get(&format!("/api/v4/{path}"))
            .await
            .problem(404, "not_found");
    }
}

#[tokio::test]
async fn headers_full_of_nonsense_do_no_harm() {
    let app = TestApp::start().await;
    let call = app
        .call("POST", "/api/v4/scans")
        .json(&json!({ "domain": "a.com" }));
    let call = call
        .header("x-request-id", "ü\u{1}".trim_end_matches('\u{1}'))
        .header("if-none-match", "\"");
    let answer = call.send().await;
    assert_eq!(answer.status, 202);
    let events: Value = app.get("/api/v4/events").await.json();
    assert!(events["items"][0]["metadata"]["request_id"].is_string());
}

fn base64_url(text: &str) -> String {
    sitelog::projections::query::encode_cursor(text)
}

#[tokio::test]
async fn while_the_database_is_gone_everything_is_to_be_repeated_later() {
    let app = TestApp::start().await;
    app.cut_database();
    for path in [
        "/readyz",
        "/metrics",
        "/api/v4/scans",
        "/api/v4/batches",
        "/api/v4/domains",
        "/api/v4/events",
    ] {
        let answer = app.get(path).await;
        answer.problem(503, "unavailable");
        assert_eq!(answer.header("retry-after"), Some("1"), "{path}");
    }
    for (path, body) in [
        ("scans", json!({ "domain": "a.com" })),
        ("batches", json!({ "domains": ["a.com"] })),
    ] {
        let answer = app.post_json(&format!("/api/v4/{path}"), &body).await;
        answer.problem(503, "unavailable");
    }
    assert_eq!(app.get("/livez").await.status, 200);
}

#[tokio::test]
async fn a_parameter_that_is_not_known_is_refused_with_the_nearest_one() {
    let app = TestApp::start().await;
    let body = json!({ "domains": ["a.com"] });
    let refused = app.post_json("/api/v4/batches?dryrun=true", &body).await;
    let problem = refused.problem(400, "unknown_parameter");
    assert_eq!(
        (&problem["parameter"], &problem["nearest"]),
        (&json!("dryrun"), &json!("dry_run"))
    );
    for (path, nearest) in [
        ("/api/v4/scans?batchid=x", "batch_id"),
        ("/api/v4/scans?Status=failed", "status"),
        ("/api/v4/batches?limt=5", "limit"),
        ("/api/v4/domains?has_emails=true", "has_email"),
        (
            "/api/v4/scans/00000000-0000-4000-8000-00000000dead?as-of=1",
            "as_of",
        ),
        (
            "/api/v4/scans/00000000-0000-4000-8000-00000000dead/events?aftr=1",
            "after",
        ),
        (
            "/api/v4/batches/00000000-0000-4000-8000-00000000dead/domains?formt=csv",
            "format",
        ),
        ("/api/v4/projections/jobs?x=1", ""),
    ] {
        let problem = app.get(path).await.problem(400, "unknown_parameter");
        assert_eq!(problem["nearest"].as_str().unwrap_or_default(), nearest, "{path}");
    }
    for (path, body) in [
        ("/api/v4/scans", json!({ "domain": "a.com", "maxPages": 5 })),
        ("/api/v4/batches", json!({ "domains": ["a.com"], "max-pages": 5 })),
    ] {
        let problem = app.post_json(path, &body).await.problem(400, "unknown_parameter");
        assert_eq!(problem["nearest"], "max_pages", "{path}");
        assert!(
            problem["line"].is_number() && problem["known"].is_array(),
            "{problem}"
        );
    }
    assert_eq!(app.head().await, 0, "nothing was written");
}

#[tokio::test]
async fn the_predecessors_paths_pass_over_what_they_do_not_know() {
    let app = TestApp::start().await;
    let body = json!({ "base_url": "a.com", "maxPages": 5 });
    assert_eq!(app.post_json("/api/v1/scrapersky?x=1", &body).await.status, 200);
}

#[tokio::test]
async fn a_batch_is_a_filter_by_either_of_its_names() {
    let app = TestApp::start().await;
    let batch = app.create_batch(&["a.com"]).await;
    app.create_scan("b.com").await;
    app.scans_of_batch(&batch, 1).await;
    let at_least = app.head().await;
    for name in ["batch", "batch_id"] {
        let path = format!("/api/v4/scans?{name}={batch}&at_least={at_least}");
        let items = app.get(&path).await.json()["items"].clone();
        assert_eq!(items.as_array().unwrap().len(), 1, "{name}: {items}");
    }
    let both = app
        .get(&format!("/api/v4/scans?batch={batch}&batch_id={batch}"))
        .await;
    both.problem(400, "invalid_query");
    assert_eq!(
        app.get(&format!("/api/v4/domains?batch_id={batch}")).await.status,
        200
    );
}

#[tokio::test]
async fn a_time_may_have_an_offset_and_neither_it_nor_a_position_lies_beyond_the_log() {
    let app = TestApp::start().await;
    let scan = app.create_scan("a.com").await;
    let ask = async |as_of: &str| app.get(&format!("/api/v4/scans/{scan}?as_of={as_of}")).await;
    let head = app.head().await;
    assert_eq!(ask(&head.to_string()).await.status, 200);
    let beyond = ask(&(head + 1).to_string()).await.problem(400, "invalid_query");
    assert!(
        beyond["detail"].as_str().unwrap().contains(&head.to_string()),
        "{beyond}"
    );
    ask("9223372036854775807").await.problem(400, "invalid_query");
    // Before the scan was requested, which is 404 as long as the time is understood.
    for time in [
        "2020-01-31T12:00:00%2B02:00",
        "2020-01-31T12:00:00+02:00",
        "2020-01-31T12:00:00-02:00",
        "2020-01-31T12:00:00Z",
    ] {
        assert_eq!(ask(time).await.status, 404, "{time}");
    }
    ask("2999-01-01T00:00:00Z").await.problem(400, "invalid_query");
    let wrong = ask("2020-01-31T12:00").await.problem(400, "invalid_query");
    assert!(wrong["detail"].as_str().unwrap().contains("%2B"), "{wrong}");
}
