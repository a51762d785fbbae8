//! Erasing a domain: its findings are deleted everywhere, the log stays intact, and no append restores them.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::Utc;
use serde_json::{Value, json};
use sitelog::access::{AuthMode, AuthSettings, Scope};
use sitelog::aggregates::can_read;
use sitelog::app::App;
use sitelog::commands::forget_domain::forget_domain;
use sitelog::commands::record_scan::record_scan;
use sitelog::commands::request_scan::request_scan;
use sitelog::commands::start_scan::{Start, start_scan};
use sitelog::commands::{CommandBus, CommandContext};
use sitelog::config::Config;
use sitelog::fetch::settings::FetchSettings;
use sitelog::log::verify::{LogVerification, VerifyOptions};
use sitelog::log::{EventLog, LogError};
use sitelog::pools::Pools;
use sitelog::values::report::{SiteReport, SitemapReport};
use sitelog::values::sitemap::{SitemapKind, SitemapUrl};
use sitelog::values::{DomainName, Findings, ScanId, ScanOptions, TenantId};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{log, unit};
use crate::access::key;
use crate::support::app::{TestApp, wait_for};
use crate::support::postgres::TestDatabase;

const OTHER: &str = "6f1d3f0a-7a49-4c7e-9a53-0b8a7a5f9d11";
/// Everything that the views show.
const READ_MODELS: [&str; 5] = ["jobs", "batch_jobs", "domains", "sitemaps", "sitemap_files"];

fn context() -> CommandContext {
    CommandContext::internal(TenantId::DEFAULT, "test")
}

fn domain(name: &str) -> DomainName {
    DomainName::parse(name).unwrap()
}

/// The content of a site: a title, an address and a sitemap of two pages.
fn report(title: &str) -> SiteReport {
    let mut findings = Findings {
        title: Some(title.into()),
        is_wordpress: true,
        ..Findings::default()
    };
    findings.contact_info.email = vec![format!("{title}@example.com")];
    let url = |n: u32| {
        serde_json::from_value::<SitemapUrl>(json!({ "loc": format!("https://x/{title}/{n}") })).unwrap()
    };
    let sitemap = SitemapReport {
        url: "https://x/sitemap.xml".into(),
        parent: None,
        kind: SitemapKind::Urlset,
        status: 200,
        not_modified: false,
        bytes: 100,
        entries: 2,
        urls: vec![url(1), url(2)],
        problems: Vec::new(),
    };
    SiteReport {
        robots: None,
        sitemaps: vec![sitemap],
        pages: Vec::new(),
        outcome: Ok(findings),
        revisit: None,
    }
}

async fn scan(bus: &CommandBus, name: &str, tenant: TenantId, title: &str) -> ScanId {
    let context = CommandContext::internal(tenant, "test");
    let requested = request_scan(bus, domain(name), ScanOptions::default(), &context)
        .await
        .unwrap();
    let Start::Begun(begun) = start_scan(bus, requested.scan_id, 1, Utc::now(), &context)
        .await
        .unwrap()
    else {
        panic!("a new scan can be begun");
    };
    record_scan(bus, &begun, &report(title), Duration::ZERO, Utc::now(), &context)
        .await
        .unwrap();
    requested.scan_id
}

/// A completed scan, for other tests of the log.
pub async fn completed_scan(bus: &CommandBus, name: &str) {
    scan(bus, name, TenantId::DEFAULT, "found").await;
}

/// Erases it.
pub async fn forgotten(bus: &CommandBus, name: &str) {
    forget_domain(bus, &domain(name), &context()).await.unwrap();
}

async fn verified(log: &EventLog) -> LogVerification {
    let options = VerifyOptions {
        readable: Some(can_read),
        ..VerifyOptions::default()
    };
    log.verify_with(&options).await.unwrap()
}

async fn bodies_of(pool: &PgPool, subject: &str) -> i64 {
    sqlx::query_scalar("select count(*) from event_body where subject = $1 and tenant_id = $2")
        .bind(subject)
        .bind(TenantId::DEFAULT.0)
        .fetch_one(pool)
        .await
        .unwrap()
}

#[tokio::test]
async fn what_was_found_is_gone_everywhere_and_what_happened_stays() {
    let app = TestApp::start().await;
    let first = scan(&app.app.bus, "a.com", TenantId::DEFAULT, "old").await;
    let second = scan(&app.app.bus, "a.com", TenantId::DEFAULT, "new").await;
    scan(&app.app.bus, "b.com", TenantId::DEFAULT, "kept").await;
    let other: TenantId = OTHER.parse().unwrap();
    scan(&app.app.bus, "a.com", other, "theirs").await;
    app.get_in_status("/api/v4/domains/b.com", "completed").await;
    let kept = app.app.log.checkpoint(None).await.unwrap().head;

    let answer = app.call("DELETE", "/api/v4/domains/A.com").send().await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let counted = answer.json();
    assert_eq!(
        (&counted["domain"], &counted["scans"], &counted["bodies"]),
        (&json!("a.com"), &json!(2), &json!(4))
    );
    let at_least = format!("?at_least={}", counted["position"]);

    let row = app.get(&format!("/api/v4/domains/a.com{at_least}")).await.json();
    assert_eq!(
        (&row["title"], &row["email_addresses"], &row["total_sitemaps"]),
        (&json!(null), &json!([]), &json!(0))
    );
    assert_eq!(
        (&row["status"], &row["is_wordpress"]),
        (&json!("completed"), &json!(false))
    );
    assert!(row["last_scan"].is_string(), "that it was scanned stays: {row}");
    assert_eq!(row["last_scan_id"], second.to_string());
    for id in [first, second] {
        let row = app.get(&format!("/api/v4/scans/{id}{at_least}")).await.json();
        assert_eq!(
            (&row["status"], &row["result"]),
            (&json!("completed"), &json!(null))
        );
    }
    let urls = app
        .get(&format!("/api/v4/domains/a.com/urls{at_least}"))
        .await
        .json();
    assert_eq!(urls["items"], json!([]));
    let everything = ["old@example.com", "new@example.com", "x/old/1", "x/new/2"];
    for name in READ_MODELS
        .into_iter()
        .chain(["sitemap_urls", "events", "event_body"])
    {
        for secret in everything {
            // Bytes are shown as hexadecimal digits.
            let sql = format!(
                "select count(*) from {name} t where position('{secret}' in to_jsonb(t)::text) > 0 \
                    or position(encode('{secret}', 'hex') in to_jsonb(t)::text) > 0"
            );
            let found: i64 = sqlx::query_scalar(&sql)
                .fetch_one(app.app.log.pool())
                .await
                .unwrap();
            assert_eq!(found, 0, "{secret} is still in {name}");
        }
    }
    // Of another domain, and of the same domain of another tenant, nothing is lost.
    assert_eq!(app.get("/api/v4/domains/b.com").await.json()["title"], "kept");
    let theirs = app
        .call("GET", "/api/v4/domains/a.com")
        .tenant(OTHER)
        .send()
        .await
        .json();
    assert_eq!(theirs["title"], "theirs");

    let found = verified(&app.app.log).await;
    assert!(found.holds(), "{:?}", found.findings);
    assert_eq!((found.erased, found.bodies), (4, 4));
    let options = VerifyOptions {
        head: Some(kept),
        ..VerifyOptions::default()
    };
    assert!(
        app.app.log.verify_with(&options).await.unwrap().holds(),
        "nothing before was touched"
    );
    let events = app.get(&format!("/api/v4/events?stream={first}")).await.json();
    let last = events["items"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(
        (&last["type"], &last["data"]["status"]),
        (&json!("ScanErased"), &json!("completed"))
    );
}

#[tokio::test]
async fn forgetting_twice_changes_nothing_and_what_was_never_known_is_not_found() {
    let app = TestApp::start().await;
    scan(&app.app.bus, "a.com", TenantId::DEFAULT, "old").await;
    let first = app.call("DELETE", "/api/v4/domains/a.com").send().await.json();
    let head = app.head().await;
    let again = app.call("DELETE", "/api/v4/domains/a.com").send().await.json();
    assert_eq!(
        (&again["scans"], &again["bodies"], &again["position"]),
        (&json!(0), &json!(0), &first["position"])
    );
    assert_eq!(app.head().await, head);
    for (tenant, path) in [
        (TenantId::DEFAULT.to_string(), "/api/v4/domains/b.com"),
        (OTHER.to_owned(), "/api/v4/domains/a.com"),
    ] {
        app.call("DELETE", path)
            .tenant(&tenant)
            .send()
            .await
            .problem(404, "not_found");
    }
    app.call("DELETE", "/api/v4/domains/no%20domain")
        .send()
        .await
        .problem(404, "not_found");
}

#[tokio::test]
async fn it_cannot_be_undone_so_it_takes_the_scope_admin() {
    let app = TestApp::builder().guarded().start().await;
    scan(&app.app.bus, "a.com", TenantId::DEFAULT, "old").await;
    let head = app.head().await;
    for scope in [Scope::Read, Scope::Write] {
        let key = key(&app, &[scope]).await;
        let answer = app
            .call("DELETE", "/api/v4/domains/a.com")
            .bearer(key.reveal())
            .send()
            .await;
        answer.problem(403, "insufficient_scope");
    }
    assert_eq!(app.head().await, head);
    let key = key(&app, &[Scope::Admin]).await;
    let answer = app
        .call("DELETE", "/api/v4/domains/a.com")
        .bearer(key.reveal())
        .send()
        .await;
    assert_eq!(answer.status, 202, "{}", answer.text());
}

#[tokio::test]
async fn a_scan_under_way_goes_on_and_what_it_finds_is_new_knowledge() {
    let app = TestApp::start().await;
    let bus = &app.app.bus;
    scan(bus, "a.com", TenantId::DEFAULT, "same").await;
    let requested = request_scan(bus, domain("a.com"), ScanOptions::default(), &context())
        .await
        .unwrap();
    let begun = app.begin(&requested.scan_id.to_string()).await;
    let forgotten = forget_domain(bus, &domain("a.com"), &context()).await.unwrap();
    assert_eq!(forgotten.scans, 1, "the scan under way has nothing to erase yet");
    // It finds the very same again: under the new salt that is another body.
    record_scan(
        bus,
        &begun,
        &report("same"),
        Duration::ZERO,
        Utc::now(),
        &context(),
    )
    .await
    .unwrap();
    let head = app.head().await;
    let row = app
        .get(&format!("/api/v4/domains/a.com?at_least={head}"))
        .await
        .json();
    assert_eq!(row["title"], "same");
    assert_eq!(
        (&row["status"], &row["sitemap_urls"]),
        (&json!("completed"), &json!(2))
    );
    let found = verified(&app.app.log).await;
    assert!(found.holds(), "{:?}", found.findings);
    assert_eq!((found.erased, found.bodies), (2, 2));
}

#[tokio::test]
async fn a_body_that_was_sealed_before_is_refused_by_every_process_and_sealed_anew() {
    let (log, database) = log().await;
    let elsewhere = EventLog::open(database.pool.clone());
    let bus = CommandBus::new(log.clone());
    scan(&bus, "a.com", TenantId::DEFAULT, "old").await;
    let mut units = Vec::new();
    for (n, process) in [&log, &elsewhere].into_iter().enumerate() {
        let salt = process.salt(TenantId::DEFAULT, "a.com").await.unwrap();
        let mut sealed = unit(&format!("s{n}"), 0, 1);
        sealed.bodies = vec![salt.seal(b"late", 1).1];
        units.push((process, sealed));
    }
    forget_domain(&bus, &domain("a.com"), &context()).await.unwrap();
    for (process, sealed) in units {
        let neighbour = process.append(unit(&sealed.streams[0].aggregate_id.replace('s', "n"), 0, 1));
        let refused = process.append(sealed.clone());
        let (refused, neighbour) = tokio::join!(refused, neighbour);
        assert!(matches!(refused, Err(LogError::SaltChanged)), "{refused:?}");
        neighbour.unwrap();
        assert_eq!(bodies_of(&database.pool, "a.com").await, 0);
        let salt = process.salt(TenantId::DEFAULT, "a.com").await.unwrap();
        let anew = salt.seal(b"late", 1).1;
        process
            .append(sitelog::log::AppendUnit {
                bodies: vec![anew],
                ..sealed
            })
            .await
            .unwrap();
        sqlx::raw_sql("delete from event_body")
            .execute(&database.pool)
            .await
            .unwrap();
    }
}

/// Results arrive continuously from two processes, while the domain is repeatedly erased. At the end
/// each body that an event refers to exists or was erased, and there are no bodies without a reference.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_append_escapes_an_erasure() {
    let (log, database) = log().await;
    let done = Arc::new(AtomicBool::new(false));
    let writers = (0..6).map(|n| {
        let process = if n % 2 == 0 {
            log.clone()
        } else {
            EventLog::open(database.pool.clone())
        };
        let (bus, done) = (CommandBus::new(process), Arc::clone(&done));
        tokio::spawn(async move {
            let mut scans = 0;
            while !done.load(Ordering::SeqCst) {
                scan(&bus, "a.com", TenantId::DEFAULT, &format!("title{}", scans % 3)).await;
                scans += 1;
            }
            scans
        })
    });
    let writers: Vec<_> = writers.collect();
    let bus = CommandBus::new(log.clone());
    wait_for("the first result", async || {
        (bodies_of(&database.pool, "a.com").await > 0).then_some(())
    })
    .await;
    let mut erased = 0;
    while erased < 30 {
        erased += forget_domain(&bus, &domain("a.com"), &context())
            .await
            .unwrap()
            .scans;
        tokio::task::yield_now().await;
    }
    done.store(true, Ordering::SeqCst);
    for writer in writers {
        assert!(writer.await.unwrap() > 0);
    }
    let found = verified(&log).await;
    assert!(found.holds(), "{:?}", found.findings);
    forget_domain(&bus, &domain("a.com"), &context()).await.unwrap();
    let found = verified(&log).await;
    assert!(found.holds(), "{:?}", found.findings);
    assert_eq!((found.bodies, bodies_of(&database.pool, "a.com").await), (0, 0));
    assert!(found.erased > 0);
}

#[tokio::test]
async fn a_body_that_comes_back_by_hand_is_found() {
    let (log, database) = log().await;
    let bus = CommandBus::new(log.clone());
    scan(&bus, "a.com", TenantId::DEFAULT, "old").await;
    sqlx::raw_sql("create table kept as table event_body")
        .execute(&database.pool)
        .await
        .unwrap();
    let forgotten = forget_domain(&bus, &domain("a.com"), &context()).await.unwrap();
    sqlx::raw_sql("insert into event_body table kept")
        .execute(&database.pool)
        .await
        .unwrap();
    let found = verified(&log).await;
    assert_eq!(found.wrong, 2, "{:?}", found.findings);
    let said = found.findings[0].to_string();
    let expected = format!("still exists, although event {} erased it", forgotten.position);
    assert!(said.ends_with(&expected), "{said}");
}

/// The content of a database's tables, row by row.
async fn rows(pool: &PgPool) -> Vec<(String, Vec<String>)> {
    let mut all = Vec::new();
    for name in READ_MODELS.into_iter().chain(["sitemap_urls"]) {
        let sql = format!("select to_jsonb(t)::text from public.{name} t order by 1");
        all.push((
            name.to_owned(),
            sqlx::query_scalar(&sql).fetch_all(pool).await.unwrap(),
        ));
    }
    all
}

async fn copy_log(from: &PgPool, to: &PgPool) {
    let mut tx = to.begin().await.unwrap();
    sqlx::raw_sql("alter table events disable trigger all; delete from log_head")
        .execute(&mut *tx)
        .await
        .unwrap();
    for table in ["events", "event_body", "body_salt", "idempotency_key", "log_head"] {
        let whole: Value = sqlx::query_scalar(&format!("select coalesce(jsonb_agg(t), '[]') from {table} t"))
            .fetch_one(from)
            .await
            .unwrap();
        let sql = format!("insert into {table} select * from jsonb_populate_recordset(null::{table}, $1)");
        sqlx::query(&sql).bind(whole).execute(&mut *tx).await.unwrap();
    }
    tx.commit().await.unwrap();
}

/// Waits until all four read models exist and have reached the position.
async fn wait_until_followed(pool: &PgPool, head: i64) {
    let sql = "select count(*) from projection where state = 'live' and position >= $1";
    wait_for("the read models", async || {
        let followed: i64 = sqlx::query_scalar(sql).bind(head).fetch_one(pool).await.unwrap();
        (followed >= 4).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_after_an_erasure_gives_the_rows_that_the_erasure_left() {
    let app = TestApp::start().await;
    let (bus, pool) = (&app.app.bus, app.app.log.pool());
    scan(bus, "a.com", TenantId::DEFAULT, "old").await;
    scan(bus, "b.com", TenantId::DEFAULT, "kept").await;
    let waiting = request_scan(bus, domain("a.com"), ScanOptions::default(), &context())
        .await
        .unwrap();
    wait_until_followed(pool, app.head().await).await;
    forget_domain(bus, &domain("a.com"), &context()).await.unwrap();
    wait_until_followed(pool, app.head().await).await;
    let begun = app.begin(&waiting.scan_id.to_string()).await;
    record_scan(
        bus,
        &begun,
        &report("new"),
        Duration::ZERO,
        Utc::now(),
        &context(),
    )
    .await
    .unwrap();
    wait_until_followed(pool, app.head().await).await;
    scan(bus, "c.com", TenantId::DEFAULT, "gone").await;
    wait_until_followed(pool, app.head().await).await;
    forget_domain(bus, &domain("c.com"), &context()).await.unwrap();
    wait_until_followed(pool, app.head().await).await;

    let replay = TestDatabase::new().await;
    copy_log(pool, &replay.pool).await;
    let config = Config {
        database_url: Some(replay.url.clone()),
        database_connections: None,
        data_dir: std::env::temp_dir(),
        bind: ([127, 0, 0, 1], 0).into(),
        worker_concurrency: 1,
        fetch: FetchSettings::default(),
        auth: AuthSettings::of(AuthMode::Off),
        mail: None,
        nats: None,
        telemetry: None,
        legacy: sitelog::api::settings::LegacySettings::default(),
    };
    let again = App::build(&config, Pools::one(replay.pool.clone()))
        .await
        .unwrap();
    let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
    again.spawn_projector(&tracker, &stop);
    wait_until_followed(&replay.pool, app.head().await).await;
    stop.cancel();
    tracker.close();
    tracker.wait().await;
    assert_eq!(rows(&replay.pool).await, rows(pool).await);
    let text = rows(pool)
        .await
        .iter()
        .map(|(_, rows)| rows.join("\n"))
        .collect::<String>();
    assert!(text.contains("new@example.com") && text.contains("kept@example.com"));
    assert!(
        !text.contains("old@example.com") && !text.contains("gone@example.com"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_asks_first_and_waits_for_the_read_models() {
    let (log, database) = log().await;
    scan(&CommandBus::new(log), "a.com", TenantId::DEFAULT, "old").await;
    let sitelog = |arguments: &[&str]| {
        let run = Command::new(env!("CARGO_BIN_EXE_sitelog"))
            .args(arguments)
            .env("DATABASE_URL", &database.url)
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap();
        (run.status.code(), String::from_utf8(run.stdout).unwrap())
    };
    assert_eq!(
        sitelog(&["forget", "a.com"]).0,
        Some(2),
        "nobody is there to say yes"
    );
    assert_eq!(sitelog(&["forget", "no domain", "--yes"]).0, Some(2));
    assert_eq!(sitelog(&["forget", "b.com", "--yes"]).0, Some(1));
    assert_eq!(
        sitelog(&["forget", "a.com", "--yes", "--tenant", OTHER]).0,
        Some(1)
    );
    assert_eq!(bodies_of(&database.pool, "a.com").await, 2);
    let (code, said) = sitelog(&["forget", "a.com", "--yes", "--json"]);
    let counted: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(
        (code, &counted["scans"], &counted["bodies"]),
        (Some(0), &json!(1), &json!(2))
    );
    let title: Option<String> = sqlx::query_scalar("select title from domains")
        .fetch_one(&database.pool)
        .await
        .unwrap();
    assert_eq!((title, bodies_of(&database.pool, "a.com").await), (None, 0));
    let (code, said) = sitelog(&["log", "verify"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("2 bodies erased"), "{said}");
    assert_eq!(
        sitelog(&["forget", "a.com", "--yes"]),
        (
            Some(0),
            "Erased the findings of 0 scans of a.com (0 bodies, log position 5).\n".to_owned()
        )
    );
}
