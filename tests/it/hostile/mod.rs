//! Hostile clients and sites.

mod clients;
mod fuzzed;
mod hostile_site;
mod memory;
mod sites;
