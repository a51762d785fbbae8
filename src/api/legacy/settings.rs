//! The settings for the predecessor's paths: the retirement date, what the old backend still answers, and where the
//! old pages are.

use std::path::PathBuf;
use std::sync::Arc;

use axum::http::HeaderValue;

use super::backend::Backend;
pub use super::backend::BackendError;

/// The default retirement date of the old paths: an HTTP date (RFC 9110, 5.6.7).
pub const DEFAULT_SUNSET: &str = "Fri, 31 Dec 2027 23:59:59 GMT";

/// The settings below `SITELOG_LEGACY__`.
#[derive(Clone, Debug)]
pub struct LegacySettings {
    /// `Sunset` of all old paths.
    pub sunset: HeaderValue,
    /// The old backend, and the routes that it answers.
    pub backend: Option<BackendSettings>,
    /// A directory with the old pages, to be served below `/static`.
    pub static_dir: Option<PathBuf>,
}

/// The old backend.
#[derive(Clone, Debug)]
pub struct BackendSettings {
    /// Its address, without a slash at the end.
    pub url: String,
    /// The token that replaces the caller's `Authorization`, if the old backend needs its own.
    pub token: Option<String>,
    /// Routes and services that it answers.
    pub answers: Vec<String>,
}

impl Default for LegacySettings {
    fn default() -> Self {
        Self {
            sunset: HeaderValue::from_static(DEFAULT_SUNSET),
            backend: None,
            static_dir: None,
        }
    }
}

/// The state of the predecessor's paths; clones share it.
#[derive(Clone, Debug)]
pub struct Legacy {
    pub(super) sunset: HeaderValue,
    pub(super) backend: Option<Arc<Backend>>,
    pub(super) static_dir: Option<PathBuf>,
}

impl Legacy {
    /// Creates the state from the settings.
    pub fn new(settings: &LegacySettings) -> Result<Self, BackendError> {
        let backend = settings.backend.as_ref().map(Backend::new).transpose()?;
        Ok(Self {
            sunset: settings.sunset.clone(),
            backend: backend.map(Arc::new),
            static_dir: settings.static_dir.clone(),
        })
    }
}
