//! Clients and sites that mean harm.

mod clients;
