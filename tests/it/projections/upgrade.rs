//! A database of an earlier release is brought up to date in place: read models are built again, and answers stay.
//!
//! `tests/fixtures/upgrade` holds a dump of one whose read models have earlier shapes, and 2,000 answers
//! of the release that wrote it; `record.py` there makes both.

use flate2::read::GzDecoder;
use serde::Deserialize;
use serde_json::Value;

use crate::support::app::wait_for;
use crate::support::postgres::TestDatabase;
use crate::support::server::Server;
use crate::support::sites::{Sites, SitesOptions};

const DUMP: &[u8] = include_bytes!("../../fixtures/upgrade/database.sql.gz");
const ANSWERS: &[u8] = include_bytes!("../../fixtures/upgrade/answers.json.gz");

/// The response of the earlier release.
#[derive(Deserialize)]
struct Recorded {
    path: String,
    tenant: Option<String>,
    status: u16,
    body: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_an_earlier_release_is_upgraded_in_place_and_answers_as_before() {
    let recorded: Vec<Recorded> = serde_json::from_reader(GzDecoder::new(ANSWERS)).unwrap();
    let database = TestDatabase::restored(DUMP).await;
    let sites = Sites::start(SitesOptions::default()).await.unwrap();
    let settings = [
        ("DATABASE_URL", database.url.as_str()),
        ("SITELOG_API__REQUESTS_PER_MINUTE", "1000000"),
    ];
    let mut server = Server::start(&sites, &settings);
    // Until then a load balancer sends requests to the earlier release, whose read models are left as they are.
    wait_for("the read models are built", async || {
        (server.status_of("GET", "/readyz", None).await == 200).then_some(())
    })
    .await;
    let mut differences = Vec::new();
    for recorded in &recorded {
        let (status, body) = server.answer(&recorded.path, recorded.tenant.as_deref()).await;
        if status == recorded.status {
            compare(recorded, &body, &mut differences);
        } else {
            differences.push(format!(
                "{}: {status} instead of {}",
                recorded.path, recorded.status
            ));
        }
    }
    assert!(
        differences.is_empty(),
        "{} differences in {} answers:\n{}",
        differences.len(),
        recorded.len(),
        differences[..differences.len().min(30)].join("\n")
    );
    for arguments in [["log", "verify"], ["projections", "verify"]] {
        let (code, said) = server.run(&arguments).await;
        assert_eq!(code, Some(0), "{arguments:?}: {said}");
    }
    server.terminate().await;
}

/// A response may have additional fields, but no other differences.
fn compare(recorded: &Recorded, body: &str, differences: &mut Vec<String>) {
    let Ok(before) = serde_json::from_str::<Value>(&recorded.body) else {
        return compare_lines(recorded, body, differences);
    };
    let now = serde_json::from_str(body).unwrap_or_default();
    compare_values(&recorded.path, &before, &now, differences);
}

fn compare_values(place: &str, before: &Value, now: &Value, differences: &mut Vec<String>) {
    match (before, now) {
        (Value::Object(before), Value::Object(now)) => {
            for (key, value) in before {
                let now = now.get(key).unwrap_or(&Value::Null);
                compare_values(&format!("{place} {key}"), value, now, differences);
            }
        }
        (Value::Array(before), Value::Array(now)) if before.len() == now.len() => {
            for (number, (before, now)) in before.iter().zip(now).enumerate() {
                compare_values(&format!("{place} {number}"), before, now, differences);
            }
        }
        _ if before == now => {}
        _ => differences.push(format!("{place}: {now} instead of {before}")),
    }
}

/// CSV and NDJSON: the columns that there were, line by line.
fn compare_lines(recorded: &Recorded, body: &str, differences: &mut Vec<String>) {
    let path = &recorded.path;
    let (before, now): (Vec<_>, Vec<_>) = (recorded.body.lines().collect(), body.lines().collect());
    if before.len() != now.len() {
        differences.push(format!("{path}: {} lines instead of {}", now.len(), before.len()));
    } else if path.contains("format=ndjson") {
        for (before, now) in before.iter().zip(now) {
            let values = [before, &now].map(|line| serde_json::from_str::<Value>(line).unwrap());
            compare_values(path, &values[0], &values[1], differences);
        }
    } else {
        let [before, now] = [&recorded.body, &body.to_owned()].map(|text| {
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            reader
                .deserialize::<std::collections::BTreeMap<String, String>>()
                .map(|row| serde_json::to_value(row.unwrap()).unwrap())
                .collect::<Vec<_>>()
        });
        for (before, now) in before.iter().zip(&now) {
            compare_values(path, before, now, differences);
        }
    }
}
