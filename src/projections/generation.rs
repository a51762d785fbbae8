//! The schemas of read models, and the live generation. The tables of a generation are in the schema
//! `rm_<name>_s<shape>_g<generation>`. Readers use the views in `rm_<name>_s<shape>`, which show the live generation.
//! The pointer in `projection` and the views change in one transaction. So a query sees one generation or the other,
//! never a mixture, and a statement that was prepared before stays valid.

use std::marker::PhantomData;
use std::num::NonZero;

use sqlx::{Connection, Executor, PgConnection, PgPool, PgTransaction};

use super::batch_jobs::BatchJobs;
use super::domains::Domains;
use super::jobs::Jobs;
use super::sitemaps::Sitemaps;
use super::task::Claim;
use super::views::{view_of_all, views_schema};
use super::{Projection, ProjectionError, row_security, task};
use crate::turns::{Turn, Turns};
use crate::values::TenantId;

/// Keeps two processes from making the same schema.
const SCHEMA_LOCK: i64 = 7_305_116_404;
/// How long a switch may hold up readers while it waits for a slow query before it gives way and tries again.
const SWITCH_WAIT: &str = "250ms";
/// How long a switch may hold up readers because its process does not continue (it was frozen, say) before PostgreSQL
/// ends it.
const SWITCH_IDLE: &str = "2s";

/// The read models of this release, and where their views are.
#[derive(Clone, Debug)]
pub struct ReadModels {
    /// The connections to their database.
    pub pool: PgPool,
    /// The order in which tenants get its connections.
    turns: Turns,
    /// Whether the database keeps tenants apart as well as the queries do.
    pub row_security: bool,
    /// Schema of `domains`.
    pub domains: String,
    /// Schema of `jobs`.
    pub jobs: String,
    /// Schema of `batch_jobs`.
    pub batch_jobs: String,
    /// Schema of `sitemaps`, `sitemap_files` and `sitemap_url_chunks`.
    pub sitemaps: String,
}

impl ReadModels {
    /// The read models of this release in a database. A tenant reads at as many connections as there are processors.
    pub fn new(pool: PgPool, row_security: bool) -> Self {
        let turns = turns_at(&pool, processors());
        Self {
            row_security,
            domains: views_schema::<Domains>(),
            jobs: views_schema::<Jobs>(),
            batch_jobs: views_schema::<BatchJobs>(),
            sitemaps: views_schema::<Sitemaps>(),
            turns,
            pool,
        }
    }

    /// The same for reads that keep a processor busy: a tenant gets half of these.
    pub fn for_long_reads(pool: PgPool, row_security: bool) -> Self {
        let turns = turns_at(&pool, processors() / 2);
        Self {
            turns,
            ..Self::new(pool, row_security)
        }
    }
}

/// Turns at the connections of a pool. A tenant holds at most half of them, and at most `most`: more than the machine
/// can process at once would only slow down the others.
fn turns_at(pool: &PgPool, most: usize) -> Turns {
    let places = usize::try_from(pool.options().get_max_connections()).unwrap_or(1);
    Turns::new(places, (places / 2).min(most))
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// One set of tables of a projection.
#[derive(Debug)]
pub struct Generation<P> {
    /// From 1 in each shape.
    pub number: i32,
    /// The position up to which it has read the log.
    pub position: i64,
    projection: PhantomData<P>,
}

impl ReadModels {
    /// Waits until the tenant may use a connection; what it reads with that is to be done when the turn is dropped.
    pub async fn turn(&self, tenant: TenantId) -> Result<Turn, ProjectionError> {
        Ok(self.turns.wait(tenant).await?)
    }
}

impl<P: Projection> Generation<P> {
    /// A generation at a position.
    pub fn new(number: i32, position: i64) -> Self {
        Self {
            number,
            position,
            projection: PhantomData,
        }
    }

    /// The schema of its tables.
    pub fn schema(&self) -> String {
        format!("rm_{}_s{}_g{}", P::NAME, P::SHAPE, self.number)
    }

    /// The live generation, if there is one.
    pub async fn live(connection: &mut PgConnection) -> Result<Option<Self>, sqlx::Error> {
        Self::latest(connection, "live").await
    }

    /// The newest generation in a state.
    pub async fn latest(connection: &mut PgConnection, state: &str) -> Result<Option<Self>, sqlx::Error> {
        let found: Option<(i32, i64)> = sqlx::query_as(
            "select generation, position from projection where name = $1 and shape = $2 and state = $3 \
              order by promoted_at desc nulls last, generation desc limit 1",
        )
        .bind(P::NAME)
        .bind(P::SHAPE)
        .bind(state)
        .fetch_optional(connection)
        .await?;
        Ok(found.map(|(number, position)| Self::new(number, position)))
    }

    /// A generation by its number, and its state.
    pub async fn find(
        connection: &mut PgConnection,
        number: i32,
    ) -> Result<Option<(Self, String)>, sqlx::Error> {
        let found: Option<(i64, String)> = sqlx::query_as(
            "select position, state from projection where name = $1 and shape = $2 and generation = $3",
        )
        .bind(P::NAME)
        .bind(P::SHAPE)
        .bind(number)
        .fetch_optional(connection)
        .await?;
        Ok(found.map(|(position, state)| (Self::new(number, position), state)))
    }

    /// Makes the next generation, empty and without indexes, for the task that is to fill it. What was left of an
    /// unfinished one is removed, unless a process that has not noticed that it lost the task holds it; then it
    /// is removed the next time.
    pub(super) async fn begin(pool: &PgPool, claim: &Claim) -> Result<Self, ProjectionError> {
        let mut tx = begin_with_lock_timeout(pool).await?;
        let mut attempt = tx.begin().await?;
        match drop_generations::<P>(&mut attempt, "state = 'building'").await {
            Ok(()) => attempt.commit().await?,
            Err(error) if is_lock_conflict(&error) => {
                attempt.rollback().await?;
                tracing::info!("Incomplete tables of {} are in use and are kept for now", P::NAME);
            }
            Err(error) => return Err(error),
        }
        let number: i32 = sqlx::query_scalar(
            "select coalesce(max(generation), 0) + 1 from projection where name = $1 and shape = $2",
        )
        .bind(P::NAME)
        .bind(P::SHAPE)
        .fetch_one(&mut *tx)
        .await?;
        // A process that creates the same schema later ends its own transaction.
        execute(&mut tx, "set local lock_timeout = 0").await?;
        let generation = Self::new(number, 0);
        generation.create(&mut tx).await?;
        claim.fence(&mut tx, number).await?;
        tx.commit().await?;
        Ok(generation)
    }

    async fn create(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let schema = self.schema();
        execute(
            &mut *connection,
            &format!("create schema {schema}; {}", P::tables(&schema)),
        )
        .await?;
        sqlx::query(
            "insert into projection (name, shape, generation, state) values ($1, $2, $3, 'building')",
        )
        .bind(P::NAME)
        .bind(P::SHAPE)
        .bind(self.number)
        .execute(connection)
        .await?;
        Ok(())
    }

    /// Makes keys and indexes, unless they are there. Two processes may come to this at once; only that counts which
    /// has the task.
    pub(super) async fn make_indexes(&self, pool: &PgPool, claim: &Claim) -> Result<(), ProjectionError> {
        let schema = self.schema();
        let mut tx = pool.begin().await?;
        let there: bool = sqlx::query_scalar("select exists (select from pg_indexes where schemaname = $1)")
            .bind(&schema)
            .fetch_one(&mut *tx)
            .await?;
        if !there {
            execute(&mut tx, &P::indexes(&schema)).await?;
        }
        row_security::enable(&mut tx, &schema).await?;
        // A sample of 6,000 rows instead of 30,000: reading those takes longer than an index.
        execute(&mut tx, "set local default_statistics_target = 20").await?;
        for table in tables_of(&mut tx, &schema).await? {
            execute(&mut tx, &format!("analyze {schema}.{table}")).await?;
        }
        claim.fence(&mut tx, self.number).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Makes this generation the live one, in the given transaction; the previous one stays for a rollback.
    pub async fn promote(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        for (sql, number) in [
            (
                "update projection set state = 'retired' where name = $1 and shape = $2 and state = 'live' \
                 and generation <> $3",
                self.number,
            ),
            (
                "update projection set state = 'live', promoted_at = clock_timestamp() \
               where name = $1 and shape = $2 and generation = $3",
                self.number,
            ),
        ] {
            sqlx::query(sql)
                .bind(P::NAME)
                .bind(P::SHAPE)
                .bind(number)
                .execute(&mut *connection)
                .await?;
        }
        self.show(connection).await
    }
}

pub(super) async fn tables_of(
    connection: &mut PgConnection,
    schema: &str,
) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar("select tablename::text from pg_tables where schemaname = $1 order by 1")
        .bind(schema)
        .fetch_all(connection)
        .await
}

/// Makes sure that the read model of this release exists: creates it at once if the log is empty, otherwise requests a
/// build alongside the existing one.
pub(super) async fn ensure<P: Projection>(pool: &PgPool) -> Result<(), ProjectionError> {
    let mut tx = pool.begin().await?;
    sqlx::query("select pg_advisory_xact_lock($1)")
        .bind(SCHEMA_LOCK)
        .execute(&mut *tx)
        .await?;
    if let Some(live) = Generation::<P>::live(&mut tx).await? {
        row_security::enable(&mut tx, &live.schema()).await?;
        // Views of a release without row-level security would show all rows; an older one had no views of all tenants.
        let views = views_schema::<P>();
        let shown: bool = sqlx::query_scalar(
            "select to_regclass($2) is not null and exists (select from pg_class where oid = to_regclass($1) \
                and 'security_invoker=true' = any (reloptions))",
        )
        .bind(format!("{views}.{}", P::NAME))
        .bind(view_of_all(&views, P::NAME))
        .fetch_one(&mut *tx)
        .await?;
        if !shown {
            live.show(&mut tx).await?;
        }
    } else {
        // Locked, so that no event comes in between: the first one is then for the live tables.
        let head: i64 = sqlx::query_scalar("select position from log_head for share")
            .fetch_one(&mut *tx)
            .await?;
        if head == 0 {
            let first = Generation::<P>::new(1, 0);
            let schema = first.schema();
            first.create(&mut tx).await?;
            execute(&mut tx, &P::indexes(&schema)).await?;
            row_security::enable(&mut tx, &schema).await?;
            first.promote(&mut tx).await?;
        } else {
            task::request::<P>(&mut tx, task::TaskKind::Rebuild, "system").await?;
        }
    }
    tx.commit().await?;
    Ok(())
}

/// Whether a read model of this release exists.
pub(super) async fn exists<P: Projection>(pool: &PgPool) -> Result<bool, sqlx::Error> {
    let mut connection = pool.acquire().await?;
    Ok(Generation::<P>::live(&mut connection).await?.is_some())
}

/// A transaction that waits only a moment for readers; `is_lock_conflict` recognises its errors.
pub(super) async fn begin_with_lock_timeout(pool: &PgPool) -> Result<PgTransaction<'static>, sqlx::Error> {
    let mut tx = pool.begin().await?;
    execute(
        &mut tx,
        &format!(
            "set local lock_timeout = '{SWITCH_WAIT}'; \
             set local idle_in_transaction_session_timeout = '{SWITCH_IDLE}'"
        ),
    )
    .await?;
    Ok(tx)
}

/// Whether a transaction failed only because a reader held a lock: `lock_not_available`, `deadlock_detected`.
pub(super) fn is_lock_conflict(error: &ProjectionError) -> bool {
    let ProjectionError::Database(error) = error else {
        return false;
    };
    let code = error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| code == "55P03" || code == "40P01")
}

/// Statements that take no parameters.
pub(super) async fn execute(connection: &mut PgConnection, sql: &str) -> Result<(), sqlx::Error> {
    connection.execute(sql).await.map(drop)
}

/// Removes generations that no rollback needs: all but the newest retired one of this shape, and shapes that
/// are older than the release before this one.
pub(super) async fn drop_old_generations<P: Projection>(pool: &PgPool) -> Result<(), ProjectionError> {
    match try_drop_old_generations::<P>(pool).await {
        Err(error) if is_lock_conflict(&error) => {
            tracing::info!("Old tables of {} are in use and are kept for now", P::NAME);
            Ok(())
        }
        done => done,
    }
}

async fn try_drop_old_generations<P: Projection>(pool: &PgPool) -> Result<(), ProjectionError> {
    let mut tx = begin_with_lock_timeout(pool).await?;
    drop_generations::<P>(
        &mut tx,
        "state = 'retired' and generation <> (select r.generation from projection r \
            where r.name = p.name and r.shape = p.shape and r.state = 'retired' \
            order by r.promoted_at desc nulls last, r.generation desc limit 1)",
    )
    .await?;
    drop_old_shapes::<P>(&mut tx).await?;
    tx.commit().await?;
    Ok(())
}

async fn drop_generations<P: Projection>(
    connection: &mut PgConnection,
    which: &str,
) -> Result<(), ProjectionError> {
    let numbers: Vec<i32> = sqlx::query_scalar(&format!(
        "delete from projection p where name = $1 and shape = $2 and {which} returning generation"
    ))
    .bind(P::NAME)
    .bind(P::SHAPE)
    .fetch_all(&mut *connection)
    .await?;
    for number in numbers {
        let schema = Generation::<P>::new(number, 0).schema();
        execute(
            &mut *connection,
            &format!("drop schema if exists {schema} cascade"),
        )
        .await?;
        delete_quarantine(&mut *connection, P::NAME, P::SHAPE, number).await?;
    }
    Ok(())
}

async fn drop_old_shapes<P: Projection>(connection: &mut PgConnection) -> Result<(), ProjectionError> {
    let old: Vec<(i32, i32)> = sqlx::query_as(
        "delete from projection where name = $1 and shape < \
           (select max(shape) from projection where name = $1 and shape < $2) returning shape, generation",
    )
    .bind(P::NAME)
    .bind(P::SHAPE)
    .fetch_all(&mut *connection)
    .await?;
    for (shape, number) in old {
        execute(&mut *connection, &format!(
            "drop schema if exists rm_{name}_s{shape}_g{number} cascade; drop schema if exists rm_{name}_s{shape} cascade",
            name = P::NAME
        ))
        .await?;
        delete_quarantine(&mut *connection, P::NAME, shape, number).await?;
    }
    Ok(())
}

async fn delete_quarantine(
    connection: &mut PgConnection,
    name: &str,
    shape: i32,
    generation: i32,
) -> Result<(), sqlx::Error> {
    sqlx::query("delete from projection_parked where name = $1 and shape = $2 and generation = $3")
        .bind(name)
        .bind(shape)
        .bind(generation)
        .execute(connection)
        .await?;
    Ok(())
}
