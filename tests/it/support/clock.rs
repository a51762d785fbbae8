//! Clocks that tests set: processes under libfaketime, whose wall clock comes from a file. Elapsed time is not changed
//! (`FAKETIME_DONT_FAKE_MONOTONIC`), as when somebody sets a machine's clock. `script/test` installs the library;
//! without it, the tests that need it print that they are skipped.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use tempfile::TempDir;

/// A clock that is set by a file.
pub struct FakeClock {
    library: PathBuf,
    dir: TempDir,
}

impl FakeClock {
    /// A correct clock; prints a message and returns `None` if clocks cannot be set on this machine.
    pub fn new() -> Option<Self> {
        let Some(library) = library() else {
            eprintln!("SKIPPED: there is no libfaketime here; nothing is run under a wrong clock");
            return None;
        };
        let dir = TempDir::with_prefix("sitelog-clock-").unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let clock = Self { library, dir };
        clock.set("+0");
        Some(clock)
    }

    /// Sets its offset from the right time, such as `+3h`, `-600` or `+10y`.
    pub fn set(&self, offset: &str) {
        let new = self.dir.path().join("new");
        fs::write(&new, format!("{offset}\n")).unwrap();
        fs::set_permissions(&new, fs::Permissions::from_mode(0o644)).unwrap();
        fs::rename(new, self.file()).unwrap();
    }

    /// The environment of a process that uses it.
    pub fn environment(&self) -> [(&'static str, String); 4] {
        [
            ("LD_PRELOAD", self.library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", self.file().display().to_string()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ]
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("offset")
    }
}

/// The library as distributions keep it.
fn library() -> Option<PathBuf> {
    let places = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let mut dirs: Vec<PathBuf> = places.map(|place| place.path()).collect();
    dirs.extend(["/usr/lib".into(), "/usr/lib64".into()]);
    dirs.iter()
        .map(|dir| dir.join("faketime/libfaketimeMT.so.1"))
        .find(|file| file.is_file())
}
