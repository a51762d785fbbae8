//! Errors of the broker.

use std::path::{Path, PathBuf};

/// Why something could not be done over NATS.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// No connection.
    #[error("cannot connect to NATS at {url}; check SITELOG_NATS__URL and that nats-server runs there")]
    Connect {
        /// The address, without a password.
        url: String,
        /// Why.
        #[source]
        error: async_nats::ConnectError,
    },
    /// The broker does not let this user in.
    #[error(
        "NATS at {url} refuses these credentials; check the file {} and the users of nats-server", shown(.file.as_deref())
    )]
    Refused {
        /// The address, without a password.
        url: String,
        /// The file with the credentials.
        file: Option<PathBuf>,
    },
    /// The address is invalid.
    #[error("'{url}' is not an address of NATS such as nats://127.0.0.1:4222")]
    Address {
        /// As it was given, without a password.
        url: String,
    },
    /// The credentials cannot be read.
    #[error("cannot read the credentials {}", .file.display())]
    Credentials {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        error: std::io::Error,
    },
    /// The credentials are something else.
    #[error("{} has no credentials of NATS: it must be a .creds file or the seed of a user (it begins with SU)", .file.display())]
    NoCredentials {
        /// The file.
        file: PathBuf,
    },
    /// The file of trusted certificates cannot be read.
    #[error("cannot read the certificates {}; check SITELOG_NATS__CA", .file.display())]
    Authority {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        error: std::io::Error,
    },
    /// The broker is too old.
    #[error("nats-server {found} is too old; version {wanted} or newer is required")]
    TooOld {
        /// Its version.
        found: String,
        /// The oldest that will do.
        wanted: &'static str,
    },
    /// A stream, consumer or bucket is missing.
    #[error("{what} is missing on the NATS server; create it with 'sitelog nats init'")]
    Missing {
        /// What.
        what: String,
    },
    /// A stream or consumer has other settings than it must have.
    #[error(
        "{what} has {found} as {setting}, but {wanted} is required; change it with the nats command, or delete it and run \
         'sitelog nats init'"
    )]
    Differs {
        /// Which.
        what: String,
        /// Which of its settings.
        setting: &'static str,
        /// What it is.
        found: String,
        /// What it must be.
        wanted: String,
    },
    /// The broker cannot reserve what a stream may hold.
    #[error(
        "{what} does not fit on the disk of the NATS server ({error}): lower --results-mb and --log-mb, or raise \
         max_file_store of nats-server"
    )]
    NoSpace {
        /// Which.
        what: String,
        /// The broker's words.
        error: String,
    },
    /// The broker refused the action.
    #[error("cannot {action} on the NATS server: {error}")]
    Broker {
        /// The requested action.
        action: String,
        /// Its words.
        error: String,
    },
    /// A request got no response.
    #[error(
        "no dispatcher answered the request '{request}'; check that 'sitelog serve --roles dispatcher' runs"
    )]
    NoAnswer {
        /// Which.
        request: &'static str,
    },
    /// A dispatcher could not serve a request.
    #[error("the dispatcher cannot serve the request '{request}': {error}")]
    Dispatcher {
        /// Which.
        request: &'static str,
        /// Its words.
        error: String,
    },
    /// This release and that of the dispatcher use different protocols.
    #[error("this worker runs sitelog {}, but the dispatcher requires {needed}; install that release", env!("CARGO_PKG_VERSION"))]
    OtherRelease {
        /// The release, in the dispatcher's words.
        needed: String,
    },
    /// A worker requests more tasks than allowed.
    #[error("{worker} asks for {wanted} tasks; a worker gets at most {most} at a time")]
    TooManyClaimed {
        /// Its name.
        worker: String,
        /// How many.
        wanted: usize,
        /// How many it could get.
        most: usize,
    },
    /// A message is not what it should be.
    #[error("cannot read a message: {0}")]
    Unreadable(String),
    /// The stream with the copy is another log's.
    #[error(
        "the stream {stream} is a copy of another log: event {position} differs; delete the stream, run 'sitelog nats init', \
         and it is written again"
    )]
    OtherLog {
        /// Which stream.
        stream: String,
        /// Where it differs.
        position: i64,
    },
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] crate::log::LogError),
}

impl FleetError {
    /// A refusal of the broker, in its words.
    pub(super) fn broker(action: impl Into<String>, error: impl std::fmt::Display) -> Self {
        Self::Broker {
            action: action.into(),
            error: error.to_string(),
        }
    }
}

fn shown(file: Option<&Path>) -> String {
    file.map_or_else(
        || "of SITELOG_NATS__CREDENTIALS".to_owned(),
        |file| file.display().to_string(),
    )
}

/// An error with what caused it, in one line.
pub(super) fn explained(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    text
}
