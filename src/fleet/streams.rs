//! The objects that the broker must have: two streams, the recorder's consumer and a bucket.

use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream::consumer::pull;
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};
use async_nats::jetstream::{self, Context, consumer, object_store};

use super::error::explained;
use super::{Cell, FleetError};

/// The durable consumer of results; all dispatchers share it.
pub(super) const RECORDER: &str = "recorder";
/// Earlier releases could lose whole streams when they were killed (nats-server#6888), or lack what is used here.
const OLDEST: (i64, i64, i64) = (2, 11, 0);
const OLDEST_SHOWN: &str = "2.11.0";
/// Within this time the broker stores a result that is sent again once.
const REPEATED_WITHIN: Duration = Duration::from_mins(2);
/// A result without an acknowledgement for this time is delivered to another dispatcher.
const RECORDED_WITHIN: Duration = Duration::from_secs(30);
/// Large results are recorded within seconds; what is left of them goes after this time.
const LARGE_KEPT: Duration = Duration::from_hours(1);

/// The size limits of the streams.
#[derive(Clone, Copy, Debug)]
pub struct StreamLimits {
    /// Number of nodes with a copy: 3 in a cluster, 1 on a single server.
    pub replicas: usize,
    /// Maximum bytes of waiting results. When it is full, workers wait.
    pub results_bytes: i64,
    /// Maximum bytes of the log's copy. When it is full, the oldest events are dropped.
    pub log_bytes: i64,
}

fn results(cell: &Cell, limits: StreamLimits) -> Config {
    Config {
        name: cell.results_stream(),
        subjects: vec![cell.results("*")],
        retention: RetentionPolicy::WorkQueue,
        storage: StorageType::File,
        num_replicas: limits.replicas,
        discard: DiscardPolicy::New,
        max_bytes: limits.results_bytes,
        duplicate_window: REPEATED_WITHIN,
        description: Some("Results of remote workers that wait to be recorded".to_owned()),
        ..Config::default()
    }
}

fn log(cell: &Cell, limits: StreamLimits) -> Config {
    Config {
        name: cell.log_stream(),
        subjects: vec![cell.events("*")],
        retention: RetentionPolicy::Limits,
        storage: StorageType::File,
        num_replicas: limits.replicas,
        discard: DiscardPolicy::Old,
        max_bytes: limits.log_bytes,
        deny_delete: true,
        deny_purge: true,
        allow_direct: true,
        description: Some(
            "A copy of the event log: the sequence of a message is the position of its event".to_owned(),
        ),
        ..Config::default()
    }
}

fn recorder() -> pull::Config {
    pull::Config {
        durable_name: Some(RECORDER.to_owned()),
        ack_policy: consumer::AckPolicy::Explicit,
        ack_wait: RECORDED_WITHIN,
        // Never by a count: such messages would stay in the stream (nats-server#5564).
        max_deliver: -1,
        max_ack_pending: 1000,
        ..pull::Config::default()
    }
}

/// Creates what is missing, and checks the rest.
pub async fn prepare_broker(client: &Client, cell: &Cell, limits: StreamLimits) -> Result<(), FleetError> {
    check_version(client)?;
    let jetstream = jetstream::new(client.clone());
    for config in [results(cell, limits), log(cell, limits)] {
        let name = config.name.clone();
        if !exists(&jetstream, &name).await? {
            let created = jetstream.create_stream(config).await;
            created.map_err(|error| not_created(format!("the stream {name}"), &error))?;
        }
    }
    let results = cell.results_stream();
    let stream = jetstream.get_stream_no_info(&results).await;
    let stream = stream.map_err(|error| FleetError::broker(format!("find the stream {results}"), error))?;
    if stream.consumer_info(RECORDER).await.is_err() {
        let created = stream.create_consumer(recorder()).await;
        created.map_err(|error| FleetError::broker(format!("create the consumer {RECORDER}"), error))?;
    }
    let bucket = cell.bucket();
    if !exists(&jetstream, &format!("OBJ_{bucket}")).await? {
        let config = object_store::Config {
            bucket: bucket.clone(),
            description: Some("Results that are too large for a message".to_owned()),
            max_age: LARGE_KEPT,
            max_bytes: limits.results_bytes,
            storage: StorageType::File,
            num_replicas: limits.replicas,
            ..object_store::Config::default()
        };
        let created = jetstream.create_object_store(config).await;
        created.map_err(|error| not_created(format!("the bucket {bucket}"), &error))?;
    }
    check_broker(client, cell).await
}

/// A broker reserves what its streams may hold.
fn not_created(what: String, error: &dyn std::error::Error) -> FleetError {
    let error = explained(error);
    if error.contains("insufficient storage") {
        return FleetError::NoSpace { what, error };
    }
    FleetError::broker(format!("create {what}"), error)
}

async fn exists(jetstream: &Context, stream: &str) -> Result<bool, FleetError> {
    use async_nats::jetstream::context::GetStreamErrorKind;
    match jetstream.get_stream(stream).await {
        Ok(_) => Ok(true),
        Err(error) => match error.kind() {
            GetStreamErrorKind::JetStream(error)
                if error.error_code() == jetstream::ErrorCode::STREAM_NOT_FOUND =>
            {
                Ok(false)
            }
            _ => Err(FleetError::broker(format!("find the stream {stream}"), error)),
        },
    }
}

fn check_version(client: &Client) -> Result<(), FleetError> {
    let (major, minor, patch) = OLDEST;
    if client.is_server_compatible(major, minor, patch) {
        return Ok(());
    }
    Err(FleetError::TooOld {
        found: client.server_info().version,
        wanted: OLDEST_SHOWN,
    })
}

/// Checks that all objects exist with the required settings. Sizes and replicas may differ: the operator chooses them.
pub async fn check_broker(client: &Client, cell: &Cell) -> Result<(), FleetError> {
    check_version(client)?;
    let jetstream = jetstream::new(client.clone());
    let any = StreamLimits {
        replicas: 1,
        results_bytes: 0,
        log_bytes: 0,
    };
    for wanted in [results(cell, any), log(cell, any)] {
        check_stream(&jetstream, &wanted).await?;
    }
    let results = cell.results_stream();
    let what = format!("the consumer {RECORDER} of {results}");
    let found = jetstream
        .get_consumer_from_stream::<pull::Config, _, _>(RECORDER, &results)
        .await;
    let found = found.map_err(|_| FleetError::Missing { what: what.clone() })?;
    let (found, wanted) = (&found.cached_info().config, recorder());
    compare(
        &what,
        &[
            ("ack_wait", shown(&found.ack_wait), shown(&wanted.ack_wait)),
            (
                "max_deliver",
                shown(&found.max_deliver),
                shown(&wanted.max_deliver),
            ),
            ("ack_policy", shown(&found.ack_policy), shown(&wanted.ack_policy)),
        ],
    )?;
    let bucket = cell.bucket();
    if !exists(&jetstream, &format!("OBJ_{bucket}")).await? {
        return Err(FleetError::Missing {
            what: format!("the bucket {bucket}"),
        });
    }
    Ok(())
}

async fn check_stream(jetstream: &Context, wanted: &Config) -> Result<(), FleetError> {
    let what = format!("the stream {}", wanted.name);
    if !exists(jetstream, &wanted.name).await? {
        return Err(FleetError::Missing { what });
    }
    let found = jetstream.get_stream(&wanted.name).await;
    let found = found.map_err(|error| FleetError::broker(format!("find {what}"), error))?;
    let found = &found.cached_info().config;
    compare(
        &what,
        &[
            ("subjects", shown(&found.subjects), shown(&wanted.subjects)),
            ("retention", shown(&found.retention), shown(&wanted.retention)),
            ("storage", shown(&found.storage), shown(&wanted.storage)),
            ("discard", shown(&found.discard), shown(&wanted.discard)),
            (
                "deny_delete",
                shown(&found.deny_delete),
                shown(&wanted.deny_delete),
            ),
            ("deny_purge", shown(&found.deny_purge), shown(&wanted.deny_purge)),
        ],
    )?;
    // Newer servers may switch it on for others by themselves.
    if wanted.allow_direct && !found.allow_direct {
        return compare(&what, &[("allow_direct", shown(&false), shown(&true))]);
    }
    Ok(())
}

fn compare(what: &str, settings: &[(&'static str, String, String)]) -> Result<(), FleetError> {
    match settings.iter().find(|(_, found, wanted)| found != wanted) {
        None => Ok(()),
        Some((setting, found, wanted)) => Err(FleetError::Differs {
            what: what.to_owned(),
            setting,
            found: found.clone(),
            wanted: wanted.clone(),
        }),
    }
}

fn shown(value: &impl std::fmt::Debug) -> String {
    format!("{value:?}")
}
