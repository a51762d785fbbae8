//! Identifiers of tenants, scans, batches, webhooks and monitors.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// The text is not a valid ID. The message does not repeat it; the caller shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an ID is a UUID, such as 550e8400-e29b-41d4-a716-446655440000")]
pub struct InvalidId;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self).map_err(|_| InvalidId)
            }
        }
    };
}

uuid_id!(
    /// A tenant. Each command, event, task and row belongs to exactly one tenant.
    TenantId
);
uuid_id!(
    /// One scan of one domain; also the id of its event stream.
    ScanId
);
uuid_id!(
    /// One submitted list of domains; also the id of its event stream.
    BatchId
);

uuid_id!(
    /// One webhook endpoint; also the id of its event stream.
    WebhookId
);

uuid_id!(
    /// One monitor; also the id of its event stream.
    MonitorId
);

impl TenantId {
    /// The tenant of requests that name none, as in the predecessor.
    pub const DEFAULT: Self = Self(Uuid::from_u128(0x550e_8400_e29b_41d4_a716_4466_5544_0000));
}

impl ScanId {
    /// The scan of one line of a batch: derived (UUID version 5), so expanding a batch twice requests nothing twice.
    pub fn of_batch_line(batch: BatchId, line: u32) -> Self {
        Self(Uuid::new_v5(&batch.0, &line.to_be_bytes()))
    }
}

impl BatchId {
    /// The batch of a monitor's run at a time: derived, so no time has two.
    pub fn of_run(monitor: MonitorId, slot: DateTime<Utc>) -> Self {
        Self(Uuid::new_v5(&monitor.0, &slot.timestamp().to_be_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scan_of_a_batch_line_is_the_same_each_time_and_differs_between_lines() {
        let batch = BatchId(Uuid::from_u128(7));
        assert_eq!(ScanId::of_batch_line(batch, 1), ScanId::of_batch_line(batch, 1));
        assert_ne!(ScanId::of_batch_line(batch, 1), ScanId::of_batch_line(batch, 2));
    }

    #[test]
    fn the_default_tenant_is_the_predecessors() {
        assert_eq!(
            TenantId::DEFAULT.to_string(),
            "550e8400-e29b-41d4-a716-446655440000"
        );
    }
}
