//! Clients and sites that mean harm.

mod clients;
mod hostile_site;
mod memory;
mod sites;
