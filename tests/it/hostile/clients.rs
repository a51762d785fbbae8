//! Hostile clients: too much, too slow, too deep, or from another website.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use sitelog::api::serving::{ServerLimits, serve};
use sitelog::api::{RequestSlots, router};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::support::app::TestApp;

/// An app behind a real socket.
struct Served {
    app: TestApp,
    address: SocketAddr,
    stop: CancellationToken,
}

impl Served {
    async fn start(serving: ServerLimits) -> Self {
        let app = TestApp::start().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let routes = app.app.routes();
        tokio::spawn(serve(listener, routes, serving, stop.clone()));
        Self { app, address, stop }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends bytes and reads until the server closes the connection.
    async fn exchange(&self, sent: &[u8]) -> String {
        let mut stream = self.connect().await;
        // The server may have had enough before all is sent.
        let _refused_early = stream.write_all(sent).await;
        read_all(&mut stream).await
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn read_all(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let _reset_after_the_answer = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

fn impatient() -> ServerLimits {
    ServerLimits {
        header_read_timeout: Duration::from_millis(200),
        ..ServerLimits::default()
    }
}

const LIVEZ: &str = "GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn who_does_not_send_its_head_is_hung_up_on() {
    let served = Served::start(impatient()).await;
    for begun in ["", "G", "GET /livez HTTP/1.1\r\nhost: localhost\r\nx: "] {
        let mut stream = served.connect().await;
        stream.write_all(begun.as_bytes()).await.unwrap();
        // It ends without our doing.
        let answer = read_all(&mut stream).await;
        assert!(!answer.contains(" 200 "), "{begun}: {answer}");
    }
    // An idle connection after a request ends as well.
    let mut stream = served.connect().await;
    let kept = LIVEZ.replace("connection: close\r\n", "");
    stream.write_all(kept.as_bytes()).await.unwrap();
    assert!(read_all(&mut stream).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let served = Served::start(ServerLimits::default()).await;
    let many = "x: y\r\n".repeat(200);
    let long = format!("x: {}\r\n", "y".repeat(200_000));
    for headers in [many, long] {
        let answer = served
            .exchange(format!("GET /livez HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n").as_bytes())
            .await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
    let path = "a".repeat(200_000);
    let answer = served
        .exchange(format!("GET /{path} HTTP/1.1\r\nhost: localhost\r\n\r\n").as_bytes())
        .await;
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
}

#[tokio::test]
async fn what_is_not_http_is_refused_and_others_go_on() {
    let served = Served::start(impatient()).await;
    for rubbish in [
        "\x16\x03\x01\x02\x00\x01\x00\x01\u{fc}",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "CONNECT 127.0.0.1:22 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
        "TRACE / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "\0\0\0\0\r\n\r\n",
        "POST /api/v4/scans HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        "POST /api/v4/scans HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n",
        "POST /api/v4/scans HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
    ] {
        let answer = served.exchange(rubbish.as_bytes()).await;
        assert!(
            !answer.contains(" 200 ") && !answer.contains(" 202 ") && !answer.contains(" 50"),
            "{answer}"
        );
        assert!(
            served
                .exchange(LIVEZ.as_bytes())
                .await
                .starts_with("HTTP/1.1 200")
        );
    }
    assert_eq!(served.app.head().await, 0);
}

#[tokio::test]
async fn what_a_proxy_could_read_otherwise_is_refused_and_nothing_follows_it() {
    let served = Served::start(impatient()).await;
    let second = "GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let post = "POST /api/v4/scans HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    for (name, sent) in [
        (
            "two lengths, the plain first",
            format!("{post}content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{second}"),
        ),
        (
            "two lengths, chunks first",
            format!("{post}transfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n0\r\n\r\n{second}"),
        ),
        ("no host", format!("GET /api/v4/scans HTTP/1.1\r\n\r\n{second}")),
        (
            "two hosts",
            format!("GET /api/v4/scans HTTP/1.1\r\nhost: localhost\r\nhost: evil.test\r\n\r\n{second}"),
        ),
        (
            "blank before the colon",
            format!("{post}transfer-encoding : chunked\r\n\r\n0\r\n\r\n{second}"),
        ),
        (
            "unknown coding",
            format!("{post}transfer-encoding: xchunked\r\n\r\n0\r\n\r\n{second}"),
        ),
        (
            "chunked not last",
            format!("{post}transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n{second}"),
        ),
        (
            "signed length",
            format!("{post}content-length: +2\r\n\r\n{{}}{second}"),
        ),
        (
            "folded header",
            format!("GET /api/v4/scans HTTP/1.1\r\nhost: localhost\r\nx-a: b\r\n c: d\r\n\r\n{second}"),
        ),
        (
            "carriage return in a value",
            format!("GET /api/v4/scans HTTP/1.1\r\nhost: localhost\r\nx-a: b\rx-b: c\r\n\r\n{second}"),
        ),
    ] {
        let answer = served.exchange(sent.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{name}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{name}: {answer}");
    }
    assert_eq!(served.app.head().await, 0);
    // HTTP/1.0 had no such header.
    let old = served.exchange(b"GET /livez HTTP/1.0\r\n\r\n").await;
    assert!(old.starts_with("HTTP/1.0 200"), "{old}");
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_until_one_ends() {
    let connections = 2;
    let served = Served::start(ServerLimits {
        connections,
        ..ServerLimits::default()
    })
    .await;
    let (mut first, second) = (served.connect().await, served.connect().await);
    let kept = LIVEZ.replace("connection: close\r\n", "");
    for _ in 0..2 {
        // It is held as long as its client likes.
        first.write_all(kept.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        first.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
        drain(&mut first).await;
    }
    let mut third = served.connect().await;
    third.write_all(LIVEZ.as_bytes()).await.unwrap();
    let mut one = [0; 1];
    let early = tokio::time::timeout(Duration::from_millis(300), third.read_exact(&mut one)).await;
    assert!(early.is_err(), "a third connection was served");
    drop(second);
    assert!(read_all(&mut third).await.starts_with("HTTP/1.1 200"));
}

/// Returns the received bytes.
async fn drain(stream: &mut TcpStream) {
    let mut seen = Vec::new();
    while !seen.ends_with(b"}") {
        seen.push(stream.read_u8().await.unwrap());
    }
}

#[tokio::test]
async fn requests_that_find_no_place_are_told_to_come_again() {
    let app = TestApp::start().await;
    let mut state = app.app.api_state();
    state.limits.requests = RequestSlots::new(0);
    let full = router(state, axum::Router::new());
    let call = |path: &str| crate::support::call::Call::new(full.clone(), "GET", path).send();
    let refused = call("/api/v4/scans").await;
    refused.problem(503, "overloaded");
    assert!(refused.header("retry-after").is_some());
    assert_eq!(
        call("/livez").await.status,
        200,
        "that the process lives is always told"
    );
}

#[tokio::test]
async fn deep_json_is_refused() {
    let app = TestApp::start().await;
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        let in_field = |name: &str| format!("{{\"{name}\": {deep}}}");
        for (path, field) in [
            ("/api/v4/scans", "domain"),
            ("/api/v4/batches", "domains"),
            ("/api/v1/scrapersky", "base_url"),
            ("/api/v1/batch", "domains"),
        ] {
            for body in [deep.clone(), in_field(field)] {
                let answer = app.post_text(path, "application/json", body).await;
                assert!(matches!(answer.status, 400 | 422), "{path} {}", answer.status);
            }
        }
        let answer = app
            .post_text("/api/v4/batches", "application/x-ndjson", deep)
            .await;
        answer.problem(422, "no_valid_domain");
    }
    assert_eq!(app.head().await, 0);
}

#[tokio::test]
async fn a_list_of_millions_is_refused_before_it_is_held() {
    let app = TestApp::start().await;
    let numbers = format!("{{\"domains\": [{}1]}}", "1,".repeat(5_000_000));
    for (media_type, body) in [
        ("application/json", numbers),
        ("text/plain", "x\n".repeat(5_000_000)),
        ("text/csv", "x\n".repeat(5_000_000)),
        ("application/x-ndjson", "1\n".repeat(5_000_000)),
    ] {
        let answer = app.post_text("/api/v4/batches", media_type, body).await;
        answer.problem(422, "too_many_domains");
        assert!(answer.body.len() < 1000, "{media_type}");
    }
}

#[tokio::test]
async fn every_answer_tells_browsers_to_keep_their_hands_off() {
    let app = TestApp::start().await;
    for path in [
        "/api/v4/scans",
        "/api/v4/scans/x",
        "/livez",
        "/nowhere",
        "/openapi.json",
        "/api/v1/status/x",
    ] {
        let answer = app.get(path).await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{path}");
        }
        let policy = answer.header("content-security-policy").unwrap();
        assert!(
            policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{path}"
        );
        assert!(!policy.contains("unsafe"), "{path}");
        let private = path.starts_with("/api/");
        assert_eq!(
            answer.header("cache-control") == Some("private, no-cache"),
            private,
            "{path}"
        );
    }
}

#[tokio::test]
async fn pages_of_other_origins_get_nothing() {
    let guarded = TestApp::builder().guarded().start().await;
    let preflight = guarded
        .call("OPTIONS", "/api/v4/scans")
        .header("origin", "https://evil.test")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization");
    let preflight = preflight.send().await;
    assert_eq!(preflight.status, 405);
    let open = TestApp::start().await;
    let call = open
        .call("POST", "/api/v4/batches")
        .header("host", "127.0.0.1:8080");
    let sent = call
        .header("origin", "https://evil.test")
        .body("text/plain", "a.com\n")
        .send()
        .await;
    sent.problem(403, "foreign_page");
    let rebound = open
        .call("GET", "/api/v4/domains")
        .header("host", "evil.test:8080")
        .send()
        .await;
    rebound.problem(403, "foreign_page");
    let own = open
        .call("GET", "/api/v4/domains")
        .header("host", "127.0.0.1:8080");
    let own = own.header("origin", "http://127.0.0.1:8080").send().await;
    assert_eq!(own.status, 200);
    for answer in [preflight, sent, rebound, own] {
        let allowed = answer
            .headers
            .keys()
            .any(|name| name.as_str().starts_with("access-control-"));
        assert!(!allowed, "{:?}", answer.headers);
    }
    assert_eq!(open.head().await, 0);
}

#[tokio::test]
async fn no_answer_tells_of_sql_paths_or_secrets() {
    let app = TestApp::start().await;
    app.create_scan("a.com").await;
    let nasty = [
        "'; drop table events; --",
        "\u{0}",
        "%00",
        "../../etc/passwd",
        "{{7*7}}",
        "<script>alert(1)</script>",
        "\u{202e}",
        "9999999999999999999999",
        "-1",
        "NaN",
    ];
    let mut answers = Vec::new();
    for text in nasty {
        let text: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
        for path in [
            format!("scans/{text}"),
            format!("scans?status={text}"),
            format!("scans?domain={text}"),
            format!("scans?cursor={text}"),
            format!("scans?limit={text}"),
            format!("domains?contains={text}"),
            format!("domains?batch={text}"),
            format!("domains/{text}/urls?cursor={text}"),
            format!("events?after={text}"),
            format!("events?stream={text}"),
            format!("streams/{text}/{text}"),
            format!("batches/{text}/scans?at_least={text}"),
        ] {
            answers.push(app.get(&format!("/api/v4/{path}")).await);
        }
        let bodies = [
            json!({ "domain": text }),
            json!({ "domain": [text] }),
            json!({ "domains": [text, text] }),
        ];
        for body in bodies {
            for path in [
                "/api/v4/scans",
                "/api/v4/batches",
                "/api/v1/scrapersky",
                "/api/v1/batch",
            ] {
                answers.push(app.post_json(path, &body).await);
            }
        }
    }
    app.cut_database();
    for path in [
        "/api/v4/scans",
        "/api/v4/events",
        "/readyz",
        "/metrics",
        "/api/v1/status/scan_x",
    ] {
        answers.push(app.get(path).await);
    }
    answers.push(
        app.post_json("/api/v4/scans", &json!({ "domain": "b.com" }))
            .await,
    );
    // Where this is built and who builds it.
    let sources = env!("CARGO_MANIFEST_DIR").to_lowercase();
    let home = std::env::var("HOME").unwrap_or_default().to_lowercase();
    // Of some services it is `/`, which says nothing.
    let home = if home.len() > 1 {
        format!("{home}/")
    } else {
        sources.clone()
    };
    for answer in answers {
        let text = answer.text().to_lowercase();
        assert!(answer.status < 500 || answer.status == 503, "{text}");
        for word in [
            sources.as_str(),
            home.as_str(),
            "select ",
            "insert into",
            "sqlx",
            "postgres",
            "pg_",
            "/home/",
            "/tmp/",
            "panicked",
            "src/",
            "stack",
        ] {
            assert!(!text.contains(word), "{word}: {text}");
        }
        let shown = answer.json();
        let is_problem = shown["code"].is_string() || shown["detail"] != Value::Null;
        assert!(answer.status < 400 || is_problem, "{text}");
    }
}
