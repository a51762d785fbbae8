//! `sitelog export --to`: an S3-compatible store gets the object completely or not at all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use tokio::net::TcpListener;

use super::forms::one_domain;
use crate::support::app::TestApp;

/// Objects by path, and the responses to writes.
#[derive(Clone, Default)]
struct Store(Arc<Mutex<HashMap<String, Bytes>>>, Arc<Mutex<Option<StatusCode>>>);

async fn answer(
    State(store): State<Store>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, [(&'static str, &'static str); 1]) {
    let tag = [("etag", "\"1\"")];
    if let Some(refusal) = *store.1.lock().unwrap() {
        return (refusal, tag);
    }
    assert_eq!((method, uri.query()), (Method::PUT, None));
    // Signature Version 4: who asks, and what was signed with it.
    let signed = headers["authorization"].to_str().unwrap();
    assert!(
        signed.starts_with("AWS4-HMAC-SHA256 Credential=somebody/") && signed.contains("/s3/aws4_request"),
        "{signed}"
    );
    assert!(!signed.contains("secret"));
    store.0.lock().unwrap().insert(uri.path().to_owned(), body);
    (StatusCode::OK, tag)
}

async fn export(app: &TestApp, to: &str, environment: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut command = app.command(&["export", "domains", "--to", to]);
    command
        .env_remove("AWS_ACCESS_KEY_ID")
        .envs(environment.iter().copied());
    let output = tokio::process::Command::from(command).output().await.unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[tokio::test]
async fn an_export_goes_to_an_object_or_a_file_and_says_what_is_wrong() {
    let store = Store::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let routes = Router::new().fallback(answer).with_state(store.clone());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let app = one_domain().await;
    let environment = [
        ("AWS_ACCESS_KEY_ID", "somebody"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_ENDPOINT_URL", address.as_str()),
        ("AWS_REGION", "eu-central-1"),
    ];
    let (code, said) = export(&app, "s3://bucket/daily/all domains.parquet", &environment).await;
    assert!(
        code == Some(0) && said.contains("1 row written to s3://bucket/daily/all domains.parquet"),
        "{said}"
    );
    let served = app.get("/api/v4/domains?format=parquet").await;
    let object = store.0.lock().unwrap()["/bucket/daily/all%20domains.parquet"].clone();
    assert!(object == served.body, "the same file");
    let dir = tempfile::tempdir().unwrap();
    let file = format!("file://{}/out.csv", dir.path().display());
    assert_eq!(export(&app, &file, &[]).await.0, Some(0));
    let served = app.get("/api/v4/domains?format=csv").await;
    assert_eq!(
        std::fs::read(dir.path().join("out.csv")).unwrap(),
        served.body.to_vec()
    );
    // What cannot work is reported before anything is read.
    for (to, environment, expected) in [
        ("s3://bucket/a.csv", &environment[1..], "AWS_ACCESS_KEY_ID"),
        ("s3://bucket", &environment[..], "s3://bucket/path/name.csv"),
        ("gs://bucket/a.csv", &environment[..], "'gs'"),
    ] {
        let (code, said) = export(&app, to, environment).await;
        assert!(code == Some(2) && said.contains(expected), "{to}: {said}");
    }
    *store.1.lock().unwrap() = Some(StatusCode::FORBIDDEN);
    let (code, said) = export(&app, "s3://bucket/a.csv", &environment).await;
    assert!(code == Some(1) || code == Some(3), "{code:?}");
    assert!(
        said.contains("cannot write to s3://bucket/a.csv") && said.contains("Run the same command again"),
        "{said}"
    );
    assert!(!said.contains("secret") && !store.0.lock().unwrap().contains_key("/bucket/a.csv"));
}
