//! Parquet, read by the crate that writes it and by other programs: DuckDB and pandas.

use std::process::Command;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use serde_json::{Value, json};

use super::forms::one_domain;
use super::{findings, send_csv};
use crate::support::app::TestApp;
use crate::support::python;

/// The columns of a file and its rows.
pub(super) fn read(file: &[u8]) -> (Vec<String>, Vec<Row>) {
    let file = SerializedFileReader::new(bytes::Bytes::copy_from_slice(file)).unwrap();
    let fields = file.metadata().file_metadata().schema().get_fields().iter();
    let names = fields.map(|field| field.name().to_owned()).collect();
    let rows = file.get_row_iter(None).unwrap().map(Result::unwrap).collect();
    (names, rows)
}

fn field(row: &Row, name: &str) -> Field {
    let mut columns = row.get_column_iter();
    columns.find(|(column, _)| *column == name).unwrap().1.clone()
}

#[tokio::test]
async fn every_list_can_be_had_with_the_columns_and_rows_of_csv() {
    let app = one_domain().await;
    let batch = send_csv(&app, "name,domain,n\n=1+1,a.com,007\n,b.com,\n").await;
    // Both forms of each list are read one after the other, so nothing may be under way.
    let position = app.head().await;
    let followed = app.get(&format!("/api/v4/domains?at_least={position}")).await;
    assert_eq!(followed.status, 200);
    for path in [
        "domains".to_owned(),
        format!("batches/{batch}/domains"),
        format!("batches/{batch}/scans"),
        "scans".to_owned(),
        "changes".to_owned(),
        "domains/a.com/urls".to_owned(),
        "domains/a.com/sitemap-audit".to_owned(),
    ] {
        let csv = app.get(&format!("/api/v4/{path}?format=csv")).await;
        let (header, lines) = super::table(&csv.body);
        let answer = app.get(&format!("/api/v4/{path}?format=parquet")).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        let disposition = answer.header("content-disposition").unwrap();
        assert!(disposition.ends_with(".parquet\""), "{disposition}");
        let (columns, rows) = read(&answer.body);
        assert_eq!((columns, rows.len()), (header, lines.len()), "{path}");
    }
}

#[tokio::test]
async fn values_have_types_and_are_what_the_api_shows() {
    let app = one_domain().await;
    let batch = send_csv(&app, "name,domain,n\n=1+1,a.com,007\n").await;
    let answer = app
        .get(&format!("/api/v4/batches/{batch}/domains?format=parquet"))
        .await;
    let (_, rows) = read(&answer.body);
    let of = |name: &str| field(&rows[0], name);
    for (name, wanted) in [
        ("title", "=HYPERLINK(\"http://evil.test\",\"x\")"),
        ("description", "two\r\nlines, \"quoted\"; Grüße"),
        ("name", "=1+1"),
        ("n", "007"),
        ("input_domain", "a.com"),
    ] {
        assert_eq!(of(name), Field::Str(wanted.to_owned()), "{name}");
    }
    assert_eq!(of("line"), Field::Long(2));
    assert_eq!(of("is_wordpress"), Field::Bool(false));
    assert_eq!(of("facebook_url"), Field::Null);
    assert_eq!(of("email_addresses").to_string(), "[\"a@a.com\", \"b@a.com\"]");
    assert_eq!(of("technologies").to_string(), "[\"nginx\", \"Vue 3.1\"]");
    let shown = app.get("/api/v4/domains/a.com").await.json()["last_scan"].clone();
    let shown = chrono::DateTime::parse_from_rfc3339(shown.as_str().unwrap()).unwrap();
    assert_eq!(of("last_scan"), Field::TimestampMicros(shown.timestamp_micros()));
}

#[tokio::test]
async fn the_command_line_writes_the_same_file() {
    let app = one_domain().await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("out.parquet");
    let command = app.command(&["export", "domains", "-o", file.to_str().unwrap()]);
    let output = tokio::process::Command::from(command).output().await.unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let served = app.get("/api/v4/domains?format=parquet").await;
    assert_eq!(std::fs::read(file).unwrap(), served.body.to_vec());
}

#[tokio::test]
async fn limit_and_cursor_cut_the_file() {
    let app = TestApp::start().await;
    app.create_batch(&["a.com", "b.com", "c.com"]).await;
    let rows = async |query: &str| {
        let answer = app.get(&format!("/api/v4/scans?format=parquet&{query}")).await;
        read(&answer.body).1.len()
    };
    assert_eq!((rows("limit=2").await, rows("limit=9").await), (2, 3));
    app.get("/api/v4/scans?format=parquet&limit=0")
        .await
        .problem(400, "invalid_query");
}

const QUERY: &str = r#"
import duckdb, json, sys
rows = duckdb.sql(f"""
    select domain, title, email_addresses, len(technologies), is_wordpress, sitemap_urls, facebook_url,
           epoch_us(last_scan), phone_numbers[2]
    from '{sys.argv[1]}' where last_scan > timestamptz '2000-01-01' order by domain
""").fetchall()
types = dict((row[0], row[1]) for row in duckdb.sql(f"describe select * from '{sys.argv[1]}'").fetchall())
print(json.dumps([rows, types]))
"#;

const IN_PANDAS: &str = r#"
import json, pandas, sys
table = pandas.read_parquet(sys.argv[1]).sort_values("domain").set_index("domain")
row = table.loc["a.com"]
assert isinstance(table["last_scan"].dtype, pandas.DatetimeTZDtype), table["last_scan"].dtype
assert (table["last_scan"] > pandas.Timestamp("2000-01-01", tz="UTC")).all()
assert pandas.api.types.is_bool_dtype(table["is_wordpress"].dropna().astype(bool)) and not row["is_wordpress"]
assert pandas.api.types.is_integer_dtype(table["sitemap_urls"].dtype), table["sitemap_urls"].dtype
emails = table["email_addresses"].explode()
print(json.dumps([list(row["email_addresses"]), row["title"], None if pandas.isna(row["facebook_url"]) else row["facebook_url"], int(row["last_scan"].value // 1000),
                  int((emails == "a@a.com").sum()), list(table.index)]))
"#;

/// Runs a Python program on a file; returns its output.
fn python_on(python: &std::path::Path, program: &str, file: &std::path::Path) -> Value {
    let output = Command::new(python)
        .args(["-c", program])
        .arg(file)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Skipped with a message if Python or the network is missing.
#[tokio::test(flavor = "multi_thread")]
async fn duckdb_and_pandas_read_it_with_the_right_types() {
    let packages = ["duckdb>=1.1,<2", "pandas>=2.2,<4", "pyarrow>=17"];
    let Some(python) = python::with("parquet", &packages) else {
        eprintln!(
            "SKIPPED: DuckDB and pandas cannot be installed here; Parquet is read by the crate that writes it only"
        );
        return;
    };
    let app = one_domain().await;
    let scan = app.create_scan("b.com").await;
    app.complete(&scan, &findings()).await;
    app.get_in_status("/api/v4/domains/b.com", "completed").await;
    let file = tempfile::NamedTempFile::with_suffix(".parquet").unwrap();
    let answer = app.get("/api/v4/domains?format=parquet").await;
    std::fs::write(file.path(), &answer.body).unwrap();
    let read = python_on(&python, QUERY, file.path());
    let shown = app.get("/api/v4/domains/a.com").await.json()["last_scan"].clone();
    let shown = chrono::DateTime::parse_from_rfc3339(shown.as_str().unwrap()).unwrap();
    let title = "=HYPERLINK(\"http://evil.test\",\"x\")";
    let first = json!([
        "a.com",
        title,
        ["a@a.com", "b@a.com"],
        2,
        false,
        0,
        null,
        shown.timestamp_micros(),
        "+12125550001"
    ]);
    assert_eq!((read[0].as_array().unwrap().len(), &read[0][0]), (2, &first));
    for (column, wanted) in [
        ("domain", "VARCHAR"),
        ("email_addresses", "VARCHAR[]"),
        ("technologies", "VARCHAR[]"),
        ("last_scan", "TIMESTAMP WITH TIME ZONE"),
        ("is_wordpress", "BOOLEAN"),
        ("sitemap_urls", "BIGINT"),
    ] {
        assert_eq!(read[1][column], wanted, "{column}");
    }
    let in_pandas = python_on(&python, IN_PANDAS, file.path());
    let wanted = json!([
        ["a@a.com", "b@a.com"],
        title,
        null,
        shown.timestamp_micros(),
        2,
        ["a.com", "b.com"]
    ]);
    assert_eq!(in_pandas, wanted);
}
