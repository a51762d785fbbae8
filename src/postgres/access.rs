//! Who may reach the server: its socket's directory, and the two files of authentication rules.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use super::EmbeddedPostgresError;
use super::account::Account;
use super::layout::Layout;
use super::provision::{OWNER, SUPERUSER};

const RULES: &str = "# Written by sitelog at each start; changes are lost.\nlocal all all peer map=sitelog\n";

/// Writes the rules: the kernel names the caller, and the map says which roles that user may be.
pub(super) fn write_rules(layout: &Layout, account: &Account) -> Result<(), EmbeddedPostgresError> {
    write_readable(&layout.access_rules(), RULES)?;
    write_readable(&layout.user_map(), &user_map(&account.name))
}

/// Root may do what the account may: it could read the files anyway.
fn user_map(account: &str) -> String {
    let users = BTreeSet::from([account, "root"]);
    let lines = users
        .iter()
        .flat_map(|user| [SUPERUSER, OWNER].map(|role| format!("sitelog \"{user}\" {role}\n")));
    lines.collect()
}

fn write_readable(path: &Path, text: &str) -> Result<(), EmbeddedPostgresError> {
    fs::write(path, text)
        .and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(0o644)))
        .map_err(|source| EmbeddedPostgresError::file("write", path, source))
}

/// Makes the socket's directory, and refuses one that belongs to another user.
pub(super) fn prepare_socket_dir(dir: &Path, account: &Account) -> Result<(), EmbeddedPostgresError> {
    let refused = |fault: String| EmbeddedPostgresError::SocketDirTaken {
        path: dir.to_path_buf(),
        fault,
    };
    if let Some(fault) = fault_of(dir, account.uid) {
        return Err(refused(fault));
    }
    account
        .make_private_dir(dir)
        .map_err(|source| EmbeddedPostgresError::file("make", dir, source))?;
    fault_of(dir, account.uid).map_or(Ok(()), |fault| Err(refused(fault)))
}

/// Why a directory must not be trusted with the socket, if it exists: in `/tmp` anybody may make one, and behind it
/// a server that answers in our name.
pub(super) fn fault_of(dir: &Path, uid: u32) -> Option<String> {
    let found = fs::symlink_metadata(dir).ok()?;
    if !found.is_dir() {
        return Some("is not a directory".to_owned());
    }
    let owner = found.uid();
    let made_by_us = owner == uid || owner == rustix::process::geteuid().as_raw();
    (!made_by_us).then(|| format!("belongs to user ID {owner}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_map_names_the_account_and_root_once_each() {
        assert_eq!(user_map("root").lines().count(), 2);
        assert!(user_map("alice").contains("sitelog \"alice\" sitelog\n"));
        assert!(user_map("alice").contains("sitelog \"root\" postgres\n"));
    }

    #[test]
    fn a_symbolic_link_is_no_place_for_the_socket() {
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("link");
        std::os::unix::fs::symlink("/tmp", &link).unwrap();
        assert!(fault_of(&link, 0).is_some());
        assert!(fault_of(&dir.path().join("missing"), 0).is_none());
    }

    #[test]
    fn a_directory_of_another_user_is_refused() {
        let uid = fs::metadata("/proc/1").map_or(0, |found| found.uid());
        let stranger = if rustix::process::geteuid().as_raw() == uid {
            None
        } else {
            Some("/usr")
        };
        if let Some(dir) = stranger {
            assert!(fault_of(Path::new(dir), rustix::process::geteuid().as_raw()).is_some());
        }
    }
}
