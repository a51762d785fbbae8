//! `/api/v4` as clients see it, through calls of the router.

mod batch_lists;
mod batches;
mod changes;
mod clients;
mod docs;
mod events;
mod idempotency;
mod inputs;
mod links;
mod lists;
mod openapi;
mod rescans;
mod scans;
mod tenants;
mod wait;
mod watch;

/// Some tenant that is not the default one.
const OTHER: &str = "00000000-0000-4000-8000-000000000001";
/// An id that does not exist.
const UNKNOWN: &str = "00000000-0000-4000-8000-00000000dead";
