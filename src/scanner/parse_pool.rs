//! Separate threads for parsing, so that a large page does not delay the network requests of other scans. Scans take
//! turns, so that one tenant's sites do not delay another's.
//!
//! CPU time decides whose turn it is: first the waiting tenant that has used the least, then its scan that has used the
//! least. A new tenant starts at the level of the others, so unused time does not accumulate. No scan is refused,
//! because each has its own limits.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::sync::oneshot;

use super::compute_budget::ComputeBudget;
use crate::values::TenantId;

/// A longer job gives its thread back after this time, and waits for its next turn.
pub(super) const TURN: Duration = Duration::from_millis(20);

/// Limits how many jobs run at the same time, and orders the waiting jobs.
#[derive(Clone, Debug)]
pub(super) struct ParsePool {
    turns: Arc<Mutex<Turns>>,
}

/// A parser panicked. This is a bug in sitelog; it affects only the document that caused it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the parser crashed on this document")]
pub(super) struct ParserFailed;

#[derive(Debug)]
struct Turns {
    free: usize,
    waiting: Vec<Waiting>,
    /// Tenants with running or waiting jobs.
    tenants: HashMap<TenantId, Tenant>,
}

#[derive(Debug)]
struct Waiting {
    scan: ComputeBudget,
    thread: oneshot::Sender<Thread>,
}

#[derive(Debug, Default)]
struct Tenant {
    /// Number of running or waiting jobs.
    jobs: usize,
    used: Duration,
}

/// The right to run on one of the threads; dropping it passes it to the next job.
#[derive(Debug)]
struct Thread {
    turns: Arc<Mutex<Turns>>,
}

/// Charges a job to its tenant and scan, from its arrival to its end.
struct Account {
    turns: Arc<Mutex<Turns>>,
    scan: ComputeBudget,
    /// CPU time of its thread when the job began to run.
    started: Option<Duration>,
}

impl ParsePool {
    pub(super) fn new(threads: usize) -> Self {
        Self {
            turns: Arc::new(Mutex::new(Turns {
                free: threads.max(1),
                waiting: Vec::new(),
                tenants: HashMap::new(),
            })),
        }
    }

    /// Waits for the scan's turn and runs the job. The job must limit its own time: it cannot be stopped.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        scan: &ComputeBudget,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ParserFailed> {
        let mut account = Account::open(&self.turns, scan);
        let thread = self.turn(scan).await?;
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the bounded pool: a thread is held by the job"
        )]
        let running = tokio::task::spawn_blocking(move || {
            // Dropped last: the cost of this job must be known before the next one gets the thread.
            let _thread = thread;
            account.started = Some(of_this_thread());
            let result = job();
            drop(account);
            result
        });
        running.await.map_err(|_| ParserFailed)
    }

    /// Runs a small job on the caller's thread, and charges it like any other job.
    pub(super) fn run_here<T>(
        &self,
        scan: &ComputeBudget,
        job: impl FnOnce() -> T,
    ) -> Result<T, ParserFailed> {
        let mut account = Account::open(&self.turns, scan);
        account.started = Some(of_this_thread());
        catch_unwind(AssertUnwindSafe(job)).map_err(|_| ParserFailed)
    }

    async fn turn(&self, scan: &ComputeBudget) -> Result<Thread, ParserFailed> {
        let (thread, turn) = oneshot::channel();
        let waiting = Waiting {
            scan: scan.clone(),
            thread,
        };
        lock(&self.turns).waiting.push(waiting);
        grant(&self.turns);
        turn.await.map_err(|_| ParserFailed)
    }
}

/// Gives free threads to the next scans in turn.
fn grant(turns: &Arc<Mutex<Turns>>) {
    loop {
        let Some(next) = lock(turns).next() else {
            return;
        };
        let thread = Thread {
            turns: Arc::clone(turns),
        };
        // A caller that no longer waits drops the thread, which passes it on.
        let _unwanted = next.thread.send(thread);
    }
}

impl Turns {
    /// The next waiting job, if there is one and a thread is free.
    fn next(&mut self) -> Option<Waiting> {
        if self.free == 0 {
            return None;
        }
        self.waiting.retain(|waiting| !waiting.thread.is_closed());
        let used = |tenant: TenantId| self.tenants.get(&tenant).map_or(Duration::ZERO, |one| one.used);
        let order = |(_, waiting): &(usize, &Waiting)| (used(waiting.scan.tenant()), waiting.scan.computed());
        // `min_by_key` returns the first of equal jobs, so they run in order of arrival.
        let (at, _) = self.waiting.iter().enumerate().min_by_key(order)?;
        self.free -= 1;
        Some(self.waiting.remove(at))
    }

    fn enter(&mut self, tenant: TenantId) {
        let least = self.tenants.values().map(|known| known.used).min();
        let entered = self.tenants.entry(tenant).or_insert_with(|| Tenant {
            jobs: 0,
            used: least.unwrap_or_default(),
        });
        entered.jobs += 1;
    }

    fn leave(&mut self, tenant: TenantId, took: Duration) {
        let Some(known) = self.tenants.get_mut(&tenant) else {
            return;
        };
        known.jobs -= 1;
        known.used += took;
        if known.jobs == 0 {
            self.tenants.remove(&tenant);
        }
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        lock(&self.turns).free += 1;
        grant(&self.turns);
    }
}

impl Account {
    fn open(turns: &Arc<Mutex<Turns>>, scan: &ComputeBudget) -> Self {
        lock(turns).enter(scan.tenant());
        Self {
            turns: Arc::clone(turns),
            scan: scan.clone(),
            started: None,
        }
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        let took = self
            .started
            .map(|started| of_this_thread().saturating_sub(started));
        let took = took.unwrap_or_default();
        self.scan.charge(took);
        lock(&self.turns).leave(self.scan.tenant(), took);
    }
}

/// CPU time that this thread has used; on a busy machine, waiting does not count.
pub(super) fn of_this_thread() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or_default(),
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    )
}

fn lock(turns: &Mutex<Turns>) -> MutexGuard<'_, Turns> {
    turns.lock().expect("no holder of the turns panics")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scanner::ScannerSettings;

    fn scan_of(tenant: u128) -> ComputeBudget {
        let tenant = TenantId(uuid::Uuid::from_u128(tenant));
        ComputeBudget::new(tenant, &ScannerSettings::default())
    }

    #[tokio::test]
    async fn a_panic_stays_with_its_job() {
        let (pool, scan) = (ParsePool::new(1), scan_of(1));
        assert_eq!(
            pool.run(&scan, || panic!("broken page")).await,
            Err::<(), _>(ParserFailed)
        );
        assert_eq!(
            pool.run_here(&scan, || panic!("broken page")),
            Err::<(), _>(ParserFailed)
        );
        assert_eq!(pool.run(&scan, || 1).await, Ok(1));
        assert!(lock(&pool.turns).tenants.is_empty());
    }

    #[tokio::test]
    async fn a_job_that_is_no_longer_wanted_gives_its_turn_on() {
        let (pool, scan) = (ParsePool::new(1), scan_of(1));
        let thread = pool.turn(&scan).await.unwrap();
        let mut unwanted = Box::pin(pool.run(&scan, || 1));
        assert!(futures::poll!(&mut unwanted).is_pending());
        let mut wanted = Box::pin(pool.run(&scan, || 2));
        assert!(futures::poll!(&mut wanted).is_pending());
        // The job's turn comes, but its caller is gone.
        drop(thread);
        drop(unwanted);
        assert_eq!(wanted.await, Ok(2));
    }

    /// Gives turns until no scan waits, charging one second for each; returns the scans in the order of their turns.
    fn order(waiting: &[&ComputeBudget]) -> Vec<usize> {
        let mut turns = Turns {
            free: 1,
            waiting: Vec::new(),
            tenants: HashMap::new(),
        };
        let mut waits = Vec::new();
        for scan in waiting {
            turns.enter(scan.tenant());
            let (thread, wait) = oneshot::channel();
            waits.push(wait);
            turns.waiting.push(Waiting {
                scan: (*scan).clone(),
                thread,
            });
        }
        let mut order = Vec::new();
        while let Some(next) = turns.next() {
            order.extend(waiting.iter().position(|scan| scan.is_same(&next.scan)));
            next.scan.charge(Duration::from_secs(1));
            turns.leave(next.scan.tenant(), Duration::from_secs(1));
            turns.free += 1;
        }
        order
    }

    #[test]
    fn tenants_take_turns_and_so_do_the_scans_of_each() {
        let (heavy, light) = ([scan_of(1), scan_of(1)], scan_of(2));
        let jobs = [&heavy[0], &heavy[0], &heavy[0], &heavy[1], &light, &light];
        // `position` returns the first job of a scan: 0 and 3 belong to the heavy tenant, 4 to the other one.
        assert_eq!(order(&jobs), [0, 4, 3, 4, 0, 0]);
    }

    #[test]
    fn who_comes_anew_has_saved_up_nothing() {
        let mut turns = Turns {
            free: 0,
            waiting: Vec::new(),
            tenants: HashMap::new(),
        };
        let (first, second) = (scan_of(1).tenant(), scan_of(2).tenant());
        turns.enter(first);
        turns.enter(first);
        turns.leave(first, Duration::from_mins(1));
        turns.enter(second);
        assert_eq!(turns.tenants[&second].used, Duration::from_mins(1));
    }
}
