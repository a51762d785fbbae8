//! `sitelog openapi`.

use std::process::ExitCode;

use super::print_lines;

pub(super) fn run() -> anyhow::Result<ExitCode> {
    print_lines(&crate::api::openapi::document())?;
    Ok(ExitCode::SUCCESS)
}
