//! PostgreSQL's client programs (`pg_dump`, `pg_restore`), run against any server: the private one or another.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use url::Url;

use super::binaries;
use super::child::{self, Command};

/// What a client program keeps of our environment in addition to what every child does: how to find passwords of this
/// user.
const KEPT: [&str; 3] = ["HOME", "PGPASSFILE", "PGPASSWORD"];

/// A client program cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No program is new enough.
    #[error(
        "this command needs {name} of PostgreSQL {at_least} or newer, which is not installed; install PostgreSQL's \
         client programs of that version (on Debian: apt-get install postgresql-client)"
    )]
    Missing {
        /// The program.
        name: &'static str,
        /// The oldest that would do.
        at_least: u32,
    },
    /// The URL of the database is invalid.
    #[error("the database's URL is invalid")]
    Url(#[source] sqlx::Error),
}

/// A program of PostgreSQL, and its major version.
#[derive(Clone, Debug)]
pub struct ClientProgram {
    path: PathBuf,
    /// Its major version.
    pub major: u32,
}

impl ClientProgram {
    /// The oldest program on this machine that understands servers and files of a version: a newer one would write what
    /// the server does not know.
    pub async fn find(name: &'static str, at_least: u32) -> Result<Self, ClientError> {
        let mut best: Option<Self> = None;
        for dir in binaries::candidates().await {
            let path = dir.join(name);
            if !path.is_file() {
                continue;
            }
            let Some(major) = binaries::version_of(&path).await else {
                continue;
            };
            if major >= at_least && best.as_ref().is_none_or(|best| major < best.major) {
                best = Some(Self { path, major });
            }
        }
        best.ok_or(ClientError::Missing { name, at_least })
    }

    /// The program, run on a database or on files only. The password goes by the environment, where other users of this
    /// machine do not see it.
    pub fn command(&self, database_url: Option<&str>) -> Result<Command, ClientError> {
        let mut command = child::command(&self.path);
        command.kill_on_drop(true);
        for name in KEPT {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        if let Some(url) = database_url {
            command.envs(connection(url)?);
        }
        command
            .current_dir("/")
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        Ok(command)
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// What libpq reads instead of a URL: URLs for sqlx may have parameters that libpq refuses.
fn connection(url: &str) -> Result<Vec<(&'static str, String)>, ClientError> {
    let options = PgConnectOptions::from_str(url).map_err(ClientError::Url)?;
    let host = options
        .get_socket()
        .map_or_else(|| options.get_host().to_owned(), |dir| dir.display().to_string());
    let mut named = vec![
        ("PGHOST", host),
        ("PGPORT", options.get_port().to_string()),
        ("PGUSER", options.get_username().to_owned()),
        ("PGSSLMODE", ssl_mode(options.get_ssl_mode()).to_owned()),
    ];
    let database = options.get_database().unwrap_or_else(|| options.get_username());
    named.push(("PGDATABASE", database.to_owned()));
    if let Ok(url) = Url::parse(url) {
        if let Some(password) = url.password() {
            let password = percent_encoding::percent_decode_str(password).decode_utf8_lossy();
            named.push(("PGPASSWORD", password.into_owned()));
        }
        for (name, value) in url.query_pairs() {
            let known = match &*name {
                "password" => "PGPASSWORD",
                "sslrootcert" | "ssl-root-cert" | "ssl-ca" => "PGSSLROOTCERT",
                "sslcert" | "ssl-cert" => "PGSSLCERT",
                "sslkey" | "ssl-key" => "PGSSLKEY",
                _ => continue,
            };
            named.push((known, value.into_owned()));
        }
    }
    Ok(named)
}

fn ssl_mode(mode: PgSslMode) -> &'static str {
    match mode {
        PgSslMode::Disable => "disable",
        PgSslMode::Allow => "allow",
        PgSslMode::Prefer => "prefer",
        PgSslMode::Require => "require",
        PgSslMode::VerifyCa => "verify-ca",
        PgSslMode::VerifyFull => "verify-full",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_becomes_what_libpq_reads_from_its_environment() {
        let url = "postgres://alice:p%40ss%20word@db.example:5433/scans?sslmode=verify-full&sslrootcert=%2Fca.pem\
                   &statement-cache-capacity=10";
        let named = connection(url).unwrap();
        let value = |name: &str| {
            named
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| value.as_str())
        };
        for (name, expected) in [
            ("PGHOST", "db.example"),
            ("PGPORT", "5433"),
            ("PGUSER", "alice"),
            ("PGDATABASE", "scans"),
            ("PGPASSWORD", "p@ss word"),
            ("PGSSLMODE", "verify-full"),
            ("PGSSLROOTCERT", "/ca.pem"),
        ] {
            assert_eq!(value(name), Some(expected), "{name}");
        }
    }

    #[test]
    fn a_socket_is_its_directory() {
        let named =
            connection("postgres://sitelog@localhost:5432/sitelog?host=/srv/a%20b&sslmode=disable").unwrap();
        assert!(named.contains(&("PGHOST", "/srv/a b".to_owned())), "{named:?}");
    }

    #[tokio::test]
    async fn a_program_that_is_too_old_for_the_server_is_not_taken() {
        let refused = ClientProgram::find("pg_dump", 999).await.unwrap_err();
        assert!(
            refused.to_string().contains("pg_dump of PostgreSQL 999"),
            "{refused}"
        );
    }
}
