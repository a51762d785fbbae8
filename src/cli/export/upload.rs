//! An object that is uploaded in parts and appears when it is complete (the multipart upload of S3).
//!
//! After an interruption the same command continues: the rows are read again, each part is compared by its digest with what was
//! uploaded, and only those that differ are sent. So the object is always that of one export, from the first row to the last,
//! however often it was interrupted and whatever changed meanwhile. What was uploaded is noted in a small file in the data
//! directory after each part.

use std::fs::{self, File};
use std::io;
use std::path::{Path as FilePath, PathBuf};

use async_trait::async_trait;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Bytes of each part but the last. S3 takes 10,000 parts: 160 GB.
pub(super) const PART: usize = 16 * 1024 * 1024;
/// Parts of an object at most (S3).
const MOST_PARTS: usize = 10_000;

/// An object that a store takes whole or in parts.
#[async_trait]
pub(super) trait Object: Send + Sync {
    /// Takes it whole.
    async fn put(&self, content: Vec<u8>) -> object_store::Result<()>;

    /// Begins to take it in parts; what the upload is called.
    async fn begin(&self) -> object_store::Result<String>;

    /// Takes a part, in place of an earlier one with its number; what the part is called.
    async fn put_part(&self, upload: &str, number: usize, content: Vec<u8>) -> object_store::Result<String>;

    /// Makes the object of these parts, and drops others.
    async fn complete(&self, upload: &str, parts: Vec<String>) -> object_store::Result<()>;
}

/// An upload under way.
pub(super) struct Upload {
    object: Box<dyn Object>,
    part_size: usize,
    notes: NotesFile,
    /// Begun with the first part that is full: what is smaller is one request.
    begun: Option<Notes>,
    buffer: Vec<u8>,
    /// Parts so far.
    parts: Vec<String>,
    kept: usize,
}

/// What a complete upload came to.
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
    /// The store knows nothing of the upload that was to be continued: it has expired, or was completed.
    #[error("the interrupted upload is no longer there")]
    Gone,
    /// The object would be too large.
    #[error("the export has more than {} GB, the most that an object of this kind may have", MOST_PARTS * PART / 1_000_000_000)]
    TooLarge,
    /// Another process uploads to the same address.
    #[error("another process is uploading to this address; wait until it has ended")]
    Busy,
    /// The store refused something.
    #[error("the store did not take it: {0}. Run the same command again to continue")]
    Store(String),
    /// The notes cannot be read or written.
    #[error("cannot keep notes of the upload in {0}")]
    Notes(PathBuf, #[source] io::Error),
}

/// What is noted of an upload.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Notes {
    upload: String,
    part_size: usize,
    parts: Vec<Part>,
}

/// A part that the store has.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Part {
    /// SHA-256 of its content.
    digest: String,
    /// What the store calls it.
    id: String,
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
            // Parts of an earlier time may not be what they were.
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
        if number == MOST_PARTS {
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

/// What a store says, without the XML around it.
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

/// The file with the notes of one address; nobody else has it meanwhile.
pub(super) struct NotesFile {
    path: PathBuf,
    /// Held until it is dropped.
    _lock: File,
}

impl NotesFile {
    /// The notes of an address in a directory.
    pub(super) fn open(directory: &FilePath, address: &str) -> Result<Self, UploadError> {
        let name = hex::encode(Sha256::digest(address));
        let path = directory.join(format!("{name}.json"));
        let lock = directory.join(format!("{name}.lock"));
        let opened = fs::create_dir_all(directory).and_then(|()| File::create(&lock));
        let lock = opened.map_err(|error| UploadError::Notes(directory.to_owned(), error))?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive).map_err(|_| UploadError::Busy)?;
        Ok(Self { path, _lock: lock })
    }

    /// Forgets an upload, so that the next one begins anew.
    pub(super) fn remove(&self) -> Result<(), UploadError> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.failed(error)),
            _ => Ok(()),
        }
    }

    fn read(&self) -> Result<Option<Notes>, UploadError> {
        match fs::read(&self.path) {
            // Half a file is none: the upload begins anew.
            Ok(content) => Ok(serde_json::from_slice(&content).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.failed(error)),
        }
    }

    fn write(&self, notes: &Notes) -> Result<(), UploadError> {
        let next = self.path.with_extension("next");
        let content = serde_json::to_vec(notes).unwrap_or_default();
        let written = fs::write(&next, content).and_then(|()| fs::rename(&next, &self.path));
        written.map_err(|error| self.failed(error))
    }

    fn failed(&self, error: io::Error) -> UploadError {
        UploadError::Notes(self.path.clone(), error)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::{Arc, Mutex};

    use super::*;

    const KEY: &str = "s3://a/b.csv";

    /// What a store has: the object, and the parts of each upload.
    #[derive(Default)]
    struct Stored {
        object: Option<Vec<u8>>,
        uploads: BTreeMap<String, BTreeMap<usize, Vec<u8>>>,
    }

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Stored>>);

    #[async_trait]
    impl Object for Memory {
        async fn put(&self, content: Vec<u8>) -> object_store::Result<()> {
            self.0.lock().unwrap().object = Some(content);
            Ok(())
        }

        async fn begin(&self) -> object_store::Result<String> {
            let mut stored = self.0.lock().unwrap();
            let name = format!("upload-{}", stored.uploads.len());
            stored.uploads.insert(name.clone(), BTreeMap::new());
            Ok(name)
        }

        async fn put_part(
            &self,
            upload: &str,
            number: usize,
            content: Vec<u8>,
        ) -> object_store::Result<String> {
            let mut stored = self.0.lock().unwrap();
            let parts = stored.uploads.get_mut(upload).ok_or_else(gone)?;
            let name = format!("{number}-{}", hex::encode(Sha256::digest(&content)));
            parts.insert(number, content);
            Ok(name)
        }

        async fn complete(&self, upload: &str, parts: Vec<String>) -> object_store::Result<()> {
            let mut stored = self.0.lock().unwrap();
            let has = stored.uploads.remove(upload).ok_or_else(gone)?;
            let content = (0..parts.len()).map(|number| has[&number].clone());
            let content: Vec<Vec<u8>> = content.collect();
            for (number, (name, content)) in parts.iter().zip(&content).enumerate() {
                assert_eq!(
                    *name,
                    format!("{number}-{}", hex::encode(Sha256::digest(content)))
                );
            }
            stored.object = Some(content.concat());
            Ok(())
        }
    }

    fn gone() -> object_store::Error {
        object_store::Error::NotFound {
            path: String::new(),
            source: "no such upload".into(),
        }
    }

    struct Bucket(Memory, tempfile::TempDir);

    impl Bucket {
        fn new() -> Self {
            Self(Memory::default(), tempfile::tempdir().unwrap())
        }

        fn begin(&self) -> Result<Upload, UploadError> {
            let notes = NotesFile::open(self.1.path(), KEY)?;
            Upload::new(Box::new(self.0.clone()), 4, notes)
        }

        /// An upload that ends before it is complete.
        async fn interrupt(&self, content: &[u8]) {
            self.begin().unwrap().put(content).await.unwrap();
        }

        async fn upload(&self, content: &[u8]) -> Result<Ended, UploadError> {
            let mut upload = self.begin()?;
            for piece in content.chunks(3) {
                upload.put(piece).await?;
            }
            upload.complete().await
        }

        fn content(&self) -> Option<Vec<u8>> {
            self.0.0.lock().unwrap().object.clone()
        }

        /// Notes that are left.
        fn notes(&self) -> usize {
            let files = fs::read_dir(self.1.path()).unwrap();
            let paths = files.map(|file| file.unwrap().path());
            paths
                .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
                .count()
        }
    }

    #[tokio::test]
    async fn an_object_appears_when_it_is_complete() {
        for content in [&b""[..], b"abc", b"abcd", b"abcdefghij"] {
            let bucket = Bucket::new();
            bucket.interrupt(content).await;
            assert_eq!(bucket.content(), None);
            bucket.upload(content).await.unwrap();
            assert_eq!(bucket.content().as_deref(), Some(content));
            assert_eq!(bucket.notes(), 0);
        }
    }

    #[tokio::test]
    async fn an_interrupted_upload_continues_with_the_parts_that_are_the_same() {
        let bucket = Bucket::new();
        let mut upload = bucket.begin().unwrap();
        upload.put(b"aaaabbbbccccd").await.unwrap();
        assert!(
            matches!(bucket.begin(), Err(UploadError::Busy)),
            "it is under way"
        );
        drop(upload);
        assert_eq!((bucket.content(), bucket.notes()), (None, 1));
        assert_eq!(bucket.begin().unwrap().continues(), Some(3));
        assert_eq!(
            bucket.upload(b"aaaabbbbccccdd").await.unwrap(),
            Ended { parts: 4, kept: 3 }
        );
        // Meanwhile something changed: from there on all is sent.
        bucket.interrupt(b"aaaabbbbcccc").await;
        assert_eq!(
            bucket.upload(b"aaaaBBBBcccc").await.unwrap(),
            Ended { parts: 3, kept: 1 }
        );
        assert_eq!(bucket.content().unwrap(), b"aaaaBBBBcccc");
        // It became smaller than what was sent.
        bucket.interrupt(b"aaaabbbbcccc").await;
        assert_eq!(
            bucket.upload(b"aaaabb").await.unwrap(),
            Ended { parts: 2, kept: 1 }
        );
        assert_eq!(bucket.content().unwrap(), b"aaaabb");
        bucket.interrupt(b"aaaa").await;
        bucket.upload(b"").await.unwrap();
        assert_eq!((bucket.content().unwrap().len(), bucket.notes()), (0, 0));
    }

    #[test]
    fn a_refusal_is_told_in_its_words() {
        let error = |text: &str| object_store::Error::Generic {
            store: "S3",
            source: text.into(),
        };
        let told = |text: &str| refused(&error(text)).to_string();
        let xml = "404: <?xml version=\"1.0\"?>\n<Error><Code>NoSuchBucket</Code><Message>It does not exist.</Message></Error>";
        let expected = "the store did not take it: NoSuchBucket, It does not exist. Run the same command again to continue";
        assert_eq!(told(xml), expected);
        assert!(told("no route").contains("no route. Run"));
    }

    #[tokio::test]
    async fn an_upload_that_the_store_has_dropped_is_gone_and_the_next_one_is_anew() {
        let bucket = Bucket::new();
        bucket.interrupt(b"aaaabbbb").await;
        bucket.0.0.lock().unwrap().uploads.clear();
        for content in [&b"aaaabbbbc"[..], b"aaaabbbb"] {
            assert!(matches!(bucket.upload(content).await, Err(UploadError::Gone)));
        }
        NotesFile::open(bucket.1.path(), KEY).unwrap().remove().unwrap();
        bucket.upload(b"aaaabbbbc").await.unwrap();
        assert_eq!(bucket.content().unwrap(), b"aaaabbbbc");
        // Half a note is none.
        bucket.interrupt(b"aaaa").await;
        let mut files = fs::read_dir(bucket.1.path())
            .unwrap()
            .map(|file| file.unwrap().path());
        let notes = files
            .find(|path| path.extension().is_some_and(|ending| ending == "json"))
            .unwrap();
        fs::write(notes, "{\"upload\": \"a").unwrap();
        assert_eq!(
            bucket.upload(b"aaaab").await.unwrap(),
            Ended { parts: 2, kept: 0 }
        );
    }
}
