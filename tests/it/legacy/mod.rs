//! The predecessor's paths, field by field, as its clients read them; its data; and the fallback to it.

mod backend;
mod batch;
mod domains;
mod errors;
mod old_data;
mod old_pages;
mod scan;
mod tables;
mod v2025_03;
mod v3;

use serde_json::{Map, Value, json};
use sitelog::values::Findings;
use sitelog::values::findings::{ContactInfo, Technology};

use crate::support::app::TestApp;
use crate::support::call::Answer;

/// A valid id that does not exist.
const NOBODY: &str = "f6413b85-8367-4628-bf89-3fad2a15f1a6";

/// A site's findings with something in most keys.
fn findings() -> Findings {
    Findings {
        title: Some("Example".to_owned()),
        is_wordpress: true,
        has_elementor: true,
        contact_info: ContactInfo {
            email: vec!["info@example.com".to_owned()],
            phone: vec!["+15551234567".to_owned()],
        },
        technologies: vec![
            technology("Elementor", Some("3.21.0")),
            technology("WooCommerce", None),
        ],
        ..Findings::default()
    }
}

fn technology(name: &str, version: Option<&str>) -> Technology {
    Technology {
        name: name.to_owned(),
        version: version.map(str::to_owned),
        ..Technology::default()
    }
}

#[track_caller]
fn assert_naive(timestamp: &Value) {
    let text = timestamp.as_str().unwrap_or_default();
    let form = "%Y-%m-%dT%H:%M:%S%.6f";
    let read = chrono::NaiveDateTime::parse_from_str(text, form);
    assert!(
        read.is_ok() && text.len() == "2026-11-23T04:53:34.867987".len(),
        "{timestamp}"
    );
}

/// Removes these times from an object after checking their format.
#[track_caller]
fn without_times(mut object: Value, names: &[&str]) -> Value {
    for name in names {
        let time = object.as_object_mut().and_then(|fields| fields.remove(*name));
        assert_naive(&time.unwrap_or_else(|| panic!("{name} is missing")));
    }
    object
}

#[track_caller]
fn assert_deprecated(answer: &Answer) {
    assert_eq!(answer.header("deprecation"), Some("@1740787200"));
    assert_eq!(answer.header("sunset"), Some("Fri, 31 Dec 2027 23:59:59 GMT"));
    let link = answer.header("link").unwrap_or_default();
    assert!(
        link.starts_with("</api/v4/") && link.ends_with("; rel=\"successor-version\""),
        "{link}"
    );
}

/// Posts JSON and expects this status.
async fn accepted(app: &TestApp, status: u16, path: &str, body: &Value) -> Map<String, Value> {
    let answer = app.post_json(path, body).await;
    assert_eq!(answer.status, status, "{path}: {}", answer.text());
    assert_deprecated(&answer);
    answer.json().as_object().unwrap().clone()
}

fn text(fields: &Map<String, Value>, name: &str) -> String {
    fields[name]
        .as_str()
        .unwrap_or_else(|| panic!("{}", json!(fields)))
        .to_owned()
}

fn names(fields: &Map<String, Value>) -> Vec<&str> {
    fields.keys().map(String::as_str).collect()
}
