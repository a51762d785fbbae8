//! The only way out of the process towards other people's servers.

pub mod settings;
