//! Programs from PyPI with which tests compare sitelog.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A Python with packages in `target/python`, if it can be had here: not where Python or the network is missing.
pub fn with(name: &str, packages: &[&str]) -> Option<PathBuf> {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("target/python")
        .join(name);
    let python = home.join("bin/python");
    let succeeds = |command: &mut Command| {
        let output = command.stdin(Stdio::null()).output();
        output.is_ok_and(|output| output.status.success())
    };
    let done = home.join("installed");
    let is_there = done.exists()
        || (succeeds(Command::new("python3").args(["-m", "venv"]).arg(&home))
            && succeeds(
                Command::new(&python)
                    .args(["-m", "pip", "install", "--quiet"])
                    .args(packages),
            )
            && std::fs::write(&done, "").is_ok());
    is_there.then_some(python)
}
