//! Dumps a database: one consistent snapshot of everything, while the service runs.

use std::path::Path;

use sqlx::{Connection, Executor, PgConnection};
use tokio::io::AsyncReadExt;

use super::archive::Unfinished;
use super::{BackupError, Manifest};
use crate::log::EventLog;
use crate::postgres::{ChildCommand, ClientProgram};

/// Size of a block in bytes.
const CHUNK: usize = 128 * 1024;

/// A backup that was written.
#[derive(Debug)]
pub struct Saved {
    /// Its manifest.
    pub manifest: Manifest,
    /// Bytes of the file.
    pub bytes: u64,
}

/// Writes a backup of the database at `url`; `progress` gets the number of written bytes.
///
/// The user of `url` must see all rows: a superuser, or the owner of the tables. `log` is the log of the same database.
pub async fn back_up(
    url: &str,
    log: &EventLog,
    file: &Path,
    progress: impl Fn(u64),
) -> Result<Saved, BackupError> {
    let mut connection = PgConnection::connect(url).await?;
    let bypasses = may_read_all(&mut connection).await?;
    // The snapshot lasts as long as this transaction, however long the dump takes.
    connection
        .execute("set idle_in_transaction_session_timeout = 0")
        .await?;
    connection
        .execute("begin isolation level repeatable read read only")
        .await?;
    let snapshot: String = sqlx::query_scalar("select pg_export_snapshot()")
        .fetch_one(&mut connection)
        .await?;
    let mut manifest = describe(&mut connection).await?;
    let pg_dump = ClientProgram::find("pg_dump", manifest.server).await?;
    manifest.pg_dump = pg_dump.major;
    // The log only grows, so the root over what the snapshot has can be read beside it.
    manifest.root = hex::encode(log.checkpoint(Some(manifest.events)).await?.head.root);
    let mut command = pg_dump.command(Some(url))?;
    command.args(["--format=custom", "--snapshot", &snapshot]);
    if !bypasses {
        // The owner sees all rows through a separate policy; without this, pg_dump refuses to dump.
        command.arg("--enable-row-security");
    }
    let bytes = write(command, file, &manifest, progress).await?;
    connection.close().await?;
    Ok(Saved { manifest, bytes })
}

/// Runs `pg_dump` into the file.
async fn write(
    mut command: ChildCommand,
    file: &Path,
    manifest: &Manifest,
    progress: impl Fn(u64),
) -> Result<u64, BackupError> {
    let mut unfinished = Unfinished::begin(file, manifest)?;
    let failed = |said: String| BackupError::Failed {
        program: "pg_dump",
        what: "written",
        said,
    };
    let mut child = command
        .stdout(std::process::Stdio::piped())
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    let mut output = child.stdout.take().expect("it is piped");
    let mut errors = child.stderr.take().expect("it is piped");
    let copy = async {
        let (mut buffer, mut bytes) = (vec![0; CHUNK], 0);
        loop {
            let count = output
                .read(&mut buffer)
                .await
                .map_err(|error| failed(error.to_string()))?;
            if count == 0 {
                return Ok::<_, BackupError>(());
            }
            unfinished.write(&buffer[..count])?;
            bytes += count as u64;
            progress(bytes);
        }
    };
    let mut said = String::new();
    let (copied, _) = tokio::join!(copy, errors.read_to_string(&mut said));
    copied?;
    let status = child.wait().await.map_err(|error| failed(error.to_string()))?;
    if !status.success() {
        return Err(failed(said.trim().to_owned()));
    }
    Ok(unfinished.finish()?)
}

/// Whether row-level security is bypassed; an error if there are tables whose rows may be hidden.
async fn may_read_all(connection: &mut PgConnection) -> Result<bool, BackupError> {
    let (user, database, bypasses, tables): (String, String, bool, bool) = sqlx::query_as(
        "select current_user::text, current_database()::text, r.rolsuper or r.rolbypassrls, \
                to_regclass('public.events') is not null and to_regclass('public._sqlx_migrations') is not null \
           from pg_roles r where r.rolname = current_user",
    )
    .fetch_one(&mut *connection)
    .await?;
    if !tables {
        return Err(BackupError::Nothing(database));
    }
    if bypasses {
        return Ok(true);
    }
    let foreign: Option<String> = sqlx::query_scalar(
        "select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace \
          where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' \
            and not pg_has_role(current_user, c.relowner, 'usage') order by 1 limit 1",
    )
    .fetch_optional(connection)
    .await?;
    match foreign {
        Some(table) => Err(BackupError::NotAllRows { user, table }),
        None => Ok(false),
    }
}

/// What the snapshot holds. Root and version of `pg_dump` are not known yet.
async fn describe(connection: &mut PgConnection) -> Result<Manifest, sqlx::Error> {
    let (taken_at, server, migration, events, roles): (_, i32, i64, i64, Vec<String>) = sqlx::query_as(
        "select clock_timestamp(), current_setting('server_version_num')::int / 10000, \
                (select max(version) from public._sqlx_migrations where success), \
                (select position from public.log_head), \
                array(select distinct r.rolname::text \
                        from pg_shdepend s join pg_roles r on r.oid = s.refobjid, \
                             (select relowner from pg_class where oid = 'public.events'::regclass) owner \
                       where s.refclassid = 'pg_authid'::regclass and s.deptype in ('a', 'r') \
                         and s.dbid = (select oid from pg_database where datname = current_database()) \
                         and s.refobjid <> owner.relowner order by 1)",
    )
    .fetch_one(connection)
    .await?;
    Ok(Manifest {
        format: Manifest::FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        taken_at,
        server: u32::try_from(server).unwrap_or_default(),
        pg_dump: 0,
        migration,
        events: u64::try_from(events).unwrap_or_default(),
        root: String::new(),
        roles,
    })
}
