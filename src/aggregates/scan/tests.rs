//! Every state × command pair, and the life as a whole.

use std::time::Duration;

use super::*;
use crate::values::BodyRef;

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap()
}

fn request() -> ScanCommand {
    ScanCommand::Request {
        domain: DomainName::parse("example.com").unwrap(),
        origin: None,
        options: ScanOptions::default(),
    }
}

fn start(fence: i64, second: i64) -> ScanCommand {
    ScanCommand::Start {
        fence,
        worker: "w".into(),
        now: at(second),
    }
}

fn complete(attempt: u32) -> ScanCommand {
    let findings = BodyRef {
        digest: "00".into(),
        bytes: 2,
        items: 1,
    };
    let outcome = AttemptOutcome::Completed {
        findings,
        revisit: None,
        totals: ScanTotals::default(),
    };
    ScanCommand::Record {
        attempt,
        read: Vec::new(),
        outcome,
        change: None,
        now: at(1),
    }
}

fn fail(attempt: u32, is_transient: bool, second: i64) -> ScanCommand {
    let (reason, error) = (FailureReason::Timeout, "slow".to_owned());
    let outcome = AttemptOutcome::Failed {
        reason,
        error,
        is_transient,
        cooldown: Duration::ZERO,
    };
    ScanCommand::Record {
        attempt,
        read: Vec::new(),
        outcome,
        change: None,
        now: at(second),
    }
}

/// Plays commands, each of which must be accepted.
fn after(commands: impl IntoIterator<Item = ScanCommand>) -> DomainScan {
    let mut scan = DomainScan::default();
    for command in commands {
        for event in scan.decide(command).unwrap() {
            scan.apply(event);
        }
    }
    scan
}

fn pending() -> DomainScan {
    after([request()])
}
fn running() -> DomainScan {
    after([request(), start(1, 0)])
}
fn completed() -> DomainScan {
    after([request(), start(1, 0), complete(1)])
}
fn failed() -> DomainScan {
    after([request(), start(1, 0), fail(1, false, 1)])
}
fn cancelled() -> DomainScan {
    after([request(), ScanCommand::Cancel])
}

/// The types of the events of a decision.
type Names = Result<Vec<String>, ScanError>;

fn names(decision: Decision) -> Names {
    decision.map(|events| events.iter().map(cqrs_es::DomainEvent::event_type).collect())
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn every_state_answers_every_command() {
    use ScanError as E;
    use ScanStatus as S;
    let ok = |events: &[&str]| Ok(events.iter().map(|&e| e.to_owned()).collect::<Vec<_>>());
    let retry = ScanCommand::Retry { round: None };
    let states = [
        DomainScan::default(),
        pending(),
        running(),
        completed(),
        failed(),
        cancelled(),
    ];
    let table: Vec<(ScanCommand, [Names; 6])> = vec![
        (
            request(),
            [
                ok(&["ScanRequested"]),
                ok(&[]),
                ok(&[]),
                ok(&[]),
                ok(&[]),
                ok(&[]),
            ],
        ),
        (
            ScanCommand::Refuse {
                input: "example.com".into(),
                error: "no".into(),
                origin: None,
            },
            [
                ok(&["ScanRequested", "ScanFailed"]),
                ok(&[]),
                ok(&[]),
                ok(&[]),
                ok(&[]),
                ok(&[]),
            ],
        ),
        (
            start(2, 5),
            [
                Err(E::NotFound),
                ok(&["ScanStarted"]),
                ok(&["ScanAbandoned", "ScanStarted"]),
                Err(E::Ended(S::Completed)),
                Err(E::Ended(S::Failed)),
                Err(E::Ended(S::Cancelled)),
            ],
        ),
        (
            complete(1),
            [
                Err(E::NotFound),
                Err(E::Superseded(1)),
                ok(&["ScanCompleted"]),
                ok(&[]),
                ok(&[]),
                Err(E::Superseded(1)),
            ],
        ),
        (
            fail(1, true, 1),
            [
                Err(E::NotFound),
                Err(E::Superseded(1)),
                ok(&["ScanAttemptFailed"]),
                ok(&[]),
                ok(&[]),
                Err(E::Superseded(1)),
            ],
        ),
        (
            ScanCommand::Cancel,
            [
                Err(E::NotFound),
                ok(&["ScanCancelled"]),
                ok(&["ScanCancelled"]),
                Err(E::CannotCancel(S::Completed)),
                Err(E::CannotCancel(S::Failed)),
                ok(&[]),
            ],
        ),
        (
            retry,
            [
                Err(E::NotFound),
                Err(E::CannotRetry(S::Pending)),
                Err(E::CannotRetry(S::Running)),
                Err(E::CannotRetry(S::Completed)),
                ok(&["ScanRetried"]),
                ok(&["ScanRetried"]),
            ],
        ),
    ];
    for (command, expected) in table {
        for (state, expected) in states.iter().zip(expected) {
            assert_eq!(
                names(state.decide(command.clone())),
                expected,
                "{command:?} on {:?}",
                state.status()
            );
        }
    }
}

#[test]
fn a_start_under_the_same_lease_is_a_repeat_and_under_an_older_one_is_refused() {
    let scan = after([request(), start(5, 0)]);
    assert_eq!(scan.decide(start(5, 1)), Ok(vec![]));
    assert_eq!(scan.decide(start(4, 1)), Err(ScanError::Superseded(1)));
}

#[test]
fn an_abandoned_attempt_can_no_longer_record_anything() {
    let scan = after([request(), start(1, 0), start(2, 60)]);
    assert_eq!(scan.attempt(), 2);
    assert_eq!(scan.decide(complete(1)), Err(ScanError::Superseded(1)));
    assert_eq!(
        names(scan.decide(complete(2))),
        Ok(vec!["ScanCompleted".to_owned()])
    );
}

#[test]
fn a_transient_failure_is_tried_three_times_with_growing_pauses_and_then_fails() {
    let scan = after([request(), start(1, 0), fail(1, true, 1)]);
    assert_eq!(scan.status(), Some(ScanStatus::Pending));
    let scan = after([request(), start(1, 0), fail(1, true, 1), start(2, 3)]);
    let Ok(events) = scan.decide(fail(2, true, 4)) else {
        panic!()
    };
    assert!(matches!(&events[..], [ScanEvent::ScanAttemptFailed { retry_at, .. }] if *retry_at == at(12)));
    let scan = after([
        request(),
        start(1, 0),
        fail(1, true, 1),
        start(2, 3),
        fail(2, true, 4),
        start(3, 12),
    ]);
    assert_eq!(
        names(scan.decide(fail(3, true, 13))),
        Ok(vec!["ScanFailed".to_owned()])
    );
}

#[test]
fn no_attempt_begins_after_the_deadline() {
    let late = after([request(), start(1, 0)])
        .decide(fail(1, true, 239))
        .unwrap();
    assert!(matches!(
        &late[..],
        [ScanEvent::ScanFailed {
            reason: FailureReason::Timeout,
            ..
        }]
    ));
}

#[test]
fn time_in_which_no_worker_lived_does_not_count_against_the_deadline() {
    let scan = after([request(), start(1, 0), start(2, 1000)]);
    assert_eq!(scan.deadline_at(), Some(at(1240)));
    let scan = after([request(), start(1, 0), fail(1, true, 1), start(2, 3)]);
    assert_eq!(scan.deadline_at(), Some(at(240)));
}

#[test]
fn a_clock_that_was_ahead_gives_no_attempt_more_time_than_a_round_has() {
    let (ten_years, failed) = (315_360_000, |now| fail(1, true, now));
    let scan = after([request(), start(1, ten_years), failed(ten_years + 1), start(2, 3)]);
    assert_eq!(scan.deadline_at(), Some(at(243)));
    let back_by_an_hour = after([request(), start(1, 3600), failed(3601), start(2, 5)]);
    assert_eq!(back_by_an_hour.deadline_at(), Some(at(245)));
}

#[test]
fn a_site_may_ask_for_a_longer_pause_and_gets_no_attempt_after_the_deadline() {
    let after_failing = |seconds| {
        let outcome = AttemptOutcome::Failed {
            reason: FailureReason::HttpStatus,
            error: "429".into(),
            is_transient: true,
            cooldown: Duration::from_secs(seconds),
        };
        let command = ScanCommand::Record {
            attempt: 1,
            read: Vec::new(),
            outcome,
            change: None,
            now: at(0),
        };
        running().decide(command).unwrap().pop().unwrap()
    };
    for (asked, waits) in [(1, 2), (30, 30), (200, 200)] {
        let event = after_failing(asked);
        assert!(
            matches!(event, ScanEvent::ScanAttemptFailed { retry_at, .. } if retry_at == at(waits)),
            "{event:?}"
        );
    }
    for asked in [240, 300, u64::MAX] {
        let event = after_failing(asked);
        assert!(matches!(event, ScanEvent::ScanFailed { .. }), "{event:?}");
    }
}

#[test]
fn a_scan_that_kills_worker_after_worker_ends_failed() {
    let starts = (1..=i64::from(MAX_ABANDONED) + 1).map(|fence| start(fence, fence));
    let scan = after(std::iter::once(request()).chain(starts));
    let last = names(scan.decide(start(1000, 1000)));
    assert_eq!(
        last,
        Ok(vec!["ScanAbandoned".to_owned(), "ScanFailed".to_owned()])
    );
}

#[test]
fn a_retry_begins_a_new_round_and_its_repeat_changes_nothing() {
    let scan = after([
        request(),
        start(1, 0),
        fail(1, false, 1),
        ScanCommand::Retry { round: Some(1) },
    ]);
    assert_eq!(scan.decide(ScanCommand::Retry { round: Some(1) }), Ok(vec![]));
    assert_eq!(scan.decide(ScanCommand::Retry { round: None }), Ok(vec![]));
    let mut again = scan.clone();
    again.apply(ScanEvent::ScanCancelled {
        domain: "example.com".into(),
        batch_id: None,
        attempt: 1,
    });
    assert_eq!(
        again.decide(ScanCommand::Retry { round: Some(1) }),
        Ok(vec![]),
        "of a round that is long over"
    );
}

#[test]
fn a_retry_keeps_to_the_limit_of_its_batch() {
    let origin = Some(BatchOrigin {
        batch_id: BatchId(uuid::Uuid::nil()),
        line: 1,
        max_concurrent: 7,
    });
    let domain = DomainName::parse("example.com").unwrap();
    let scan = after([
        ScanCommand::Request {
            domain,
            origin,
            options: ScanOptions::default(),
        },
        ScanCommand::Cancel,
    ]);
    let retried = scan.decide(ScanCommand::Retry { round: None }).unwrap();
    assert_eq!(retried[0].max_concurrent(), Some(7));
}

#[test]
fn a_refused_input_cannot_be_retried() {
    let refused = ScanCommand::Refuse {
        input: "no domain".into(),
        error: "no".into(),
        origin: None,
    };
    let scan = after([refused]);
    assert_eq!(scan.status(), Some(ScanStatus::Failed));
    assert_eq!(
        scan.decide(ScanCommand::Retry { round: None }),
        Err(ScanError::CannotRetry(ScanStatus::Failed))
    );
}

#[test]
fn one_id_is_not_two_scans() {
    let domain = DomainName::parse("example.org").unwrap();
    let other = ScanCommand::Request {
        domain,
        origin: None,
        options: ScanOptions::default(),
    };
    assert_eq!(
        pending().decide(other),
        Err(ScanError::IdTaken("example.com".into()))
    );
}

#[test]
fn handle_writes_what_decide_says_into_the_sink() {
    let sink = EventSink::default();
    let mut scan = pending();
    futures::executor::block_on(scan.handle(start(1, 0), &(), &sink)).unwrap();
    assert_eq!(scan.status(), Some(ScanStatus::Running));
    assert_eq!(futures::executor::block_on(sink.collect()).len(), 1);
}

#[test]
fn what_was_found_is_erased_once_and_the_status_stays() {
    let mut scan = completed();
    let erased = scan.decide(ScanCommand::Erase).unwrap();
    assert!(
        matches!(
            &erased[..],
            [ScanEvent::ScanErased {
                status: ScanStatus::Completed,
                ..
            }]
        ),
        "{erased:?}"
    );
    scan.apply(erased[0].clone());
    assert_eq!(scan.status(), Some(ScanStatus::Completed));
    assert_eq!(scan.decide(ScanCommand::Erase), Ok(Vec::new()));
}

#[test]
fn a_scan_that_found_nothing_yet_has_nothing_to_erase() {
    for scan in [pending(), running(), failed(), cancelled()] {
        assert_eq!(scan.decide(ScanCommand::Erase), Ok(Vec::new()));
    }
    assert_eq!(
        DomainScan::default().decide(ScanCommand::Erase),
        Err(ScanError::NotFound)
    );
}

#[test]
fn what_a_failed_attempt_read_is_erased_and_the_next_attempt_goes_on() {
    let urls = BodyRef {
        digest: "00".into(),
        bytes: 2,
        items: 1,
    };
    let read = ReadFact::Sitemap {
        url: "https://example.com/sitemap.xml".into(),
        kind: crate::values::sitemap::SitemapKind::Urlset,
        status: 200,
        not_modified: false,
        bytes: 2,
        entries: 1,
        urls: Some(urls),
        problems: Vec::new(),
    };
    let mut failing = fail(1, true, 1);
    if let ScanCommand::Record { read: facts, .. } = &mut failing {
        facts.push(read);
    }
    let scan = after([request(), start(1, 0), failing, ScanCommand::Erase]);
    assert_eq!(scan.status(), Some(ScanStatus::Pending));
    assert_eq!(
        names(scan.decide(start(2, 3))),
        Ok(vec!["ScanStarted".to_owned()])
    );
    assert_eq!(scan.decide(ScanCommand::Erase), Ok(Vec::new()));
}

/// The scan of a domain that was scanned before and is different now.
fn changed(mut command: ScanCommand) -> ScanCommand {
    if let ScanCommand::Record { change, .. } = &mut command {
        let status = StatusChange {
            before: ScanStatus::Completed,
            after: ScanStatus::Failed,
            reason: Some(FailureReason::Timeout),
        };
        *change = Some(Box::new(DomainChange {
            previous_scan_id: crate::values::ScanId(uuid::Uuid::nil()),
            fields: vec!["status".to_owned()],
            status: Some(status),
            values: None,
            urls: None,
        }));
    }
    command
}

#[test]
fn a_change_is_told_once_right_before_the_end_of_the_scan_and_by_no_attempt_that_is_not_the_last() {
    let event_names = |scan: &DomainScan, command| names(scan.decide(changed(command)));
    let ok = |events: &[&str]| Ok(events.iter().map(|&event| event.to_owned()).collect::<Vec<_>>());
    assert_eq!(
        event_names(&running(), complete(1)),
        ok(&["DomainChanged", "ScanCompleted"])
    );
    assert_eq!(
        event_names(&running(), fail(1, false, 1)),
        ok(&["DomainChanged", "ScanFailed"])
    );
    assert_eq!(
        event_names(&running(), fail(1, true, 1)),
        ok(&["ScanAttemptFailed"])
    );
    assert_eq!(event_names(&completed(), complete(1)), ok(&[]), "a repeat");
}
