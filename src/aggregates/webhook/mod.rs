//! One endpoint that gets events. Its position is not decided here: it follows from what was delivered
//! (`webhooks`).

mod event;
#[cfg(test)]
mod tests;

use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};

pub use event::{DisableReason, WebhookEvent};

use crate::values::event_type::StreamType;
use crate::values::webhook::WebhookSettings;

/// The memory of one endpoint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Webhook {
    settings: Option<WebhookSettings>,
    disabled: bool,
    deleted: bool,
}

/// A command on one endpoint.
#[derive(Clone, Debug, PartialEq)]
pub enum WebhookCommand {
    /// Create it.
    Create(WebhookSettings),
    /// Give it other settings.
    Change(WebhookSettings),
    /// Note that it has another secret.
    RotateSecret,
    /// Send it nothing more.
    Disable {
        /// The reason.
        reason: DisableReason,
        /// The event that could not be delivered.
        position: Option<i64>,
        /// The result of the last attempt.
        error: Option<String>,
    },
    /// Go on where it was.
    Enable,
    /// Send a range of events again.
    Replay {
        /// After this position.
        after: i64,
        /// Up to this one.
        to: i64,
    },
    /// Send one event again.
    Resend {
        /// Its position.
        position: i64,
    },
    /// Send a test.
    Test,
    /// Delete it.
    Delete,
}

/// Why a command on an endpoint was refused; nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// There is no such endpoint.
    #[error("there is no such webhook")]
    NotFound,
    /// Nothing is sent to it.
    #[error("the webhook is disabled; enable it first")]
    Disabled,
}

impl Webhook {
    /// Its URL and the events that it gets; nothing before it was created.
    pub fn settings(&self) -> Option<&WebhookSettings> {
        self.settings.as_ref()
    }

    fn decide(&self, command: WebhookCommand) -> Result<Vec<WebhookEvent>, WebhookError> {
        let Some(settings) = &self.settings else {
            return match command {
                WebhookCommand::Create(settings) => Ok(vec![WebhookEvent::WebhookCreated { settings }]),
                _ => Err(WebhookError::NotFound),
            };
        };
        if self.deleted {
            return match command {
                WebhookCommand::Delete => Ok(Vec::new()),
                _ => Err(WebhookError::NotFound),
            };
        }
        let must_be_enabled = matches!(
            command,
            WebhookCommand::Replay { .. } | WebhookCommand::Resend { .. } | WebhookCommand::Test
        );
        if must_be_enabled && self.disabled {
            return Err(WebhookError::Disabled);
        }
        Ok(match command {
            WebhookCommand::Create(_) => Vec::new(),
            WebhookCommand::Change(new) if new == *settings => Vec::new(),
            WebhookCommand::Change(settings) => vec![WebhookEvent::WebhookChanged { settings }],
            WebhookCommand::RotateSecret => vec![WebhookEvent::WebhookSecretRotated {}],
            WebhookCommand::Disable { .. } if self.disabled => Vec::new(),
            WebhookCommand::Disable {
                reason,
                position,
                error,
            } => vec![WebhookEvent::WebhookDisabled {
                reason,
                position,
                error,
            }],
            WebhookCommand::Enable if !self.disabled => Vec::new(),
            WebhookCommand::Enable => vec![WebhookEvent::WebhookEnabled {}],
            WebhookCommand::Replay { after, to } => vec![WebhookEvent::WebhookReplayRequested { after, to }],
            WebhookCommand::Resend { position } => vec![WebhookEvent::WebhookResendRequested { position }],
            WebhookCommand::Test => vec![WebhookEvent::WebhookTested {}],
            WebhookCommand::Delete => vec![WebhookEvent::WebhookDeleted {}],
        })
    }
}

impl Aggregate for Webhook {
    const TYPE: &'static str = StreamType::Webhook.as_str();
    type Command = WebhookCommand;
    type Event = WebhookEvent;
    type Error = WebhookError;
    type Services = ();

    async fn handle(
        &mut self,
        command: WebhookCommand,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), WebhookError> {
        for event in self.decide(command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: WebhookEvent) {
        match event {
            WebhookEvent::WebhookCreated { settings } | WebhookEvent::WebhookChanged { settings } => {
                self.settings = Some(settings);
            }
            WebhookEvent::WebhookDisabled { .. } => self.disabled = true,
            WebhookEvent::WebhookEnabled {} => self.disabled = false,
            WebhookEvent::WebhookDeleted {} => self.deleted = true,
            WebhookEvent::WebhookSecretRotated {}
            | WebhookEvent::WebhookReplayRequested { .. }
            | WebhookEvent::WebhookResendRequested { .. }
            | WebhookEvent::WebhookTested {} => {}
        }
    }
}
