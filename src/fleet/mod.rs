//! Workers on other machines, and followers of the log, over NATS `JetStream`.
//!
//! PostgreSQL keeps the log and the schedule. Losing all data of the broker is safe: leases expire, scans are retried,
//! and the log is copied again. So nothing is decided here. A dispatcher answers remote workers from the database, a
//! recorder appends their results, and a relay copies the log. [ADR 24](../../docs/adr/0024-workers-over-nats.md) says
//! why.

mod accounts;
mod connection;
mod dispatcher;
mod error;
mod follow;
mod messages;
mod recorder;
mod relay;
mod remote;
mod streams;

pub use accounts::{NatsUser, write_accounts};
pub use connection::{NatsSettings, connect, connect_patiently};
pub use dispatcher::{Backlog, Dispatcher};
pub use error::FleetError;
pub use follow::{FollowError, follow};
pub use messages::PROTOCOL;
pub use recorder::Recorder;
pub use relay::Relay;
pub use remote::{NatsSource, stop_when_refused};
pub use streams::{StreamLimits, check_broker, prepare_broker};

/// A cell: one log and all the processes that work on it. Its name is part of all subjects and streams, so that several
/// services can share one broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell(String);

impl Cell {
    /// The default cell.
    pub const DEFAULT: &str = "main";

    /// A name: letters, digits and hyphens.
    pub fn parse(name: &str) -> Option<Self> {
        let is_name = (1..=32).contains(&name.len())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        is_name.then(|| Self(name.to_owned()))
    }

    /// Requests for tasks.
    fn claims(&self) -> String {
        format!("sitelog.{}.claim", self.0)
    }

    /// Requests to start an attempt.
    fn begins(&self) -> String {
        format!("sitelog.{}.begin", self.0)
    }

    /// Heartbeats, with the leases to renew.
    fn beats(&self) -> String {
        format!("sitelog.{}.beat", self.0)
    }

    /// Results of a tenant's scans; `*` for all tenants.
    fn results(&self, tenant: &str) -> String {
        format!("sitelog.{}.result.{tenant}", self.0)
    }

    /// The copy of a tenant's events; `*` for all tenants.
    fn events(&self, tenant: &str) -> String {
        format!("sitelog.{}.log.{tenant}", self.0)
    }

    /// The stream of results that wait to be recorded.
    fn results_stream(&self) -> String {
        format!("SITELOG_{}_RESULTS", self.0)
    }

    /// The stream with the copy of the log.
    fn log_stream(&self) -> String {
        format!("SITELOG_{}_LOG", self.0)
    }

    /// The bucket of results that are too large for a message.
    fn bucket(&self) -> String {
        format!("SITELOG_{}_LARGE", self.0)
    }
}

/// How large a result may be, packed; a larger one fails its scan.
const MAX_RESULT: usize = 64 * 1024 * 1024;
/// The headers of a message.
const HEADROOM: usize = 4 * 1024;

/// The largest payload that fits into one message of this broker, one megabyte at most: larger messages slow down all
/// others.
fn largest_message(client: &async_nats::Client) -> usize {
    client.max_payload().clamp(2 * HEADROOM, 1024 * 1024 + HEADROOM) - HEADROOM
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_one_part_of_a_subject() {
        assert_eq!(Cell::parse("eu-1").unwrap().claims(), "sitelog.eu-1.claim");
        for bad in ["", "a.b", "a b", "*", ">", "a_b", &"a".repeat(33)] {
            assert!(Cell::parse(bad).is_none(), "{bad}");
        }
    }
}
