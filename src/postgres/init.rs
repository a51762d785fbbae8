//! Creates a new cluster, all or nothing, and returns the version of an existing one.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::EmbeddedPostgresError;
use super::account::{Account, run};
use super::binaries::Binaries;
use super::layout::Layout;
use super::provision::SUPERUSER;

/// Object ids below this belong to PostgreSQL itself (`FirstNormalObjectId`); databases of users lie above.
const FIRST_USER_DATABASE: u32 = 16384;
const UNFINISHED: &str = "postgres.new-";

/// The major version of the data, if there is a whole cluster.
pub(super) fn major_of(layout: &Layout) -> Result<Option<u32>, EmbeddedPostgresError> {
    let cluster = layout.cluster();
    if !is_complete(&cluster) {
        return Ok(None);
    }
    let path = cluster.join("PG_VERSION");
    let text =
        fs::read_to_string(&path).map_err(|source| EmbeddedPostgresError::file("read", &path, source))?;
    let digits = text.trim().split('.').next().unwrap_or_default();
    digits
        .parse()
        .map(Some)
        .map_err(|_| EmbeddedPostgresError::Damaged { path: cluster })
}

/// Refuses data of another major version, and says how to upgrade it.
pub(super) fn refuse_other_version(
    layout: &Layout,
    account: &Account,
    binaries: &Binaries,
) -> Result<(), EmbeddedPostgresError> {
    match major_of(layout)? {
        Some(data) if data != binaries.major => Err(EmbeddedPostgresError::OtherVersion {
            cluster: layout.cluster(),
            data,
            installed: binaries.major,
            upgrade: upgrade_commands(layout, account, binaries, data),
        }),
        _ => Ok(()),
    }
}

/// A line per step; each runs as the account, which as root takes a prefix. The servers that `pg_upgrade` starts put
/// their sockets into the current directory, so that is `/tmp`.
fn upgrade_commands(layout: &Layout, account: &Account, binaries: &Binaries, data: u32) -> String {
    let cluster = layout.cluster();
    let new = layout.data_dir().join(format!("postgres-{}", binaries.major));
    let (old, new, bin) = (cluster.display(), new.display(), binaries.dir.display());
    let old_bin = directory_of(data, binaries);
    let (rules, map) = (layout.access_rules(), layout.user_map());
    let access = format!("-c hba_file={} -c ident_file={}", rules.display(), map.display());
    let initdb = initdb_arguments().join(" ");
    let (make, run) = account.shell_prefixes();
    format!(
        "  cd /tmp && {make} '{new}'\n  \
         {run}{bin}/initdb -D '{new}' {initdb}\n  \
         {run}{bin}/pg_upgrade -U {SUPERUSER} -b {old_bin} -B {bin} -d '{old}' -D '{new}' -o '{access}' -O '{access}'\n  \
         mv '{old}' '{old}-{data}' && mv '{new}' '{old}'"
    )
}

/// Where the programs of another version would lie, going by where these lie.
fn directory_of(major: u32, binaries: &Binaries) -> String {
    let (dir, installed) = (binaries.dir.display().to_string(), binaries.major.to_string());
    if dir.contains(&installed) {
        return dir.replace(&installed, &major.to_string());
    }
    format!("/path/to/postgresql-{major}/bin")
}

/// Creates the cluster if there is none. What a killed run leaves is never taken for a complete cluster.
pub(super) async fn create_if_missing(
    layout: &Layout,
    account: &Account,
    binaries: &Binaries,
) -> Result<(), EmbeddedPostgresError> {
    let cluster = layout.cluster();
    if is_complete(&cluster) {
        return Ok(());
    }
    rename_incomplete(&cluster)?;
    sweep_unfinished(layout.data_dir());
    let unfinished = layout
        .data_dir()
        .join(format!("{UNFINISHED}{}", Uuid::new_v4().simple()));
    let created = create(&unfinished, account, binaries, &cluster).await;
    if created.is_err() {
        sweep_unfinished(layout.data_dir());
    }
    created
}

async fn create(
    unfinished: &Path,
    account: &Account,
    binaries: &Binaries,
    cluster: &Path,
) -> Result<(), EmbeddedPostgresError> {
    tracing::info!(
        "Creating a PostgreSQL {} database in {}",
        binaries.major,
        cluster.display()
    );
    account
        .make_private_dir(unfinished)
        .map_err(|source| EmbeddedPostgresError::file("make", unfinished, source))?;
    let mut initdb = account.command(binaries.program("initdb"));
    initdb
        .arg("-D")
        .arg(unfinished)
        .args(initdb_arguments())
        .kill_on_drop(true);
    let output = run(&mut initdb).await?;
    if !output.status.success() {
        return Err(init_failure(cluster, &String::from_utf8_lossy(&output.stderr)));
    }
    fs::rename(unfinished, cluster)
        .and_then(|()| File::open(cluster.parent().unwrap_or(cluster))?.sync_all())
        .map_err(|source| EmbeddedPostgresError::file("rename", unfinished, source))
}

/// Authentication is set in files of ours; what initdb writes is the same for the account itself, or stricter.
fn initdb_arguments() -> [&'static str; 7] {
    [
        "--username=postgres",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
        "--data-checksums",
        "--auth-local=peer",
        "--auth-host=reject",
        "--no-instructions",
    ]
}

fn init_failure(cluster: &Path, said: &str) -> EmbeddedPostgresError {
    let path = cluster.to_path_buf();
    if ["No space left on device", "Disk quota exceeded"]
        .iter()
        .any(|text| said.contains(text))
    {
        return EmbeddedPostgresError::DiskFull { path };
    }
    EmbeddedPostgresError::InitFailed {
        path,
        output: said.trim().to_owned(),
    }
}

/// initdb writes `PG_VERSION` early, so that file alone proves nothing.
fn is_complete(cluster: &Path) -> bool {
    cluster.join("PG_VERSION").is_file() && cluster.join("global/pg_control").is_file()
}

/// Renames the leftovers of an initdb, unless they contain a database; nothing is deleted.
fn rename_incomplete(cluster: &Path) -> Result<(), EmbeddedPostgresError> {
    if !cluster.exists() || fs::remove_dir(cluster).is_ok() {
        return Ok(());
    }
    if holds_user_databases(cluster) {
        return Err(EmbeddedPostgresError::Damaged {
            path: cluster.to_path_buf(),
        });
    }
    let renamed = free_name(cluster);
    tracing::warn!(
        "{} was never completed; it was renamed to {}",
        cluster.display(),
        renamed.display()
    );
    fs::rename(cluster, &renamed).map_err(|source| EmbeddedPostgresError::file("rename", cluster, source))
}

fn holds_user_databases(cluster: &Path) -> bool {
    let entries = fs::read_dir(cluster.join("base")).into_iter().flatten().flatten();
    let object_id = |name: std::ffi::OsString| name.to_str().and_then(|name| name.parse::<u32>().ok());
    entries
        .filter_map(|entry| object_id(entry.file_name()))
        .any(|id| id >= FIRST_USER_DATABASE)
}

fn free_name(cluster: &Path) -> PathBuf {
    let numbered = |number: u32| cluster.with_file_name(format!("postgres.incomplete-{number}"));
    (1..=u32::MAX)
        .map(numbered)
        .find(|path| !path.exists())
        .expect("there are more numbers than directories")
}

/// Removes what killed runs left. A failure is harmless: the next one has another name.
fn sweep_unfinished(data_dir: &Path) {
    for entry in fs::read_dir(data_dir).into_iter().flatten().flatten() {
        let is_unfinished = entry
            .file_name()
            .to_str()
            .is_some_and(|name| name.starts_with(UNFINISHED));
        if is_unfinished && let Err(error) = fs::remove_dir_all(entry.path()) {
            tracing::warn!("Cannot remove {}: {error}", entry.path().display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster_with(files: &[&str]) -> (tempfile::TempDir, Layout) {
        let data_dir = tempfile::tempdir().unwrap();
        let layout = Layout::prepare(data_dir.path()).unwrap();
        for file in files {
            let path = layout.cluster().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "14\n").unwrap();
        }
        (data_dir, layout)
    }

    #[test]
    fn a_cluster_without_its_control_file_has_no_version() {
        let (_dir, layout) = cluster_with(&["PG_VERSION"]);
        assert_eq!(major_of(&layout).unwrap(), None);
        let (_dir, layout) = cluster_with(&["PG_VERSION", "global/pg_control"]);
        assert_eq!(major_of(&layout).unwrap(), Some(14));
    }

    #[test]
    fn leftovers_of_an_initdb_are_renamed() {
        let (_dir, layout) = cluster_with(&["PG_VERSION", "base/1/112"]);
        rename_incomplete(&layout.cluster()).unwrap();
        assert!(!layout.cluster().exists());
        assert!(
            layout
                .data_dir()
                .join("postgres.incomplete-1/PG_VERSION")
                .exists()
        );
    }

    #[test]
    fn a_damaged_database_is_never_renamed() {
        let (_dir, layout) = cluster_with(&["PG_VERSION", "base/16384/112"]);
        let refused = rename_incomplete(&layout.cluster());
        assert!(
            matches!(refused, Err(EmbeddedPostgresError::Damaged { .. })),
            "{refused:?}"
        );
        assert!(layout.cluster().exists());
    }

    #[test]
    fn a_full_disk_is_told_from_other_failures() {
        let said = "initdb: error: could not write to file \"x\": No space left on device";
        assert!(matches!(
            init_failure(Path::new("/x"), said),
            EmbeddedPostgresError::DiskFull { .. }
        ));
        assert!(matches!(
            init_failure(Path::new("/x"), "no"),
            EmbeddedPostgresError::InitFailed { .. }
        ));
    }

    #[test]
    fn unfinished_clusters_are_swept() {
        let (_dir, layout) = cluster_with(&[]);
        fs::create_dir(layout.data_dir().join("postgres.new-1")).unwrap();
        sweep_unfinished(layout.data_dir());
        assert_eq!(fs::read_dir(layout.data_dir()).unwrap().count(), 0);
    }
}
