//! A multipart upload to S3: the object appears when it is complete.
//!
//! After an interruption, the same command continues. It reads the rows again, compares the digest of each part with
//! what was uploaded, and sends only the parts that differ. So the object always contains one export, from the first
//! row to the last, however often the upload was interrupted. After each part, a small file in the data directory
//! records what was uploaded.

mod notes;
#[cfg(test)]
mod tests;

use std::io;
use std::path::PathBuf;

use async_trait::async_trait;
pub(super) use notes::NotesFile;
use notes::{Notes, Part};
use sha2::{Digest, Sha256};

/// Bytes of each part but the last. S3 takes 10,000 parts: 167 GB.
pub(super) const PART: usize = 16 * 1024 * 1024;
/// Parts of an object at most (S3).
const MAX_PARTS: usize = 10_000;

/// An object that is uploaded in one request or in parts.
#[async_trait]
pub(super) trait Object: Send + Sync {
    /// Takes it whole.
    async fn put(&self, content: Vec<u8>) -> object_store::Result<()>;

    /// Starts a multipart upload; returns its id.
    async fn begin(&self) -> object_store::Result<String>;

    /// Stores a part, in place of an earlier one with the same number; returns its ID.
    async fn put_part(&self, upload: &str, number: usize, content: Vec<u8>) -> object_store::Result<String>;

    /// Makes the object of these parts, and drops others.
    async fn complete(&self, upload: &str, parts: Vec<String>) -> object_store::Result<()>;
}

/// A running upload.
pub(super) struct Upload {
    object: Box<dyn Object>,
    part_size: usize,
    notes: NotesFile,
    /// Started with the first full part; a smaller export is one request.
    begun: Option<Notes>,
    buffer: Vec<u8>,
    /// Number of parts.
    parts: Vec<String>,
    kept: usize,
}

/// The result of a complete upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ended {
    /// Parts of the object.
    pub(super) parts: usize,
    /// Parts that had been uploaded before an interruption.
    pub(super) kept: usize,
}

/// Why an upload ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum UploadError {
    /// The store does not know the interrupted upload any more: it has expired, or was completed.
    #[error("the interrupted upload is no longer there")]
    Gone,
    /// The object would be too large.
    #[error("the export is larger than {} GB, the maximum for one upload", MAX_PARTS * PART / 1_000_000_000)]
    TooLarge,
    /// Another process uploads to the same address.
    #[error("another process is uploading to this address; wait until it has ended")]
    Busy,
    /// The store refused something.
    #[error("the store rejected the upload: {0}. Run the same command again to continue")]
    Store(String),
    /// The notes cannot be read or written.
    #[error("cannot store the state of the upload in {0}")]
    Notes(PathBuf, #[source] io::Error),
}

impl Upload {
    /// An upload to an address, whose notes are in a directory: the continuation of an earlier one if there is one.
    pub(super) fn new(
        object: Box<dyn Object>,
        part_size: usize,
        notes: NotesFile,
    ) -> Result<Self, UploadError> {
        let begun = notes.read()?.filter(|notes| notes.part_size == part_size);
        Ok(Self {
            object,
            part_size,
            notes,
            begun,
            buffer: Vec::new(),
            parts: Vec::new(),
            kept: 0,
        })
    }

    /// Whether it continues an earlier one, and how many parts that one has.
    pub(super) fn continues(&self) -> Option<usize> {
        self.begun.as_ref().map(|notes| notes.parts.len())
    }

    /// Takes the next bytes.
    pub(super) async fn put(&mut self, mut bytes: &[u8]) -> Result<(), UploadError> {
        while !bytes.is_empty() {
            let room = self.part_size - self.buffer.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.buffer.extend_from_slice(now);
            bytes = later;
            if self.buffer.len() == self.part_size {
                self.send_part().await?;
            }
        }
        Ok(())
    }

    /// Completes the object.
    pub(super) async fn complete(mut self) -> Result<Ended, UploadError> {
        if self.parts.is_empty() && self.begun.is_none() {
            let content = std::mem::take(&mut self.buffer);
            let sent = self.object.put(content).await;
            sent.map_err(|error| refused(&error))?;
            return Ok(Ended { parts: 1, kept: 0 });
        }
        // An object has a part at least, which may be empty.
        if !self.buffer.is_empty() || self.parts.is_empty() {
            self.send_part().await?;
        }
        let upload = self.begun.map(|notes| notes.upload).unwrap_or_default();
        let parts = self.parts.len();
        let completed = self.object.complete(&upload, self.parts).await;
        completed.map_err(|error| match gone_or_refused(error) {
            // Earlier parts may have changed.
            UploadError::Store(_) if self.kept > 0 => UploadError::Gone,
            other => other,
        })?;
        self.notes.remove()?;
        Ok(Ended {
            parts,
            kept: self.kept,
        })
    }

    async fn send_part(&mut self) -> Result<(), UploadError> {
        let number = self.parts.len();
        if number == MAX_PARTS {
            return Err(UploadError::TooLarge);
        }
        let content = std::mem::take(&mut self.buffer);
        let digest = hex::encode(Sha256::digest(&content));
        let mut notes = if let Some(notes) = self.begun.take() {
            notes
        } else {
            let created = self.object.begin().await;
            Notes {
                upload: created.map_err(|error| refused(&error))?,
                part_size: self.part_size,
                parts: Vec::new(),
            }
        };
        if let Some(known) = notes.parts.get(number).filter(|part| part.digest == digest) {
            self.parts.push(known.id.clone());
            self.kept += 1;
            self.begun = Some(notes);
            return Ok(());
        }
        // Noted before anything is sent, so that an upload that was begun is always known.
        notes.parts.truncate(number);
        self.notes.write(&notes)?;
        let sent = self.object.put_part(&notes.upload, number, content).await;
        let id = sent.map_err(gone_or_refused)?;
        notes.parts.push(Part {
            digest,
            id: id.clone(),
        });
        self.notes.write(&notes)?;
        self.parts.push(id);
        self.begun = Some(notes);
        Ok(())
    }
}

fn gone_or_refused(error: object_store::Error) -> UploadError {
    match error {
        object_store::Error::NotFound { .. } => UploadError::Gone,
        other => refused(&other),
    }
}

/// The message of a store, without the XML around it.
fn refused(error: &object_store::Error) -> UploadError {
    let text = error.to_string();
    let within = |name: &str| {
        let (_, after) = text.split_once(&format!("<{name}>"))?;
        Some(after.split_once(&format!("</{name}>"))?.0)
    };
    UploadError::Store(match (within("Code"), within("Message")) {
        (Some(code), Some(message)) => format!("{code}, {}", message.trim_end_matches('.')),
        _ => text.trim_end().to_owned(),
    })
}
