//! Starts other programs. This is the only place that does.
//!
//! They get only the environment variables that they need. Ours contain secrets (the shared secret of tokens,
//! passwords of a database, a proxy, the old backend). A server that runs for months as another user would show them
//! in `/proc/<pid>/environ` to everybody with access to that user.

use std::ffi::OsStr;
use std::process::Stdio;

pub(crate) use tokio::process::Command;

/// The environment variables that a program inherits: where programs and their libraries are, where temporary files go,
/// and the time zone. `LC_ALL` is set below, and overrides all other settings of the language.
const INHERITED: [&str; 4] = ["PATH", "LD_LIBRARY_PATH", "TMPDIR", "TZ"];

/// A program with its own environment, without standard input, and with output in English.
pub(super) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("LC_ALL", "C").stdin(Stdio::null());
    for name in INHERITED {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_program_is_given_little_of_the_environment() {
        let is_kept_back = |name: &str| name != "LC_ALL" && !INHERITED.contains(&name);
        assert!(std::env::vars().any(|(name, _)| is_kept_back(&name)));
        let output = command("env").output().await.unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let mut names: Vec<&str> = said
            .lines()
            .filter_map(|line| Some(line.split_once('=')?.0))
            .collect();
        names.retain(|name| !INHERITED.contains(name));
        assert_eq!(names, ["LC_ALL"]);
    }
}
