//! Finds PostgreSQL's own programs on this machine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::child;
use super::{EmbeddedPostgresError, OLDEST_MAJOR};

/// A directory with `initdb`, `postgres` and `pg_ctl`, and the major version they are of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Binaries {
    pub(super) dir: PathBuf,
    pub(super) major: u32,
}

impl Binaries {
    /// Finds the programs of version `wanted`, the version of existing data, or else the newest there are.
    ///
    /// May give another version than `wanted`; opening the data fails then.
    pub(super) async fn find(wanted: Option<u32>) -> Result<Self, EmbeddedPostgresError> {
        let installed = installed().await;
        choose(&installed, wanted).ok_or_else(|| none_among(&installed))
    }

    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}

fn choose(installed: &BTreeMap<u32, PathBuf>, wanted: Option<u32>) -> Option<Binaries> {
    let usable = installed.range(OLDEST_MAJOR..);
    let exact = usable.clone().find(|(major, _)| Some(**major) == wanted);
    let (&major, dir) = exact.or(usable.last())?;
    Some(Binaries {
        dir: dir.clone(),
        major,
    })
}

/// Every version installed, with the first directory that has it.
async fn installed() -> BTreeMap<u32, PathBuf> {
    let mut found = BTreeMap::new();
    for dir in candidates().await {
        let complete = ["initdb", "postgres", "pg_ctl"]
            .iter()
            .all(|name| dir.join(name).is_file());
        if complete && let Some(major) = version_of(&dir.join("postgres")).await {
            found.entry(major).or_insert(dir);
        }
    }
    found
}

/// The directories to search: the distributions' own places, then `PATH`, then what `pg_config` says.
pub(super) async fn candidates() -> Vec<PathBuf> {
    let mut dirs = versioned("/usr/lib/postgresql", "", "bin"); // Debian, Ubuntu
    dirs.extend(versioned("/usr", "pgsql-", "bin")); // the project's own RPMs
    dirs.extend(versioned("/opt/homebrew/opt", "postgresql@", "bin"));
    dirs.extend(std::env::var_os("PATH").iter().flat_map(std::env::split_paths));
    if let Some(said) = output_of(Path::new("pg_config"), "--bindir").await {
        dirs.push(PathBuf::from(said.trim()));
    }
    dirs
}

/// `<parent>/<prefix><number>/<suffix>` for each number there is.
fn versioned(parent: &str, prefix: &str, suffix: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(parent) else {
        return Vec::new();
    };
    let numbered = |name: &str| {
        name.strip_prefix(prefix)
            .is_some_and(|rest| rest.parse::<u32>().is_ok())
    };
    entries
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(numbered))
        .map(|entry| entry.path().join(suffix))
        .collect()
}

/// The major version of one of its programs.
pub(super) async fn version_of(program: &Path) -> Option<u32> {
    parse_version(&output_of(program, "--version").await?)
}

async fn output_of(program: &Path, argument: &str) -> Option<String> {
    let output = child::command(program).arg(argument).output().await.ok()?;
    String::from_utf8(output.stdout).ok()
}

/// The major version in `postgres (PostgreSQL) 17.2 (Debian 17.2-1)`; also of betas (`18beta1`) and `19devel`.
fn parse_version(said: &str) -> Option<u32> {
    let (_, rest) = said.split_once("(PostgreSQL) ")?;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

fn none_among(installed: &BTreeMap<u32, PathBuf>) -> EmbeddedPostgresError {
    let found = match installed.iter().next_back() {
        Some((major, dir)) => format!(" (only {major} in {})", dir.display()),
        None => String::new(),
    };
    let install = install_command(|path| Path::new(path).exists());
    EmbeddedPostgresError::NoBinaries {
        found,
        install: install.to_owned(),
    }
}

/// The command to run. On Debian it also prevents the package from starting its own server.
fn install_command(exists: impl Fn(&str) -> bool) -> &'static str {
    if exists("/etc/debian_version") {
        return "sudo sh -c 'apt-get update && apt-get install -y postgresql-common && sed -i \
                \"s/^#*create_main_cluster.*/create_main_cluster = false/\" \
                /etc/postgresql-common/createcluster.conf && apt-get install -y postgresql'";
    }
    if exists("/etc/alpine-release") {
        return "sudo apk add postgresql";
    }
    if exists("/etc/fedora-release") || exists("/etc/redhat-release") {
        return "sudo dnf install -y postgresql-server";
    }
    if exists("/etc/arch-release") {
        return "sudo pacman -S postgresql";
    }
    if exists("/opt/homebrew") {
        return "brew install postgresql@17";
    }
    "(your package manager's install command for the PostgreSQL server)"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dirs(majors: &[u32]) -> BTreeMap<u32, PathBuf> {
        majors
            .iter()
            .map(|major| (*major, PathBuf::from(format!("/{major}"))))
            .collect()
    }

    #[test]
    fn the_major_version_is_read_from_releases_betas_and_distributions() {
        assert_eq!(
            parse_version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"),
            Some(15)
        );
        assert_eq!(parse_version("postgres (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(parse_version("postgres (PostgreSQL) 9.6.24\n"), Some(9));
        assert_eq!(parse_version("postgres: not found"), None);
    }

    #[test]
    fn the_newest_is_taken_for_new_data_and_the_same_for_old() {
        let installed = dirs(&[14, 15, 17]);
        assert_eq!(choose(&installed, None).unwrap().major, 17);
        assert_eq!(choose(&installed, Some(15)).unwrap().major, 15);
        for refused_later in [14, 16] {
            assert_eq!(choose(&installed, Some(refused_later)).unwrap().major, 17);
        }
    }

    #[test]
    fn too_old_is_as_good_as_none_and_named() {
        assert_eq!(choose(&dirs(&[13]), None), None);
        let message = none_among(&dirs(&[13])).to_string();
        assert!(message.contains("only 13 in /13"), "{message}");
    }

    #[test]
    fn debian_is_told_not_to_start_a_cluster() {
        let command = install_command(|path| path == "/etc/debian_version");
        assert!(command.contains("create_main_cluster = false"), "{command}");
    }
}
