//! Finds what should make progress and does not, and wrong clocks. The Tasks page, `/readyz?verbose`, `doctor` and the
//! metrics all use this one definition. The longest allowed waits are in `migrations/0012_wrong_clocks.sql` and
//! `migrations/0013_progress.sql`.

mod clock;

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use sqlx::PgPool;

pub use clock::Clock;

use crate::projections;

/// The progress cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the progress from the database")]
pub struct ProgressError(#[from] sqlx::Error);

/// Names that are listed; all are counted.
const NAMED: i32 = 5;

/// The kinds of work that can get stuck.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Kind {
    /// A scan that must run.
    Scan,
    /// A batch that has not ended.
    Batch,
    /// A monitor that is due.
    Monitor,
    /// An email that must be sent.
    Mail,
    /// The policies.
    Policy,
    /// A read model.
    Projection,
    /// Requested work on a read model.
    ProjectionTask,
    /// An event that a policy, or a row that an event, could not be applied to.
    SetAside,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Scan,
        Self::Batch,
        Self::Monitor,
        Self::Mail,
        Self::Policy,
        Self::Projection,
        Self::ProjectionTask,
        Self::SetAside,
    ];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scan => "scan",
            Self::Batch => "batch",
            Self::Monitor => "monitor",
            Self::Mail => "mail",
            Self::Policy => "policy",
            Self::Projection => "projection",
            Self::ProjectionTask => "projection_task",
            Self::SetAside => "set_aside",
        }
    }

    /// Whether the names contain no data of tenants.
    fn is_ours(self) -> bool {
        !matches!(self, Self::Scan | Self::Batch | Self::Monitor | Self::Mail)
    }
}

/// Work of one kind that has made no progress for longer than allowed.
#[derive(Clone, Debug, PartialEq, Serialize, sqlx::FromRow)]
pub struct Stuck {
    /// Its type.
    pub kind: Kind,
    /// How many.
    pub count: i64,
    /// Some of them: ids of scans, batches and monitors, names of the others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// When the first of them last made progress, if known.
    pub since: Option<DateTime<Utc>>,
}

impl Stuck {
    /// The same without data of tenants.
    #[must_use]
    pub fn without_tenants(mut self) -> Self {
        if !self.kind.is_ours() {
            self.names.clear();
        }
        self
    }
}

impl fmt::Display for Stuck {
    /// A piece of work without progress: since when, and what to do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, names) = (self.count, self.names.join(", "));
        match self.kind {
            Kind::Scan if count == 1 => write!(f, "1 scan is waiting and no worker processes it")?,
            Kind::Scan => write!(f, "{count} scans are waiting and no worker processes them")?,
            Kind::Batch if count == 1 => write!(f, "1 batch makes no progress")?,
            Kind::Batch => write!(f, "{count} batches make no progress")?,
            Kind::Monitor if count == 1 => write!(f, "1 monitor is due and does not run")?,
            Kind::Monitor => write!(f, "{count} monitors are due and do not run")?,
            Kind::Mail if count == 1 => write!(f, "1 email is not sent")?,
            Kind::Mail => write!(f, "{count} emails are not sent")?,
            Kind::Policy if count == 1 => write!(f, "the policy {names} does not process new events")?,
            Kind::Policy => write!(f, "the policies {names} do not process new events")?,
            Kind::Projection if count == 1 => {
                write!(f, "the read model {names} does not process new events")?;
            }
            Kind::Projection => write!(f, "the read models {names} do not process new events")?,
            Kind::ProjectionTask if count == 1 => write!(f, "no process runs this task: {names}")?,
            Kind::ProjectionTask => write!(f, "no process runs these tasks: {names}")?,
            Kind::SetAside if count == 1 => write!(f, "1 event or row is quarantined: {names}")?,
            Kind::SetAside => write!(f, "{count} events or rows are quarantined: {names}")?,
        }
        if let Some(since) = self.since {
            write!(f, " (since {})", since.to_rfc3339_opts(SecondsFormat::Secs, true))?;
        }
        f.write_str(match self.kind {
            Kind::Scan => "; is a process with the role worker running?",
            Kind::Batch if count == 1 => {
                "; are processes with the roles worker and projector running? If they are, cancel the batch and \
                 request it again"
            }
            Kind::Batch => {
                "; are processes with the roles worker and projector running? If they are, cancel the batches and \
                 request them again"
            }
            Kind::Monitor | Kind::Policy | Kind::Projection | Kind::ProjectionTask => {
                "; is a process with the role projector running? Check its log"
            }
            Kind::Mail => {
                "; does a process with the role projector have the settings SITELOG_MAIL__…? Check its log"
            }
            Kind::SetAside => {
                "; for the reasons, see 'sitelog projections status' (rows) and the table policy_parked (events)"
            }
        })
    }
}

/// The work without progress, by kind; empty if there is none.
pub async fn stuck(pool: &PgPool) -> Result<Vec<Stuck>, ProgressError> {
    let (names, shapes): (Vec<_>, Vec<_>) = projections::all()
        .iter()
        .map(|projection| (projection.name(), projection.shape()))
        .unzip();
    Ok(sqlx::query_as(STUCK)
        .bind(names)
        .bind(shapes)
        .bind(NAMED)
        .fetch_all(pool)
        .await?)
}

/// A follower of the log has something to do only while it is behind. It is stuck if it neither moved nor had nothing to
/// do lately, and what it has to do is not new either.
const STUCK: &str = "\
with known (name, shape) as (select * from unnest($1::text[], $2::int[])),
follower as (
    select 'policy' as kind, name, position, updated_at, caught_up_at from policy
    union all
    select 'projection', p.name, p.position, p.updated_at, p.caught_up_at
      from projection p join known using (name, shape) where p.state = 'live'
),
stuck (kind, name, since) as (
    select 'scan', scan_id::text, greatest(queued_at, claimed_at) from scan_task_condition where condition = 'stuck'
    union all
    select 'batch', w.batch_id::text, w.moved_at from batch_watch w
     where (w.open > 0 or w.ended_round < w.round and not w.cancelled)
       and not recently(w.moved_at, 2 * longest_standstill(), now())
       and not exists (select from scan_task_condition t where t.lane_id = w.batch_id and t.condition <> 'stuck')
    union all
    select 'monitor', monitor_id::text, next_run from monitor
     where status = 'active' and next_run < now() - 2 * longest_standstill()
    union all
    select 'mail', q.batch_id::text, q.queued_at from monitor_mail q
     where not still_ahead(q.due_at, longest_mail_wait(), now())
       and not recently(q.queued_at, longest_standstill(), now())
       and not recently(q.due_at, longest_standstill(), now())
       and not recently(q.leased_until, longest_standstill(), now())
    union all
    select f.kind, f.name, greatest(f.updated_at, f.caught_up_at)
      from follower f join log_head h on h.position > f.position
      left join events e on e.position = f.position + 1
     where not recently(f.updated_at, longest_standstill(), now())
       and not recently(f.caught_up_at, longest_standstill(), now())
       and not recently(e.recorded_at, longest_standstill(), now())
    union all
    select 'projection_task', t.kind || ' of ' || t.name, coalesce(t.leased_until, t.requested_at)
      from projection_task t join known using (name, shape)
     where t.state in ('queued', 'running')
       and not still_ahead(t.leased_until, longest_lease(), now())
       and not recently(t.leased_until, longest_standstill(), now())
       and not recently(t.requested_at, longest_standstill(), now())
    union all
    select 'set_aside', k.name || ' at event ' || k.position, k.parked_at from policy_parked k
    union all
    select 'set_aside', 'a row of ' || k.name || ' at event ' || k.position, k.parked_at
      from projection_parked k join projection p using (name, shape, generation) join known using (name, shape)
     where p.state = 'live'
)
select kind, count(*) as count, (array_agg(name order by since))[1:$3] as names, min(since) as since
  from stuck group by kind order by kind";
