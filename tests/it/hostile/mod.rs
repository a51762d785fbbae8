//! Clients and sites that mean harm.

mod clients;
mod fuzzed;
mod hostile_site;
mod memory;
mod sites;
