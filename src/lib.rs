//! `sitelog`: event-sourced web scanning.
//!
//! sitelog takes domains and returns what their sites contain. Every step is an event in a log, the only source of
//! truth. The modules below are in reading order; `ARCHITECTURE.md` shows how a request passes through them.

// The vocabulary of all modules.
pub mod values;

// Shared parts: database connections, traces, and turns.
pub mod pools;
pub mod traces;
pub mod turns;

// The core: decisions, the log, and the use cases.
pub mod aggregates;
pub mod commands;
pub mod legacy;
pub mod log;

// What is derived from the log: rows to read and export, and tasks.
pub mod export;
pub mod mail;
pub mod monitors;
pub mod policies;
pub mod progress;
pub mod projections;
pub mod tasks;

// Reading sites.
pub mod fetch;
pub mod fleet;
pub mod scanner;
pub mod webhooks;
pub mod worker;

// The interfaces, and the wiring.
pub mod access;
pub mod api;
pub mod app;
pub mod backup;
pub mod cli;
pub mod config;
pub mod dashboard;
pub mod database;
pub mod mcp;
pub mod metric_export;
pub mod postgres;
pub mod saved_filters;
pub mod telemetry;
pub mod trace_export;
