//! `sitelog openapi`.

use std::process::ExitCode;

use super::say;

pub(super) fn run() -> anyhow::Result<ExitCode> {
    say(&crate::api::openapi::document())?;
    Ok(ExitCode::SUCCESS)
}
