//! The database of a process: found or started, migrated, supervised, and connected to.

use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, Error, PgConnection};
use tokio_util::sync::CancellationToken;

use crate::app::StartError;
use crate::config::Config;
use crate::pools::{MIN_CONNECTIONS, Pools};
use crate::postgres::EmbeddedPostgres;

/// Default number of connections of a process, unless the server has fewer.
const CONNECTIONS: u32 = 32;
/// The database, and the supervision of the private server.
pub struct Database {
    /// Connections.
    pub pools: Pools,
    embedded: Option<EmbeddedPostgres>,
}

impl Database {
    /// Connects to the configured database, or starts the private one, and migrates it.
    pub async fn open(config: &Config) -> Result<Self, StartError> {
        let database = Self::connect(config).await?;
        sqlx::migrate!().run(&database.pools.work).await?;
        Ok(database)
    }

    /// The same without migrating.
    pub async fn connect(config: &Config) -> Result<Self, StartError> {
        let (url, embedded) = if let Some(url) = &config.database_url {
            (url.clone(), None)
        } else {
            let embedded = EmbeddedPostgres::start(&config.data_dir).await?;
            (embedded.url().to_owned(), Some(embedded))
        };
        let options: PgConnectOptions = url.parse().map_err(StartError::Connect)?;
        let options = options.application_name("sitelog");
        // First without a pool, because a pool would report only a timeout.
        let mut connection = PgConnection::connect_with(&options)
            .await
            .map_err(StartError::Connect)?;
        let offer = ServerInfo::ask(&mut connection)
            .await
            .map_err(StartError::Connect)?;
        connection.close().await.ok();
        if offer.version_number < 150_000 {
            return Err(StartError::TooOld(offer.version));
        }
        let connections = offer.connections(config.database_connections)?;
        Ok(Self {
            pools: Pools::divide(connections, &options, embedded.is_some()),
            embedded,
        })
    }

    /// The URL of the private database.
    pub fn url(&self) -> Option<&str> {
        self.embedded.as_ref().map(EmbeddedPostgres::url)
    }

    /// The URL of a user who sees all rows: the private PostgreSQL's superuser, or the user of `DATABASE_URL`.
    pub fn reading_url(&self, config: &Config) -> Option<String> {
        match &self.embedded {
            Some(embedded) => Some(embedded.superuser_url_of_database()),
            None => config.database_url.clone(),
        }
    }

    /// Restarts the private PostgreSQL when it dies, until it is stopped.
    pub(crate) async fn supervise(&self, stop: CancellationToken) {
        let Some(embedded) = &self.embedded else {
            return stop.cancelled().await;
        };
        while !stop.is_cancelled() {
            match embedded.ensure_running().await {
                Ok(true) => tracing::warn!("PostgreSQL had stopped unexpectedly and was restarted"),
                Ok(false) => {}
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "Cannot start PostgreSQL: {error}"
                    );
                }
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
            }
        }
    }

    /// Closes the connections; the last process stops the private PostgreSQL.
    pub async fn close(self) {
        self.pools.close().await;
        if let Some(embedded) = self.embedded
            && let Err(error) = embedded.stop().await
        {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "PostgreSQL was not stopped: {error}"
            );
        }
    }
}

/// The version and the limits of the server.
#[derive(Debug, sqlx::FromRow)]
struct ServerInfo {
    version_number: i32,
    version: String,
    /// Connections for ordinary users, including those in use.
    connections: i32,
}

impl ServerInfo {
    async fn ask(connection: &mut PgConnection) -> Result<Self, Error> {
        sqlx::query_as(
            "select current_setting('server_version_num')::int as version_number, \
                    current_setting('server_version') as version, \
                    current_setting('max_connections')::int \
                      - current_setting('superuser_reserved_connections')::int \
                      - coalesce(current_setting('reserved_connections', true)::int, 0) as connections",
        )
        .fetch_one(connection)
        .await
    }

    /// How many connections this process may open: as set, or half of what the server has, so that a second process
    /// finds as many.
    fn connections(&self, set: Option<u32>) -> Result<u32, StartError> {
        let offered = u32::try_from(self.connections).unwrap_or(0);
        let wanted = set.unwrap_or_else(|| CONNECTIONS.min(offered / 2).max(MIN_CONNECTIONS));
        if wanted > offered {
            return Err(StartError::TooFewConnections { wanted, offered });
        }
        Ok(wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(connections: i32) -> ServerInfo {
        ServerInfo {
            version_number: 150_000,
            version: "15".into(),
            connections,
        }
    }

    #[test]
    fn two_processes_fit_whatever_the_server_has() {
        assert_eq!(offer(97).connections(None).unwrap(), 32);
        assert_eq!(offer(37).connections(None).unwrap(), 18);
        assert_eq!(offer(97).connections(Some(60)).unwrap(), 60);
    }

    #[test]
    fn more_than_the_server_has_is_refused() {
        let error = offer(37).connections(Some(40)).unwrap_err().to_string();
        assert!(error.contains("40") && error.contains("37"), "{error}");
        assert!(offer(10).connections(None).is_err());
    }
}
