//! The backup file: a tar archive of the manifest and the output of `pg_dump -Fc`, which other programs can open. It
//! is written under a temporary name and renamed when it is complete.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::manifest::Manifest;

const MANIFEST: &str = "manifest.json";
const DUMP: &str = "database.dump";
/// tar counts in blocks; two empty ones end an archive.
const BLOCK: u64 = 512;

/// The file cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The system does not let us.
    #[error("{path} cannot be {doing}")]
    File {
        /// The file.
        path: PathBuf,
        /// `written` or `read`.
        doing: &'static str,
        /// The cause.
        source: io::Error,
    },
    /// Another process is writing it.
    #[error("another backup to {0} is running; wait for it, or choose another name")]
    UnderWay(PathBuf),
    /// It is something else.
    #[error("{path} is not a backup of sitelog: {why}")]
    NoBackup {
        /// The file.
        path: PathBuf,
        /// The problem.
        why: String,
    },
}

/// A backup that is being written. Dropped before it is finished, it leaves nothing.
pub(super) struct Unfinished {
    /// Its name once it is whole.
    path: PathBuf,
    partial: PathBuf,
    file: File,
    /// The offset of the dump's header.
    header: u64,
    finished: bool,
}

impl Unfinished {
    /// Starts a backup. An existing file is not changed until the new one is complete.
    pub(super) fn begin(path: &Path, manifest: &Manifest) -> Result<Self, ArchiveError> {
        let mut name = path.as_os_str().to_owned();
        name.push(".partial");
        let partial = PathBuf::from(name);
        let failed = |source| written(&partial, source);
        let mut options = OpenOptions::new();
        // It holds personal data and the hashes of keys.
        options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600);
        let mut file = options.open(&partial).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(ArchiveError::UnderWay(path.to_path_buf())),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        // A file of a killed run.
        file.set_len(0).map_err(failed)?;
        let manifest = serde_json::to_vec_pretty(manifest).expect("a manifest is plain data");
        let size = manifest.len() as u64;
        write_member(&mut file, MANIFEST, size, &manifest).map_err(failed)?;
        let header = file.stream_position().map_err(failed)?;
        // The size is filled in at the end.
        file.write_all(header_of(DUMP, 0).as_bytes()).map_err(failed)?;
        Ok(Self {
            path: path.to_path_buf(),
            partial,
            file,
            header,
            finished: false,
        })
    }

    /// Writes on with the dump.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), ArchiveError> {
        self.file
            .write_all(bytes)
            .map_err(|source| written(&self.partial, source))
    }

    /// Gives it its name, once all of it is on the disk. Returns its size.
    pub(super) fn finish(mut self) -> Result<u64, ArchiveError> {
        let size = self.close().map_err(|source| written(&self.partial, source))?;
        self.finished = true;
        Ok(size)
    }

    fn close(&mut self) -> io::Result<u64> {
        let end = self.file.stream_position()?;
        let size = end - self.header - BLOCK;
        self.file.write_all(&vec![0; padding(size) + 2 * 512])?;
        self.file.seek(SeekFrom::Start(self.header))?;
        self.file.write_all(header_of(DUMP, size).as_bytes())?;
        self.file.sync_all()?;
        fs::rename(&self.partial, &self.path)?;
        let dir = self.path.parent().filter(|dir| !dir.as_os_str().is_empty());
        File::open(dir.unwrap_or(Path::new(".")))?.sync_all()?;
        self.file.metadata().map(|found| found.len())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.finished {
            let _nothing_to_be_done = fs::remove_file(&self.partial);
        }
    }
}

/// A backup that was written.
#[derive(Debug)]
pub struct Archive {
    path: PathBuf,
    /// Its manifest.
    pub manifest: Manifest,
    /// Where the dump begins, and its length.
    dump: (u64, u64),
}

impl Archive {
    /// Opens one.
    pub fn open(path: &Path) -> Result<Self, ArchiveError> {
        let file = File::open(path).map_err(|source| read(path, source))?;
        let length = file.metadata().map_err(|source| read(path, source))?.len();
        let no_backup = |why: &str| ArchiveError::NoBackup {
            path: path.to_path_buf(),
            why: why.to_owned(),
        };
        let mut archive = tar::Archive::new(file);
        let entries = archive.entries().map_err(|source| read(path, source))?;
        let (mut manifest, mut dump) = (None, None);
        for entry in entries {
            let mut entry = entry.map_err(|_| no_backup("it is not a tar archive, or it is damaged"))?;
            let name = entry
                .path()
                .map(|name| name.display().to_string())
                .unwrap_or_default();
            if name == MANIFEST {
                let mut text = String::new();
                entry
                    .read_to_string(&mut text)
                    .map_err(|source| read(path, source))?;
                manifest = Some(parse(&text).map_err(|why| no_backup(&why))?);
            } else if name == DUMP {
                dump = Some((entry.raw_file_position(), entry.size()));
                break;
            }
        }
        let manifest = manifest.ok_or_else(|| no_backup("it has no manifest.json"))?;
        let dump = dump.ok_or_else(|| no_backup("it has no database.dump"))?;
        if dump.0 + dump.1 > length {
            return Err(no_backup("it is incomplete; copy it again"));
        }
        Ok(Self {
            path: path.to_path_buf(),
            manifest,
            dump,
        })
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes of the dump.
    pub fn size(&self) -> u64 {
        self.dump.1
    }

    /// The dump, from its beginning.
    pub(super) fn reader(&self) -> Result<io::Take<File>, ArchiveError> {
        let failed = |source| read(&self.path, source);
        let mut file = File::open(&self.path).map_err(failed)?;
        file.seek(SeekFrom::Start(self.dump.0)).map_err(failed)?;
        Ok(file.take(self.dump.1))
    }
}

fn parse(text: &str) -> Result<Manifest, String> {
    let manifest: Manifest =
        serde_json::from_str(text).map_err(|error| format!("its manifest is invalid: {error}"))?;
    if manifest.format != Manifest::FORMAT {
        return Err(format!(
            "it has format {}, but this release reads format {}",
            manifest.format,
            Manifest::FORMAT
        ));
    }
    Ok(manifest)
}

fn header_of(name: &str, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_path(name).expect("a short name");
    header.set_size(size);
    header.set_mode(0o600);
    header.set_cksum();
    header
}

fn write_member(file: &mut File, name: &str, size: u64, content: &[u8]) -> io::Result<()> {
    file.write_all(header_of(name, size).as_bytes())?;
    file.write_all(content)?;
    file.write_all(&vec![0; padding(size)])
}

fn padding(size: u64) -> usize {
    usize::try_from(size.next_multiple_of(BLOCK) - size).expect("less than a block")
}

fn written(path: &Path, source: io::Error) -> ArchiveError {
    let path = path.to_path_buf();
    ArchiveError::File {
        path,
        doing: "written",
        source,
    }
}

fn read(path: &Path, source: io::Error) -> ArchiveError {
    let path = path.to_path_buf();
    ArchiveError::File {
        path,
        doing: "read",
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        Manifest {
            format: Manifest::FORMAT,
            version: "0.1.0".to_owned(),
            taken_at: chrono::DateTime::UNIX_EPOCH,
            server: 15,
            pg_dump: 15,
            migration: 13,
            events: 7,
            root: "00".to_owned(),
            roles: vec!["reader".to_owned()],
        }
    }

    fn write(path: &Path, dump: &[u8]) {
        let mut unfinished = Unfinished::begin(path, &manifest()).unwrap();
        unfinished.write(dump).unwrap();
        assert!(!path.exists(), "it has no name before it is whole");
        unfinished.finish().unwrap();
    }

    #[test]
    fn what_was_written_is_read_whatever_its_length() {
        let dir = tempfile::tempdir().unwrap();
        for length in [0_u64, 1, 511, 512, 513, 100_000] {
            let path = dir.path().join(format!("{length}.backup"));
            let dump: Vec<u8> = (0..length).map(|n| u8::try_from(n % 251).unwrap()).collect();
            write(&path, &dump);
            let archive = Archive::open(&path).unwrap();
            assert_eq!((&archive.manifest, archive.size()), (&manifest(), length));
            let mut found = Vec::new();
            archive.reader().unwrap().read_to_end(&mut found).unwrap();
            assert_eq!(found, dump);
            let names = tar::Archive::new(File::open(&path).unwrap())
                .entries()
                .unwrap()
                .count();
            assert_eq!(names, 2, "any tar reads it");
        }
    }

    #[test]
    fn a_backup_that_comes_to_nothing_leaves_nothing_and_the_one_before() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("nightly.backup");
        write(&path, b"of yesterday");
        let mut unfinished = Unfinished::begin(&path, &manifest()).unwrap();
        unfinished.write(b"half").unwrap();
        let second = Unfinished::begin(&path, &manifest()).map(drop);
        assert!(matches!(second, Err(ArchiveError::UnderWay(_))), "{second:?}");
        drop(unfinished);
        assert_eq!(Archive::open(&path).unwrap().size(), 12);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_no_backup_is_refused_with_the_reason() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        let refused = |content: &[u8]| {
            fs::write(&path, content).unwrap();
            Archive::open(&path).unwrap_err().to_string()
        };
        assert!(refused(b"PGDMP").contains("is not a backup"));
        assert!(refused(b"").contains("no manifest"));
        let whole = dir.path().join("whole");
        write(&whole, &[7; 5000]);
        let whole = fs::read(whole).unwrap();
        assert!(refused(&whole[..4000]).contains("is incomplete"));
        let mut later = whole;
        let place = later
            .windows(11)
            .position(|text| text == b"\"format\": 1")
            .unwrap();
        later[place + 10] = b'9';
        assert!(refused(&later).contains("format 9"));
    }
}
