//! Restores a backup into an empty database, all or nothing, as the user who runs it.

use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::process::Stdio;

use sqlx::migrate::Migrate;
use sqlx::{Connection, Executor, PgConnection};
use tempfile::NamedTempFile;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Archive, ArchiveError, BackupError};
use crate::postgres::{ChildCommand, ClientProgram};
use crate::projections::row_security;

/// Size of a block in bytes.
const CHUNK: usize = 128 * 1024;

/// Restores into the database at `url`; `progress` gets the number of bytes read of the dump.
pub async fn restore(url: &str, archive: &Archive, progress: impl Fn(u64)) -> Result<(), BackupError> {
    let manifest = &archive.manifest;
    let known = sqlx::migrate!().iter().map(|migration| migration.version).max();
    if known.is_none_or(|known| manifest.migration > known) {
        return Err(BackupError::TooNew {
            version: manifest.version.clone(),
            migration: manifest.migration,
        });
    }
    let mut connection = PgConnection::connect(url).await?;
    // A service that starts here meanwhile waits with its migrations until all is there.
    connection.lock().await?;
    refuse_what_is_not_empty(&mut connection).await?;
    let server: i32 = sqlx::query_scalar("select current_setting('server_version_num')::int / 10000")
        .fetch_one(&mut connection)
        .await?;
    let at_least = manifest.pg_dump.max(u32::try_from(server).unwrap_or_default());
    let pg_restore = ClientProgram::find("pg_restore", at_least).await?;
    for role in &manifest.roles {
        provide_role(&mut connection, role).await?;
    }
    let contents = contents(&pg_restore, archive).await?;
    let mut command = pg_restore.command(Some(url))?;
    command
        .arg("--dbname=")
        .args(["--single-transaction", "--no-owner"]);
    command.arg("--use-list").arg(contents.path());
    feed(command, archive, progress).await?;
    reset_leases_and_policies(&mut connection).await?;
    connection.unlock().await?;
    connection.close().await?;
    Ok(())
}

/// Existing data could be overwritten, or mixed with the restored data.
async fn refuse_what_is_not_empty(connection: &mut PgConnection) -> Result<(), BackupError> {
    let (database, found): (String, Option<String>) = sqlx::query_as(
        "select current_database()::text, \
                coalesce((select 'the schema ' || nspname from pg_namespace \
                           where nspname !~ '^pg_' and nspname not in ('information_schema', 'public') \
                             and not exists (select from pg_depend d where d.classid = 'pg_namespace'::regclass \
                                                and d.objid = pg_namespace.oid and d.deptype = 'e') limit 1), \
                         (select 'the table or view ' || c.relname from pg_class c \
                           where c.relnamespace = to_regnamespace('public') and c.relkind <> 'i' \
                             and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass \
                                                and d.objid = c.oid and d.deptype = 'e') limit 1))",
    )
    .fetch_one(connection)
    .await?;
    match found {
        Some(found) => Err(BackupError::NotEmpty { database, found }),
        None => Ok(()),
    }
}

/// Roles belong to the server and are in no dump of a database. One that is created here cannot log in: the
/// administrator of the server decides about that.
async fn provide_role(connection: &mut PgConnection, role: &str) -> Result<(), BackupError> {
    let there: bool = sqlx::query_scalar("select exists (select from pg_roles where rolname = $1)")
        .bind(role)
        .fetch_one(&mut *connection)
        .await?;
    if there {
        return Ok(());
    }
    let quoted = role.replace('"', "\"\"");
    let made = connection
        .execute(format!("create role \"{quoted}\" nologin").as_str())
        .await;
    made.map(drop).map_err(|source| BackupError::Role {
        role: role.to_owned(),
        source,
    })
}

/// What is to be restored: all but the policy that shows the owner all rows, because it names the owner of the
/// original.
async fn contents(pg_restore: &ClientProgram, archive: &Archive) -> Result<NamedTempFile, BackupError> {
    let mut command = pg_restore.command(None)?;
    command.arg("--list").stdout(Stdio::piped());
    let listed = feed(command, archive, |_| {}).await?;
    let mut wanted = String::new();
    for line in listed
        .lines()
        .filter(|line| !row_security::is_owners_policy(line))
    {
        let _infallible = writeln!(wanted, "{line}");
    }
    let failed = |error: std::io::Error| failed(error.to_string());
    let mut file = NamedTempFile::with_prefix("sitelog-contents-").map_err(failed)?;
    file.write_all(wanted.as_bytes()).map_err(failed)?;
    Ok(file)
}

/// Runs `pg_restore` over the dump; returns what it printed.
async fn feed(
    mut command: ChildCommand,
    archive: &Archive,
    progress: impl Fn(u64),
) -> Result<String, BackupError> {
    let mut dump = archive.reader()?;
    let spawned = command.stdin(Stdio::piped()).spawn();
    let mut child = spawned.map_err(|error| failed(error.to_string()))?;
    let mut input = child.stdin.take().expect("it is piped");
    let (output, errors) = (child.stdout.take(), child.stderr.take());
    let feeding = async {
        let (mut buffer, mut bytes) = (vec![0; CHUNK], 0);
        loop {
            let count = dump.read(&mut buffer).map_err(|source| ArchiveError::File {
                path: archive.path().to_path_buf(),
                doing: "read",
                source,
            })?;
            // It may have read enough, or it failed and reports that itself.
            if count == 0 || input.write_all(&buffer[..count]).await.is_err() {
                break;
            }
            bytes += count as u64;
            progress(bytes);
        }
        drop(input);
        Ok::<_, BackupError>(())
    };
    let (mut printed, mut said) = (String::new(), String::new());
    let printing = async {
        if let Some(mut output) = output {
            output.read_to_string(&mut printed).await.ok();
        }
    };
    let saying = async {
        if let Some(mut errors) = errors {
            errors.read_to_string(&mut said).await.ok();
        }
    };
    let (fed, (), ()) = tokio::join!(feeding, printing, saying);
    fed?;
    let status = child.wait().await.map_err(|error| failed(error.to_string()))?;
    if status.success() {
        Ok(printed)
    } else {
        Err(failed(said.trim().to_owned()))
    }
}

fn failed(said: String) -> BackupError {
    BackupError::Failed {
        program: "pg_restore",
        what: "restored",
        said,
    }
}

/// Resets what belongs to the original database only: the row-level security policy of its owner, and the leases of its
/// processes.
async fn reset_leases_and_policies(connection: &mut PgConnection) -> Result<(), BackupError> {
    let mut transaction = connection.begin().await?;
    row_security::enable_everywhere(&mut transaction).await?;
    transaction
        .execute(
            "update policy set holder = null, leased_until = null; \
             update scan_task set leased_until = null, worker = null where leased_until is not null; \
             update projection_task set leased_until = null where leased_until is not null",
        )
        .await?;
    transaction.commit().await?;
    Ok(())
}
