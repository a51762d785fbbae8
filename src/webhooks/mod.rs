//! Sends events to endpoints: at least once each, in log order, signed as Standard Webhooks describes. The sole owner
//! of the tables of `migrations/0019_webhooks.sql` and `0022_webhook_formats_and_retries.sql`.
//!
//! The log is the queue. An endpoint has a position in it (`rows`). The process with its lease (`claim`) sends the
//! events after that position (`deliver`, `attempt`), and the position advances when the endpoint has answered. For an
//! endpoint without order, a failed event waits (`retry`) and the position still advances. Decisions about an endpoint
//! are in the log; secrets are not (`secret`).

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
