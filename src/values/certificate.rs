//! The TLS certificate of a site.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The certificate of the connection over which the home page was read, or of the failed connection if the page was
/// then read without TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Certificate {
    /// The host that showed it.
    pub host: String,
    /// `TLS 1.2` or `TLS 1.3`; nothing if the handshake failed.
    pub version: Option<String>,
    /// Common name of the issuer.
    pub issuer: Option<String>,
    /// Organization of the issuer.
    pub issuer_organization: Option<String>,
    /// From when it is valid.
    pub valid_from: Option<DateTime<Utc>>,
    /// Until when it is valid.
    pub valid_to: Option<DateTime<Utc>>,
    /// The names it is for.
    pub names: Vec<String>,
    /// Why it was refused: `expired`, `not_yet_valid`, `wrong_name`, `unknown_issuer` or `invalid`; nothing if it is
    /// good.
    pub fault: Option<String>,
}
