//! What changes who may use the service for a tenant, and how much. No secret is in any of the events.

use chrono::{DateTime, Utc};
use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::values::versioned::current_version;
use crate::values::{TenantSettings, VersionedEvent};

/// The events of one tenant's stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub enum TenantEvent {
    /// A key was created. Its secret is not in the log.
    KeyCreated {
        /// The visible part of the key.
        key_id: String,
        /// A name for people.
        name: String,
        /// What the key allows: `read`, `write`, `admin`, `operator`.
        scopes: Vec<String>,
        /// When the key expires, or null.
        expires_at: Option<DateTime<Utc>>,
    },
    /// A key was revoked, from the next request on.
    KeyRevoked {
        /// The visible part of the key.
        key_id: String,
    },
    /// The quotas of the tenant were changed.
    TenantSettingsChanged {
        /// All of them, as they are from now on.
        settings: TenantSettings,
    },
    /// An administrator ended all sessions of a person whom a provider had signed in.
    PersonSignedOut {
        /// The person: `oidc:<subject>`.
        person: String,
    },
}

impl TenantEvent {
    fn name(&self) -> &'static str {
        match self {
            Self::KeyCreated { .. } => "KeyCreated",
            Self::KeyRevoked { .. } => "KeyRevoked",
            Self::TenantSettingsChanged { .. } => "TenantSettingsChanged",
            Self::PersonSignedOut { .. } => "PersonSignedOut",
        }
    }
}

impl VersionedEvent for TenantEvent {
    const VERSIONS: &'static [(&'static str, u32)] = &[
        ("KeyCreated", 1),
        ("KeyRevoked", 1),
        ("TenantSettingsChanged", 1),
        ("PersonSignedOut", 1),
    ];
    const UPCASTERS: &'static [crate::values::versioned::Upcaster] = &[];
}

impl DomainEvent for TenantEvent {
    fn event_type(&self) -> String {
        self.name().to_owned()
    }

    fn event_version(&self) -> String {
        let version = current_version::<Self>(self.name());
        version.expect("each type has a version").to_string()
    }
}
