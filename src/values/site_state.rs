//! Home pages that are not ordinary sites.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::failure::{UnknownCode, codes};

codes! {
    /// The state of a site that is not, or not yet, an ordinary one. Codes are never renamed; new ones may be added.
    SiteStateKind {
        /// A registrar or an advertiser shows its own page.
        Parked => "parked",
        /// The domain itself is offered for sale.
        ForSale => "for_sale",
        /// The owner announces a site, or maintains it.
        UnderConstruction => "under_construction",
        /// The page that a web server or hosting panel shows until there is another one.
        ServerDefault => "server_default",
        /// An error or a bot check, although the status says success.
        SoftError => "soft_error",
        /// Without scripts the page is empty.
        NeedsJavascript => "needs_javascript",
    }
}

impl SiteStateKind {
    /// Whether the owner of the domain made the page. Otherwise its names and contacts belong to a registrar, a hosting
    /// provider or a domain marketplace.
    pub fn is_owner_content(self) -> bool {
        matches!(self, Self::UnderConstruction | Self::NeedsJavascript)
    }

    /// In words.
    pub fn label(self) -> &'static str {
        match self {
            Self::Parked => "Parked",
            Self::ForSale => "For sale",
            Self::UnderConstruction => "Under construction",
            Self::ServerDefault => "Default page of a server",
            Self::SoftError => "Error page",
            Self::NeedsJavascript => "Empty without JavaScript",
        }
    }
}

/// The state and its evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteState {
    /// The state.
    pub state: SiteStateKind,
    /// The evidence.
    #[serde(default)]
    pub evidence: String,
    /// URL of the page.
    #[serde(default)]
    pub page: String,
}
