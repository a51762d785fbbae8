//! `sitelog`: event-sourced web scanning. The modules in reading order are the map.

pub mod values;

pub mod aggregates;
pub mod commands;
pub mod log;
pub mod policies;
pub mod tasks;

pub mod projections;

pub mod fetch;
pub mod postgres;
pub mod scanner;

pub mod cli;
