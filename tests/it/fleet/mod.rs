//! Several machines, simulated on one: workers over NATS, followers of the log, and a failover of PostgreSQL.

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
