//! Holds requests until a test lets them go.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

/// A gate across one path of one host; requests wait behind it until it opens or is dropped.
pub struct Gate {
    held: Arc<Held>,
}

struct Held {
    host: String,
    path: String,
    /// Number of requests.
    arrived: watch::Sender<u64>,
    open: watch::Sender<bool>,
}

impl Gate {
    /// Waits until `requests` of them have come.
    pub async fn reached_by(&self, requests: u64) {
        let mut arrived = self.held.arrived.subscribe();
        arrived
            .wait_for(|count| *count >= requests)
            .await
            .expect("the sender lives in the gate");
    }

    /// Lets all continue, the ones to come too.
    pub fn open(&self) {
        self.held.open.send_replace(true);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.open();
    }
}

/// All gates of a server.
#[derive(Default)]
pub(super) struct Gates {
    gates: Mutex<Vec<Arc<Held>>>,
}

impl Gates {
    pub(super) fn close(&self, host: &str, path: &str) -> Gate {
        let held = Arc::new(Held {
            host: host.to_owned(),
            path: path.to_owned(),
            arrived: watch::Sender::new(0),
            open: watch::Sender::new(false),
        });
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        gates.retain(|gate| !*gate.open.borrow());
        gates.push(Arc::clone(&held));
        Gate { held }
    }

    pub(super) async fn pass(&self, host: &str, path: &str) {
        let Some(gate) = self.across(host, path) else {
            return;
        };
        gate.arrived.send_modify(|count| *count += 1);
        let mut open = gate.open.subscribe();
        open.wait_for(|is_open| *is_open)
            .await
            .expect("the sender is held here");
    }

    fn across(&self, host: &str, path: &str) -> Option<Arc<Held>> {
        let gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        gates
            .iter()
            .find(|gate| gate.host == host && gate.path == path)
            .cloned()
    }
}
