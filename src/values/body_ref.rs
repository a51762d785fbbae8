//! How an event refers to what is kept beside it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Names a body by the salted SHA-256 of its content; the counts answer most questions without it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BodyRef {
    /// Hexadecimal SHA-256 of salt and content.
    pub digest: String,
    /// Bytes of the content.
    pub bytes: u64,
    /// Things in it: URLs of a list, say.
    pub items: u64,
}
