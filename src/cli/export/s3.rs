//! Objects in S3 and compatible stores.

use async_trait::async_trait;
use object_store::ObjectStoreExt;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;

use super::destination::ObjectAddress;
use super::upload::Object;
use crate::cli::input::BadArgument;
use crate::config::Config;
use crate::fetch::StorageClient;

/// An object in S3.
pub(super) struct S3Object {
    /// Its bucket.
    pub(super) bucket: AmazonS3,
    /// Its key.
    pub(super) path: Path,
}

#[async_trait]
impl Object for S3Object {
    async fn put(&self, content: Vec<u8>) -> object_store::Result<()> {
        self.bucket.put(&self.path, content.into()).await.map(drop)
    }

    async fn begin(&self) -> object_store::Result<String> {
        self.bucket.create_multipart(&self.path).await
    }

    async fn put_part(&self, upload: &str, number: usize, content: Vec<u8>) -> object_store::Result<String> {
        let upload = upload.to_owned();
        let sent = self.bucket.put_part(&self.path, &upload, number, content.into());
        Ok(sent.await?.content_id)
    }

    async fn complete(&self, upload: &str, parts: Vec<String>) -> object_store::Result<()> {
        let upload = upload.to_owned();
        let parts = parts.into_iter().map(|content_id| PartId { content_id });
        let completed = self
            .bucket
            .complete_multipart(&self.path, &upload, parts.collect());
        completed.await.map(drop)
    }
}

/// Any one of these says where credentials come from.
const CREDENTIALS: [&str; 4] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
];

/// An object in S3 or a compatible store, configured by the usual AWS variables.
pub(super) fn s3_object(address: &ObjectAddress, config: &Config) -> anyhow::Result<S3Object> {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if !CREDENTIALS.iter().any(|name| is_set(name)) {
        let text =
            "s3://… needs credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment";
        return Err(BadArgument(text.to_owned()).into());
    }
    let bucket = AmazonS3Builder::from_env()
        .with_bucket_name(&address.bucket)
        // Stores in private networks often use plain HTTP; it is used only if the address says so.
        .with_allow_http(true)
        .with_http_connector(StorageClient::new(config.fetch.extra_ca.as_deref())?)
        .build()
        .map_err(|error| BadArgument(format!("the AWS_… variables are invalid: {error}")))?;
    let path = Path::parse(&address.key)
        .map_err(|error| BadArgument(format!("'{}' is not a valid object key: {error}", address.key)))?;
    Ok(S3Object { bucket, path })
}
