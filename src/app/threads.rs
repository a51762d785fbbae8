//! The threads of a process: requests run on the main runtime, everything else on separate runtimes.

use tokio::runtime::{Builder, Handle, Runtime};
use tokio_util::task::TaskTracker;

/// Threads for what requests do not wait for in a queue: the operating system gives each its turn. One set is for scans,
/// policies and maintenance, which also have a lower priority; one for read models, which clients do wait for. They must
/// outlive the connections that their tasks open.
pub(super) struct Threads(Option<Runtime>);

/// How far the priority of scans, policies and maintenance is lowered (Linux: `setpriority(2)`, which applies to a
/// thread there): their share of CPU time is as one to three.
pub(super) const BACKGROUND_NICENESS: i32 = 5;

impl Threads {
    pub(super) fn start(name: &str, niceness: i32) -> std::io::Result<Self> {
        let threads = Builder::new_multi_thread()
            .enable_all()
            .thread_name(name)
            .on_thread_start(move || {
                // The priority of this thread; its parent may have a lower priority already. If this fails, the thread has
                // the normal priority.
                let _lowered = rustix::process::setpriority_process(None, niceness);
            })
            .build()?;
        Ok(Self(Some(threads)))
    }

    pub(super) fn handle(&self) -> Handle {
        let threads = self.0.as_ref().expect("it is there until it is dropped");
        threads.handle().clone()
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // Dropping a runtime waits for its tasks, which is not allowed in an asynchronous function. Remaining tasks are
        // not awaited.
        if let Some(threads) = self.0.take() {
            threads.shutdown_background();
        }
    }
}

/// Where tasks run that no request waits for.
pub(super) struct Background<'a> {
    pub(super) threads: &'a Handle,
    pub(super) tracker: &'a TaskTracker,
}

impl Background<'_> {
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tracker.spawn_on(task, self.threads);
    }
}
