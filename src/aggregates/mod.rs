//! The aggregates: pure decisions (`decide`) and pure state (`apply`). No IO, clock or randomness: commands bring
//! times and ids.

pub mod batch;
pub mod catalogue;
pub mod monitor;
mod read;
pub mod scan;
pub mod tenant;
pub mod webhook;

pub use batch::{BatchCommand, BatchError, BatchEvent, BatchScan, BatchStatus};
pub use monitor::{Monitor, MonitorCommand, MonitorError, MonitorEvent};
pub use read::can_read;
pub use scan::{DomainScan, ScanCommand, ScanError, ScanEvent, ScanStatus};
pub use tenant::{Tenant, TenantCommand, TenantEvent};
pub use webhook::{Webhook, WebhookCommand, WebhookError, WebhookEvent};

use crate::values::event_type::StreamType;

/// The stream types, as the log names them.
pub const STREAM_TYPES: &[&str] = &[
    StreamType::Scan.as_str(),
    StreamType::Batch.as_str(),
    StreamType::Webhook.as_str(),
    StreamType::Monitor.as_str(),
    StreamType::Tenant.as_str(),
];
