//! A tenant: its keys and quotas, as far as events describe them. The hashes of keys are in no event; a command
//! changes the table in `access` and appends the event in one transaction.

mod event;

use std::collections::BTreeSet;
use std::convert::Infallible;

use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};

pub use event::TenantEvent;

use crate::values::TenantSettings;

/// The state of one tenant.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tenant {
    revoked_keys: BTreeSet<String>,
    /// `None` until they were changed for the first time since events describe them.
    settings: Option<TenantSettings>,
}

/// A command on one tenant; none is refused.
#[derive(Clone, Debug, PartialEq)]
pub enum TenantCommand {
    /// Record a new key.
    CreateKey(TenantEvent),
    /// Record that a key was revoked.
    RevokeKey {
        /// Its visible part.
        key_id: String,
    },
    /// Record changed quotas.
    ChangeSettings(TenantSettings),
    /// Record that the sessions of a person were ended.
    SignOut {
        /// The person.
        person: String,
    },
}

impl Tenant {
    fn decide(&self, command: TenantCommand) -> Option<TenantEvent> {
        match command {
            TenantCommand::CreateKey(created) => Some(created),
            TenantCommand::RevokeKey { key_id } => {
                let is_known = self.revoked_keys.contains(&key_id);
                (!is_known).then_some(TenantEvent::KeyRevoked { key_id })
            }
            TenantCommand::ChangeSettings(settings) => {
                let is_same = self.settings.as_ref() == Some(&settings);
                (!is_same).then_some(TenantEvent::TenantSettingsChanged { settings })
            }
            TenantCommand::SignOut { person } => Some(TenantEvent::PersonSignedOut { person }),
        }
    }
}

impl Aggregate for Tenant {
    const TYPE: &'static str = "tenant";
    type Command = TenantCommand;
    type Event = TenantEvent;
    type Error = Infallible;
    type Services = ();

    async fn handle(
        &mut self,
        command: TenantCommand,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), Infallible> {
        if let Some(event) = self.decide(command) {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: TenantEvent) {
        match event {
            TenantEvent::KeyRevoked { key_id } => {
                self.revoked_keys.insert(key_id);
            }
            TenantEvent::TenantSettingsChanged { settings } => self.settings = Some(settings),
            TenantEvent::KeyCreated { .. } | TenantEvent::PersonSignedOut { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_nothing_is_not_told_again() {
        let mut tenant = Tenant::default();
        let revoke = |key: &str| TenantCommand::RevokeKey {
            key_id: key.to_owned(),
        };
        let quota = |urls| {
            TenantCommand::ChangeSettings(TenantSettings {
                max_stored_urls: urls,
                ..TenantSettings::default()
            })
        };
        let emits: Vec<bool> = [
            revoke("a"),
            revoke("a"),
            revoke("b"),
            quota(None),
            quota(None),
            quota(Some(5)),
            quota(Some(5)),
            quota(None),
        ]
        .into_iter()
        .map(|command| {
            let event = tenant.decide(command);
            event.clone().into_iter().for_each(|event| tenant.apply(event));
            event.is_some()
        })
        .collect();
        assert_eq!(emits, [true, false, true, true, false, true, false, true]);
    }
}
