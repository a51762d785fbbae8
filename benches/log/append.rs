//! Events appended per second: sitelog, upstream postgres-es on its own table, and a raw multi-row insert into a table
//! like ours, with positions, hashes and all indexes.

use cqrs_es::persist::{PersistedEventRepository, SerializedEvent};
use postgres_es::PostgresEventRepository;
use sitelog::aggregates::DomainScan;
use sitelog::log::EventLog;
use sitelog::values::TenantId;
use sqlx::PgPool;
use uuid::Uuid;

use crate::Options;
use crate::database::Server;
use crate::load::{measure, metadata, payload, unit};

const CLIENTS: [usize; 3] = [1, 16, 64];
const EVENTS: [usize; 3] = [1, 10, 100];

/// The table as postgres-es documents it.
const UPSTREAM_TABLE: &str = "create table events (\
     aggregate_type text not null, aggregate_id text not null, sequence bigint check (sequence >= 0) not null, \
     event_type text not null, event_version text not null, payload json not null, metadata json not null, \
     timestamp timestamp with time zone default (current_timestamp), \
     primary key (aggregate_type, aggregate_id, sequence))";
/// A table like ours. A sequence gives positions that are neither dense nor in commit order: that is what it saves.
const RAW_TABLE: &str = "create table raw_events (like events including all); create sequence raw_position";

pub async fn run(server: &Server, options: Options) {
    println!("append: events per second, each cell for {:?}", options.time);
    println!(
        "{:>7} {:>7} {:>10} {:>10} {:>10} {:>11} {:>10}",
        "clients", "events", "ours", "upstream", "raw", "ours/upstream", "ours/raw"
    );
    for clients in CLIENTS {
        for events in EVENTS {
            let ours = ours(server, clients, events, options).await;
            let upstream = upstream(server, clients, events, options).await;
            let raw = raw(server, clients, events, options).await;
            println!(
                "{clients:>7} {events:>7} {ours:>10.0} {upstream:>10.0} {raw:>10.0} {:>11.2} {:>10.2}",
                ours / upstream,
                ours / raw
            );
        }
    }
}

async fn ours(server: &Server, clients: usize, events: usize, options: Options) -> f64 {
    let pool = server.database("bench_ours", 8).await;
    let log = EventLog::open(pool.clone());
    let rate = measure(clients, events, options.time, {
        let log = log.clone();
        move || {
            let log = log.clone();
            async move {
                log.append(unit(events)).await.expect("an append");
            }
        }
    })
    .await;
    drop(log);
    pool.close().await;
    rate
}

async fn upstream(server: &Server, clients: usize, events: usize, options: Options) -> f64 {
    let pool = server
        .database("bench_upstream", u32::try_from(clients).expect("few"))
        .await;
    sqlx::raw_sql(&format!("drop table events cascade; {UPSTREAM_TABLE}"))
        .execute(&pool)
        .await
        .expect("the upstream table");
    let rate = measure(clients, events, options.time, {
        let pool = pool.clone();
        move || {
            let repository = PostgresEventRepository::new(pool.clone());
            async move {
                let id = Uuid::new_v4().to_string();
                let event = |sequence| {
                    let (kind, version) = ("ScanRequested".to_owned(), "1".to_owned());
                    SerializedEvent::new(
                        id.clone(),
                        sequence,
                        "domain_scan".into(),
                        kind,
                        version,
                        payload(),
                        metadata(),
                    )
                };
                let batch: Vec<_> = (1..=events).map(event).collect();
                repository
                    .persist::<DomainScan>(&batch, None)
                    .await
                    .expect("an append");
            }
        }
    })
    .await;
    pool.close().await;
    rate
}

async fn raw(server: &Server, clients: usize, events: usize, options: Options) -> f64 {
    let pool = server
        .database("bench_raw", u32::try_from(clients).expect("few"))
        .await;
    sqlx::raw_sql(RAW_TABLE)
        .execute(&pool)
        .await
        .expect("the raw table");
    let rate = measure(clients, events, options.time, {
        let pool = pool.clone();
        move || {
            let pool = pool.clone();
            async move { insert_raw(&pool, events).await }
        }
    })
    .await;
    pool.close().await;
    rate
}

async fn insert_raw(pool: &PgPool, events: usize) {
    let id = Uuid::new_v4().to_string();
    let (ids, sequences): (Vec<Uuid>, Vec<i64>) = (1..).take(events).map(|n| (Uuid::now_v7(), n)).unzip();
    let payloads: Vec<_> = ids.iter().map(|_| payload()).collect();
    let metadatas: Vec<_> = ids.iter().map(|_| metadata()).collect();
    sqlx::query(
        "insert into raw_events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata, \
           position, event_id, recorded_at, tenant_id, leaf) \
         select 'domain_scan', $1, n.sequence, 'ScanRequested', '1', n.payload, n.metadata, n.position, n.event_id, \
           now(), $2, event_leaf(n.position, n.event_id, 'domain_scan', $1, n.sequence, 'ScanRequested', '1', now(), \
             $2, n.payload, n.metadata) \
           from (select *, nextval('raw_position') as position \
                   from unnest($3::bigint[], $4::uuid[], $5::jsonb[], $6::jsonb[]) as u(sequence, event_id, payload, metadata) \
                 offset 0) n",
    )
    .bind(id)
    .bind(TenantId::DEFAULT.0)
    .bind(sequences)
    .bind(ids)
    .bind(payloads)
    .bind(metadatas)
    .execute(pool)
    .await
    .expect("an insert");
}
