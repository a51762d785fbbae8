//! The command line.

use std::process::ExitCode;

/// Runs the command the process was started with.
pub fn run() -> ExitCode {
    ExitCode::SUCCESS
}
