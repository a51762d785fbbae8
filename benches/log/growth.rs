//! The effect of the log's length: on an append, a proof, and a full verification.

use std::time::{Duration, Instant};

use sitelog::aggregates::can_read;
use sitelog::log::EventLog;
use sitelog::log::verify::VerifyOptions;
use sqlx::PgPool;

use crate::Options;
use crate::database::Server;
use crate::load::{measure, metadata, payload, unit};

/// Lengths at which is measured, up to the wanted one.
const LENGTHS: [i64; 3] = [10_000, 1_000_000, 5_000_000];
/// Events made in one statement.
const FILL: i64 = 100_000;

pub async fn run(server: &Server, options: Options, wants: &dyn Fn(&str) -> bool) {
    let pool = server.database("bench_growth", 12).await;
    let log = EventLog::open(pool.clone());
    println!("growth: a log that grows to {} events", options.events);
    for length in LENGTHS.into_iter().filter(|length| *length <= options.events) {
        fill(&pool, length).await;
        if wants("growth") {
            let rate = |clients, events| append_rate(&log, clients, events, options.time);
            let (small, large) = (rate(64, 1).await, rate(16, 100).await);
            println!("  {length:>9} events: append 64x1 {small:>8.0}/s, 16x100 {large:>8.0}/s");
        }
        if wants("proof") {
            proofs(&log, length).await;
        }
        if wants("verify") {
            verify(&log, length).await;
        }
    }
    drop(log);
    pool.close().await;
}

async fn append_rate(log: &EventLog, clients: usize, events: usize, time: Duration) -> f64 {
    let log = log.clone();
    measure(clients, events, time, move || {
        let log = log.clone();
        async move {
            log.append(unit(events)).await.expect("an append");
        }
    })
    .await
}

async fn proofs(log: &EventLog, length: i64) {
    let begun = Instant::now();
    log.extend_tree().await.expect("a whole log");
    println!(
        "  {length:>9} events: the stored tree was brought up in {:?}",
        begun.elapsed()
    );
    let begun = Instant::now();
    log.prove_inclusion(length / 3, None).await.expect("a proof");
    let inclusion = begun.elapsed();
    let begun = Instant::now();
    log.prove_consistency(length.unsigned_abs() / 3, None)
        .await
        .expect("a proof");
    println!(
        "  {length:>9} events: inclusion proof {inclusion:?}, consistency proof {:?}",
        begun.elapsed()
    );
}

async fn verify(log: &EventLog, length: i64) {
    let options = VerifyOptions {
        readable: Some(can_read),
        ..VerifyOptions::default()
    };
    let begun = Instant::now();
    let found = log.verify_with(&options).await.expect("a log");
    assert!(found.holds(), "{:?}", found.findings);
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let rate = found.events as f64 / begun.elapsed().as_secs_f64();
    println!(
        "  {length:>9} events: verified in {:?}, {rate:.0} events/s",
        begun.elapsed()
    );
}

/// Makes the log at least this long, in streams of seven events: with the hashes that `append_events` would make.
async fn fill(pool: &PgPool, length: i64) {
    loop {
        let head: i64 = sqlx::query_scalar("select position from log_head")
            .fetch_one(pool)
            .await
            .expect("a head");
        if head >= length {
            sqlx::raw_sql("vacuum (analyze) events")
                .execute(pool)
                .await
                .expect("a vacuum");
            return;
        }
        let mut tx = pool.begin().await.expect("a transaction");
        sqlx::query(
            "insert into events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata, \
               position, event_id, recorded_at, tenant_id, leaf) \
             select 'domain_scan', n.id, n.sequence, 'ScanRequested', '1', $3, $4, n.position, n.event_id, \
               h.recorded_at, $5, event_leaf(n.position, n.event_id, 'domain_scan', n.id, n.sequence, 'ScanRequested', \
               '1', h.recorded_at, $5, $3, $4) \
               from (select g as position, gen_random_uuid() as event_id, (g - $1) % 7 + 1 as sequence, \
                            md5($1 || '-' || (g - $1) / 7)::uuid::text as id \
                       from generate_series($1::bigint, $2::bigint) g) n \
              cross join (select greatest(recorded_at, '2026-01-01') as recorded_at from log_head) h",
        )
        .bind(head + 1)
        .bind(length.min(head + FILL))
        .bind(payload())
        .bind(metadata())
        .bind(sitelog::values::TenantId::DEFAULT.0)
        .execute(&mut *tx)
        .await
        .expect("events");
        sqlx::query("update log_head set position = (select max(position) from events), recorded_at = greatest(recorded_at, '2026-01-01')")
            .execute(&mut *tx)
            .await
            .expect("a head");
        tx.commit().await.expect("a commit");
    }
}
