//! `sitelog openapi`.

use std::process::ExitCode;

use super::say_lines;

pub(super) fn run() -> anyhow::Result<ExitCode> {
    say_lines(&crate::api::openapi::document())?;
    Ok(ExitCode::SUCCESS)
}
