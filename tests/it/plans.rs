//! The plans of PostgreSQL for the statements between a request and its read models: PostgreSQL explains each
//! statement (`auto_explain`) on large tables, with any statistics. None may read a growing table completely.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use crate::support::app::wait_for;
use crate::support::own_postgres::OwnPostgres;
use crate::support::server::Server;
use crate::support::sites::{Sites, SitesOptions};

/// Rows of one table that a statement may touch here; the tables have at least three times as many.
const MAX_ROWS_READ: u64 = 1000;

/// The tables that grow with what is scanned, and how one more row of each is made from the one that is there: what
/// is put in place of its columns, by the number `n`.
const GROWING: [(&str, &str); 15] = [
    (
        "scan_task",
        "'scan_id', md5('fill' || n)::uuid, 'host', 'fill' || n || '.test', 'due_at', now() + '4 minutes', \
         'leased_until', null, 'worker', null",
    ),
    (
        "event_body",
        "'digest', '\\x' || encode(sha256(n::text::bytea), 'hex'), 'bytes', '{}'",
    ),
    ("body_salt", "'subject', 'fill' || n || '.test'"),
    ("idempotency_key", "'key', 'fill' || n"),
    (
        "host_rest",
        "'host', 'fill' || n || '.test', 'rest_until', now() + '4 minutes'",
    ),
    ("batch_watch", "'batch_id', md5('fill' || n)::uuid"),
    (
        "monitor",
        "'monitor_id', md5('fill' || n)::uuid, 'tenant_id', md5('fill' || n)::uuid, 'position', 1000000 + n, \
         'last', now() - interval '1 day', 'next_run', now() + interval '1 day'",
    ),
    (
        "monitor_run",
        "'monitor_id', md5('fill' || n)::uuid, 'position', 1000000 + n, 'batch_id', md5('fill' || n)::uuid",
    ),
    (
        "rm_domains.domains",
        "'domain', 'fill' || n || '.test', 'id', md5('fill' || n)::uuid, 'meta_json', '{}'::jsonb, 'site_state', null, \
        'email_provider_key', null, 'tls_expires', null",
    ),
    (
        "rm_jobs.jobs",
        "'scan_id', md5('fill' || n)::uuid, 'domain', 'fill' || n || '.test'",
    ),
    ("rm_batch_jobs.batch_jobs", "'batch_id', md5('fill' || n)::uuid"),
    ("rm_sitemaps.sitemaps", "'domain', 'fill' || n || '.test'"),
    (
        "rm_sitemaps.sitemap_files",
        "'domain', 'fill' || n || '.test', 'sitemap_id', md5('fill' || n)::uuid",
    ),
    (
        "rm_sitemaps.sitemap_url_chunks",
        "'sitemap_id', md5('fill' || n)::uuid",
    ),
    (
        "events",
        "'position', (select position from log_head) + n, 'event_id', md5('fill' || n)::uuid, \
       'aggregate_id', md5('fill' || n)::uuid, 'event_type', 'Filler', 'payload', '{}'::jsonb",
    ),
];

/// Those that no `vacuum` finds empty: their rows are never deleted, or (bodies) only by erasing all domains of all tenants.
const NEVER_EMPTIED: [&str; 5] = [
    "events",
    "event_body",
    "rm_domains.domains",
    "rm_jobs.jobs",
    "rm_batch_jobs.batch_jobs",
];

struct World {
    postgres: OwnPostgres,
    sites: Sites,
    hand: PgConnection,
    server: Option<Server>,
    /// How much of PostgreSQL's log was read.
    read: usize,
    scanned: usize,
}

impl World {
    async fn start() -> Self {
        let postgres = OwnPostgres::start(&[]).await;
        let sites = Sites::start(SitesOptions {
            sites: 400,
            urls_per_sitemap: 3,
            ..SitesOptions::default()
        });
        let mut world = Self {
            hand: PgConnection::connect(&postgres.url).await.unwrap(),
            sites: sites.await.unwrap(),
            postgres,
            server: None,
            read: 0,
            scanned: 0,
        };
        // What PostgreSQL knows is what the test lets it know.
        world.execute("alter system set autovacuum = off").await;
        world.execute("alter system set log_line_prefix = '%a '").await;
        world.execute("select pg_reload_conf()").await;
        world.start_server();
        world
    }

    async fn execute(&mut self, sql: &str) {
        sqlx::raw_sql(sql)
            .execute(&mut self.hand)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    fn start_server(&mut self) {
        let settings = [("DATABASE_URL", self.postgres.url.as_str())];
        self.server = Some(Server::start(&self.sites, &settings));
    }

    /// A server that has planned nothing yet.
    async fn restart_server(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.terminate().await;
        }
        self.start_server();
    }

    /// From now on each statement of new connections is explained.
    async fn explain_all(&mut self) {
        for (name, value) in [
            ("session_preload_libraries", "auto_explain"),
            ("auto_explain.log_min_duration", "0"),
            ("auto_explain.log_analyze", "on"),
            ("auto_explain.log_timing", "off"),
            ("auto_explain.log_nested_statements", "on"),
        ] {
            self.execute(&format!("alter database postgres set {name} = '{value}'"))
                .await;
        }
    }

    /// The table with its schema: that of a read model is the live generation's.
    async fn table(&mut self, name: &str) -> String {
        let Some((model, table)) = name.split_once('.') else {
            return format!("public.{name}");
        };
        let schema: String = sqlx::query_scalar(
            "select 'rm_' || name || '_s' || shape || '_g' || generation from projection \
              where state = 'live' and 'rm_' || name = $1",
        )
        .bind(model)
        .fetch_one(&mut self.hand)
        .await
        .unwrap();
        format!("{schema}.{table}")
    }

    /// This many more rows in each table, all like the first one.
    async fn fill(&mut self, rows: u32) {
        for (name, values) in GROWING {
            let table = self.table(name).await;
            self.execute(&format!(
                "insert into {table} select filled.* from {table} model, generate_series({rows} + 1, 2 * {rows}) n, \
                        jsonb_populate_record(model, jsonb_build_object({values})) filled \
                  where model.ctid = (select ctid from {table} limit 1)"
            ))
            .await;
        }
        self.execute("update log_head set position = (select max(position) from events)")
            .await;
        self.caught_up().await;
    }

    async fn let_know(&mut self, known: Known) {
        for (name, _) in GROWING {
            if matches!(known, Known::Drained) && NEVER_EMPTIED.contains(&name) {
                continue;
            }
            let table = self.table(name).await;
            let sql = match known {
                Known::Nothing => format!(
                    "delete from pg_statistic where starelid = '{table}'::regclass; \
                     update pg_class set reltuples = -1, relpages = 0 where oid = '{table}'::regclass"
                ),
                Known::Empty => format!(
                    "delete from pg_statistic where starelid = '{table}'::regclass; \
                     update pg_class set reltuples = 0, relpages = 0 where oid = '{table}'::regclass"
                ),
                // The indexes were cleaned as well.
                Known::Drained => format!(
                    "delete from pg_statistic where starelid = '{table}'::regclass; \
                     update pg_class set reltuples = 0, relpages = 1000 where oid = '{table}'::regclass; \
                     update pg_class set reltuples = 0 where oid in \
                       (select indexrelid from pg_index where indrelid = '{table}'::regclass)"
                ),
                Known::All => format!("analyze {table}"),
            };
            self.execute(&sql).await;
        }
    }

    /// Typical use: a scan, a list with a failing site, its retry, and reading the results.
    async fn use_all(&mut self) {
        let server = self.server.as_ref().expect("it runs");
        let mut host = || {
            self.scanned += 1;
            format!("site{:05}.sites.test", self.scanned)
        };
        let (one, mut list) = (host(), vec![host(), host(), host()]);
        list.push("nobody.sites.test".to_owned());
        let scan = server.post("/api/v4/scans", &json!({ "domain": one })).await;
        let scan = format!("/api/v4/scans/{}", scan["scan_id"].as_str().unwrap());
        let ended = |answer: &Value| answer["status"] == "completed" || answer["status"] == "partial";
        server.wait_for(&scan, ended).await;
        let batch = format!("/api/v4/batches/{}", server.request_batch(&list).await);
        server.wait_for(&batch, ended).await;
        let position = server.post(&format!("{batch}/retry"), &json!({})).await["position"].clone();
        let retried = format!("{batch}?at_least={position}");
        server
            .wait_for(&retried, |answer| answer["status"] == "partial")
            .await;
        let monitor = json!({ "name": "m", "domains": [one], "rhythm": "hourly" });
        let monitor = server.post("/api/v4/monitors", &monitor).await;
        let monitor = monitor["monitor_id"].as_str().unwrap();
        let run = server
            .post(&format!("/api/v4/monitors/{monitor}/run"), &json!({}))
            .await;
        let found = json!({ "name": "f", "filter": { "contains": one }, "rhythm": "0 0 1 1 *" });
        let found = server.post("/api/v4/monitors", &found).await["monitor_id"].clone();
        server
            .get(&format!(
                "/api/v4/monitors/{monitor}?at_least={}",
                run["position"]
            ))
            .await;
        server
            .post(&format!("/api/v4/monitors/{monitor}/pause"), &json!({}))
            .await;
        for path in [
            format!("/api/v4/monitors/{monitor}/runs"),
            format!("/api/v4/monitors/{}", found.as_str().unwrap()),
            "/api/v4/monitors?limit=20".to_owned(),
            format!("/api/v4/batches?monitor={monitor}&limit=20"),
            format!("/api/v4/changes?monitor={monitor}&limit=20"),
            format!("/api/v4/domains/{one}"),
            format!("/api/v4/domains/{one}/urls"),
            format!("/api/v4/domains/{one}/history"),
            format!("{batch}/scans"),
            "/api/v4/domains?limit=20".to_owned(),
            "/api/v4/domains?site_state=parked&limit=20".to_owned(),
            "/api/v4/domains?email_provider=zoho+mail&limit=20&sort=-domain".to_owned(),
            "/api/v4/domains?tls_expires_before=2999-01-01&limit=20".to_owned(),
            "/api/v4/domains?site_state=parked&tls_expires_before=2001-01-01&limit=20&sort=-last_scan"
                .to_owned(),
            "/api/v4/scans?limit=20&sort=-created_at".to_owned(),
            "/api/v4/batches?limit=20".to_owned(),
        ] {
            server.get(&path).await;
        }
    }

    /// Waits until all that follows the log has read what `fill` put there.
    async fn caught_up(&mut self) {
        wait_for("those who follow the log", async || {
            let mut hand = PgConnection::connect(&self.postgres.url).await.unwrap();
            let behind: bool = sqlx::query_scalar(
                "select exists (select from (select position from policy union all \
                   select position from projection where state = 'live') f, log_head h where f.position < h.position)",
            )
            .fetch_one(&mut hand)
            .await
            .unwrap();
            (!behind).then_some(())
        })
        .await;
    }

    /// The statements since the last look that read all of a table that grows.
    fn looks_at_all(&mut self) -> BTreeSet<String> {
        let log = self.postgres.log();
        let new = log[self.read..].to_owned();
        self.read = log.len();
        let parts: Vec<&str> = new.split("Query Text: ").collect();
        let statements = parts.windows(2).filter(|pair| !is_maintenance(pair[0]));
        statements.filter_map(|pair| fault_of(pair[1])).collect()
    }
}

/// What PostgreSQL knows of the tables.
#[derive(Clone, Copy, Debug)]
enum Known {
    /// They were never looked at.
    Nothing,
    /// They were empty when they were.
    Empty,
    /// They were full, and empty when they were vacuumed: PostgreSQL expects no row in any number of pages.
    Drained,
    /// All.
    All,
}

/// Whether the entry of the log that begins at the end of a part is of those connections: samples and comparisons read
/// as much as they need.
fn is_maintenance(before: &str) -> bool {
    let mut lines = before.lines().rev();
    lines
        .find(|line| line.contains("duration: "))
        .is_some_and(|line| line.starts_with("sitelog maintenance "))
}

/// What is wrong with the plan of a statement, and which that is.
fn fault_of(statement: &str) -> Option<String> {
    // What belongs to it is indented; the next entry of the log is not.
    let mut lines = statement.lines();
    let text: Vec<&str> = lines.by_ref().take_while(|line| !is_node(line)).collect();
    // The Merkle tree follows the log by itself; each event passes through it once.
    if text.iter().any(|line| line.contains("select leaf from events")) {
        return None;
    }
    let plan = statement
        .lines()
        .skip(text.len())
        .take_while(|line| line.starts_with('\t'));
    let is_growing = |table: &str| {
        GROWING
            .iter()
            .any(|(name, _)| name.rsplit('.').next() == Some(table))
    };
    let mut table = None;
    for line in plan {
        if is_node(line) {
            let on = line
                .split_once(" on ")
                .and_then(|(_, rest)| rest.split_whitespace().next());
            table = on.filter(|table| is_growing(table));
        }
        let Some(table) = table else { continue };
        let touched = count(line, "rows=", "actual ") * count(line, "loops=", "actual ");
        let passed_over =
            count(line, "Rows Removed by Filter: ", "") + count(line, "Rows Removed by Join Filter: ", "");
        let all = line.contains("Seq Scan on");
        if all || touched > MAX_ROWS_READ || passed_over > MAX_ROWS_READ {
            let text = text
                .join(" ")
                .split_whitespace()
                .take(40)
                .collect::<Vec<_>>()
                .join(" ");
            return Some(format!("{table}: {}\n    of {text}", line.trim()));
        }
    }
    None
}

fn is_node(line: &str) -> bool {
    line.starts_with('\t') && line.contains("(cost=")
}

/// The number behind `name`, where that stands behind `start`; 0 if it does not.
fn count(line: &str, name: &str, start: &str) -> u64 {
    let number = line
        .split_once(start)
        .and_then(|(_, rest)| rest.split_once(name))
        .map(|(_, rest)| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
    number.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_statement_on_the_way_reads_all_of_a_table_whatever_is_known_of_it() {
    let mut world = World::start().await;
    world.explain_all().await;
    world.let_know(Known::Empty).await;
    // Plans that were made while the tables were empty are kept while they grow.
    world.restart_server().await;
    for _ in 0..6 {
        world.use_all().await;
    }
    // One of each that a scan leaves behind at other times.
    world
        .execute("insert into host_rest (host, rest_until) values ('some.test', now())")
        .await;
    world
        .execute(
            "insert into task_lane (lane_id, tenant_id, max_concurrent) \
         select '00000000-0000-4000-8000-00000000000f', tenant_id, 1 from task_tenant limit 1; \
         insert into scan_task (scan_id, tenant_id, lane_id, host, position, due_at) \
         select gen_random_uuid(), tenant_id, lane_id, 'some.test', 0, now() + '4 minutes' from task_lane \
          where lane_id <> tenant_id limit 1",
        )
        .await;
    world.fill(3000).await;
    world.looks_at_all();
    world.use_all().await;
    let mut faults: Vec<(String, String)> = Vec::new();
    let mut note = |when: String, found: BTreeSet<String>| {
        faults.extend(found.into_iter().map(|fault| (when.clone(), fault)));
    };
    note("planned while all was empty".to_owned(), world.looks_at_all());
    for size in [3000, 300_000] {
        world.fill(if size == 3000 { 0 } else { size }).await;
        for known in [Known::Nothing, Known::Empty, Known::Drained, Known::All] {
            // The wrong plans are the same ones on larger tables, only slower.
            if matches!(known, Known::Drained) && size > 3000 {
                continue;
            }
            world.let_know(known).await;
            world.restart_server().await;
            world.looks_at_all();
            world.use_all().await;
            note(format!("{size} rows, known: {known:?}"), world.looks_at_all());
        }
    }
    let messages: Vec<String> = faults
        .iter()
        .map(|(when, fault)| format!("{when}: {fault}"))
        .collect();
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        messages.len(),
        messages.join("\n")
    );
    // That a fault would be seen.
    world.execute("drop index scan_task_ready").await;
    world.use_all().await;
    assert!(
        !world.looks_at_all().is_empty(),
        "nobody notices that an index is gone"
    );
}
