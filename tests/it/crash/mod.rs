//! The server and its database are killed or frozen in the middle of work. Nothing that was acknowledged is lost or
//! done twice. The clients record what was acknowledged, outside the database.

mod batch;
mod chance;
mod frozen;
mod ledger;
mod read_models;
mod whole;

use serde_json::json;
use sqlx::{Connection, PgConnection, PgPool};

use crate::support::app::wait_for;
use crate::support::server::Server;
use crate::support::sites::{Sites, SitesOptions};

/// The read models.
const NAMES: [&str; 4] = ["jobs", "batch_jobs", "domains", "sitemaps"];
/// Number of ordinary sites.
const SITES: usize = 30;

fn host(number: usize) -> String {
    format!("site{number:05}.sites.test")
}

async fn sites() -> Sites {
    let options = SitesOptions {
        sites: SITES,
        urls_per_sitemap: 5,
        ..SitesOptions::default()
    };
    Sites::start(options).await.unwrap()
}

/// A free port: clients must find the restarted server at the same address.
fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// A direct connection to the server's database; it reconnects after a restart.
fn hand(server: &Server) -> PgPool {
    PgPool::connect_lazy(&server.database_url()).unwrap()
}

/// Runs statements; tried again while PostgreSQL is down.
async fn meddle(hand: &PgPool, sql: &str) {
    wait_for(sql, async || sqlx::raw_sql(sql).execute(hand).await.ok()).await;
}

/// Kills PostgreSQL and waits until its supervisor has started it again. (Backends of the dead one may continue
/// answering for a moment.)
async fn kill_postgres(server: &Server, hand: &PgPool) {
    let sql = "select pg_postmaster_start_time()::text";
    let started = async || sqlx::query_scalar::<_, String>(sql).fetch_one(hand).await.ok();
    let before = wait_for("PostgreSQL", &started).await;
    server.kill_postgres();
    wait_for("PostgreSQL to be back", async || {
        started().await.filter(|now| *now != before)
    })
    .await;
}

/// Lets all leases expire: their holders are known to be dead or frozen.
async fn expire_leases(hand: &PgPool) {
    meddle(
        hand,
        "update projection_task set leased_until = clock_timestamp() - interval '1 second' where state = 'running'",
    )
    .await;
}

/// Delays each process at this point of a task.
async fn linger_at(hand: &PgPool, point: Point, seconds: f64) {
    let (table, condition) = point.place();
    let sql = format!(
        "create function linger() returns trigger language plpgsql as $$ \
         begin perform pg_sleep({seconds}); return new; end $$; \
         create trigger linger before update on {table} for each row when ({condition}) execute function linger()"
    );
    meddle(hand, &sql).await;
}

async fn linger_no_more(hand: &PgPool) {
    meddle(hand, "drop function if exists linger() cascade").await;
}

/// Waits until a process is delayed there.
async fn somebody_lingers(hand: &PgPool) {
    let sql = "select 1 from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()";
    wait_for("somebody to linger", async || {
        sqlx::query(sql).fetch_optional(hand).await.ok().flatten()
    })
    .await;
}

/// The points at which a task can be interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Point {
    /// The start of this phase.
    Phase(&'static str),
    /// In the transaction of the switch.
    Switch,
    /// After the switch, when it records its result.
    Result,
}

impl Point {
    /// The update by which the point is recognised.
    fn place(self) -> (&'static str, String) {
        match self {
            Self::Phase(phase) => (
                "projection_task",
                format!("new.phase = '{phase}' and old.phase is distinct from new.phase"),
            ),
            Self::Switch => (
                "projection",
                "new.state = 'live' and old.state <> 'live'".to_owned(),
            ),
            Self::Result => (
                "projection_task",
                "new.state = 'done' and old.state <> 'done'".to_owned(),
            ),
        }
    }
}

/// Requests a task; returns the live and the previous generation at that time.
async fn ask_for(server: &Server, name: &str, kind: &str) -> (i64, Option<i64>) {
    let path = format!("/api/v4/projections/{name}");
    let before = server.get(&path).await;
    server.post(&format!("{path}/{kind}"), &json!({})).await;
    (
        before["generation"].as_i64().unwrap(),
        before["rollback_to"].as_i64(),
    )
}

/// The live generation after the task has come to a good end.
async fn generation_after(server: &Server, name: &str) -> i64 {
    let path = format!("/api/v4/projections/{name}");
    let status = server
        .wait_for(&path, |status| {
            ["done", "failed"].contains(&status["task"]["state"].as_str().unwrap_or_default())
        })
        .await;
    assert_eq!(status["task"]["error"], json!(null), "{status}");
    status["generation"].as_i64().unwrap()
}

/// A separate connection, for statements that hold locks.
async fn connection(server: &Server) -> PgConnection {
    PgConnection::connect(&server.database_url()).await.unwrap()
}
