//! Which schema each read model lives in: `rm_<name>_s<shape>_g<generation>`.

use sqlx::{PgConnection, PgPool};

use super::batch_jobs::BatchJobs;
use super::domains::Domains;
use super::jobs::Jobs;
use super::sitemaps::Sitemaps;
use super::{Projection, ProjectionError};

/// The live schemas of this release's read models.
#[derive(Clone, Debug)]
pub struct ReadModels {
    /// Where they are.
    pub pool: PgPool,
    /// Schema of `domains`.
    pub domains: String,
    /// Schema of `jobs`.
    pub jobs: String,
    /// Schema of `batch_jobs`.
    pub batch_jobs: String,
    /// Schema of `sitemaps` and `sitemap_urls`.
    pub sitemaps: String,
}

impl ReadModels {
    /// Finds the live generation of each read model; makes the first where there is none.
    pub async fn ensure(pool: PgPool) -> Result<Self, ProjectionError> {
        Ok(Self {
            domains: ensure::<Domains>(&pool).await?,
            jobs: ensure::<Jobs>(&pool).await?,
            batch_jobs: ensure::<BatchJobs>(&pool).await?,
            sitemaps: ensure::<Sitemaps>(&pool).await?,
            pool,
        })
    }
}

/// The schema of a generation.
pub fn schema_name(name: &str, shape: i32, generation: i32) -> String {
    format!("rm_{name}_s{shape}_g{generation}")
}

async fn ensure<P: Projection>(pool: &PgPool) -> Result<String, ProjectionError> {
    let mut tx = pool.begin().await?;
    // Two processes that start at once make one schema.
    sqlx::query("select pg_advisory_xact_lock(7305116404)")
        .execute(&mut *tx)
        .await?;
    let live: Option<i32> = sqlx::query_scalar(
        "select generation from projection where name = $1 and shape = $2 and state = 'live'",
    )
    .bind(P::NAME)
    .bind(P::SHAPE)
    .fetch_optional(&mut *tx)
    .await?;
    let schema = schema_name(P::NAME, P::SHAPE, live.unwrap_or(1));
    if live.is_none() {
        create::<P>(&mut tx, &schema).await?;
    }
    tx.commit().await?;
    Ok(schema)
}

async fn create<P: Projection>(connection: &mut PgConnection, schema: &str) -> Result<(), ProjectionError> {
    sqlx::raw_sql(&format!("create schema {schema}; {}", P::ddl(schema)))
        .execute(&mut *connection)
        .await?;
    // Names for people with psql; the program itself always names the schema.
    let tables: Vec<String> =
        sqlx::query_scalar("select tablename::text from pg_tables where schemaname = $1")
            .bind(schema)
            .fetch_all(&mut *connection)
            .await?;
    for table in tables {
        let view = format!(
            "drop view if exists public.{table}; create view public.{table} as select * from {schema}.{table}"
        );
        sqlx::raw_sql(&view).execute(&mut *connection).await?;
    }
    sqlx::query("insert into projection (name, shape, generation, state) values ($1, $2, 1, 'live')")
        .bind(P::NAME)
        .bind(P::SHAPE)
        .execute(connection)
        .await?;
    Ok(())
}
