//! Sending events to endpoints: at least once each, in the order of the log, signed as Standard Webhooks says. The sole
//! owner of the tables of `migrations/0019_webhooks.sql`.
//!
//! The log is the queue: an endpoint has a place in it (`rows`), whoever holds its lease (`claim`) sends what is behind
//! that place (`deliver`), and the place moves when the endpoint has answered. What was decided about an endpoint is
//! in the log; secrets are not (`secret`).

mod claim;
mod deliver;
pub mod endpoint;
mod message;
mod pause;
pub mod rows;
pub mod secret;
mod sign;

use sqlx::PgPool;

pub use deliver::Deliverer;
pub use rows::{DeliveryRow, WebhookRow};
pub use secret::Secret;

/// The tables of webhooks could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot reach or write the tables of webhooks")]
pub struct TablesError(#[from] sqlx::Error);

/// The tables of webhooks, for requests.
#[derive(Clone, Debug)]
pub struct Webhooks {
    pool: PgPool,
}

impl Webhooks {
    /// The tables in a database.
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Their connections.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }
}
