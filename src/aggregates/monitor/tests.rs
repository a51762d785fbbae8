//! The decisions of a monitor in each state.

use super::*;
use crate::values::BatchOptions;
use crate::values::monitor::DomainSelection;
use crate::values::rhythm::Zone;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn settings(rhythm: &str) -> MonitorSettings {
    MonitorSettings {
        name: "Shops".to_owned(),
        list: None,
        filter: Some(DomainSelection::default()),
        rhythm: rhythm.parse().unwrap(),
        time_zone: Zone::UTC,
        options: BatchOptions::new(None, None),
        fields: Vec::new(),
    }
}

fn create() -> MonitorCommand {
    MonitorCommand::Create {
        settings: settings("daily"),
        now: at("2026-11-29T00:00:00Z"),
    }
}

fn run(slot: &str, now: &str) -> MonitorCommand {
    let slot = Slot {
        at: at(slot),
        missed: 2,
    };
    MonitorCommand::Run {
        slot: Some(slot),
        batch: BatchId(uuid::Uuid::from_u128(1)),
        total: 3,
        now: at(now),
    }
}

fn skip(slot: &str, now: &str) -> MonitorCommand {
    MonitorCommand::Skip {
        slot: Slot {
            at: at(slot),
            missed: 0,
        },
        reason: SkipReason::StillRunning,
        now: at(now),
    }
}

fn after(commands: &[MonitorCommand]) -> Monitor {
    let mut monitor = Monitor::default();
    for command in commands {
        if let Some(event) = monitor.decide(command.clone()).unwrap() {
            monitor.apply(event);
        }
    }
    monitor
}

fn name(decision: Result<Option<MonitorEvent>, MonitorError>) -> Result<Option<&'static str>, MonitorError> {
    decision.map(|event| event.map(|event| event.kind().as_str()))
}

#[test]
fn every_state_answers_every_command() {
    let missing = Err(MonitorError::NotFound);
    let states = [
        Monitor::default(),
        after(&[create()]),
        after(&[create(), MonitorCommand::Pause]),
        after(&[create(), MonitorCommand::Delete]),
    ];
    let now = at("2026-12-01T00:00:00Z");
    let by_hand = MonitorCommand::Run {
        slot: None,
        batch: BatchId(uuid::Uuid::from_u128(2)),
        total: 1,
        now,
    };
    let change = MonitorCommand::Change {
        settings: settings("hourly"),
        now,
    };
    let slot = "2026-11-30T03:00:00Z";
    let table = [
        (
            create(),
            [Ok(Some("MonitorCreated")), Ok(None), Ok(None), missing],
        ),
        (
            change,
            [
                missing,
                Ok(Some("MonitorChanged")),
                Ok(Some("MonitorChanged")),
                missing,
            ],
        ),
        (
            MonitorCommand::Pause,
            [missing, Ok(Some("MonitorPaused")), Ok(None), missing],
        ),
        (
            MonitorCommand::Resume { now },
            [missing, Ok(None), Ok(Some("MonitorResumed")), missing],
        ),
        (
            run(slot, slot),
            [missing, Ok(Some("MonitorRan")), Ok(None), missing],
        ),
        (
            skip(slot, slot),
            [missing, Ok(Some("MonitorSkipped")), Ok(None), Ok(None)],
        ),
        (
            by_hand,
            [missing, Ok(Some("MonitorRan")), Ok(Some("MonitorRan")), missing],
        ),
        (
            MonitorCommand::Delete,
            [
                missing,
                Ok(Some("MonitorDeleted")),
                Ok(Some("MonitorDeleted")),
                Ok(None),
            ],
        ),
    ];
    for (command, expected) in table {
        for (state, expected) in states.iter().zip(expected) {
            assert_eq!(
                name(state.decide(command.clone())),
                expected,
                "{command:?} on {state:?}"
            );
        }
    }
}

#[test]
fn no_time_has_two_runs() {
    let slot = "2026-11-30T03:00:00Z";
    let monitor = after(&[create(), run(slot, slot)]);
    assert_eq!(name(monitor.decide(run(slot, slot))), Ok(None));
    assert_eq!(name(monitor.decide(skip(slot, slot))), Ok(None));
    let earlier = run("2026-11-29T03:00:00Z", slot);
    assert_eq!(name(monitor.decide(earlier)), Ok(None));
    let next = "2026-12-01T03:00:00Z";
    assert_eq!(name(monitor.decide(run(next, next))), Ok(Some("MonitorRan")));
}

#[test]
fn a_skipped_time_is_handled() {
    let slot = "2026-11-30T03:00:00Z";
    let monitor = after(&[create(), skip(slot, slot)]);
    assert_eq!(name(monitor.decide(run(slot, slot))), Ok(None));
}

#[test]
fn a_run_by_hand_leaves_the_rhythm_as_it_is() {
    let now = at("2026-12-05T00:00:00Z");
    let by_hand = MonitorCommand::Run {
        slot: None,
        batch: BatchId(uuid::Uuid::from_u128(2)),
        total: 1,
        now,
    };
    let monitor = after(&[create(), by_hand]);
    assert_eq!(monitor.last(), Some(at("2026-11-29T00:00:00Z")));
    assert_eq!(monitor.batch(), Some(BatchId(uuid::Uuid::from_u128(2))));
}

#[test]
fn what_ran_under_a_clock_far_ahead_stops_nothing() {
    let ahead = "2036-01-01T03:00:00Z";
    let monitor = after(&[create(), run(ahead, ahead)]);
    let slot = "2026-11-30T03:00:00Z";
    assert_eq!(name(monitor.decide(run(slot, slot))), Ok(Some("MonitorRan")));
    let right = after(&[create(), run(ahead, ahead), run(slot, slot)]);
    assert_eq!(right.last(), Some(at(slot)));
    assert_eq!(name(right.decide(run(slot, slot))), Ok(None));
}

#[test]
fn only_another_rhythm_begins_anew_and_a_pause_is_not_made_up() {
    let now = at("2026-12-05T00:00:00Z");
    let renamed = MonitorSettings {
        name: "Others".to_owned(),
        ..settings("daily")
    };
    let renamed = MonitorCommand::Change {
        settings: renamed,
        now,
    };
    let monitor = after(&[create(), renamed]);
    assert_eq!(monitor.last(), Some(at("2026-11-29T00:00:00Z")));
    let hourly = MonitorCommand::Change {
        settings: settings("hourly"),
        now,
    };
    assert_eq!(after(&[create(), hourly]).last(), Some(now));
    let resumed = after(&[create(), MonitorCommand::Pause, MonitorCommand::Resume { now }]);
    assert_eq!(resumed.last(), Some(now));
}
