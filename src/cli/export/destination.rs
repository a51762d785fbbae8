//! The destination of an export: standard output, a file or an object in S3. It appears complete or not at all.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::Context;

use super::upload::{Ended, Upload};
use crate::cli::output;

/// The place that `--to` and `--output` name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Destination {
    /// A file.
    File(PathBuf),
    /// An object.
    Object(ObjectAddress),
}

/// The address of an object: `s3://bucket/key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ObjectAddress {
    /// Its bucket.
    pub(super) bucket: String,
    /// Its key.
    pub(super) key: String,
}

impl std::fmt::Display for ObjectAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

impl std::fmt::Display for Destination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Object(address) => address.fmt(f),
        }
    }
}

impl FromStr for Destination {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return Ok(Self::File(PathBuf::from(text)));
        };
        match scheme {
            "file" => {
                let url = url::Url::parse(text).ok();
                let path = url.and_then(|url| url.to_file_path().ok());
                path.map(Self::File)
                    .ok_or_else(|| format!("'{text}' names no file; write file:///absolute/path"))
            }
            "s3" => {
                let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
                // The library drops empty parts of a path, and many programs do not accept `.` and `..` as parts.
                let is_part = |part: &str| !part.is_empty() && part != "." && part != "..";
                if bucket.is_empty() || !key.split('/').all(is_part) {
                    return Err(format!(
                        "'{text}' names no object; write s3://bucket/path/name.csv"
                    ));
                }
                Ok(Self::Object(ObjectAddress {
                    bucket: bucket.to_owned(),
                    key: key.to_owned(),
                }))
            }
            other => Err(format!(
                "'{other}' is not a place that sitelog can write to; use s3://bucket/key, file:///path or a path"
            )),
        }
    }
}

impl Destination {
    /// The file extension, which shows the format.
    pub(super) fn ending(&self) -> Option<&str> {
        let name = match self {
            Self::File(path) => path.as_path(),
            Self::Object(address) => Path::new(&address.key),
        };
        name.extension()?.to_str()
    }
}

/// A running export.
pub(super) enum Writing {
    /// To a file, or to standard output.
    File {
        /// Where the bytes go.
        out: BufWriter<Box<dyn Write>>,
        /// The name until the end, and then; none for standard output.
        names: Option<(PathBuf, PathBuf)>,
    },
    /// To an object.
    Object(Box<Upload>),
}

impl Writing {
    /// To standard output.
    pub(super) fn to_output() -> Self {
        Self::File {
            out: BufWriter::new(output::file()),
            names: None,
        }
    }

    /// To a file, under another name until it is complete.
    pub(super) fn to_file(path: &Path) -> anyhow::Result<Self> {
        let partial = partial_of(path);
        let file = File::create(&partial).with_context(|| format!("{} cannot be written", path.display()))?;
        Ok(Self::File {
            out: BufWriter::new(Box::new(file)),
            names: Some((partial, path.to_owned())),
        })
    }

    /// Writes some of it.
    pub(super) async fn put(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        match self {
            Self::File { out, .. } => Ok(out.write_all(bytes)?),
            Self::Object(upload) => Ok(upload.put(bytes).await?),
        }
    }

    /// Completes it: it appears now.
    pub(super) async fn complete(self) -> anyhow::Result<Option<Ended>> {
        match self {
            Self::File { mut out, names } => {
                out.flush()?;
                if let Some((partial, path)) = names {
                    std::fs::rename(partial, path)?;
                }
                Ok(None)
            }
            Self::Object(upload) => Ok(Some(upload.complete().await?)),
        }
    }
}

/// Removes what is left of a file that was not completed; where it could not be created there is nothing to remove.
pub(super) fn remove_partial(path: &Path) {
    let _ = std::fs::remove_file(partial_of(path));
}

fn partial_of(path: &Path) -> PathBuf {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".part");
    PathBuf::from(partial)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_path_a_file_or_an_object() {
        let object = |bucket: &str, key: &str| {
            Ok(Destination::Object(ObjectAddress {
                bucket: bucket.to_owned(),
                key: key.to_owned(),
            }))
        };
        assert_eq!("s3://b/a/c.parquet".parse(), object("b", "a/c.parquet"));
        assert_eq!(
            "file:///a/b.csv".parse(),
            Ok(Destination::File("/a/b.csv".into()))
        );
        assert_eq!("a/b.csv".parse(), Ok(Destination::File("a/b.csv".into())));
        for bad in [
            "s3://",
            "s3://b",
            "s3://b/",
            "s3:///k",
            "s3://b/k/",
            "s3://b//k",
            "s3://b/../k",
            "file://host/k",
            "gs://b/k",
        ] {
            assert!(bad.parse::<Destination>().is_err(), "{bad}");
        }
        let destination: Destination = "s3://b/a/c.parquet".parse().unwrap();
        assert_eq!(destination.ending(), Some("parquet"));
    }
}
