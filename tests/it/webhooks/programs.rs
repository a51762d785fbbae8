//! The receivers of `docs/receivers` accept our messages, each once, and refuse others.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{command, scan};
use crate::support::PATIENCE;
use crate::support::app::{TestApp, wait_for};

/// A program that listens; it ends when dropped.
struct Program {
    child: Child,
    port: u16,
    lines: Receiver<String>,
}

impl Program {
    /// `None` if there is nothing to run it with.
    fn start(interpreter: &str, file: &str, secret: &str) -> Option<Self> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("docs/receivers")
            .join(file);
        let started = Command::new(interpreter)
            .arg(path)
            .arg("0")
            .env("WEBHOOK_SECRETS", format!("whsec_AAAA {secret}"))
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut child) = started else {
            eprintln!("SKIPPED: {file} is not run, {interpreter} is not there");
            return None;
        };
        let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = output.next().unwrap().unwrap();
        let port = first.strip_prefix("listening on ").unwrap().parse().unwrap();
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in output.map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Some(Self { child, port, lines })
    }

    fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_documented_receivers_take_each_event_once_and_refuse_forgeries() {
    for (interpreter, file) in [("python3", "receiver.py"), ("node", "receiver.mjs")] {
        // Its secret is known before there is an endpoint: it is put in place of the one that was made.
        let key = [7_u8; 32];
        let secret = format!("whsec_{}", STANDARD.encode(key));
        let Some(program) = Program::start(interpreter, file, &secret) else {
            continue;
        };
        let connect_to = format!("*.hook.test=127.0.0.1:{}", program.port);
        let app = TestApp::builder().reaching(connect_to).start().await;
        let settings = json!({ "url": "http://a.hook.test/", "events": ["scan.completed"] });
        let created = app.post_json("/api/v4/webhooks", &settings).await.json();
        let id = created["webhook_id"].as_str().unwrap().to_owned();
        sqlx::query("update webhook_secret set secret = $1")
            .bind(key.as_slice())
            .execute(app.log_pool())
            .await
            .unwrap();
        let path = format!("/api/v4/webhooks/{id}?at_least={}", created["position"]);
        assert_eq!(app.get(&path).await.status, 200);
        scan(&app, "a.com", "a").await;
        let first = program.line();
        assert!(
            first.starts_with("scan.completed {") && first.contains("a.com"),
            "{first}"
        );
        // Once more, which it drops; what comes after it is the next.
        let deliveries = format!("/api/v4/webhooks/{id}/deliveries");
        let sent = app
            .get_until(&deliveries, |answer| !answer.json()["items"][0].is_null())
            .await
            .json();
        let position = &sent["items"][0]["position"];
        command(&app, &id, "resend", &json!({ "position": position })).await;
        wait_for("the repetition", async || {
            let items: Value = app.get(&deliveries).await.json();
            (items["items"].as_array()?.len() == 2).then_some(())
        })
        .await;
        scan(&app, "b.com", "b").await;
        assert!(program.line().contains("b.com"), "{file}");
        // By a secret that it does not know.
        sqlx::query("update webhook_secret set secret = '\\x01'")
            .execute(app.log_pool())
            .await
            .unwrap();
        scan(&app, "c.com", "c").await;
        let refused = app.get_until(&deliveries, |answer| answer.json()["items"][0]["status"] == 401);
        refused.await;
        assert!(program.lines.try_recv().is_err(), "{file} took a forgery");
    }
}
