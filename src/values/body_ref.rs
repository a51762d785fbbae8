//! The reference from an event to a body.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Identifies a body by the salted SHA-256 of its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BodyRef {
    /// SHA-256 of salt and content, in hexadecimal.
    pub digest: String,
    /// Size of the content in bytes.
    pub bytes: u64,
    /// Number of items in it, for example the URLs of a list.
    pub items: u64,
}
