//! What tests of several areas share. Tests, and builders for one area, do not belong here.

use std::time::Duration;

pub mod app;
pub mod browser;
pub mod call;
pub mod clock;
pub mod events;
pub mod issuer;
pub mod own_postgres;
pub mod postgres;
pub mod python;
pub mod server;
pub mod sites;
pub mod smtp;
pub mod story;

/// How long a test waits for a condition: so long that only what never happens takes longer, however slow the machine.
pub const PATIENCE: Duration = Duration::from_mins(10);
