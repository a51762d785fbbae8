//! The model: a list of events, a map of keys, and the live generation of each read model.

use std::collections::BTreeMap;

use cqrs_es::Aggregate;
use proptest::prelude::*;
use proptest_state_machine::ReferenceStateMachine;
use sitelog::aggregates::{DomainScan, ScanEvent};

use super::{Action, SCANS, domain};

/// Read models.
pub(super) const PROJECTIONS: usize = 4;
/// Idempotency keys that clients use.
const KEYS: u8 = 4;

/// The state of the model.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    scans: [DomainScan; SCANS],
    /// The log: of which scan, and what.
    pub(super) log: Vec<(usize, ScanEvent)>,
    keys: BTreeMap<u8, FirstUse>,
    pub(super) generations: [Generations; PROJECTIONS],
    /// What the last transition sends to the log, and what becomes of it.
    pub(super) sent: Vec<Sent>,
}

#[derive(Clone, Debug)]
struct FirstUse {
    body: u8,
    scan: usize,
    position: i64,
}

/// Generations by the order in which they were built.
#[derive(Clone, Debug, Default)]
pub(super) struct Generations {
    pub(super) live: usize,
    pub(super) before: Option<usize>,
    built: usize,
}

/// An append and its outcome.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) scan: usize,
    pub(super) expected: i64,
    pub(super) events: Vec<ScanEvent>,
    /// Name and hash of the request.
    pub(super) key: Option<(u8, u8)>,
    pub(super) outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Committed(i64),
    Repeated { scan: usize, position: i64 },
    KeyReused,
    Conflict,
}

/// The next transition.
#[derive(Clone, Debug)]
pub(super) enum Transition {
    /// Appends at the same moment.
    Append(Vec<Write>),
    /// An append whose process is killed some microseconds after it was sent; then it is sent again under its key.
    Interrupted { write: Write, after: u64 },
    /// All read models follow the log to its end.
    Follow,
    /// Work on a read model.
    Task {
        projection: usize,
        work: Work,
        fate: Fate,
    },
}

/// One append.
#[derive(Clone, Debug)]
pub(super) struct Write {
    scan: usize,
    action: Action,
    /// How outdated the state of the decision is.
    off: i64,
    /// Name and hash of the request.
    key: Option<(u8, u8)>,
    /// Sent by two at once.
    twice: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    Rebuild,
    Rollback,
}

/// What happens to the process after some microseconds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fate {
    Nothing,
    /// It is killed, and another one takes over the task after the lease has expired.
    Killed {
        after: u64,
    },
    /// It continues, but its lease has expired and another one has taken over the task.
    Overtaken {
        after: u64,
    },
}

impl ReferenceStateMachine for Model {
    type State = Self;
    type Transition = Transition;

    fn init_state() -> BoxedStrategy<Self> {
        Just(Self::default()).boxed()
    }

    fn transitions(model: &Self) -> BoxedStrategy<Transition> {
        let possible = model.possible();
        let write = prop::sample::select(possible).prop_flat_map(|(scan, action)| {
            let off = prop_oneof![6 => Just(0), 1 => Just(-1), 1 => 1..3_i64];
            let key = prop::option::weighted(0.4, (0..KEYS, 0..2_u8));
            let parts = (Just(scan), Just(action), off, key, prop::bool::weighted(0.15));
            parts.prop_map(|(scan, action, off, key, twice)| Write {
                scan,
                action,
                off,
                key,
                twice: twice && key.is_none(),
            })
        });
        let writes = prop::collection::vec(write.clone(), 1..6).prop_map(one_per_scan_and_key);
        let interrupted = (write, 0..4_000_u64).prop_map(|(write, after)| Transition::Interrupted {
            write: Write {
                off: 0,
                key: None,
                twice: false,
                ..write
            },
            after,
        });
        let fate = prop_oneof![
            1 => Just(Fate::Nothing),
            2 => (0..60_000_u64).prop_map(|after| Fate::Killed { after }),
            2 => (0..60_000_u64).prop_map(|after| Fate::Overtaken { after }),
        ];
        let work = prop_oneof![3 => Just(Work::Rebuild), 2 => Just(Work::Rollback)];
        let task = (0..PROJECTIONS, work, fate).prop_map(|(projection, work, fate)| Transition::Task {
            projection,
            work,
            fate,
        });
        prop_oneof![
            10 => writes.prop_map(Transition::Append),
            2 => interrupted,
            2 => Just(Transition::Follow),
            5 => task,
        ]
        .boxed()
    }

    fn preconditions(model: &Self, transition: &Transition) -> bool {
        let possible = |write: &Write| !model.events(write).is_empty();
        match transition {
            Transition::Append(writes) => writes.iter().all(possible),
            Transition::Interrupted { write, .. } => possible(write),
            Transition::Follow | Transition::Task { .. } => true,
        }
    }

    fn apply(mut model: Self, transition: &Transition) -> Self {
        model.sent.clear();
        match transition {
            Transition::Append(writes) => {
                // All were decided on what there was before.
                let before = model.clone();
                for write in writes {
                    let times = if write.twice { 2 } else { 1 };
                    for _ in 0..times {
                        model.append(&before, write);
                    }
                }
            }
            Transition::Interrupted { write, .. } => model.append(&model.clone(), write),
            Transition::Follow => {}
            Transition::Task { projection, work, .. } => model.generations[*projection].after(*work),
        }
        model
    }
}

/// The order of two appends to the same scan depends on how they are grouped, unless they are equal.
fn one_per_scan_and_key(writes: Vec<Write>) -> Vec<Write> {
    let mut kept: Vec<Write> = Vec::new();
    for write in writes {
        let known = |other: &Write| {
            other.scan == write.scan
                || write
                    .key
                    .is_some_and(|(name, _)| other.key.is_some_and(|key| key.0 == name))
        };
        if !kept.iter().any(known) {
            kept.push(write);
        }
    }
    kept
}

impl Generations {
    fn after(&mut self, work: Work) {
        match (work, self.before) {
            (Work::Rebuild, _) => {
                self.built += 1;
                self.before = Some(self.live);
                self.live = self.built;
            }
            (Work::Rollback, Some(before)) => {
                self.before = Some(self.live);
                self.live = before;
            }
            (Work::Rollback, None) => {}
        }
    }
}

impl Model {
    /// All commands that are possible for a scan now.
    fn possible(&self) -> Vec<(usize, Action)> {
        let all = (0..SCANS).flat_map(|scan| Action::ALL.map(|action| (scan, action)));
        all.filter(|(scan, action)| !action.events(*scan, &self.scans[*scan]).is_empty())
            .collect()
    }

    fn events(&self, write: &Write) -> Vec<ScanEvent> {
        write.action.events(write.scan, &self.scans[write.scan])
    }

    /// Events of a scan.
    fn sequence(&self, scan: usize) -> i64 {
        let own = self.log.iter().filter(|(of, _)| *of == scan);
        i64::try_from(own.count()).unwrap()
    }

    /// The position of the next event. The batch's own stands at 1.
    fn next_position(&self) -> i64 {
        i64::try_from(self.log.len()).unwrap() + 2
    }

    fn append(&mut self, before: &Self, write: &Write) {
        let (scan, events) = (write.scan, before.events(write));
        let known = before.sequence(scan);
        let expected = if known + write.off < 0 {
            known + 1
        } else {
            known + write.off
        };
        let outcome = match write
            .key
            .and_then(|(name, body)| Some((self.keys.get(&name)?, body)))
        {
            Some((first, body)) if first.body == body => Outcome::Repeated {
                scan: first.scan,
                position: first.position,
            },
            Some(_) => Outcome::KeyReused,
            None if expected != self.sequence(scan) => Outcome::Conflict,
            None => {
                let last = self.next_position() + i64::try_from(events.len()).unwrap() - 1;
                Outcome::Committed(last)
            }
        };
        if let Outcome::Committed(position) = outcome {
            for event in &events {
                self.scans[scan].apply(event.clone());
                self.log.push((scan, event.clone()));
            }
            if let Some((name, body)) = write.key {
                self.keys.insert(name, FirstUse { body, scan, position });
            }
        }
        self.sent.push(Sent {
            scan,
            expected,
            events,
            key: write.key,
            outcome,
        });
    }

    /// `jobs` by a plain fold: scan, status, attempts.
    pub(super) fn jobs(&self) -> Vec<(usize, &'static str, i32)> {
        let mut rows: BTreeMap<usize, (&'static str, i32)> = BTreeMap::new();
        for (scan, event) in &self.log {
            let row = rows.entry(*scan).or_insert(("pending", 0));
            row.0 = match event {
                ScanEvent::ScanStarted { .. } => "running",
                ScanEvent::ScanCompleted { .. } => "completed",
                ScanEvent::ScanFailed { .. } => "failed",
                ScanEvent::ScanCancelled { .. } => "cancelled",
                _ => "pending",
            };
            row.1 += i32::from(matches!(event, ScanEvent::ScanStarted { .. }));
        }
        rows.into_iter().map(|(scan, row)| (scan, row.0, row.1)).collect()
    }

    /// `batch_jobs` by a plain fold: completed, failed, cancelled.
    pub(super) fn batch(&self) -> [i32; 3] {
        ["completed", "failed", "cancelled"].map(|status| {
            let jobs = self.jobs().into_iter();
            let counted = jobs.filter(|(scan, of, _)| scan % 2 == 0 && *of == status);
            i32::try_from(counted.count()).unwrap()
        })
    }

    /// `domains` by a plain fold: domain, title, failures since the last success, last scan.
    pub(super) fn domains(&self) -> Vec<(String, Option<String>, i32, usize)> {
        let mut rows: BTreeMap<String, (Option<String>, i32, usize)> = BTreeMap::new();
        for (scan, event) in &self.log {
            // The end of an attempt that another one follows does not change a domain.
            if matches!(
                event,
                ScanEvent::ScanAttemptFailed { .. } | ScanEvent::ScanAbandoned { .. }
            ) {
                continue;
            }
            let row = rows.entry(domain(*scan)).or_default();
            row.2 = *scan;
            match event {
                ScanEvent::ScanCompleted { findings, .. } => {
                    row.0 = Some(super::title(*scan, findings.items));
                    row.1 = 0;
                }
                ScanEvent::ScanFailed { .. } => row.1 += 1,
                _ => {}
            }
        }
        rows.into_iter()
            .map(|(domain, (title, failures, scan))| (domain, title, failures, scan))
            .collect()
    }
}
