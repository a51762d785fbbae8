//! The use cases, one file each. A command loads an aggregate, lets it decide and appends the events; everything else
//! follows from the log.

pub mod bus;
pub mod cancel_batch;
pub mod cancel_scan;
pub mod change_access;
pub mod compare_scan;
pub mod complete_batch;
pub mod context;
pub mod create_monitor;
pub mod create_webhook;
pub mod expand_batch;
pub mod extend_monitor;
pub mod forget_domain;
pub mod import;
pub mod import_tenant;
pub mod list_of_batch;
pub mod load_previous_scan;
pub mod maintain_monitor;
pub mod maintain_webhook;
pub mod record_scan;
pub mod refuse_scan;
pub mod request_batch;
pub mod request_scan;
pub mod request_scans;
pub mod retry_batch;
pub mod retry_scan;
pub mod run_monitor;
mod seal_pictures;
pub mod start_scan;
pub mod store_response;

pub use bus::{CommandBus, CommandError, Done, Loaded};
pub use context::{CommandContext, RequestKey};
// Errors that any command may return, so that callers need not know the log.
pub use crate::log::LogError;
