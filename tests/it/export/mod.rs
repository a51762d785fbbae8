//! Exports as CSV, NDJSON, workbooks and Parquet, over HTTP and on the command line.

mod command_line;
mod forms;
mod lists;
mod object;
mod parquet;
mod streams;

use sitelog::values::Findings;
use sitelog::values::findings::{ContactInfo, Organization, Technology};

use crate::support::app::TestApp;
use crate::support::call::Answer;

/// Some tenant that is not the default one.
const OTHER: &str = "00000000-0000-4000-8000-000000000001";

/// Findings with values that are difficult in files.
fn findings() -> Findings {
    let technology = |name: &str, version: Option<&str>| Technology {
        name: name.to_owned(),
        version: version.map(str::to_owned),
        ..Technology::default()
    };
    Findings {
        title: Some("=HYPERLINK(\"http://evil.test\",\"x\")".to_owned()),
        description: Some("two\r\nlines, \"quoted\"; Grüße".to_owned()),
        contact_info: ContactInfo {
            email: vec!["a@a.com".to_owned(), "b@a.com".to_owned()],
            phone: vec!["+4989123456".to_owned(), "+12125550001".to_owned()],
        },
        technologies: vec![technology("nginx", None), technology("Vue", Some("3.1"))],
        organization: Some(Organization {
            name: Some("Anna & Co".to_owned()),
            ..Organization::default()
        }),
        ..Findings::default()
    }
}

/// A batch that was sent as CSV, with each of its scans visible.
async fn send_csv(app: &TestApp, list: &str) -> String {
    let answer = app
        .post_text("/api/v4/batches", "text/csv", list.to_owned())
        .await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let accepted = answer.json()["accepted"].as_u64().unwrap();
    let id = answer.json()["batch_id"].as_str().unwrap().to_owned();
    app.scans_of_batch(&id, usize::try_from(accepted).unwrap()).await;
    id
}

/// A CSV file: its header and its rows.
fn table(file: &[u8]) -> (Vec<String>, Vec<Vec<String>>) {
    let mut reader = csv::Reader::from_reader(file);
    let header = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let rows = reader
        .records()
        .map(|row| row.unwrap().iter().map(str::to_owned).collect())
        .collect();
    (header, rows)
}

/// One column of a CSV file.
#[track_caller]
fn column(answer: &Answer, name: &str) -> Vec<String> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let (header, rows) = table(&answer.body);
    let place = header.iter().position(|column| column == name);
    let place = place.unwrap_or_else(|| panic!("no {name} in {header:?}"));
    rows.into_iter().map(|mut row| row.swap_remove(place)).collect()
}
