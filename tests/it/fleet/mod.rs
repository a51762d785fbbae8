//! Several machines on one: workers over NATS, followers of the log, a PostgreSQL that fails over.

mod broker;
mod by_hand;
mod chaos;
mod checks;
mod cluster;
mod controls;
mod engines;
mod large;
mod processes;
mod workers;

use std::time::Duration;

/// How long anything may take on a machine that does much else.
const LIMIT: Duration = Duration::from_mins(2);
