//! Compares the log and its read models with a small model of them: random histories of appends, conflicts, repeated
//! commands, rebuilds, rollbacks, kills and lost leases. Also compares with the upstream library, which does not know
//! our code. `PROPTEST_CASES` sets the number of histories.

mod interleaving;
mod reference;
mod system;
mod upstream;

use std::time::Duration;

use chrono::{DateTime, Utc};
use proptest::test_runner::Config;
use proptest_state_machine::{StateMachineTest, prop_state_machine};
use sitelog::aggregates::scan::{AttemptOutcome, BatchOrigin, ScanTotals};
use sitelog::aggregates::{DomainScan, ScanCommand, ScanEvent};
use sitelog::values::{BatchId, BodyRef, DomainName, FailureReason, ScanId, ScanOptions};
use uuid::Uuid;

use reference::{Model, Transition};
use system::System;

/// Scans of a history; those with an even number belong to one batch.
const SCANS: usize = 8;
/// Domains that they are of.
const DOMAINS: usize = 3;
/// Histories in the suite.
const CASES: u32 = 8;

fn config() -> Config {
    let asked = std::env::var("PROPTEST_CASES").ok();
    Config {
        cases: asked.map_or(CASES, |text| text.parse().unwrap()),
        // Each try is a history of its own in a database of its own.
        max_shrink_iters: 60,
        failure_persistence: None,
        ..Config::default()
    }
}

prop_state_machine! {
    #![proptest_config(config())]
    #[test]
    fn the_log_and_its_read_models_are_what_the_model_says(sequential 1..24 => System);
}

impl StateMachineTest for System {
    type SystemUnderTest = Self;
    type Reference = Model;

    fn init_test(_: &Model) -> Self {
        Self::start()
    }

    fn apply(mut system: Self, model: &Model, transition: Transition) -> Self {
        system.apply(model, &transition);
        system
    }

    fn check_invariants(system: &Self, model: &Model) {
        system.check(model);
    }

    fn teardown(system: Self, model: Model) {
        system.check_at_the_end(&model);
    }
}

fn scan_id(scan: usize) -> ScanId {
    ScanId(Uuid::from_u128(0x5ca0 + u128::try_from(scan).unwrap()))
}

fn batch_id() -> BatchId {
    BatchId(Uuid::from_u128(0xba7c))
}

fn domain(scan: usize) -> String {
    format!("site-{}.example", scan % DOMAINS)
}

/// A moment; in these histories time does not pass.
fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

/// The commands for a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Request,
    Start,
    Complete,
    Fail,
    FailForNow,
    Cancel,
    Retry,
}

impl Action {
    /// Frequent commands are listed more than once.
    const ALL: [Self; 9] = [
        Self::Request,
        Self::Start,
        Self::Complete,
        Self::Complete,
        Self::Complete,
        Self::Fail,
        Self::FailForNow,
        Self::Cancel,
        Self::Retry,
    ];

    /// As a command on a scan as it is.
    fn command(self, scan: usize, state: &DomainScan) -> ScanCommand {
        let attempt = state.attempt();
        let record = |outcome| ScanCommand::Record {
            attempt,
            read: Vec::new(),
            outcome,
            change: None,
            now: now(),
        };
        let failed = |is_transient| AttemptOutcome::Failed {
            reason: FailureReason::Timeout,
            error: "silent".into(),
            is_transient,
            cooldown: Duration::ZERO,
        };
        match self {
            Self::Request => ScanCommand::Request {
                domain: DomainName::parse(&domain(scan)).unwrap(),
                origin: scan.is_multiple_of(2).then(|| BatchOrigin {
                    batch_id: batch_id(),
                    line: u32::try_from(scan + 1).unwrap(),
                    max_concurrent: 50,
                }),
                options: ScanOptions::default(),
            },
            Self::Start => ScanCommand::Start {
                fence: i64::from(attempt) + 1,
                worker: "worker:model".into(),
                now: now(),
            },
            Self::Complete => record(AttemptOutcome::Completed {
                findings: findings(u64::from(attempt)),
                revisit: None,
                totals: ScanTotals::default(),
            }),
            Self::Fail => record(failed(false)),
            Self::FailForNow => record(failed(true)),
            Self::Cancel => ScanCommand::Cancel,
            Self::Retry => ScanCommand::Retry { round: None },
        }
    }

    /// What follows from it; empty if nothing does.
    fn events(self, scan: usize, state: &DomainScan) -> Vec<ScanEvent> {
        state.decide(self.command(scan, state)).unwrap_or_default()
    }
}

/// A placeholder for the findings of an attempt; the digest is known when it is written.
fn findings(attempt: u64) -> BodyRef {
    BodyRef {
        digest: String::new(),
        bytes: 0,
        items: attempt,
    }
}

/// What is found at an attempt.
fn title(scan: usize, attempt: u64) -> String {
    format!("scan {scan}, attempt {attempt}")
}
