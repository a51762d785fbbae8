//! Monitors: each scheduled time has one run, which is a normal batch.

mod crash;
mod feed;
mod mails;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use sitelog::commands::create_monitor::{create_monitor, seal_list};
use sitelog::commands::request_batch::BatchItem;
use sitelog::commands::run_monitor::{Run, RunDomains, run_monitor};
use sitelog::commands::{CommandBus, CommandContext};
use sitelog::values::monitor::{MonitorSettings, SkipReason, Slot};
use sitelog::values::{DomainName, Findings, MonitorId, TenantId};
use uuid::Uuid;

use crate::support::app::{TestApp, wait_for};

fn context() -> CommandContext {
    CommandContext::internal(TenantId::DEFAULT, "test")
}

/// Creates a monitor of some domains as if it had been at that time.
async fn created_at(bus: &CommandBus, rhythm: &str, domains: &[&str], at: DateTime<Utc>) -> MonitorId {
    let id = MonitorId(Uuid::now_v7());
    let items: Vec<BatchItem> = (1..)
        .zip(domains)
        .map(|(line, domain)| BatchItem::scan(line, DomainName::parse(domain).unwrap()))
        .collect();
    let list = seal_list(bus, id, &items, &context()).await.unwrap();
    let settings = MonitorSettings {
        name: rhythm.to_owned(),
        list: Some(list.list.clone()),
        rhythm: rhythm.parse().unwrap(),
        ..MonitorSettings::default()
    };
    let (summary, context) = ((Value::Null, at), context());
    let created = create_monitor(bus, id, settings, Some(list), summary, &context);
    created.await.unwrap();
    id
}

async fn create(app: &TestApp, body: &Value) -> String {
    let answer = app.post_json("/api/v4/monitors", body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let created = answer.json();
    let id = created["monitor_id"].as_str().unwrap().to_owned();
    let path = format!("/api/v4/monitors/{id}?at_least={}", created["position"]);
    assert_eq!(app.get(&path).await.status, 200);
    id
}

/// Does something with a monitor, and returns the position.
async fn command(app: &TestApp, id: &str, work: &str) -> Value {
    let answer = app.post(&format!("/api/v4/monitors/{id}/{work}")).await;
    assert_eq!(answer.status, 202, "{work}: {}", answer.text());
    let done = answer.json();
    let path = format!("/api/v4/monitors?at_least={}", done["position"]);
    assert_eq!(app.get(&path).await.status, 200);
    done
}

/// Ends the batch of a run as a worker would, each domain with this title.
async fn complete(app: &TestApp, batch: &str, count: usize, title: &str) {
    for scan in app.scans_of_batch(batch, count).await {
        let findings = Findings {
            title: Some(title.to_owned()),
            ..Findings::default()
        };
        app.complete(scan["scan_id"].as_str().unwrap(), &findings).await;
    }
    app.get_in_status(&format!("/api/v4/batches/{batch}"), "completed")
        .await;
}

#[tokio::test]
async fn a_monitor_is_created_shown_changed_paused_and_deleted() {
    let app = TestApp::start().await;
    let body = json!({
        "name": "Shops", "domains": ["a.com", "https://B.com/", "a.com", "localhost"], "rhythm": "Weekly on Monday at 6",
        "time_zone": "Europe/Berlin", "max_pages": 7, "fields": ["status", "phone_numbers"],
    });
    let answer = app.post_json("/api/v4/monitors", &body).await.json();
    assert_eq!(
        (&answer["list"]["accepted"], &answer["list"]["duplicates"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(answer["list"]["rejected"][0]["line"], 4);
    let id = answer["monitor_id"].as_str().unwrap();
    let path = format!("/api/v4/monitors/{id}");
    let shown = app
        .get(&format!("{path}?at_least={}", answer["position"]))
        .await
        .json();
    assert_eq!((&shown["domains"], &shown["filter"]), (&json!(2), &Value::Null));
    assert_eq!(
        (
            &shown["rhythm"],
            &shown["time_zone"],
            &shown["status"],
            &shown["last_run"]
        ),
        (
            &json!("weekly on monday at 6"),
            &json!("Europe/Berlin"),
            &json!("active"),
            &Value::Null
        )
    );
    assert_eq!(shown["next_run"], answer["next_run"]);
    let next: DateTime<Utc> = shown["next_run"].as_str().unwrap().parse().unwrap();
    assert!(
        next > Utc::now() && next < Utc::now() + TimeDelta::days(8),
        "{next}"
    );
    // What is not named stays.
    let change = json!({ "rhythm": "30 6 * * 1-5", "filter": { "technology": "Shopify" } });
    let answer = app.call("PATCH", &path).json(&change).send().await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let shown = app
        .get(&format!("{path}?at_least={}", answer.json()["position"]))
        .await
        .json();
    assert_eq!(
        (&shown["name"], &shown["max_pages"]),
        (&json!("Shops"), &json!(7))
    );
    assert_eq!(
        (&shown["domains"], &shown["filter"]["technology"]),
        (&Value::Null, &json!("Shopify"))
    );
    assert_ne!(shown["next_run"], answer.json()["next_run"]);
    command(&app, id, "pause").await;
    let paused = app.get(&path).await.json();
    assert_eq!(
        (&paused["status"], &paused["next_run"]),
        (&json!("paused"), &Value::Null)
    );
    command(&app, id, "resume").await;
    assert_eq!(app.get(&path).await.json()["status"], "active");
    let deleted = app.call("DELETE", &path).send().await;
    assert_eq!(deleted.status, 202);
    let listed = app
        .get(&format!(
            "/api/v4/monitors?at_least={}",
            deleted.json()["position"]
        ))
        .await;
    assert_eq!(listed.json()["items"], json!([]));
    assert_eq!(app.get(&path).await.status, 404);
    assert_eq!(app.post(&format!("{path}/run")).await.status, 404);
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_what_is_allowed() {
    let app = TestApp::start().await;
    let good = json!({ "name": "a", "domains": ["a.com"], "rhythm": "daily" });
    for (member, value, code, words) in [
        ("rhythm", json!("sometimes"), "invalid_field", "weekly on monday"),
        ("rhythm", json!("* * * * *"), "invalid_field", "every 5 minutes"),
        ("rhythm", json!("0 0 30 2 *"), "invalid_field", "never"),
        (
            "time_zone",
            json!("Europe/Berln"),
            "invalid_field",
            "Europe/Berlin",
        ),
        ("fields", json!(["titel"]), "invalid_field", "'title'"),
        ("name", json!(" "), "invalid_field", "name"),
        ("domains", json!([]), "empty_batch", "no domains"),
        ("domains", json!(["localhost"]), "no_valid_domain", "valid domain"),
        ("filter", json!({}), "invalid_field", "one of them"),
    ] {
        let mut body = good.clone();
        body[member] = value.clone();
        let answer = app.post_json("/api/v4/monitors", &body).await;
        let problem = answer.problem(422, code);
        assert!(
            problem["detail"].as_str().unwrap().contains(words),
            "{value}: {problem}"
        );
    }
    let filters = json!({ "name": "a", "filter": { "status": "fine" }, "rhythm": "daily" });
    let problem = app
        .post_json("/api/v4/monitors", &filters)
        .await
        .problem(422, "invalid_field");
    assert!(
        problem["detail"].as_str().unwrap().contains("filter.status"),
        "{problem}"
    );
    let unknown = json!({ "name": "a", "domains": ["a.com"], "rythm": "daily" });
    let problem = app
        .post_json("/api/v4/monitors", &unknown)
        .await
        .problem(400, "unknown_parameter");
    assert_eq!(problem["nearest"], "rhythm", "{problem}");
    let nothing = json!({ "name": "a", "rhythm": "daily" });
    app.post_json("/api/v4/monitors", &nothing)
        .await
        .problem(422, "invalid_field");
    assert_eq!(app.head().await, 0, "nothing was written");
}

#[tokio::test]
async fn a_repeated_creation_creates_one_monitor() {
    let app = TestApp::start().await;
    let body = json!({ "name": "a", "domains": ["a.com"], "rhythm": "daily" });
    let mut answers = Vec::new();
    for _ in 0..2 {
        let call = app.call("POST", "/api/v4/monitors").json(&body).key("once");
        answers.push(call.send().await.json());
    }
    assert_eq!(answers[0]["monitor_id"], answers[1]["monitor_id"]);
    assert_eq!(answers[0]["list"], answers[1]["list"]);
    let path = format!("/api/v4/monitors?at_least={}", answers[0]["position"]);
    assert_eq!(app.get(&path).await.json()["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_week_of_downtime_makes_up_one_run_and_the_next_is_due_by_the_rhythm() {
    let app = TestApp::builder().without_projector().start().await;
    let a_week_ago = app.app.log.now().await.unwrap() - TimeDelta::days(7);
    let id = created_at(&app.app.bus, "hourly", &["a.com", "b.com"], a_week_ago).await;
    app.start_projector();
    let path = format!("/api/v4/monitors/{id}");
    let shown = app
        .get_until(&path, |answer| answer.json()["last_run"].is_object())
        .await
        .json();
    let next: DateTime<Utc> = shown["next_run"].as_str().unwrap().parse().unwrap();
    let now = app.app.log.now().await.unwrap();
    assert!(next > now && next <= now + TimeDelta::hours(1), "{next}");
    let runs = app.get(&format!("{path}/runs")).await.json()["items"].clone();
    assert_eq!(runs.as_array().unwrap().len(), 1, "{runs}");
    assert_eq!(
        (&runs[0]["total"], &runs[0]["skipped"]),
        (&json!(2), &Value::Null)
    );
    assert!(
        (166..=168).contains(&runs[0]["missed"].as_i64().unwrap()),
        "{runs}"
    );
    let batch = runs[0]["batch_id"].as_str().unwrap();
    app.scans_of_batch(batch, 2).await;
    let of_monitor = app.get(&format!("/api/v4/batches?monitor={id}")).await.json();
    assert_eq!(
        (
            &of_monitor["items"][0]["batch_id"],
            &of_monitor["items"][0]["monitor_id"]
        ),
        (&json!(batch), &json!(id))
    );
    let others = app
        .get(&format!("/api/v4/batches?monitor_id={}", Uuid::new_v4()))
        .await
        .json();
    assert_eq!(others["items"], json!([]));
}

#[tokio::test]
async fn a_run_that_would_overlap_the_one_before_it_is_skipped_and_says_so() {
    let app = TestApp::start().await;
    let bus = &app.app.bus;
    let start = app.app.log.now().await.unwrap();
    let id = created_at(bus, "daily", &["a.com"], start).await;
    let known = sitelog::commands::run_monitor::known_monitor(bus, id)
        .await
        .unwrap()
        .unwrap();
    let domains = RunDomains::Listed(known.settings.list.clone().unwrap());
    // Time is a value: the days to come, one after the other.
    let run = async |day: i64| {
        let at = start + TimeDelta::days(day);
        let slot = Slot { at, missed: 0 };
        run_monitor(bus, id, Some(slot), &domains, at, &context())
            .await
            .unwrap()
    };
    let Run::Began { batch, .. } = run(1).await else {
        panic!("it did not begin");
    };
    assert_eq!(run(1).await, Run::Nothing, "a time has one run");
    assert_eq!(run(2).await, Run::Skipped(SkipReason::StillRunning));
    complete(&app, &batch.to_string(), 1, "one").await;
    assert_eq!(run(2).await, Run::Nothing, "what was skipped is not made up");
    assert!(matches!(run(3).await, Run::Began { .. }));
    // The clock is set back: the time that comes again has its batch already.
    let (slot, now) = (start + TimeDelta::days(1), start + TimeDelta::days(2));
    let again = run_monitor(
        bus,
        id,
        Some(Slot { at: slot, missed: 0 }),
        &domains,
        now,
        &context(),
    )
    .await;
    assert_eq!(again.unwrap(), Run::Skipped(SkipReason::AlreadyRan));
    let path = format!("/api/v4/monitors/{id}/runs?at_least={}", app.head().await);
    let runs = app.get(&path).await.json()["items"].clone();
    let skipped: Vec<&Value> = runs
        .as_array()
        .unwrap()
        .iter()
        .map(|run| &run["skipped"])
        .collect();
    assert_eq!(
        skipped,
        [
            &json!("already_ran"),
            &Value::Null,
            &json!("still_running"),
            &Value::Null
        ]
    );
}

#[tokio::test]
async fn times_that_were_written_under_a_wrong_clock_stop_no_monitor() {
    let app = TestApp::builder().without_projector().start().await;
    let bus = &app.app.bus;
    let now = app.app.log.now().await.unwrap();
    let ten_years = now + TimeDelta::days(3650);
    let created = created_at(bus, "hourly", &["a.com"], ten_years).await;
    let ran = created_at(bus, "hourly", &["b.com"], now - TimeDelta::hours(3)).await;
    let slot = Slot {
        at: ten_years,
        missed: 0,
    };
    let known = sitelog::commands::run_monitor::known_monitor(bus, ran)
        .await
        .unwrap()
        .unwrap();
    let domains = RunDomains::Listed(known.settings.list.unwrap());
    let run = run_monitor(bus, ran, Some(slot), &domains, ten_years, &context()).await;
    assert!(matches!(run, Ok(Run::Began { .. })), "{run:?}");
    app.start_projector();
    for id in [created, ran] {
        let soon = |answer: &crate::support::call::Answer| {
            let next = answer.json()["next_run"]
                .as_str()
                .and_then(|next| next.parse::<DateTime<Utc>>().ok());
            next.is_some_and(|next| next > now && next <= now + TimeDelta::hours(2))
        };
        app.get_until(&format!("/api/v4/monitors/{id}"), soon).await;
    }
    // When that time comes, it runs, although its last run is still to come.
    let due = now + TimeDelta::hours(1);
    let run = run_monitor(
        bus,
        created,
        Some(Slot { at: due, missed: 0 }),
        &domains,
        due,
        &context(),
    )
    .await;
    assert!(matches!(run, Ok(Run::Began { .. })), "{run:?}");
}

#[tokio::test]
async fn a_run_on_request_is_refused_while_one_is_under_way_and_leaves_the_rhythm_as_it_is() {
    let app = TestApp::start().await;
    let id = create(
        &app,
        &json!({ "name": "a", "domains": ["a.com"], "rhythm": "monthly" }),
    )
    .await;
    let path = format!("/api/v4/monitors/{id}");
    let next = app.get(&path).await.json()["next_run"].clone();
    let run = || {
        app.call("POST", &format!("/api/v4/monitors/{id}/run"))
            .key("once")
            .send()
    };
    let (first, again) = (run().await.json(), run().await.json());
    assert_eq!(first["batch_id"], again["batch_id"]);
    let refused = app
        .post(&format!("{path}/run"))
        .await
        .problem(409, "monitor_cannot_run");
    assert_eq!(refused["reason"], "still_running");
    let batch = first["batch_id"].as_str().unwrap();
    complete(&app, batch, 1, "one").await;
    command(&app, &id, "pause").await;
    command(&app, &id, "run").await;
    command(&app, &id, "resume").await;
    assert_eq!(app.get(&path).await.json()["next_run"], next);
    let runs = app.get(&format!("{path}/runs?limit=1")).await.json();
    assert_eq!(runs["items"][0]["due_at"], Value::Null);
    let cursor = runs["next"].as_str().unwrap();
    let rest = app.get(&format!("{path}/runs?cursor={cursor}")).await.json();
    assert_eq!(
        (&rest["items"][0]["batch_id"], &rest["next"]),
        (&json!(batch), &Value::Null)
    );
}

#[tokio::test]
async fn a_filter_is_looked_up_for_each_run() {
    let app = TestApp::start().await;
    let body = json!({ "name": "shops", "filter": { "contains": "shop" }, "rhythm": "monthly" });
    let id = create(&app, &body).await;
    let refused = app.post(&format!("/api/v4/monitors/{id}/run")).await;
    assert_eq!(refused.problem(409, "monitor_cannot_run")["reason"], "no_domains");
    for domain in ["shop-a.com", "shop-b.com", "other.com"] {
        let scan = app.create_scan(domain).await;
        app.complete(&scan, &Findings::default()).await;
    }
    app.get(&format!("/api/v4/domains?at_least={}", app.head().await))
        .await;
    let run = command(&app, &id, "run").await;
    let batch = run["batch_id"].as_str().unwrap();
    let mut scanned: Vec<String> = app
        .scans_of_batch(batch, 2)
        .await
        .iter()
        .map(|scan| scan["domain"].as_str().unwrap().to_owned())
        .collect();
    scanned.sort();
    assert_eq!(scanned, ["shop-a.com", "shop-b.com"]);
}

#[tokio::test]
async fn quotas_of_the_tenant_hold_for_runs() {
    let app = TestApp::start().await;
    let tenants = app.app.api_state().access.tenants().clone();
    let quota = sitelog::access::TenantSettings {
        max_batch_domains: Some(1),
        ..Default::default()
    };
    let id = create(
        &app,
        &json!({ "name": "a", "domains": ["a.com", "b.com"], "rhythm": "daily" }),
    )
    .await;
    tenants.set(TenantId::DEFAULT, &quota).await.unwrap();
    let refused = app.post(&format!("/api/v4/monitors/{id}/run")).await;
    assert_eq!(
        refused.problem(409, "monitor_cannot_run")["reason"],
        "too_many_domains"
    );
    let two = json!({ "name": "b", "domains": ["a.com", "b.com"], "rhythm": "daily" });
    app.post_json("/api/v4/monitors", &two)
        .await
        .problem(422, "too_many_domains");
}

#[tokio::test]
async fn changes_of_a_monitor_are_those_of_its_runs_that_count() {
    let app = TestApp::start().await;
    let domains = json!(["a.com"]);
    let titles = create(
        &app,
        &json!({ "name": "titles", "domains": domains, "rhythm": "monthly", "fields": ["title"] }),
    )
    .await;
    let phones = create(
        &app,
        &json!({ "name": "phones", "domains": domains, "rhythm": "monthly", "fields": ["phone_numbers"] }),
    )
    .await;
    for (monitor, title) in [(&titles, "one"), (&titles, "two"), (&phones, "three")] {
        let run = command(&app, monitor, "run").await;
        complete(&app, run["batch_id"].as_str().unwrap(), 1, title).await;
    }
    let list = async |query: &str| app.get(&format!("/api/v4/changes?{query}")).await.json()["items"].clone();
    assert_eq!(list("").await.as_array().unwrap().len(), 2);
    let of_titles = list(&format!("monitor={titles}")).await;
    assert_eq!(of_titles.as_array().unwrap().len(), 1);
    assert_eq!(of_titles[0]["fields"][0]["after"], "two");
    assert_eq!(
        list(&format!("monitor_id={titles}&sort=position")).await,
        of_titles
    );
    let since = of_titles[0]["position"].to_string();
    assert_eq!(list(&format!("monitor={titles}&since={since}")).await, json!([]));
    // Its run found a change, of a field that does not count.
    assert_eq!(list(&format!("monitor={phones}")).await, json!([]));
    app.get("/api/v4/changes?monitor=x")
        .await
        .problem(400, "invalid_query");
}

#[tokio::test]
async fn a_webhook_is_told_of_runs() {
    let receiver = crate::webhooks::receiver::Receiver::start().await;
    let app = TestApp::builder().reaching(receiver.connect_to()).start().await;
    let hook = json!({ "url": "http://a.hook.test/in", "events": ["monitor.ran", "monitor.skipped"] });
    let hook = app.post_json("/api/v4/webhooks", &hook).await.json();
    receiver.knows(hook["secret"].as_str().unwrap());
    app.get(&format!("/api/v4/webhooks?at_least={}", hook["position"]))
        .await;
    let id = create(
        &app,
        &json!({ "name": "a", "domains": ["a.com"], "rhythm": "monthly" }),
    )
    .await;
    let run = command(&app, &id, "run").await;
    wait_for("the message", async || {
        (!receiver.received().is_empty()).then_some(())
    })
    .await;
    let received = receiver.received();
    let data = &received[0].body["data"];
    assert_eq!(
        (
            received[0].topic(),
            &data["monitor_id"],
            &data["batch_id"],
            &data["total"]
        ),
        ("monitor.ran", &json!(id), &run["batch_id"], &json!(1))
    );
}

#[tokio::test]
async fn the_pages_create_run_and_show_a_monitor_without_scripts() {
    let app = TestApp::start().await;
    let form = "name=Shops&rhythm=weekly+on+monday&time_zone=Europe%2FBerlin&fields=title&list=a.com%0Ab.com";
    let kind = "application/x-www-form-urlencoded";
    let created = app.post_text("/monitors", kind, form).await;
    assert_eq!(created.status, 303, "{}", created.text());
    let place = created.header("location").unwrap().to_owned();
    let page = app.get(&place).await.text();
    assert!(
        page.contains("Shops") && page.contains("weekly on monday (Europe/Berlin)"),
        "{page}"
    );
    let path = place.split('?').next().unwrap();
    let ran = app.post_text(&format!("{path}/run"), kind, "").await;
    assert_eq!(ran.status, 303, "{}", ran.text());
    let page = app.get(ran.header("location").unwrap()).await.text();
    assert!(
        page.contains("started manually") && page.contains("/batches/"),
        "{page}"
    );
    let changed = app
        .post_text(
            &format!("{path}/change"),
            kind,
            "name=Others&rhythm=hourly&time_zone=UTC",
        )
        .await;
    let page = app.get(changed.header("location").unwrap()).await.text();
    assert!(page.contains("Others") && page.contains("hourly"), "{page}");
    let refused = app
        .post_text("/monitors", kind, "name=x&rhythm=never&time_zone=UTC&list=a.com")
        .await;
    assert!(
        refused.status == 422 && refused.text().contains("weekly on monday"),
        "{}",
        refused.text()
    );
    let deleted = app.post_text(&format!("{path}/delete"), kind, "").await;
    assert_eq!(deleted.header("location"), Some("/monitors"));
}

#[tokio::test]
async fn the_command_line_creates_lists_and_runs_monitors() {
    let app = TestApp::start().await;
    let run = async |arguments: &[&str]| {
        let output = tokio::process::Command::from(app.command(arguments))
            .output()
            .await
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "domain\na.com\nb.com\n").unwrap();
    let path = file.path().to_str().unwrap();
    let created = run(&[
        "monitor",
        "create",
        "Shops",
        path,
        "--rhythm",
        "daily at 6",
        "--time-zone",
        "Europe/Berlin",
    ])
    .await;
    assert_eq!(created.0, Some(0), "{created:?}");
    let id = created.1.as_str();
    let (code, shown, _) = run(&["monitor", "show", id, "--json"]).await;
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(
        (code, &shown["domains"], &shown["rhythm"]),
        (Some(0), &json!(2), &json!("daily at 6"))
    );
    let batch = run(&["monitor", "run", id]).await;
    app.scans_of_batch(&batch.1, 2).await;
    let again = run(&["monitor", "run", id]).await;
    assert_eq!(again.0, Some(1), "{again:?}");
    assert!(again.2.contains("has not ended"), "{again:?}");
    assert_eq!(run(&["monitor", "pause", id]).await.0, Some(0));
    let listed = run(&["monitor", "list"]).await;
    assert!(
        listed.1.contains("paused") && listed.1.contains("Shops"),
        "{listed:?}"
    );
    let filtered = run(&[
        "monitor",
        "create",
        "F",
        "--filter",
        "technology=Shopify,has_phone=true",
        "--json",
    ])
    .await;
    assert_eq!(filtered.0, Some(0), "{filtered:?}");
    let wrong = run(&["monitor", "create", "F", "--filter", "colour=red"]).await;
    assert!(wrong.0 == Some(2) && wrong.2.contains("colour"), "{wrong:?}");
    assert_eq!(run(&["monitor", "delete", id]).await.0, Some(0));
    assert_eq!(run(&["monitor", "show", id]).await.0, Some(1));
}
