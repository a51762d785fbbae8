//! Every state × command pair.

use super::*;

fn list() -> BodyRef {
    BodyRef {
        digest: "00".into(),
        bytes: 2,
        items: 1,
    }
}

fn request() -> BatchCommand {
    BatchCommand::Request {
        total: 3,
        options: BatchOptions::new(None, None),
        items: list(),
        monitor: None,
    }
}

fn reopen() -> BatchCommand {
    BatchCommand::Reopen {
        total: 1,
        scans: Some(list()),
    }
}

fn expand(round: u32) -> BatchCommand {
    BatchCommand::Expand { round }
}

fn complete(round: u32) -> BatchCommand {
    BatchCommand::Complete { round }
}

fn after(commands: &[BatchCommand]) -> BatchScan {
    let mut batch = BatchScan::default();
    for command in commands {
        if let Some(event) = batch.decide(command.clone()).unwrap() {
            batch.apply(event);
        }
    }
    batch
}

#[test]
fn every_state_answers_every_command() {
    use BatchError as E;
    let states = [
        BatchScan::default(),
        after(&[request()]),
        after(&[request(), expand(1), complete(1)]),
        after(&[request(), expand(1), BatchCommand::Cancel]),
        after(&[request(), expand(1), complete(1), reopen()]),
    ];
    let (none, some) = (Ok(None), |name: &str| Ok(Some(name.to_owned())));
    let table = [
        (
            request(),
            [
                some("BatchRequested"),
                none.clone(),
                none.clone(),
                none.clone(),
                none.clone(),
            ],
        ),
        (
            BatchCommand::Cancel,
            [
                Err(E::NotFound),
                some("BatchCancelled"),
                Err(E::CannotCancel),
                none.clone(),
                some("BatchCancelled"),
            ],
        ),
        (
            reopen(),
            [
                Err(E::NotFound),
                none.clone(),
                some("BatchReopened"),
                Err(E::WasCancelled),
                none.clone(),
            ],
        ),
        (
            expand(1),
            [
                Err(E::NotFound),
                some("BatchExpanded"),
                none.clone(),
                none.clone(),
                none.clone(),
            ],
        ),
        (
            complete(1),
            [
                Err(E::NotFound),
                some("BatchCompleted"),
                none.clone(),
                none.clone(),
                none.clone(),
            ],
        ),
        (
            complete(2),
            [
                Err(E::NotFound),
                none.clone(),
                none.clone(),
                none.clone(),
                some("BatchCompleted"),
            ],
        ),
    ];
    for (command, expected) in table {
        for (state, expected) in states.iter().zip(expected) {
            let decision = state.decide(command.clone());
            let name = decision.map(|event| event.map(|event| cqrs_es::DomainEvent::event_type(&event)));
            assert_eq!(name, expected, "{command:?} on {state:?}");
        }
    }
}

#[test]
fn there_must_be_something_to_retry() {
    let ended = after(&[request(), expand(1), complete(1)]);
    let nothing = BatchCommand::Reopen {
        total: 0,
        scans: Some(list()),
    };
    assert_eq!(ended.decide(nothing), Err(BatchError::NothingToRetry));
}

#[test]
fn one_scan_can_be_retried_while_the_batch_runs_and_the_round_before_no_longer_ends_it() {
    let one = BatchCommand::Reopen {
        total: 1,
        scans: None,
    };
    let batch = after(&[request(), one]);
    assert_eq!(batch.round(), 2);
    assert_eq!(batch.decide(complete(1)), Ok(None));
    assert!(matches!(
        batch.decide(expand(1)),
        Ok(Some(BatchEvent::BatchExpanded { round: 1 }))
    ));
}

#[test]
fn a_batch_can_be_reopened_and_ended_again_and_again() {
    let mut commands = vec![request()];
    for round in 1..=3 {
        commands.extend([expand(round), complete(round), reopen()]);
    }
    assert_eq!(after(&commands).round(), 4);
}
