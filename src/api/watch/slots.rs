//! Limits the number of open event streams, because each holds a connection for an unlimited time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::api::problem::{Problem, ProblemCode};
use crate::values::TenantId;

/// Maximum number of open streams of the process: a quarter of its connections.
const OF_PROCESS: usize = 1024;
/// Open streams of one tenant.
const OF_TENANT: usize = 256;

/// The open streams by tenant; clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct StreamSlots(Arc<Mutex<HashMap<TenantId, usize>>>);

/// A place for one stream, given back when dropped.
#[derive(Debug)]
pub(super) struct StreamSlot {
    slots: StreamSlots,
    tenant: TenantId,
}

impl StreamSlots {
    /// A place for a tenant's stream: 429 if it has as many as it may, 503 if the process has.
    pub(super) fn take(&self, tenant: TenantId) -> Result<StreamSlot, Problem> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if open.values().sum::<usize>() >= OF_PROCESS {
            return Err(Problem::overloaded());
        }
        let mine = open.entry(tenant).or_default();
        if *mine >= OF_TENANT {
            let detail = format!(
                "The tenant has {OF_TENANT} open event streams, which is the maximum; close some of them."
            );
            let problem = Problem::of(ProblemCode::TooManyStreams, detail);
            return Err(problem.retried_after(5));
        }
        *mine += 1;
        Ok(StreamSlot {
            slots: self.clone(),
            tenant,
        })
    }
}

impl Drop for StreamSlot {
    fn drop(&mut self) {
        let mut open = self.slots.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = open
            .get(&self.tenant)
            .copied()
            .unwrap_or_default()
            .saturating_sub(1);
        if left == 0 {
            open.remove(&self.tenant);
        } else {
            open.insert(self.tenant, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_has_so_many_places_and_gets_them_back() {
        let slots = StreamSlots::default();
        let mut taken: Vec<_> = (0..OF_TENANT)
            .map(|_| slots.take(TenantId::DEFAULT).unwrap())
            .collect();
        let refused = slots.take(TenantId::DEFAULT).unwrap_err();
        assert_eq!((refused.status, refused.code), (429, ProblemCode::TooManyStreams));
        taken.pop();
        assert!(slots.take(TenantId::DEFAULT).is_ok());
        drop(taken);
        assert!(slots.0.lock().unwrap().is_empty());
    }

    #[test]
    fn the_process_has_so_many_places_for_all() {
        let slots = StreamSlots::default();
        let tenant = |n: usize| TenantId(uuid::Uuid::from_u128(n as u128));
        let taken: Vec<_> = (0..OF_PROCESS)
            .map(|n| slots.take(tenant(n / OF_TENANT)).unwrap())
            .collect();
        assert_eq!(
            slots.take(tenant(OF_PROCESS)).unwrap_err().code,
            ProblemCode::Overloaded
        );
        drop(taken);
    }
}
