//! The record of an upload on this machine, with which an interrupted upload can continue.

use std::fs::{self, File};
use std::io;
use std::path::{Path as FilePath, PathBuf};

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::UploadError;

/// What is noted of an upload.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Notes {
    pub(super) upload: String,
    pub(super) part_size: usize,
    pub(super) parts: Vec<Part>,
}

/// A part that the store has.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Part {
    /// SHA-256 of its content.
    pub(super) digest: String,
    /// What the store calls it.
    pub(super) id: String,
}

/// The record of one upload; it is locked meanwhile.
pub(in crate::cli::export) struct NotesFile {
    path: PathBuf,
    /// Held until it is dropped.
    _lock: File,
}

impl NotesFile {
    /// The notes of an address in a directory.
    pub(in crate::cli::export) fn open(directory: &FilePath, address: &str) -> Result<Self, UploadError> {
        let name = hex::encode(Sha256::digest(address));
        let path = directory.join(format!("{name}.json"));
        let lock = directory.join(format!("{name}.lock"));
        let opened = fs::create_dir_all(directory).and_then(|()| File::create(&lock));
        let lock = opened.map_err(|error| UploadError::Notes(directory.to_owned(), error))?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive).map_err(|_| UploadError::Busy)?;
        Ok(Self { path, _lock: lock })
    }

    /// Removes an upload, so that the next one starts over.
    pub(in crate::cli::export) fn remove(&self) -> Result<(), UploadError> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.failed(error)),
            _ => Ok(()),
        }
    }

    pub(super) fn read(&self) -> Result<Option<Notes>, UploadError> {
        match fs::read(&self.path) {
            // An incomplete record is ignored: the upload starts over.
            Ok(content) => Ok(serde_json::from_slice(&content).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.failed(error)),
        }
    }

    pub(super) fn write(&self, notes: &Notes) -> Result<(), UploadError> {
        let next = self.path.with_extension("next");
        let content = serde_json::to_vec(notes).unwrap_or_default();
        let written = fs::write(&next, content).and_then(|()| fs::rename(&next, &self.path));
        written.map_err(|error| self.failed(error))
    }

    fn failed(&self, error: io::Error) -> UploadError {
        UploadError::Notes(self.path.clone(), error)
    }
}
