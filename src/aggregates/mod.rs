//! The aggregates: pure decisions (`decide`) and pure memory (`apply`). No IO, no clock, no randomness: time and
//! ids come in with the commands.

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

/// The types of stream there are, as the log names them.
pub const STREAM_TYPES: &[&str] = &["domain_scan", "batch_scan", "webhook", "monitor", "tenant"];
