//! The upstream library as an oracle: it reads our table as we do, and its framework, on its own table, produces the
//! same events from the same commands.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use cqrs_es::persist::{PersistedEventStore, QueryReplay};
use cqrs_es::{AggregateError, CqrsFramework, EventEnvelope, Query};
use futures::FutureExt;
use futures::future::BoxFuture;
use postgres_es::PostgresEventRepository;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::Value;
use sitelog::aggregates::DomainScan;
use sitelog::commands::bus::{Attachments, CommandError};
use sitelog::commands::{CommandBus, CommandContext};
use sitelog::log::EventLog;
use sitelog::values::TenantId;
use sqlx::PgPool;

use super::{Action, SCANS, scan_id};
use crate::support::postgres::TestDatabase;
use crate::support::story::{Story, StoryOptions};

/// Events by stream: sequence and payload.
type Streams = BTreeMap<String, Vec<(usize, Value)>>;

/// Records the events that it receives.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Streams>>);

impl Query<DomainScan> for Recorder {
    /// What `#[async_trait]` makes of an `async fn`.
    fn dispatch<'recorder, 'id, 'events, 'all>(
        &'recorder self,
        aggregate_id: &'id str,
        events: &'events [EventEnvelope<DomainScan>],
    ) -> BoxFuture<'all, ()>
    where
        'recorder: 'all,
        'id: 'all,
        'events: 'all,
    {
        let mut streams = self.0.lock().unwrap();
        let stream = streams.entry(aggregate_id.to_owned()).or_default();
        for event in events {
            stream.push((event.sequence, serde_json::to_value(&event.payload).unwrap()));
        }
        futures::future::ready(()).boxed()
    }
}

async fn streams_of(pool: &PgPool, table: &str) -> Streams {
    let rows: Vec<(String, i64, Value)> = sqlx::query_as(&format!(
        "select aggregate_id, sequence, payload from {table} where aggregate_type = 'domain_scan' \
          order by aggregate_id, sequence"
    ))
    .fetch_all(pool)
    .await
    .unwrap();
    let mut streams = Streams::new();
    for (id, sequence, payload) in rows {
        let sequence = usize::try_from(sequence).unwrap();
        streams.entry(id).or_default().push((sequence, payload));
    }
    streams
}

#[tokio::test]
async fn a_upstream_replay_of_our_table_tells_each_stream_as_we_wrote_it() {
    let database = TestDatabase::new().await;
    let log = EventLog::open(database.pool.clone());
    Story::new(StoryOptions::default()).append(&log, 800).await;
    let recorder = Recorder::default();
    let repository = PostgresEventRepository::new(database.pool.clone());
    QueryReplay::<_, _, DomainScan>::new(repository, recorder.clone())
        .replay_all()
        .await
        .unwrap();
    let replayed = std::mem::take(&mut *recorder.0.lock().unwrap());
    let ours = streams_of(&database.pool, "events").await;
    assert!(ours.len() > 50, "{}", ours.len());
    assert_eq!(replayed, ours);
}

#[tokio::test]
async fn the_upstream_framework_makes_the_same_events_of_the_same_commands() {
    let database = TestDatabase::new().await;
    // As postgres-es documents it.
    sqlx::raw_sql(
        "create table upstream_events (aggregate_type text not null, aggregate_id text not null, \
           sequence bigint check (sequence >= 0) not null, event_type text not null, event_version text not null, \
           payload json not null, metadata json not null, primary key (aggregate_type, aggregate_id, sequence))",
    )
    .execute(&database.pool)
    .await
    .unwrap();
    let repository = PostgresEventRepository::new(database.pool.clone())
        .with_tables("upstream_events", "upstream_snapshots");
    let recorder = Recorder::default();
    let upstream = CqrsFramework::new(
        PersistedEventStore::<_, DomainScan>::new_event_store(repository),
        vec![Box::new(recorder.clone())],
        (),
    );
    let bus = CommandBus::new(EventLog::open(database.pool.clone()));
    let context = CommandContext::internal(TenantId::DEFAULT, "model");
    let mut chance = StdRng::seed_from_u64(5);
    let (mut done, mut refused) = (0, 0);
    for _ in 0..300 {
        let scan = chance.random_range(0..SCANS);
        let action = Action::ALL[chance.random_range(0..Action::ALL.len())];
        let id = scan_id(scan).0;
        let state = bus.load::<DomainScan>(id).await.unwrap().aggregate;
        let command = action.command(scan, &state);
        let ours = bus
            .execute::<DomainScan>(id, command.clone(), Attachments::default(), &context)
            .await;
        let theirs = upstream
            .execute_with_metadata(&id.to_string(), command, HashMap::new())
            .await;
        match (ours, theirs) {
            (Ok(_), Ok(())) => done += 1,
            (Err(CommandError::Refused(ours)), Err(AggregateError::UserError(theirs))) => {
                assert_eq!(ours.to_string(), theirs.to_string());
                refused += 1;
            }
            (ours, theirs) => panic!("{action:?}: {:?} and {theirs:?}", ours.map(|done| done.position)),
        }
    }
    assert!(done > 100 && refused > 20, "{done} done, {refused} refused");
    let ours = streams_of(&database.pool, "events").await;
    assert_eq!(ours, streams_of(&database.pool, "upstream_events").await);
    assert_eq!(
        ours,
        *recorder.0.lock().unwrap(),
        "and its query was told of them all"
    );
}
