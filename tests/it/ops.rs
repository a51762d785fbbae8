//! The files in `ops/` for Prometheus and Grafana match `/metrics`: if a metric or label is renamed, this test fails.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use crate::support::app::TestApp;

/// Labels that Prometheus adds to what it reads.
const OF_PROMETHEUS: [&str; 2] = ["instance", "job"];

/// Metrics with their labels and the values of these, as `/metrics` has them.
type Metrics = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

fn read(file: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ops").join(file)).unwrap()
}

/// Each `expr:` of the rules, on its line or below it.
fn expressions_of_rules() -> Vec<String> {
    let text = read("alerts.yml");
    let lines: Vec<&str> = text.lines().collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let starts = lines.iter().enumerate().filter_map(|(place, line)| {
        let rest = line.trim_start().strip_prefix("expr:")?;
        Some((place, indent(line), rest.trim()))
    });
    starts
        .map(|(place, depth, rest)| {
            if rest != "|" {
                return rest.to_owned();
            }
            let below = lines[place + 1..].iter().take_while(|line| indent(line) > depth);
            below.copied().collect::<Vec<_>>().join(" ")
        })
        .collect()
}

fn dashboard() -> Value {
    serde_json::from_str(&read("grafana-dashboard.json")).unwrap()
}

fn expressions_of_dashboard() -> Vec<String> {
    let dashboard = dashboard();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    let mut all: Vec<String> = targets
        .map(|target| target["expr"].as_str().unwrap().to_owned())
        .collect();
    let variables = dashboard["templating"]["list"].as_array().unwrap().iter();
    all.extend(variables.filter_map(|variable| variable["definition"].as_str().map(str::to_owned)));
    all
}

/// Names of our metrics in an expression, with the labels and values that it asks for.
fn used(expression: &str) -> Vec<(String, Vec<(String, String)>)> {
    let name = regex::Regex::new(r#"\b(sitelog_[a-z0-9_]+)(?:\{((?:[^"}]|"[^"]*")*)\})?"#).unwrap();
    let label = regex::Regex::new(r#"([a-z_]+)(?:=~|!~|!=|=)"([^"]*)""#).unwrap();
    let labels = |text: &str| {
        let found = label.captures_iter(text);
        found.map(|one| (one[1].to_owned(), one[2].to_owned())).collect()
    };
    name.captures_iter(expression)
        .map(|one| {
            (
                one[1].to_owned(),
                one.get(2).map_or_else(Vec::new, |text| labels(text.as_str())),
            )
        })
        .collect()
}

/// The labels by which an expression groups.
fn grouped_by(expression: &str) -> Vec<String> {
    let by = regex::Regex::new(r"\bby \(([^)]*)\)").unwrap();
    let lists = by.captures_iter(expression).map(|one| one[1].to_owned());
    lists
        .flat_map(|list| {
            list.split(',')
                .map(|name| name.trim().to_owned())
                .collect::<Vec<_>>()
        })
        .collect()
}

/// The metrics of a service that was used: with a scan, a failed one and some requests.
async fn metrics() -> Metrics {
    let app = TestApp::scanning().await;
    for (domain, status) in [
        ("site00000.sites.test", "completed"),
        ("err404.sites.test", "failed"),
    ] {
        let id = app.create_scan(domain).await;
        app.get_in_status(&format!("/api/v4/scans/{id}"), status).await;
    }
    let mut metrics = Metrics::new();
    for line in app
        .get("/metrics")
        .await
        .text()
        .lines()
        .filter(|line| !line.starts_with('#'))
    {
        for (name, labels) in used(line) {
            let known = metrics.entry(name).or_default();
            for (label, value) in labels {
                known.entry(label).or_default().insert(value);
            }
        }
    }
    metrics
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_and_dashboard_use_metrics_and_labels_that_there_are() {
    let metrics = metrics().await;
    let (rules, dashboard) = (expressions_of_rules(), expressions_of_dashboard());
    assert!(rules.len() >= 13 && dashboard.len() >= 20, "{rules:?}");
    for expression in rules.iter().chain(&dashboard) {
        let mut labels_of_all = BTreeSet::from(["le".to_owned()]);
        for (name, labels) in used(expression) {
            let known = metrics
                .get(&name)
                .unwrap_or_else(|| panic!("{name} is not in /metrics: {expression}"));
            labels_of_all.extend(known.keys().cloned());
            for (label, value) in labels
                .iter()
                .filter(|(label, _)| !OF_PROMETHEUS.contains(&label.as_str()))
            {
                let values = known
                    .get(label)
                    .unwrap_or_else(|| panic!("{name} has no label {label}: {expression}"));
                // That no request has failed is no fault.
                assert!(
                    values.contains(value) || value == "5xx",
                    "{name} has no {label}={value}: {expression}"
                );
            }
        }
        for label in grouped_by(expression) {
            let is_known = labels_of_all.contains(&label) || OF_PROMETHEUS.contains(&label.as_str());
            assert!(is_known, "no metric has the label {label}: {expression}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn scans_and_requests_are_measured() {
    let metrics = metrics().await;
    let labels = |name: &str, label: &str| -> Vec<String> {
        let labels = metrics
            .get(name)
            .unwrap_or_else(|| panic!("{name}: {:?}", metrics.keys()));
        labels[label].iter().cloned().collect()
    };
    assert_eq!(
        labels("sitelog_scan_attempt_seconds_bucket", "outcome"),
        ["completed", "failed"]
    );
    let stages = labels("sitelog_scan_stage_seconds_bucket", "stage");
    for stage in ["origin", "home", "sitemaps", "pages", "beside"] {
        assert!(stages.iter().any(|known| known == stage), "{stages:?}");
    }
    let routes = labels("sitelog_http_request_seconds_bucket", "route");
    assert!(
        routes.iter().any(|route| route == "/api/v4/scans/{id}"),
        "{routes:?}"
    );
    assert!(!labels("sitelog_scan_failures_total", "reason").is_empty());
    // Histograms have bounds of their unit.
    assert!(labels("sitelog_scan_attempt_bytes_bucket", "le").contains(&"1000000".to_owned()));
    assert!(labels("sitelog_scan_attempt_seconds_bucket", "le").contains(&"0.25".to_owned()));
    assert!(labels("sitelog_append_group_units_bucket", "le").contains(&"500".to_owned()));
}

#[test]
fn every_alert_says_what_is_wrong_and_what_to_do() {
    let text = read("alerts.yml");
    let rules: Vec<&str> = text.split("- alert: ").skip(1).collect();
    assert_eq!(rules.len(), expressions_of_rules().len());
    let mut names = BTreeSet::new();
    for rule in rules {
        let name = rule.lines().next().unwrap();
        assert!(
            name.starts_with("Sitelog") && names.insert(name),
            "{name} comes twice"
        );
        for part in ["expr:", "severity:", "summary: \"", "description: \""] {
            assert_eq!(rule.matches(part).count(), 1, "{name}: {part}");
        }
    }
}

#[test]
fn the_dashboard_is_one_that_grafana_can_import() {
    let dashboard = dashboard();
    assert!(dashboard["schemaVersion"].as_u64().unwrap() >= 36 && dashboard["title"] == "sitelog");
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<u64> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len(), "ids of panels are used once");
    let mut taken = BTreeSet::new();
    for panel in panels {
        let place = |name: &str| panel["gridPos"][name].as_u64().unwrap();
        assert!(place("x") + place("w") <= 24, "{}", panel["title"]);
        for x in place("x")..place("x") + place("w") {
            for y in place("y")..place("y") + place("h") {
                assert!(taken.insert((x, y)), "{} covers another panel", panel["title"]);
            }
        }
        if panel["type"] == "row" {
            continue;
        }
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty(), "{}", panel["title"]);
        for part in targets.iter().chain([panel]) {
            assert_eq!(part["datasource"]["uid"], "${datasource}", "{}", panel["title"]);
        }
    }
}
