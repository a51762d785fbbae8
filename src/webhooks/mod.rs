//! Sending events to endpoints: at least once each, in the order of the log, signed as Standard Webhooks says. The sole
//! owner of the tables of `migrations/0019_webhooks.sql` and `0022_webhook_formats_and_retries.sql`.
//!
//! The log is the queue: an endpoint has a place in it (`rows`), whoever holds its lease (`claim`) sends what is behind
//! that place (`deliver`, `attempt`), and the place moves when the endpoint has answered. If an endpoint does not want
//! the order of the log, an event that fails waits (`retry`) and the place moves on. What was decided about an endpoint
//! is in the log; secrets are not (`secret`).

mod attempt;
mod chat;
mod claim;
mod deliver;
pub mod endpoint;
mod message;
mod pause;
mod retry;
pub mod rows;
pub mod secret;
mod sign;
mod text;

use sqlx::PgPool;

pub use deliver::Deliverer;
pub use rows::{Condition, DeliveryRow, WebhookRow};
pub use secret::Secret;
pub use text::Text;

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
