use std::collections::BTreeMap;
use std::fs;
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

    async fn put_part(&self, upload: &str, number: usize, content: Vec<u8>) -> object_store::Result<String> {
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
    let refusal = |text: &str| refused(&error(text)).to_string();
    let xml = "404: <?xml version=\"1.0\"?>\n<Error><Code>NoSuchBucket</Code><Message>It does not exist.</Message></Error>";
    let expected = "the store rejected the upload: NoSuchBucket, It does not exist. Run the same command again to continue";
    assert_eq!(refusal(xml), expected);
    assert!(refusal("no route").contains("no route. Run"));
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
