//! Files that commands are given.

use std::io::Read;
use std::path::Path;

/// An argument that leads nowhere; exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct BadArgument(pub(super) String);

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
