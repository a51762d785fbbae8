//! The events of a tenant's keys, quotas and sessions. No event contains a secret.

use chrono::{DateTime, Utc};
use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::values::event_type::StreamType;
use crate::values::{EventType, TenantSettings, VersionedEvent};

/// The events of one tenant's stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub enum TenantEvent {
    /// A key was created. Its secret is not in the log.
    KeyCreated {
        /// The visible part of the key.
        key_id: String,
        /// A label.
        name: String,
        /// What the key allows: `read`, `write`, `admin`, `operator`.
        scopes: Vec<String>,
        /// When the key expires, or null.
        expires_at: Option<DateTime<Utc>>,
    },
    /// A key was revoked. It is refused from the next request on.
    KeyRevoked {
        /// The visible part of the key.
        key_id: String,
    },
    /// The quotas of the tenant were changed.
    TenantSettingsChanged {
        /// All quotas after the change.
        settings: TenantSettings,
    },
    /// An administrator ended all sessions of a user who signed in with an identity provider.
    PersonSignedOut {
        /// The user: `oidc:<subject>`.
        person: String,
    },
}

impl TenantEvent {
    /// Its type.
    pub fn kind(&self) -> EventType {
        match self {
            Self::KeyCreated { .. } => EventType::KeyCreated,
            Self::KeyRevoked { .. } => EventType::KeyRevoked,
            Self::TenantSettingsChanged { .. } => EventType::TenantSettingsChanged,
            Self::PersonSignedOut { .. } => EventType::PersonSignedOut,
        }
    }
}

impl VersionedEvent for TenantEvent {
    fn version_of(event_type: &str) -> Option<u32> {
        EventType::of_stream(StreamType::Tenant, event_type).map(EventType::version)
    }
}

impl DomainEvent for TenantEvent {
    fn event_type(&self) -> String {
        self.kind().to_string()
    }

    fn event_version(&self) -> String {
        self.kind().version().to_string()
    }
}
