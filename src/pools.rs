//! The database connections of a process, divided by purpose.

use std::time::Duration;

use rustix::process::{Pid, setpriority_process};
use serde::Serialize;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, Error, Executor, PgConnection, PgPool};

/// Connections by purpose, so that one purpose cannot use up the connections of another: a flood of reads
/// does not delay a lease, an export does not delay a status, a rebuild does not delay a read model.
#[derive(Clone, Debug)]
pub struct Pools {
    /// The connection of the group commit, so that an append waits only for the previous group.
    pub appends: PgPool,
    /// Claims, leases, policies and the commands of workers. Nothing here waits for a client.
    pub work: PgPool,
    /// Read models that follow the log.
    pub projections: PgPool,
    /// Rebuilds, comparisons and samples of read models.
    pub maintenance: PgPool,
    /// Keys, sessions and settings of tenants.
    pub access: PgPool,
    /// Reads and commands of requests.
    pub reads: PgPool,
    /// Long reads: exports, history, earlier states, watched events.
    pub long_reads: PgPool,
}

/// The minimum number of connections with which all parts of a process can work at the same time.
pub const MIN_CONNECTIONS: u32 = 14;
/// Groups of appends are committed one after the other.
const APPENDS: u32 = 1;
/// How long work waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// The same for rebuilds and comparisons: nobody waits for one, and the `COPY` of another read model may need all
/// connections for long. One that gave up would start again from the beginning.
const MAINTENANCE_ACQUIRE_TIMEOUT: Duration = Duration::from_mins(10);
/// How long a transaction may be idle before PostgreSQL ends it. Each is a few statements in a row; only a process
/// that was frozen or cut off pauses in one, and it must not keep all others from the head of the log or a read model.
const MAX_IDLE_IN_TRANSACTION: &str = "10s";

/// No statement of requests' appends or of background work normally takes this long. One that does has a plan for a
/// smaller table. It is cancelled and retried; by then PostgreSQL has analysed the table again. (A client that gives up
/// after `ANSWER_WITHIN` does not end it.)
const LONGEST_STATEMENT: &str = "set statement_timeout = '60s'";

/// What scans find is kept as jsonb of some kilobytes: lz4, where PostgreSQL has it, packs that in half the time.
const FAST_COMPRESSION: &str = "select set_config('default_toast_compression', 'lz4', false) from pg_settings \
    where name = 'default_toast_compression' and 'lz4' = any(enumvals)";

/// Each statement but those of maintenance looks up a few rows. A scan of a whole table, or a join that reads one, is
/// never the right plan there. But PostgreSQL chooses such plans as long as it considers a table small: at the start,
/// before it has analysed what was written, and with plans from that time. (Without a just-in-time compiler, because a
/// table without an index now counts as expensive.)
const BY_INDEX: &str = "set enable_seqscan = off; set enable_bitmapscan = off; set enable_hashjoin = off; \
    set enable_mergejoin = off; set jit = off";

/// A plan that was made for an empty table may use an index that is as good as another only while it is empty.
const CUSTOM_PLANS: &str = "set plan_cache_mode = force_custom_plan";

/// How long PostgreSQL may take to answer a statement that work depends on. Its machine may disappear without closing
/// the connection, which would then wait for a quarter of an hour.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// Runs statements on a connection of a pool. A connection without a response in time is closed, because a late response
/// would be read as the response to a later statement.
pub async fn in_time<T>(
    pool: &PgPool,
    run: impl AsyncFnOnce(&mut PgConnection) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut connection = pool.acquire().await?;
    if let Ok(done) = tokio::time::timeout(ANSWER_WITHIN, run(&mut connection)).await {
        return done;
    }
    drop(connection.detach());
    let silence = format!("PostgreSQL did not answer within {} s", ANSWER_WITHIN.as_secs());
    Err(Error::Io(std::io::Error::new(
        std::io::ErrorKind::TimedOut,
        silence,
    )))
}

impl Pools {
    /// One pool for everything, for a command or a test that does one thing.
    pub fn one(pool: PgPool) -> Self {
        Self {
            appends: pool.clone(),
            work: pool.clone(),
            projections: pool.clone(),
            maintenance: pool.clone(),
            access: pool.clone(),
            reads: pool.clone(),
            long_reads: pool,
        }
    }

    /// Each pool with its name in metrics and in PostgreSQL's `application_name`.
    pub fn named(&self) -> [(&'static str, &PgPool); 7] {
        [
            ("appends", &self.appends),
            ("work", &self.work),
            ("projections", &self.projections),
            ("maintenance", &self.maintenance),
            ("access", &self.access),
            ("reads", &self.reads),
            ("long_reads", &self.long_reads),
        ]
    }

    /// The usage of each pool.
    pub fn usage(&self) -> Vec<PoolUsage> {
        let of = |(name, pool): (&'static str, &PgPool)| {
            let idle = u32::try_from(pool.num_idle()).unwrap_or(u32::MAX);
            PoolUsage {
                name,
                used: pool.size().saturating_sub(idle),
                idle,
                max: pool.options().get_max_connections(),
            }
        };
        self.named().map(of).into()
    }

    /// This many connections in all, at least `MIN_CONNECTIONS`, divided. None is opened before it is needed.
    ///
    /// Where the server is the private one, whose processes run on this machine as ours do, those for which no client
    /// waits give way to the others, and no more of them work than the processors can run.
    pub(crate) fn divide(connections: u32, options: &PgConnectOptions, is_private: bool) -> Self {
        let mut shares = Shares::of(connections);
        if is_private {
            shares.work = shares.work.min(work_at_once());
        }
        let low = if is_private {
            Priority::Low
        } else {
            Priority::Normal
        };
        let options = |name: &str| options.clone().application_name(&format!("sitelog {name}"));
        let by_index = format!("{BY_INDEX}; {CUSTOM_PLANS}");
        let bounded = format!("{BY_INDEX}; {LONGEST_STATEMENT}");
        Self {
            // Their statements are many and small, so they keep their plans; `tests/it/plans.rs` tries those.
            appends: pool(APPENDS, &bounded, Priority::Normal).connect_lazy_with(options("appends")),
            work: pool(shares.work, &bounded, low).connect_lazy_with(options("work")),
            projections: pool(shares.projections, BY_INDEX, Priority::Normal)
                .connect_lazy_with(options("projections")),
            maintenance: checked(pool(shares.maintenance, "", low))
                .acquire_timeout(MAINTENANCE_ACQUIRE_TIMEOUT)
                .connect_lazy_with(options("maintenance")),
            access: checked(pool(shares.access, &by_index, Priority::Normal))
                .connect_lazy_with(options("access")),
            reads: checked(pool(shares.reads, &by_index, Priority::Normal))
                .connect_lazy_with(options("reads")),
            long_reads: checked(pool(shares.long_reads, &by_index, low))
                .connect_lazy_with(options("long_reads")),
        }
    }

    pub(crate) async fn close(&self) {
        for (_, pool) in self.named() {
            pool.close().await;
        }
    }
}

/// The current usage of a pool.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct PoolUsage {
    /// Which pool.
    pub name: &'static str,
    /// Connections in use.
    pub used: u32,
    /// Open connections that are idle.
    pub idle: u32,
    /// Maximum number of connections.
    pub max: u32,
}

impl PoolUsage {
    /// Whether a new request for a connection has to wait.
    pub fn is_full(&self) -> bool {
        self.used >= self.max
    }
}

/// How much work a PostgreSQL on this machine should do at once: with more, each request waits behind all of it for a
/// processor, and no work is done sooner. (One connection listens, and one is for leases.)
fn work_at_once() -> u32 {
    let processors = std::thread::available_parallelism().map_or(2, usize::from);
    u32::try_from(2 * processors + 1).unwrap_or(u32::MAX)
}

/// How many connections each pool has.
#[derive(Debug, PartialEq, Eq)]
struct Shares {
    work: u32,
    projections: u32,
    maintenance: u32,
    access: u32,
    reads: u32,
    long_reads: u32,
}

impl Shares {
    fn of(connections: u32) -> Self {
        let share = |part: u32| (connections / part).max(2);
        let (projections, maintenance, access) = (share(6), share(8), share(10));
        let (reads, long_reads) = (share(5), share(8));
        Self {
            // One of them listens for notifications from other processes.
            work: connections - APPENDS - projections - maintenance - access - reads - long_reads,
            projections,
            maintenance,
            access,
            reads,
            long_reads,
        }
    }
}

/// What a connection is for: answers, or background work. Read models are for answers: a client that reads what it has
/// just requested waits for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Priority {
    Normal,
    /// The server's process gives way to others.
    Low,
}

/// How far the priority of such a process is lowered (Linux: `setpriority(2)`): its share of CPU time is as one to
/// three.
const NICENESS: i32 = 5;

/// Lowers the priority of the server's process of a connection. It runs on this machine; if it belongs to a user
/// whose processes we may not change, its priority stays the same.
async fn lower_priority(connection: &mut PgConnection) -> Result<(), Error> {
    let process: i32 = sqlx::query_scalar("select pg_backend_pid()")
        .fetch_one(connection)
        .await?;
    let lowered = setpriority_process(Pid::from_raw(process), NICENESS);
    if let Err(error) = lowered {
        tracing::debug!(%error, "Cannot lower the priority of a PostgreSQL process");
    }
    Ok(())
}

fn pool(connections: u32, settings: &str, priority: Priority) -> PgPoolOptions {
    let sql = format!(
        "set idle_in_transaction_session_timeout = '{MAX_IDLE_IN_TRANSACTION}'; {settings}; {FAST_COMPRESSION}"
    );
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        // A test query before each use would double the cost of small queries. A connection that died
        // with its server has been idle at least as long as a restart takes.
        .test_before_acquire(false)
        .after_connect(move |connection, _| {
            let sql = sql.clone();
            Box::pin(async move {
                connection.execute(sql.as_str()).await?;
                match priority {
                    Priority::Normal => Ok(()),
                    Priority::Low => lower_priority(connection).await,
                }
            })
        })
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                let fresh = meta.idle_for < Duration::from_millis(500);
                Ok(fresh || connection.ping().await.is_ok())
            })
        })
}

/// A pool for requests, which end when their clients go away. In the others, only tasks that are not interrupted begin
/// transactions.
fn checked(pool: PgPoolOptions) -> PgPoolOptions {
    pool.after_release(|connection, _| Box::pin(async move { Ok(is_clean(connection).await) }))
}

/// Whether a connection that is given back is outside any transaction. A request that is broken off while its
/// transaction begins leaves one behind that the client library does not know of. As a transaction's first statement,
/// `select` begins none, which the library reports as `BeginFailed`; inside a transaction it succeeds, and inside one
/// that failed it is an error of the server. It runs after the request, so no client waits for it.
async fn is_clean(connection: &mut PgConnection) -> bool {
    matches!(connection.begin_with("select").await, Err(Error::BeginFailed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_divided_without_a_rest() {
        for connections in MIN_CONNECTIONS..200 {
            let shares = Shares::of(connections);
            let Shares {
                work,
                projections,
                maintenance,
                access,
                reads,
                long_reads,
            } = shares;
            assert_eq!(
                APPENDS + work + projections + maintenance + access + reads + long_reads,
                connections
            );
            // One listens, and one is reserved for leases.
            assert!(work.min(work_at_once()) >= 3, "{work} of {connections}");
        }
    }
}
