//! A site's icon or logo as it is stored: small, and without anything that can run.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{BodyRef, Findings};

/// A picture of a site.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Picture {
    /// The URL after redirects.
    pub url: String,
    /// The format in which it is stored.
    pub media_type: PictureType,
    /// Pixels as stored; none for a vector drawing.
    pub width: Option<u32>,
    /// Pixels as stored; none for a vector drawing.
    pub height: Option<u32>,
    /// The body that stores it; none before it is recorded.
    pub body: Option<BodyRef>,
    /// The picture, until it is recorded.
    #[serde(skip)]
    pub content: Arc<[u8]>,
}

/// The format of a stored picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum PictureType {
    /// Pixels, encoded again.
    #[default]
    #[serde(rename = "image/png")]
    Png,
    /// A drawing in which nothing runs, loads or repeats itself.
    #[serde(rename = "image/svg+xml")]
    Svg,
}

impl PictureType {
    /// The media type.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Svg => "image/svg+xml",
        }
    }
}

/// Which of a site's pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PictureKind {
    /// The icon that browsers show in a tab.
    Icon,
    /// The logo.
    Logo,
}

impl PictureKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Icon, Self::Logo];

    /// Its name in the findings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Icon => "icon",
            Self::Logo => "logo",
        }
    }

    /// Where the findings have it.
    pub fn of(self, findings: &Findings) -> Option<&Picture> {
        match self {
            Self::Icon => findings.icon.as_ref(),
            Self::Logo => findings.logo.as_ref(),
        }
    }

    /// The same, to change it.
    pub fn of_mut(self, findings: &mut Findings) -> Option<&mut Picture> {
        match self {
            Self::Icon => findings.icon.as_mut(),
            Self::Logo => findings.logo.as_mut(),
        }
    }
}
