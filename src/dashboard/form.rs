//! What a form of a page sends: `multipart/form-data` (RFC 7578) or `application/x-www-form-urlencoded`.

use std::collections::HashMap;
use std::convert::Infallible;

use axum::http::header;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::refused::SentForm;
use crate::api::problem::{Problem, ProblemCode};
use crate::api::request::CommandRequest;
use crate::commands::{CommandContext, RequestKey};
use crate::values::WantedScan;
use crate::values::site_files::SiteFile;

/// The field that makes a form count once, however often it is sent.
pub(super) const REQUEST_KEY: &str = "request_key";

/// The field that requests icon and logo.
pub(super) const PICTURES: &str = "pictures";

/// The field that requests a file.
pub(super) fn file_field(file: SiteFile) -> String {
    format!("file_{file}")
}

/// A form's fields, each with its values in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Form(HashMap<String, Vec<Bytes>>);

impl Form {
    pub(super) async fn of(request: &CommandRequest) -> Result<Self, Problem> {
        let form = Self::read(request).await?;
        if let Some(sent) = request.extensions.get::<SentForm>() {
            sent.keep(&form);
        }
        Ok(form)
    }

    async fn read(request: &CommandRequest) -> Result<Self, Problem> {
        let kind = request
            .headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let mut fields: HashMap<String, Vec<Bytes>> = HashMap::new();
        let mut keep = |name: String, value: Bytes| fields.entry(name).or_default().push(value);
        let Ok(boundary) = multer::parse_boundary(kind) else {
            for (name, value) in url::form_urlencoded::parse(request.body()) {
                keep(name.into_owned(), Bytes::from(value.into_owned()));
            }
            return Ok(Self(fields));
        };
        let broken = |error: multer::Error| {
            Problem::of(
                ProblemCode::InvalidForm,
                format!("The form cannot be read: {error}."),
            )
        };
        let whole = Bytes::copy_from_slice(request.body());
        let mut form = multer::Multipart::new(
            futures::stream::once(async move { Ok::<_, Infallible>(whole) }),
            boundary,
        );
        while let Some(field) = form.next_field().await.map_err(broken)? {
            let name = field.name().unwrap_or_default().to_owned();
            keep(name, field.bytes().await.map_err(broken)?);
        }
        Ok(Self(fields))
    }

    /// Whether there is such a field, empty or not.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A field as sent, the last of its values that is not empty; empty if there is none.
    pub(super) fn bytes(&self, name: &str) -> &[u8] {
        self.value(name).map_or(&[], |value| value)
    }

    /// The same, for code that reads it later.
    pub(super) fn shared(&self, name: &str) -> Bytes {
        self.value(name).cloned().unwrap_or_default()
    }

    /// All values of a field that are texts.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = String> {
        let values = self.0.get(name).into_iter().flatten();
        values.filter_map(|value| Some(std::str::from_utf8(value).ok()?.trim().to_owned()))
    }

    fn value(&self, name: &str) -> Option<&Bytes> {
        let values = self.0.get(name)?;
        values.iter().rfind(|value| !value.is_empty())
    }

    /// A field as text without the blanks around it.
    pub(super) fn text(&self, name: &str) -> &str {
        std::str::from_utf8(self.bytes(name)).unwrap_or_default().trim()
    }

    /// The options of a scan.
    pub(super) fn wanted_scan(&self) -> Result<WantedScan, Problem> {
        let wants_pictures = !self.text(PICTURES).is_empty();
        let is_wanted = |file: &SiteFile| {
            let is_picture = matches!(file, SiteFile::Icon | SiteFile::Logo);
            (is_picture && wants_pictures) || !self.text(&file_field(*file)).is_empty()
        };
        Ok(WantedScan {
            max_pages: self.number("max_pages")?,
            files: SiteFile::ALL.iter().copied().filter(is_wanted).collect(),
            sitemap_sample: self.number("sitemap_sample")?,
        })
    }

    /// A field that may be left empty, as a whole number.
    pub(super) fn number(&self, name: &str) -> Result<Option<i64>, Problem> {
        let text = self.text(name);
        if text.is_empty() {
            return Ok(None);
        }
        let number = text.parse().map_err(|_| {
            Problem::of(
                ProblemCode::InvalidField,
                format!("{name} is '{text}'; it must be a whole number."),
            )
            .with("field", name)
        })?;
        Ok(Some(number))
    }

    /// The circumstances of a form's command: with its key, so that a second click does nothing twice. A visitor who
    /// goes back and changes a field means another request.
    pub(super) fn context(&self, request: &CommandRequest, route: &str) -> CommandContext {
        let mut context = request.context.clone();
        if let Ok(key) = self.text(REQUEST_KEY).parse::<Uuid>() {
            let fields = self.hash();
            context.key = Some(RequestKey {
                route: route.to_owned(),
                key: format!("{key}-{}", hex::encode(&fields[..8])),
                body_hash: fields,
            });
        }
        context
    }

    fn hash(&self) -> [u8; 32] {
        let mut fields: Vec<_> = self.0.iter().collect();
        fields.sort();
        let mut hash = Sha256::new();
        for (name, values) in fields {
            hash.update(name.len().to_be_bytes());
            hash.update(name);
            hash.update(values.len().to_be_bytes());
            for value in values {
                hash.update(value.len().to_be_bytes());
                hash.update(value);
            }
        }
        hash.finalize().into()
    }
}
