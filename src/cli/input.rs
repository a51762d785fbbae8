//! Reads the files that are arguments of commands.

use std::io::Read;
use std::path::Path;

use crate::values::batch_list::RejectedLine;

/// An invalid argument; exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct BadArgument(pub(super) String);

/// A line of a list that was rejected; most errors name the input themselves.
pub(super) fn rejected(line: &RejectedLine) -> String {
    if line.error.contains(&line.input) {
        format!("line {} rejected: {}", line.line, line.error)
    } else {
        format!("line {} rejected: '{}': {}", line.line, line.input, line.error)
    }
}

/// Refuses a file that cannot be read, before anything else is done.
pub(super) fn require_readable(path: &Path) -> Result<(), BadArgument> {
    let opened = std::fs::File::open(path).and_then(|file| file.metadata());
    match opened {
        Ok(file) if file.is_dir() => Err(BadArgument(format!(
            "cannot read {}: it is a directory",
            path.display()
        ))),
        Ok(_) => Ok(()),
        Err(error) => Err(BadArgument(format!("cannot read {}: {error}", path.display()))),
    }
}

/// The content of a file, or of standard input for `-`.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, BadArgument> {
    if path.as_os_str() == "-" {
        let mut content = Vec::new();
        let read = std::io::stdin().lock().read_to_end(&mut content);
        return read
            .map(|_| content)
            .map_err(|error| BadArgument(format!("cannot read standard input: {error}")));
    }
    std::fs::read(path).map_err(|error| BadArgument(format!("cannot read {}: {error}", path.display())))
}
