//! Conditions that must hold after any failure. Each check returns its errors as texts: none if the condition holds.
//! `controls.rs` shows that each check detects its error.

use std::collections::{BTreeMap, BTreeSet};

use async_nats::jetstream::consumer::pull;
use async_nats::jetstream::stream::{Config, Republish};
use async_nats::jetstream::{self, Context};
use futures::{StreamExt, TryStreamExt};
use sqlx::PgConnection;

use super::engines::Nats;
use crate::support::app::wait_for;

/// Scans that have not ended, or have ended more than once.
pub async fn not_ended_once(database: &mut PgConnection) -> Vec<String> {
    let ended: Vec<(String, i64)> = sqlx::query_as(
        "select aggregate_id, ends from ( \
           select aggregate_id, count(*) filter ( \
                    where event_type in ('ScanCompleted', 'ScanFailed', 'ScanCancelled')) as ends \
             from events where aggregate_type = 'domain_scan' group by aggregate_id) scan \
          where ends <> 1",
    )
    .fetch_all(database)
    .await
    .unwrap();
    let told = |(scan, ends)| format!("scan {scan} has {ends} ending events");
    ended.into_iter().map(told).collect()
}

/// Attempts whose result comes from another worker than the one that started them: the result of an earlier lease.
pub async fn read_by_another_worker(database: &mut PgConnection) -> Vec<String> {
    let wrong: Vec<(String, String, String)> = sqlx::query_as(
        "select s.aggregate_id, s.payload -> s.event_type ->> 'worker', e.metadata ->> 'actor' \
           from events s join events e using (aggregate_type, aggregate_id) \
          where s.event_type = 'ScanStarted' and e.event_type in ('ScanCompleted', 'ScanFailed', 'ScanAttemptFailed') \
            and e.payload -> e.event_type -> 'attempt' = s.payload -> s.event_type -> 'attempt' \
            and e.metadata ->> 'actor' is distinct from s.payload -> s.event_type ->> 'worker'",
    )
    .fetch_all(database)
    .await
    .unwrap();
    let told = |(scan, started, read)| format!("scan {scan} was started by {started}, and read by {read}");
    wrong.into_iter().map(told).collect()
}

/// Positions without an event.
pub async fn gaps(database: &mut PgConnection) -> Vec<String> {
    let missing: Vec<i64> = sqlx::query_scalar(
        "select position - 1 from (select position, lag(position, 1, 0::bigint) over (order by position) as before from events) e \
          where before <> position - 1",
    )
    .fetch_all(database)
    .await
    .unwrap();
    let told = |position| format!("no event has the position {position}");
    missing.into_iter().map(told).collect()
}

/// Acknowledged scans that are not in the log.
pub async fn not_in_the_log(database: &mut PgConnection, acknowledged: &[String]) -> Vec<String> {
    let missing: Vec<String> = sqlx::query_scalar(
        "select a.scan from unnest($1::text[]) as a(scan) where not exists \
           (select from events e where e.aggregate_type = 'domain_scan' and e.aggregate_id = a.scan)",
    )
    .bind(acknowledged)
    .fetch_all(database)
    .await
    .unwrap();
    let told = |scan| format!("scan {scan} was acknowledged, and is not in the log");
    missing.into_iter().map(told).collect()
}

/// Hosts with two leases at this moment.
pub async fn leased_twice(database: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    let hosts: Vec<String> = sqlx::query_scalar(
        "select host from scan_task where leased_until is not null group by host having count(*) > 1",
    )
    .fetch_all(database)
    .await?;
    let told = |host| format!("{host} is under two leases");
    Ok(hosts.into_iter().map(told).collect())
}

/// All results that the broker has stored, including those that were recorded and removed.
pub struct StoredResults {
    jetstream: Context,
}

/// The stream into which the broker copies the headers of what it stores.
const STORED: &str = "STORED";

impl StoredResults {
    /// Starts to watch a broker.
    pub async fn watch(nats: &Nats, replicas: usize) -> Self {
        let jetstream = jetstream::new(nats.client("admin").await);
        let results = jetstream.get_stream("SITELOG_main_RESULTS").await.unwrap();
        let copies = Config {
            name: STORED.to_owned(),
            subjects: vec!["stored.>".to_owned()],
            num_replicas: replicas,
            // Message ids are checked in the stream of results, not here.
            duplicate_window: std::time::Duration::from_millis(100),
            ..Config::default()
        };
        jetstream.create_stream(copies).await.unwrap();
        let mut config = results.cached_info().config.clone();
        config.republish = Some(Republish {
            source: ">".to_owned(),
            destination: "stored.>".to_owned(),
            headers_only: true,
        });
        jetstream.update_stream(config).await.unwrap();
        Self { jetstream }
    }

    /// The number of results that are not recorded yet.
    pub async fn waiting(&self) -> u64 {
        let results = self.jetstream.get_stream("SITELOG_main_RESULTS").await.unwrap();
        results.cached_info().state.messages
    }

    /// Results that are stored more than once. (The broker may repeat a copy when its leader changes. Two copies with the
    /// same number in the stream are one message.)
    pub async fn twice(&self) -> Vec<String> {
        let mut stored = BTreeMap::<String, BTreeSet<String>>::new();
        for (result, number) in self.all().await {
            stored.entry(result).or_default().insert(number);
        }
        let twice = stored.into_iter().filter(|(_, numbers)| numbers.len() > 1);
        twice
            .map(|(result, numbers)| {
                format!(
                    "the result of {result} is stored {} times: {numbers:?}",
                    numbers.len()
                )
            })
            .collect()
    }

    /// The number of results.
    pub async fn count(&self) -> usize {
        self.all().await.len()
    }

    /// The scan and fence of each result, and its number in the stream.
    async fn all(&self) -> Vec<(String, String)> {
        // A broker that has just lost a node may refuse the first reads.
        wait_for("the stored results", async || self.read().await.ok()).await
    }

    async fn read(&self) -> Result<Vec<(String, String)>, async_nats::Error> {
        let copies = self.jetstream.get_stream(STORED).await?;
        let count = usize::try_from(copies.cached_info().state.messages)?;
        let consumer = copies.create_consumer(pull::OrderedConfig::default()).await?;
        let messages = consumer.messages().await?.take(count);
        let read = messages.map_ok(|message| {
            let headers = message.headers.as_ref().unwrap();
            let header = |name: &str| headers.get(name).map_or_else(String::new, ToString::to_string);
            (
                format!("{}:{}", header("Sitelog-Scan"), header("Sitelog-Fence")),
                header("Nats-Sequence"),
            )
        });
        Ok(read.try_collect().await?)
    }
}
