//! Parsing on threads of its own, so that a large page never holds up the others' network.

use std::sync::Arc;

use tokio::sync::Semaphore;

/// A bound on how many documents are parsed at once.
#[derive(Clone, Debug)]
pub(super) struct ParsePool {
    permits: Arc<Semaphore>,
}

/// A parser panicked: a fault of ours, kept to the document that met it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the parser failed on this document")]
pub(super) struct ParserFailed;

impl ParsePool {
    pub(super) fn new(threads: usize) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(threads.max(1))),
        }
    }

    /// Waits for a thread and runs the job there. The job itself must be bounded: it cannot be stopped.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ParserFailed> {
        let permit = Arc::clone(&self.permits)
            .acquire_owned()
            .await
            .map_err(|_| ParserFailed)?;
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the bounded pool: a permit is held by the job"
        )]
        let running = tokio::task::spawn_blocking(move || {
            let result = job();
            drop(permit);
            result
        });
        running.await.map_err(|_| ParserFailed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_stays_with_its_job() {
        let pool = ParsePool::new(1);
        assert_eq!(
            pool.run(|| panic!("broken page")).await,
            Err::<(), _>(ParserFailed)
        );
        assert_eq!(pool.run(|| 1).await, Ok(1));
    }
}
