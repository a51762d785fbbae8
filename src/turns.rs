//! Turns at a limited resource, fair between tenants: one tenant never holds all turns, and free turns go to the
//! waiting tenants in rotation, however many requests each of them sends.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::values::TenantId;

/// Requests of one tenant that may wait for a turn.
const MAX_WAITING: usize = 64;
/// How long a request waits for its turn.
const TURN_TIMEOUT: Duration = Duration::from_secs(5);

/// A limited number of turns, shared by tenants; clones share them.
#[derive(Clone, Debug)]
pub struct Turns(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    places: usize,
    /// Turns that one tenant may hold: the rest stays free for the others.
    places_of_tenant: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    held: usize,
    tenants: HashMap<TenantId, OfTenant>,
    /// Tenants with waiting requests, in the order of their turns.
    round: VecDeque<TenantId>,
}

#[derive(Debug, Default)]
struct OfTenant {
    held: usize,
    waiting: VecDeque<oneshot::Sender<Turn>>,
}

/// A turn, held until this is dropped.
#[derive(Debug)]
pub struct Turn {
    tenant: TenantId,
    turns: Turns,
}

/// Too many requests wait, or they take too long. Nothing was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many requests of this tenant wait for their turn")]
pub struct Busy;

impl Turns {
    /// This many turns, and the maximum for one tenant.
    pub fn new(places: usize, places_of_tenant: usize) -> Self {
        Self(Arc::new(Shared {
            places: places.max(1),
            places_of_tenant: places_of_tenant.max(1),
            state: Mutex::default(),
        }))
    }

    /// Waits for the tenant's turn.
    pub async fn wait(&self, tenant: TenantId) -> Result<Turn, Busy> {
        let turn = {
            let mut state = self.lock();
            if state.held < self.0.places && state.held_by(tenant) < self.0.places_of_tenant {
                return Ok(self.grant(&mut state, tenant));
            }
            let of_tenant = state.tenants.entry(tenant).or_default();
            if of_tenant.waiting.len() >= MAX_WAITING {
                return Err(Busy);
            }
            let (sender, turn) = oneshot::channel();
            of_tenant.waiting.push_back(sender);
            if of_tenant.waiting.len() == 1 {
                state.round.push_back(tenant);
            }
            turn
        };
        match tokio::time::timeout(TURN_TIMEOUT, turn).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(Busy),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn grant(&self, state: &mut State, tenant: TenantId) -> Turn {
        state.held += 1;
        state.tenants.entry(tenant).or_default().held += 1;
        Turn {
            tenant,
            turns: self.clone(),
        }
    }

    /// Takes a place back and grants it to the next tenant.
    fn release(&self, tenant: TenantId) {
        // Unused turns are returned here when they are dropped, which must not happen under the lock.
        let mut unwanted = Vec::new();
        let mut state = self.lock();
        state.held -= 1;
        state.release(tenant);
        while state.held < self.0.places {
            let Some((next, sender)) = state.next(self.0.places_of_tenant) else {
                break;
            };
            let turn = self.grant(&mut state, next);
            if let Err(turn) = sender.send(turn) {
                unwanted.push(turn);
            }
        }
        drop(state);
    }
}

impl State {
    fn held_by(&self, tenant: TenantId) -> usize {
        self.tenants.get(&tenant).map_or(0, |of_tenant| of_tenant.held)
    }

    /// The first request of the next tenant that may have one more place.
    fn next(&mut self, most: usize) -> Option<(TenantId, oneshot::Sender<Turn>)> {
        let index = self
            .round
            .iter()
            .position(|tenant| self.held_by(*tenant) < most)?;
        let tenant = self.round.remove(index)?;
        let of_tenant = self.tenants.get_mut(&tenant)?;
        let sender = of_tenant.waiting.pop_front();
        if !of_tenant.waiting.is_empty() {
            self.round.push_back(tenant);
        }
        sender.map(|sender| (tenant, sender))
    }

    fn release(&mut self, tenant: TenantId) {
        let Some(of_tenant) = self.tenants.get_mut(&tenant) else {
            return;
        };
        of_tenant.held -= 1;
        if of_tenant.held == 0 && of_tenant.waiting.is_empty() {
            self.tenants.remove(&tenant);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.turns.release(self.tenant);
    }
}

/// Bytes that are worked on within a few hundred microseconds.
const STEP: usize = 16 * 1024;

/// Lets the other tasks of a thread have their turn while one works through much data: a request that needs a
/// millisecond does not wait for a page of a thousand rows.
#[derive(Debug, Default)]
pub struct Steps {
    bytes: usize,
}

impl Steps {
    /// Records the number of processed bytes.
    pub async fn did(&mut self, bytes: usize) {
        self.bytes += bytes;
        if self.bytes >= STEP {
            self.bytes = 0;
            tokio::task::yield_now().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use uuid::Uuid;

    use super::*;

    fn tenant(number: u128) -> TenantId {
        TenantId(Uuid::from_u128(number))
    }

    #[tokio::test]
    async fn one_tenant_never_holds_all_places() {
        let turns = Turns::new(4, 2);
        let _held = [
            turns.wait(tenant(1)).await.unwrap(),
            turns.wait(tenant(1)).await.unwrap(),
        ];
        assert!(turns.wait(tenant(1)).now_or_never().is_none());
        assert!(turns.wait(tenant(2)).now_or_never().unwrap().is_ok());
    }

    #[tokio::test]
    async fn places_go_round_the_tenants_and_not_round_the_requests() {
        let turns = Turns::new(1, 1);
        let held = turns.wait(tenant(9)).await.unwrap();
        let (order, mut took) = tokio::sync::mpsc::unbounded_channel();
        for who in [1, 1, 1, 2, 1, 3] {
            let mut waits = Box::pin({
                let (turns, order) = (turns.clone(), order.clone());
                async move {
                    let turn = turns.wait(tenant(who)).await.unwrap();
                    order.send(who).unwrap();
                    drop(turn);
                }
            });
            // Polled once, so that it is in the queue in this order.
            assert!(waits.as_mut().now_or_never().is_none());
            tokio::spawn(waits);
        }
        drop(held);
        let mut seen = Vec::new();
        for _ in 0..6 {
            seen.push(took.recv().await.unwrap());
        }
        assert_eq!(seen, [1, 2, 3, 1, 1, 1]);
    }

    #[tokio::test]
    async fn requests_that_went_away_keep_no_place() {
        let turns = Turns::new(1, 1);
        let held = turns.wait(tenant(1)).await.unwrap();
        for _ in 0..3 {
            let mut gone = Box::pin(turns.wait(tenant(2)));
            assert!(gone.as_mut().now_or_never().is_none());
        }
        drop(held);
        assert!(turns.wait(tenant(2)).now_or_never().unwrap().is_ok());
        assert!(turns.lock().tenants.is_empty(), "{turns:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_too_long_or_behind_too_many_is_told_so() {
        let turns = Turns::new(1, 1);
        let _held = turns.wait(tenant(1)).await.unwrap();
        assert_eq!(turns.wait(tenant(2)).await.unwrap_err(), Busy);
        let mut waiting: Vec<_> = (0..MAX_WAITING)
            .map(|_| Box::pin(turns.wait(tenant(3))))
            .collect();
        for one in &mut waiting {
            assert!(one.as_mut().now_or_never().is_none());
        }
        assert_eq!(turns.wait(tenant(3)).now_or_never().unwrap().unwrap_err(), Busy);
        assert!(turns.wait(tenant(4)).now_or_never().is_none());
    }
}
