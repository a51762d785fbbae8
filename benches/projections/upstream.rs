//! Replay by the upstream crates (`QueryReplay` over a `GenericQuery` with a view per aggregate in PostgreSQL),
//! compared with building `jobs` from the same log.

use std::sync::Arc;

use cqrs_es::persist::{GenericQuery, QueryReplay};
use cqrs_es::{DomainEvent, EventEnvelope, View};
use postgres_es::{PostgresEventRepository, PostgresViewRepository};
use serde::{Deserialize, Serialize};
use sitelog::aggregates::DomainScan;
use sitelog::projections::as_of;
use sitelog::projections::fold::FoldOptions;
use sitelog::projections::jobs::Jobs;

use crate::{World, rate, timed};

/// Less than what `jobs` holds.
#[derive(Debug, Default, Serialize, Deserialize)]
struct ScanView {
    domain: String,
    last: String,
    events: usize,
}

impl View<DomainScan> for ScanView {
    fn update(&mut self, event: &EventEnvelope<DomainScan>) {
        event.payload.domain().clone_into(&mut self.domain);
        self.last = event.payload.event_type();
        self.events = event.sequence;
    }
}

pub async fn run(world: &World, events: usize) {
    world.append(events).await;
    let count = world.log.head().await.expect("a head");
    let view =
        "create table scan_view (view_id text primary key, version bigint not null, payload json not null)";
    sqlx::Executor::execute(&world.pool, view).await.expect("a table");
    let views = PostgresViewRepository::<ScanView, DomainScan>::new("scan_view", world.pool.clone());
    let query: GenericQuery<_, ScanView, DomainScan> = GenericQuery::new(Arc::new(views));
    let replay = QueryReplay::new(PostgresEventRepository::new(world.pool.clone()), query);
    let (replayed, upstream) = timed(replay.replay_all()).await;
    replayed.expect("replayed");
    let seen: i64 = sqlx::query_scalar("select sum((payload ->> 'events')::bigint)::bigint from scan_view")
        .fetch_one(&world.pool)
        .await
        .expect("a count");
    let (rows, ours) = timed(as_of::build::<Jobs>(
        &world.log,
        count,
        "bench_jobs",
        FoldOptions::default(),
    ))
    .await;
    println!(
        "upstream QueryReplay + GenericQuery: {seen} events in {:.2} s, {:.0} events/s",
        upstream.as_secs_f64(),
        rate(seen, upstream)
    );
    println!(
        "jobs built from the same log: {count} events in {:.2} s, {:.0} events/s, {} rows: {:.0} times",
        ours.as_secs_f64(),
        rate(count, ours),
        rows.expect("built"),
        rate(count, ours) / rate(seen, upstream)
    );
}
