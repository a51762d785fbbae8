//! Databases for benches: on a private server in the build directory, with the durability that a service has.

use sitelog::postgres::EmbeddedPostgres;
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection, PgConnection, PgPool};
use tempfile::TempDir;
use url::Url;

/// A server for the time of the bench.
pub struct Server {
    admin: Url,
    private: Option<(EmbeddedPostgres, TempDir)>,
}

impl Server {
    /// The given database, or a new one.
    pub async fn start() -> Self {
        if let Ok(url) = std::env::var("SITELOG_BENCH_DATABASE_URL") {
            return Self {
                admin: url.parse().expect("an URL"),
                private: None,
            };
        }
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
        let postgres = EmbeddedPostgres::start(dir.path())
            .await
            .expect("PostgreSQL starts");
        Self {
            admin: postgres.superuser_url().parse().expect("an URL"),
            private: Some((postgres, dir)),
        }
    }

    /// A migrated database with room for this many clients.
    pub async fn database(&self, name: &str, clients: u32) -> PgPool {
        let mut admin = PgConnection::connect(self.admin.as_str())
            .await
            .expect("a connection");
        for statement in [
            format!("drop database if exists {name} with (force)"),
            format!("create database {name}"),
        ] {
            sqlx::raw_sql(&statement)
                .execute(&mut admin)
                .await
                .expect("a database");
        }
        admin.close().await.expect("closed");
        let mut url = self.admin.clone();
        url.set_path(name);
        let pool = PgPoolOptions::new()
            .max_connections(clients)
            .connect(url.as_str())
            .await
            .expect("a pool");
        sqlx::migrate!().run(&pool).await.expect("migrated");
        pool
    }

    /// Stops the private server.
    pub async fn stop(self) {
        if let Some((postgres, _dir)) = self.private {
            postgres.stop().await.expect("PostgreSQL stops");
        }
    }
}
