//! The integration test binary: a folder per area, and shared code in `support`.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod access;
mod api;
mod architecture;
mod backup;
mod batches;
mod cli;
mod clocks;
mod crash;
mod docs;
mod export;
mod fleet;
mod hostile;
mod legacy;
mod log;
mod mcp;
mod model;
mod monitors;
mod ops;
mod pages;
mod plans;
mod policies;
mod pools;
mod postgres;
mod projections;
mod sites;
mod support;
mod tasks;
mod traces;
mod webhooks;
