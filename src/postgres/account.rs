//! The operating system user that PostgreSQL's programs run as: ourselves, or an unprivileged one when we are root.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, chown, fchown};
use std::path::Path;
use std::process::Output;

use rustix::fs::OFlags;

use super::EmbeddedPostgresError;
use super::child::{self, Command};
use super::layout::Layout;

/// Debian's and the RPMs' own account first; every system has the second.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

/// The user that runs PostgreSQL's programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) uid: u32,
    gid: u32,
    /// Whether we are root and must step down.
    steps_down: bool,
}

impl Account {
    /// Ourselves; as root the owner of the cluster if there is one, so that root can join a user's server.
    pub(super) async fn choose(layout: &Layout) -> Result<Self, EmbeddedPostgresError> {
        let cluster = layout.cluster();
        let owner = fs::metadata(&cluster).map(|found| found.uid()).ok();
        let uid = rustix::process::geteuid().as_raw();
        match owner {
            _ if uid == 0 => Self::unprivileged(owner.filter(|owner| *owner != 0)).await,
            Some(owner) if owner != uid => Err(EmbeddedPostgresError::NotOurs {
                path: cluster,
                owner,
                uid,
            }),
            _ => Self::ourselves(uid).await,
        }
    }

    async fn ourselves(uid: u32) -> Result<Self, EmbeddedPostgresError> {
        let output = run(child::command("id").arg("-un")).await?;
        if !output.status.success() {
            return Err(EmbeddedPostgresError::NamelessAccount { uid });
        }
        let name = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let gid = rustix::process::getegid().as_raw();
        Ok(Self {
            name,
            uid,
            gid,
            steps_down: false,
        })
    }

    async fn unprivileged(owner: Option<u32>) -> Result<Self, EmbeddedPostgresError> {
        if let Some(uid) = owner {
            let entry = passwd_entry(&uid.to_string()).await;
            return entry.ok_or(EmbeddedPostgresError::NamelessAccount { uid });
        }
        for name in UNPRIVILEGED {
            if let Some(account) = passwd_entry(name).await {
                return Ok(account);
            }
        }
        Err(EmbeddedPostgresError::NoAccount)
    }

    /// A command that runs as this account, out of reach of a Ctrl-C meant for us.
    pub(super) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = child::command(program.as_ref());
        command.current_dir("/").process_group(0);
        if self.steps_down {
            command.uid(self.uid).gid(self.gid);
        }
        command
    }

    /// For instructions to a person: how to make a directory for the account, and how to run a command as it.
    pub(super) fn shell_prefixes(&self) -> (String, String) {
        if self.steps_down {
            let name = &self.name;
            return (
                format!("install -d -m 0700 -o {name}"),
                format!("runuser -u {name} -- "),
            );
        }
        ("install -d -m 0700".to_owned(), String::new())
    }

    /// Makes a directory that only this account (and root) can look into.
    ///
    /// It may be in `/tmp`, where anybody can replace it by a link; the target of a link is never changed.
    pub(super) fn make_private_dir(&self, dir: &Path) -> io::Result<()> {
        match fs::create_dir(dir) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let itself = OFlags::DIRECTORY | OFlags::NOFOLLOW;
        let opened = fs::OpenOptions::new()
            .read(true)
            .custom_flags(itself.bits().cast_signed())
            .open(dir)?;
        if self.steps_down {
            fchown(&opened, Some(self.uid), Some(self.gid))?;
        }
        opened.set_permissions(fs::Permissions::from_mode(0o700))
    }

    /// Makes sure that the account can reach the data directory, which root created for itself.
    pub(super) async fn admit_to(&self, layout: &Layout) -> Result<(), EmbeddedPostgresError> {
        let data_dir = layout.data_dir();
        if !self.steps_down || self.may_enter(data_dir).await? {
            return Ok(());
        }
        self.allow_group(data_dir)
            .map_err(|source| EmbeddedPostgresError::file("open", data_dir, source))?;
        for dir in ancestors_from_root(data_dir) {
            if !self.may_enter(dir).await? {
                return Err(EmbeddedPostgresError::AccountShutOut {
                    account: self.name.clone(),
                    blocked: dir.to_path_buf(),
                    data_dir: data_dir.to_path_buf(),
                });
            }
        }
        Ok(())
    }

    /// Lets the account enter root's directory by its group, without being able to list it.
    fn allow_group(&self, data_dir: &Path) -> io::Result<()> {
        let found = fs::metadata(data_dir)?;
        if found.uid() != 0 {
            return Ok(());
        }
        chown(data_dir, None, Some(self.gid))?;
        fs::set_permissions(
            data_dir,
            fs::Permissions::from_mode(found.mode() & 0o7707 | 0o010),
        )
    }

    async fn may_enter(&self, dir: &Path) -> Result<bool, EmbeddedPostgresError> {
        let mut command = self.command("/bin/sh");
        command.args(["-c", r#"cd "$1""#, "sh"]).arg(dir);
        Ok(run(&mut command).await?.status.success())
    }
}

/// Runs a command to its end and keeps what it printed.
pub(super) async fn run(command: &mut Command) -> Result<Output, EmbeddedPostgresError> {
    let program = command.as_std().get_program().into();
    command
        .output()
        .await
        .map_err(|source| EmbeddedPostgresError::NotRunnable { program, source })
}

/// The entry of a user name or number, from wherever this system keeps its users.
async fn passwd_entry(key: &str) -> Option<Account> {
    let listed = match child::command("getent").args(["passwd", key]).output().await {
        Ok(output) => String::from_utf8_lossy(&output.stdout).into_owned(),
        Err(_) => fs::read_to_string("/etc/passwd").ok()?,
    };
    listed.lines().find_map(|line| parse_entry(line, key))
}

fn parse_entry(line: &str, key: &str) -> Option<Account> {
    let mut fields = line.split(':');
    let (name, _password) = (fields.next()?, fields.next()?);
    let (uid, gid) = (fields.next()?, fields.next()?);
    if key != name && key != uid {
        return None;
    }
    Some(Account {
        name: name.to_owned(),
        uid: uid.parse().ok()?,
        gid: gid.parse().ok()?,
        steps_down: true,
    })
}

fn ancestors_from_root(dir: &Path) -> impl Iterator<Item = &Path> {
    let mut dirs: Vec<&Path> = dir.ancestors().collect();
    dirs.reverse();
    dirs.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_name_and_by_number() {
        let line = "postgres:x:101:104:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash";
        let account = parse_entry(line, "postgres").unwrap();
        assert_eq!((account.uid, account.gid), (101, 104));
        assert_eq!(parse_entry(line, "101"), Some(account));
        assert_eq!(parse_entry(line, "104"), None);
    }

    #[test]
    fn a_private_directory_is_not_what_a_link_leads_to() {
        let dir = tempfile::tempdir().unwrap();
        let (target, link) = (dir.path().join("target"), dir.path().join("link"));
        fs::create_dir(&target).unwrap();
        fs::set_permissions(&target, fs::Permissions::from_mode(0o755)).unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        let account = Account {
            name: "me".to_owned(),
            uid: rustix::process::geteuid().as_raw(),
            gid: rustix::process::getegid().as_raw(),
            steps_down: false,
        };
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert!(account.make_private_dir(&link).is_err());
        assert_eq!(mode(&target), 0o755);
        for _ in ["new", "there already"] {
            account.make_private_dir(&dir.path().join("own")).unwrap();
            assert_eq!(mode(&dir.path().join("own")), 0o700);
        }
    }

    #[test]
    fn the_way_to_a_directory_starts_at_the_root() {
        let way: Vec<_> = ancestors_from_root(Path::new("/srv/data")).collect();
        assert_eq!(way, [Path::new("/"), Path::new("/srv"), Path::new("/srv/data")]);
    }
}
