//! Provisions a new cluster: settings for a small machine, the owner's role and its database.
//!
//! Tables are created elsewhere. Durability settings keep their defaults: `fsync`, `synchronous_commit` and
//! `full_page_writes` are on.

use sqlx::{Connection, PgConnection};

use super::EmbeddedPostgresError;
use super::cluster::Cluster;

/// Owns the database, and may make roles and databases, but is not a superuser: an attacker with our
/// connection must not get a shell (`copy … to program`) with it.
pub(super) const OWNER: &str = "sitelog";
pub(super) const DATABASE: &str = "sitelog";
pub(super) const SUPERUSER: &str = "postgres";

/// Set with `alter system`, so that an operator may change them the same way. `shared_buffers` (128 MB) and
/// `max_connections` (100) are what initdb gives.
const SETTINGS: [&str; 7] = [
    "alter system set jit = off", // compiling costs more than our short queries take
    "alter system set wal_compression = on", // full page images are most of the log's bytes
    "alter system set max_wal_size = '2GB'", // fewer checkpoints, thus fewer full page images
    "alter system set random_page_cost = 1.1", // the data lies on an SSD or in memory
    "alter system set log_checkpoints = off", // nothing to act on
    "alter system set log_timezone = 'UTC'", // as in our own log
    "alter system set timezone = 'UTC'", // the machine's zone must not change what is read
];

/// Creates role and database if the cluster has none yet. The database comes last: its existence shows that all is done.
pub(super) async fn provide_database(cluster: &Cluster) -> Result<(), EmbeddedPostgresError> {
    provide(&cluster.url(SUPERUSER, SUPERUSER))
        .await
        .map_err(|source| cluster.not_serving(source))
}

async fn provide(superuser_url: &str) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect(superuser_url).await?;
    if !exists(
        &mut connection,
        "select exists (select from pg_database where datname = $1)",
        DATABASE,
    )
    .await?
    {
        for setting in SETTINGS {
            sqlx::query(setting).execute(&mut connection).await?;
        }
        sqlx::query("select pg_reload_conf()")
            .execute(&mut connection)
            .await?;
        if !exists(
            &mut connection,
            "select exists (select from pg_roles where rolname = $1)",
            OWNER,
        )
        .await?
        {
            let role = "create role sitelog login createdb createrole in role pg_monitor";
            sqlx::query(role).execute(&mut connection).await?;
        }
        sqlx::query("create database sitelog owner sitelog")
            .execute(&mut connection)
            .await?;
    }
    connection.close().await
}

async fn exists(connection: &mut PgConnection, query: &str, name: &str) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(query).bind(name).fetch_one(connection).await
}
