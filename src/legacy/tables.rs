//! The schema `legacy`: views with the names, columns and types of the predecessor's tables, for readers (SQL,
//! `SQLAlchemy` models) that are not changed. They use the views of the read models, which always show the live
//! generation. A release with another shape creates them again as soon as that shape is built.

use sha2::{Digest, Sha256};
use sqlx::{Connection, Executor, PgConnection, PgPool};
use tokio_util::sync::CancellationToken;

use crate::projections::ReadModels;
use crate::projections::status::all_exist;
use crate::projections::views::view_of_all;

/// Prevents two processes from creating them concurrently.
const LOCK: i64 = 7_305_116_408;
/// How often a process checks whether the read models of its release exist.
const POLL_INTERVAL: std::time::Duration = std::time::Duration::from_millis(500);

/// The views by name, in the order in which they can be made.
fn views(models: &ReadModels) -> [(&'static str, String); 5] {
    let views = [
        ("domains", &models.domains),
        ("jobs", &models.jobs),
        ("batch_jobs", &models.batch_jobs),
        ("sitemap_files", &models.sitemaps),
        ("sitemap_urls", &models.sitemaps),
    ];
    let sql = |text: &str| {
        views.iter().fold(text.to_owned(), |text, (table, schema)| {
            text.replace(&format!("{{{table}}}"), &view_of_all(schema, table))
        })
    };
    [
        ("domains", sql(include_str!("tables/domains.sql"))),
        ("jobs", sql(include_str!("tables/jobs.sql"))),
        ("batch_jobs", sql(include_str!("tables/batch_jobs.sql"))),
        ("sitemap_files", sql(include_str!("tables/sitemap_files.sql"))),
        ("sitemap_urls", sql(include_str!("tables/sitemap_urls.sql"))),
    ]
}

/// Creates the views as soon as the read models of this release exist.
pub async fn keep(models: ReadModels, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match ensure(&models).await {
            Ok(true) => return,
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "Cannot create the views of the schema legacy"),
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(POLL_INTERVAL) => {}
        }
    }
}

/// Makes the views if they are not those of this release; false if the read models are not there yet.
pub async fn ensure(models: &ReadModels) -> Result<bool, sqlx::Error> {
    if !is_built(&models.pool).await? {
        return Ok(false);
    }
    let mut tx = models.pool.begin().await?;
    sqlx::query("select pg_advisory_xact_lock($1)")
        .bind(LOCK)
        .execute(&mut *tx)
        .await?;
    // A later release beside this one has made them for its own shapes.
    let overtaken: bool = sqlx::query_scalar(
        "select exists (select from projection p where state = 'live' and p.shape > \
           (select max(shape) from unnest($1::text[], $2::int[]) as m(name, shape) where m.name = p.name))",
    )
    .bind(models_of(models).map(|(name, _)| name).to_vec())
    .bind(models_of(models).map(|(_, shape)| shape).to_vec())
    .fetch_one(&mut *tx)
    .await?;
    if !overtaken {
        for (name, sql) in views(models) {
            make(&mut tx, name, &sql).await?;
        }
    }
    tx.commit().await?;
    Ok(true)
}

/// Names and shapes, out of the names of the schemas.
fn models_of(models: &ReadModels) -> [(String, i32); 4] {
    [
        &models.domains,
        &models.jobs,
        &models.batch_jobs,
        &models.sitemaps,
    ]
    .map(|schema| {
        let (name, shape) = schema
            .strip_prefix("rm_")
            .and_then(|rest| rest.rsplit_once("_s"))
            .unwrap_or_default();
        (name.to_owned(), shape.parse().unwrap_or_default())
    })
}

async fn is_built(pool: &PgPool) -> Result<bool, sqlx::Error> {
    match all_exist(pool).await {
        Ok(exist) => Ok(exist),
        Err(crate::projections::ProjectionError::Database(error)) => Err(error),
        Err(_) => Ok(false),
    }
}

/// Creates a view, unless it already exists unchanged. Grants on it are kept if its columns stay the same.
async fn make(connection: &mut PgConnection, name: &str, sql: &str) -> Result<(), sqlx::Error> {
    let mark = hex::encode(&Sha256::digest(sql)[..8]);
    let known: Option<String> =
        sqlx::query_scalar("select obj_description(to_regclass('legacy.' || $1), 'pg_class')")
            .bind(name)
            .fetch_one(&mut *connection)
            .await?;
    if known.as_deref() == Some(mark.as_str()) {
        return Ok(());
    }
    let mut attempt = connection.begin().await?;
    let replaced = attempt
        .execute(format!("create or replace view legacy.{name} as {sql}").as_str())
        .await;
    if replaced.is_ok() {
        attempt.commit().await?;
    } else {
        // The columns changed. Roles that could read the view can read it afterwards.
        attempt.rollback().await?;
        let grants = grants_on(connection, name).await?.join("; ");
        let anew = format!(
            "drop view if exists legacy.{name} cascade; create view legacy.{name} as {sql}; {grants}"
        );
        connection.execute(anew.as_str()).await?;
    }
    connection
        .execute(format!("comment on view legacy.{name} is '{mark}'").as_str())
        .await?;
    Ok(())
}

/// The statements that give others the rights on a view which they have.
async fn grants_on(connection: &mut PgConnection, name: &str) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar(
        "select format('grant %s on legacy.%I to %s%s', a.privilege_type, c.relname, \
                       case a.grantee when 0 then 'public' else a.grantee::regrole::text end, \
                       case when a.is_grantable then ' with grant option' else '' end) \
           from pg_class c cross join lateral aclexplode(c.relacl) a \
          where c.oid = to_regclass('legacy.' || $1) and a.grantee <> c.relowner",
    )
    .bind(name)
    .fetch_all(connection)
    .await
}
