//! Errors in the settings. All errors are reported together, so that you can correct them at once.

use std::fmt;
use std::net::SocketAddr;

use crate::values::nearest::did_you_mean;

/// One error; the message names the setting.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read as a whole.
    #[error("cannot read the settings in {file}: {cause}")]
    Unreadable {
        /// As given.
        file: String,
        /// Without the text of the file, which may hold secrets.
        cause: String,
    },
    /// One value has another type than it must have.
    #[error("{name} is {given}; it must be {expected}")]
    Type {
        /// As in the environment.
        name: String,
        /// The type and, unless it is a secret, the value.
        given: String,
        /// What is.
        expected: &'static str,
    },
    /// One value is not what it should be.
    #[error("{name} is '{value}'; it must be {expected}")]
    Value {
        /// As in the environment.
        name: &'static str,
        /// As given.
        value: String,
        /// What is.
        expected: &'static str,
    },
    /// Without access control, only this machine may reach the API.
    #[error(
        "SITELOG_BIND is {0}, but with SITELOG_AUTH__MODE=off sitelog serves only this machine: keep the mode \
         'required', or bind a loopback address (127.0.0.1 or [::1])"
    )]
    NotLoopback(SocketAddr),
    /// A secret is wrong; it is not shown.
    #[error("{name} must be {expected}")]
    Secret {
        /// As in the environment.
        name: &'static str,
        /// What is.
        expected: &'static str,
    },
    /// A secret as an argument is shown to every user of the machine.
    #[error(
        "--set {path} holds a secret, which every user of this machine could read: use {name} in the environment, or \
         the file"
    )]
    SecretArgument {
        /// As in the file.
        path: String,
        /// As in the environment.
        name: String,
    },
    /// A setting needs another.
    #[error("{name} requires {other}")]
    Needs {
        /// The setting that is set.
        name: &'static str,
        /// The setting that is missing.
        other: &'static str,
    },
    /// An unknown setting, probably a misspelt one.
    #[error("{name} is not a setting{suggestion}; docs/operations.md lists all settings", suggestion = did_you_mean(nearest.as_deref()))]
    Unknown {
        /// As given, and where.
        name: String,
        /// The name that was probably intended.
        nearest: Option<String>,
    },
    /// There is no home directory for the data directory.
    #[error("cannot determine the data directory: set SITELOG_DATA_DIR")]
    NoDataDir,
}

impl ConfigError {
    /// The setting, as in the environment, if the message names it that way.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Value { name, .. } | Self::Secret { name, .. } | Self::Needs { name, .. } => Some(name),
            Self::Type { name, .. } => Some(name),
            Self::NotLoopback(_) => Some("SITELOG_BIND"),
            Self::Unreadable { .. }
            | Self::SecretArgument { .. }
            | Self::Unknown { .. }
            | Self::NoDataDir => None,
        }
    }
}

/// An error and where to correct it.
#[derive(Debug)]
pub struct Fault {
    /// The problem.
    pub error: ConfigError,
    /// Where it is set, if that is not the environment, whose names the message uses.
    pub place: Option<String>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.error)?;
        self.place
            .as_ref()
            .map_or(Ok(()), |place| write!(f, " ({place})"))
    }
}

/// All errors of the settings: at least one.
#[derive(Debug)]
pub struct ConfigFaults(pub Vec<Fault>);

impl ConfigFaults {
    /// Whether the only problem is a missing home directory.
    pub fn is_only_no_data_dir(&self) -> bool {
        self.0
            .iter()
            .all(|fault| matches!(fault.error, ConfigError::NoDataDir))
    }
}

impl fmt::Display for ConfigFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0[..] {
            [fault] => write!(f, "{fault}"),
            faults => {
                write!(f, "{} settings are invalid:", faults.len())?;
                faults.iter().try_for_each(|fault| write!(f, "\n- {fault}"))
            }
        }
    }
}

impl std::error::Error for ConfigFaults {}

/// Faults while they are found.
#[derive(Debug, Default)]
pub(super) struct Faults(pub(super) Vec<ConfigError>);

impl Faults {
    pub(super) fn push(&mut self, error: ConfigError) {
        self.0.push(error);
    }

    /// The value, if there is one; the error is recorded.
    pub(super) fn take<T>(&mut self, result: Result<T, ConfigError>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }
}
