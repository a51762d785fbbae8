//! The pages: in a browser, and without scripts.

mod journey;
mod looks;
mod monitoring;
mod pictures;
mod selection;
mod words;

/// A page's path in place of a server.
fn at(address: &str, path: &str) -> String {
    format!("http://{address}{path}")
}
