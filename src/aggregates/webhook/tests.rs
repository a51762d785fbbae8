//! The decisions of a webhook in each state.

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
