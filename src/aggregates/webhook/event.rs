//! The events of a webhook. No event contains its secrets.

use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::values::VersionedEvent;
use crate::values::event_type::{EventType, StreamType};
use crate::values::webhook::WebhookSettings;

/// The events of one webhook's stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub enum WebhookEvent {
    /// A webhook was created. It gets the events after this one.
    WebhookCreated {
        /// Its URL and the events that it gets.
        settings: WebhookSettings,
    },
    /// The settings of the webhook were changed.
    WebhookChanged {
        /// Its URL and the events that it gets from now on.
        settings: WebhookSettings,
    },
    /// The webhook got a new secret. The previous one stays valid for a day.
    WebhookSecretRotated {},
    /// Nothing is sent to the webhook until it is enabled again.
    WebhookDisabled {
        /// The reason.
        reason: DisableReason,
        /// The event that could not be delivered, or null.
        position: Option<i64>,
        /// The result of the last attempt, or null.
        error: Option<String>,
    },
    /// The webhook was enabled again. It resumes where it stopped.
    WebhookEnabled {},
    /// Events are to be sent again: those after `after`, up to and including `to`.
    WebhookReplayRequested {
        /// The log position after which the events begin.
        after: i64,
        /// The log position of the last one.
        to: i64,
    },
    /// One event is to be sent again, out of order.
    WebhookResendRequested {
        /// The log position of the event.
        position: i64,
    },
    /// The webhook is tested: this event itself is sent to it.
    WebhookTested {},
    /// The webhook was deleted.
    WebhookDeleted {},
}

/// Why nothing is sent to a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DisableReason {
    /// It was requested.
    Requested,
    /// It answered 410 Gone.
    Gone,
    /// Attempts at one event failed for 24 hours.
    Failing,
}

impl DisableReason {
    /// The word in the API and in the tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Gone => "gone",
            Self::Failing => "failing",
        }
    }
}

impl WebhookEvent {
    /// Its type.
    pub fn kind(&self) -> EventType {
        match self {
            Self::WebhookCreated { .. } => EventType::WebhookCreated,
            Self::WebhookChanged { .. } => EventType::WebhookChanged,
            Self::WebhookSecretRotated {} => EventType::WebhookSecretRotated,
            Self::WebhookDisabled { .. } => EventType::WebhookDisabled,
            Self::WebhookEnabled {} => EventType::WebhookEnabled,
            Self::WebhookReplayRequested { .. } => EventType::WebhookReplayRequested,
            Self::WebhookResendRequested { .. } => EventType::WebhookResendRequested,
            Self::WebhookTested {} => EventType::WebhookTested,
            Self::WebhookDeleted {} => EventType::WebhookDeleted,
        }
    }
}

impl VersionedEvent for WebhookEvent {
    fn version_of(event_type: &str) -> Option<u32> {
        EventType::of_stream(StreamType::Webhook, event_type).map(EventType::version)
    }
}

impl DomainEvent for WebhookEvent {
    fn event_type(&self) -> String {
        self.kind().to_string()
    }

    fn event_version(&self) -> String {
        self.kind().version().to_string()
    }
}
