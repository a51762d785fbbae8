//! Reads the copy of the log by position, without gaps.

use async_nats::Client;
use async_nats::jetstream;
use async_nats::jetstream::consumer::{DeliverPolicy, pull};
use futures::StreamExt;

use super::{Cell, FleetError};

/// Gives each event after a position to `show`, as JSON and in its order; with `wait`, until it is stopped, otherwise
/// up to the last one.
pub async fn follow(
    client: &Client,
    cell: &Cell,
    after: i64,
    wait: bool,
    mut show: impl FnMut(&str) -> std::io::Result<()>,
) -> Result<(), FollowError> {
    let name = cell.log_stream();
    let jetstream = jetstream::new(client.clone());
    let cannot = |error: &dyn std::fmt::Display| FleetError::broker(format!("read the stream {name}"), error);
    let stream = jetstream
        .get_stream(&name)
        .await
        .map_err(|error| cannot(&error))?;
    let state = &stream.cached_info().state;
    let position = |sequence: u64| i64::try_from(sequence).unwrap_or(i64::MAX);
    let (first, last) = (position(state.first_sequence), position(state.last_sequence));
    if state.messages > 0 && first > after + 1 {
        return Err(FollowError::TooFarBehind { after, first });
    }
    if !wait && last <= after {
        return Ok(());
    }
    let config = pull::OrderedConfig {
        deliver_policy: DeliverPolicy::ByStartSequence {
            start_sequence: u64::try_from(after + 1).unwrap_or(1),
        },
        ..pull::OrderedConfig::default()
    };
    let consumer = stream
        .create_consumer(config)
        .await
        .map_err(|error| cannot(&error))?;
    let mut messages = consumer.messages().await.map_err(|error| cannot(&error))?;
    let mut expected = after + 1;
    while let Some(message) = messages.next().await {
        let message = message.map_err(|error| cannot(&error))?;
        let sequence = position(message.info().map_err(|error| cannot(&error))?.stream_sequence);
        if sequence != expected {
            return Err(FollowError::TooFarBehind {
                after: expected - 1,
                first: sequence,
            });
        }
        let event = std::str::from_utf8(&message.payload).map_err(|error| cannot(&error))?;
        show(event)?;
        expected += 1;
        if !wait && expected > last {
            return Ok(());
        }
    }
    Ok(())
}

/// Why a follower stops.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// Events that it has not seen have left the stream.
    #[error(
        "the stream begins with event {first}, and the events from {} on were not read yet: read those from the API \
         (GET /api/v4/events?after={after}), and follow again with --after {}", .after + 1, .first - 1
    )]
    TooFarBehind {
        /// The last position that was read.
        after: i64,
        /// The oldest position in the stream.
        first: i64,
    },
    /// The broker.
    #[error(transparent)]
    Fleet(#[from] FleetError),
    /// The events cannot be shown.
    #[error("cannot write events")]
    Output(#[from] std::io::Error),
}
