//! The published verifier of Standard Webhooks accepts our messages.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{create, scan, start, until_count};
use crate::support::python;

/// Skipped with a message if Python or the network is missing.
#[tokio::test]
async fn the_published_verifier_accepts_ours_and_refuses_what_it_must() {
    let Some(python) = python::with("standardwebhooks", &["standardwebhooks==1.1.0"]) else {
        eprintln!("SKIPPED: standardwebhooks cannot be had here; messages are not tried with it");
        return;
    };
    let (app, receiver) = start().await;
    create(&app, &receiver, json!({ "events": ["scan.completed"] })).await;
    scan(&app, "münchen.de", "Grüße & <b>").await;
    until_count(&receiver, 1).await;
    let message = receiver.received().remove(0);
    let secret = receiver.secrets().remove(0);
    let headers = |id: &str, time: &str, signature: &str| json!({ "webhook-id": id, "webhook-timestamp": time, "webhook-signature": signature });
    let text = |name: &str| message.headers[name].to_str().unwrap().to_owned();
    let (id, time, signature) = (
        text("webhook-id"),
        text("webhook-timestamp"),
        text("webhook-signature"),
    );
    let body = message.raw.clone();
    let hour_ago = (time.parse::<i64>().unwrap() - 3600).to_string();
    let other = format!("whsec_{}", STANDARD.encode([1_u8; 32]));
    let ours = headers(&id, &time, &signature);
    let cases: [(Value, &str); 4] = [
        (
            json!({ "secret": secret, "body": body, "headers": ours }),
            "accepted",
        ),
        (
            json!({ "secret": secret, "body": body.replace("scan", "scam"), "headers": ours }),
            "refused",
        ),
        // Signed as it must be, an hour ago.
        (
            json!({ "secret": secret, "body": body,
                    "headers": headers(&id, &hour_ago, &signed(&secret, &id, &hour_ago, &body)) }),
            "refused",
        ),
        (
            json!({ "secret": other, "body": body, "headers": ours }),
            "refused",
        ),
    ];
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/webhooks/verify.py");
    let mut child = Command::new(python)
        .arg(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines: Vec<String> = cases.iter().map(|(case, _)| case.to_string()).collect();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(lines.join("\n").as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let said: Vec<&str> = said.lines().collect();
    assert_eq!(said.len(), cases.len(), "{said:?}");
    for ((case, expected), said) in cases.iter().zip(said) {
        assert!(said.starts_with(expected), "{said}: {case}");
    }
}

fn signed(secret: &str, id: &str, time: &str, body: &str) -> String {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{id}.{time}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}
