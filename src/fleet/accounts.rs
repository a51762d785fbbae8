//! The users of the broker, one per role, each with only the permissions that it needs.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nkeys::KeyPair;

use super::Cell;

/// The users of the broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NatsUser {
    /// Claims tasks and delivers results.
    Worker,
    /// Answers workers, records results and copies the log.
    Dispatcher,
    /// Reads the copy of the log.
    Follower,
    /// Creates streams, once.
    Admin,
}

impl NatsUser {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Worker, Self::Dispatcher, Self::Follower, Self::Admin];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Worker => "worker",
            Self::Dispatcher => "dispatcher",
            Self::Follower => "follower",
            Self::Admin => "admin",
        }
    }

    /// Who uses it.
    pub fn purpose(self) -> &'static str {
        match self {
            Self::Worker => "workers: sitelog worker",
            Self::Dispatcher => "dispatchers and relays: sitelog serve --roles dispatcher,relay",
            Self::Follower => "followers: sitelog follow",
            Self::Admin => "sitelog nats init and check",
        }
    }

    /// The subject of responses to it.
    pub(super) fn inbox(self) -> &'static str {
        match self {
            Self::Worker => "_INBOX_worker",
            Self::Dispatcher => "_INBOX_dispatcher",
            Self::Follower => "_INBOX_follower",
            Self::Admin => "_INBOX_admin",
        }
    }

    /// What it may publish.
    pub fn may_publish(self, cell: &Cell) -> Vec<String> {
        let (results, log, bucket) = (cell.results_stream(), cell.log_stream(), cell.bucket());
        match self {
            Self::Worker => vec![
                cell.claims(),
                cell.begins(),
                cell.beats(),
                cell.results("*"),
                // Puts large results into the bucket, and looks first whether the name is taken.
                format!("$O.{bucket}.C.*"),
                format!("$O.{bucket}.M.*"),
                format!("$JS.API.STREAM.INFO.OBJ_{bucket}"),
                format!("$JS.API.DIRECT.GET.OBJ_{bucket}.$O.{bucket}.M.*"),
            ],
            Self::Dispatcher => vec![
                format!("{}.>", Self::Worker.inbox()),
                cell.events("*"),
                format!("$JS.API.STREAM.INFO.{results}"),
                format!("$JS.API.CONSUMER.INFO.{results}.*"),
                format!("$JS.API.CONSUMER.MSG.NEXT.{results}.*"),
                format!("$JS.ACK.{results}.>"),
                format!("$JS.ACK.*.*.{results}.>"),
                format!("$JS.API.STREAM.INFO.{log}"),
                format!("$JS.API.DIRECT.GET.{log}"),
                format!("$JS.API.STREAM.MSG.GET.{log}"),
                // Reads large results, and deletes what is recorded.
                format!("$O.{bucket}.M.*"),
                format!("$JS.API.STREAM.INFO.OBJ_{bucket}"),
                format!("$JS.API.STREAM.PURGE.OBJ_{bucket}"),
                format!("$JS.API.DIRECT.GET.OBJ_{bucket}.>"),
                format!("$JS.API.CONSUMER.CREATE.OBJ_{bucket}"),
                format!("$JS.API.CONSUMER.CREATE.OBJ_{bucket}.>"),
                format!("$JS.API.CONSUMER.DELETE.OBJ_{bucket}.*"),
                format!("$JS.FC.OBJ_{bucket}.>"),
            ],
            Self::Follower => vec![
                format!("$JS.API.STREAM.INFO.{log}"),
                format!("$JS.API.CONSUMER.CREATE.{log}"),
                format!("$JS.API.CONSUMER.CREATE.{log}.>"),
                format!("$JS.API.CONSUMER.INFO.{log}.*"),
                format!("$JS.API.CONSUMER.DELETE.{log}.*"),
                format!("$JS.API.CONSUMER.MSG.NEXT.{log}.*"),
                format!("$JS.FC.{log}.>"),
            ],
            Self::Admin => vec!["$JS.API.>".to_owned()],
        }
    }

    /// What it may read.
    pub fn may_subscribe(self, cell: &Cell) -> Vec<String> {
        let inbox = format!("{}.>", self.inbox());
        match self {
            Self::Dispatcher => vec![inbox, cell.claims(), cell.begins(), cell.beats()],
            Self::Worker | Self::Follower | Self::Admin => vec![inbox],
        }
    }
}

/// Makes a key for each user; writes each seed into a file of its own in the directory, and what nats-server needs to know
/// of them into `accounts.conf` there. Nothing that exists is replaced.
pub fn write_accounts(directory: &Path, cell: &Cell) -> io::Result<()> {
    std::fs::create_dir_all(directory)?;
    let mut users = String::new();
    for user in NatsUser::ALL {
        let key = KeyPair::new_user();
        let seed = key.seed().map_err(io::Error::other)?;
        write_new(
            &directory.join(format!("{}.nk", user.name())),
            &format!("{seed}\n"),
            0o600,
        )?;
        let quoted = |subjects: Vec<String>| {
            let lines: Vec<String> = subjects
                .iter()
                .map(|subject| format!("            \"{subject}\""))
                .collect();
            lines.join("\n")
        };
        // Writing to a text cannot fail.
        let _infallible = write!(
            users,
            "      {{ # {}\n        nkey: {}\n        permissions: {{\n          publish: {{ allow: [\n{}\n          ] }}\n          \
             subscribe: {{ allow: [\n{}\n          ] }}\n        }}\n      }}\n",
            user.name(),
            key.public_key(),
            quoted(user.may_publish(cell)),
            quoted(user.may_subscribe(cell)),
        );
    }
    let conf = format!(
        "# Written by 'sitelog nats accounts'. In the configuration of nats-server: include 'accounts.conf'\n\
         accounts: {{\n  SITELOG_{}: {{\n    jetstream: enabled\n    users: [\n{users}    ]\n  }}\n  SYS: {{}}\n}}\n\
         system_account: SYS\n",
        cell.0
    );
    write_new(&directory.join("accounts.conf"), &conf, 0o644)
}

fn write_new(file: &Path, text: &str, mode: u32) -> io::Result<()> {
    let opened = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(file);
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", file.display()));
    opened.map_err(named)?.write_all(text.as_bytes()).map_err(named)
}
