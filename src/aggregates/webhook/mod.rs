//! A webhook. Its position in the log is not decided here: it follows from the deliveries (`webhooks`).

mod event;

use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};

pub use event::{DisableReason, WebhookEvent};

use crate::values::event_type::StreamType;
use crate::values::webhook::WebhookSettings;

/// The state of one endpoint.
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
    /// Change its settings.
    Change(WebhookSettings),
    /// Record that it has a new secret.
    RotateSecret,
    /// Disable it: nothing more is sent to it.
    Disable {
        /// The reason.
        reason: DisableReason,
        /// The event that could not be delivered.
        position: Option<i64>,
        /// The result of the last attempt.
        error: Option<String>,
    },
    /// Enable it: it resumes where it stopped.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::webhook::WebhookTopic;

    fn settings() -> WebhookSettings {
        WebhookSettings {
            url: "https://hook.test/".to_owned(),
            events: vec![WebhookTopic::DomainChanged],
            ..WebhookSettings::default()
        }
    }

    fn after(commands: impl IntoIterator<Item = WebhookCommand>) -> Webhook {
        let mut webhook = Webhook::default();
        for command in commands {
            for event in webhook.decide(command).unwrap() {
                webhook.apply(event);
            }
        }
        webhook
    }

    fn disable() -> WebhookCommand {
        WebhookCommand::Disable {
            reason: DisableReason::Gone,
            position: Some(7),
            error: Some("410".to_owned()),
        }
    }

    #[test]
    fn every_state_answers_every_command() {
        use WebhookCommand as C;
        let create = || C::Create(settings());
        let states = [
            Webhook::default(),
            after([create()]),
            after([create(), disable()]),
            after([create(), C::Delete]),
        ];
        let (one, nothing) = (Ok(1), Ok(0));
        let (gone, disabled) = (Err(WebhookError::NotFound), Err(WebhookError::Disabled));
        for (command, expected) in [
            (create(), [one, nothing, nothing, gone]),
            (C::Change(settings()), [gone, nothing, nothing, gone]),
            (C::RotateSecret, [gone, one, one, gone]),
            (disable(), [gone, one, nothing, gone]),
            (C::Enable, [gone, nothing, one, gone]),
            (C::Replay { after: 0, to: 9 }, [gone, one, disabled, gone]),
            (C::Resend { position: 9 }, [gone, one, disabled, gone]),
            (C::Test, [gone, one, disabled, gone]),
            (C::Delete, [gone, one, one, nothing]),
        ] {
            for (state, expected) in states.iter().zip(expected) {
                let decided = state.decide(command.clone()).map(|events| events.len());
                assert_eq!(decided, expected, "{command:?} on {state:?}");
            }
        }
    }

    #[test]
    fn changed_settings_are_those_from_then_on() {
        let other = WebhookSettings {
            description: Some("other".to_owned()),
            ..settings()
        };
        let webhook = after([
            WebhookCommand::Create(settings()),
            WebhookCommand::Change(other.clone()),
        ]);
        assert_eq!(webhook.settings(), Some(&other));
    }
}
