//! The sources of settings, and which source takes precedence.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use config::{FileFormat, Source, Value};

use super::error::{ConfigError, ConfigFaults, Fault, Faults};
use super::names::{
    known_paths, name_in_environment, path_of_name, paths_in, settings_in, unknown_in_environment,
    unknown_in_file,
};
use super::raw::Raw;
use super::show::{has_password, is_secret};
use super::{Config, Setting, show};

/// The file in the working directory, and the system-wide one, where a package puts it.
const FILE_HERE: &str = "sitelog.toml";
const FILE_OF_SYSTEM: &str = "/etc/sitelog/sitelog.toml";

/// What to read.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The file; `None` for `sitelog.toml` in the working directory or, if there is none, the system's.
    pub file: Option<PathBuf>,
    /// Settings of the command line, by their names in the file: `worker.concurrency`.
    pub flags: Vec<(String, String)>,
    /// Ignores the environment.
    pub without_environment: bool,
}

/// Where a value comes from, the weakest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nothing is set.
    Default,
    /// This file.
    File(PathBuf),
    /// The variable of this name.
    Environment(String),
    /// `--set`.
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag => f.write_str("flag --set"),
        }
    }
}

/// The settings of a process, and their errors.
pub struct Settings {
    /// The file that was read, if there is one.
    pub file: Option<PathBuf>,
    pub(super) raw: Raw,
    pub(super) origins: BTreeMap<String, Origin>,
    pub(super) database_url: Option<String>,
    config: Option<Config>,
    faults: Vec<Fault>,
}

impl Settings {
    /// Reads the settings. An invalid one is among the faults and has its default value.
    pub fn read(sources: &Sources) -> Self {
        let mut faults = Vec::new();
        let mut given = BTreeMap::new();
        let file = sources.file();
        if let Some(file) = &file {
            read_file(file, &mut given, &mut faults);
        }
        let mut database_url = None;
        if !sources.without_environment {
            read_environment(&mut given, &mut faults);
            database_url = std::env::var("DATABASE_URL").ok().filter(|url| !url.is_empty());
        }
        read_flags(&sources.flags, &mut given, &mut faults);
        given.retain(|path, (value, origin)| match type_fault(path, value) {
            None => true,
            Some(error) => {
                faults.push(at(error, Some((path.as_str(), &*origin))));
                false
            }
        });
        let (values, origins): (Vec<_>, BTreeMap<_, _>) = given
            .into_iter()
            .map(|(path, (value, origin))| ((path.clone(), value), (path, origin)))
            .unzip();
        let raw = raw_of(&values).unwrap_or_default();
        let mut wrong = Faults::default();
        let config = Config::from_raw(
            raw_of(&values).unwrap_or_default(),
            database_url.clone(),
            &mut wrong,
        );
        faults.extend(wrong.0.into_iter().map(|error| {
            let path = error.name().map(path_of_name);
            let place = path
                .as_ref()
                .and_then(|path| origins.get_key_value(path))
                .map(|(path, origin)| (path.as_str(), origin));
            at(error, place)
        }));
        Self {
            file,
            raw,
            origins,
            database_url,
            config,
            faults,
        }
    }

    /// The problems.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// The configuration, if there are no errors.
    pub fn into_config(self) -> Result<Config, ConfigFaults> {
        match self.config {
            Some(config) if self.faults.is_empty() => Ok(config),
            _ => Err(ConfigFaults(self.faults)),
        }
    }

    /// Each setting with its value and where that comes from, secrets hidden.
    pub fn effective(&self) -> Vec<Setting> {
        show::effective(self)
    }
}

impl Sources {
    fn file(&self) -> Option<PathBuf> {
        if let Some(file) = &self.file {
            return Some(file.clone());
        }
        // A file that exists but cannot be read is an error: otherwise other settings than intended would be in effect.
        let found = |path: &&str| Path::new(path).exists();
        let place = [FILE_HERE, FILE_OF_SYSTEM].into_iter().find(found);
        place.map(PathBuf::from)
    }
}

type Given = BTreeMap<String, (Value, Origin)>;

fn read_file(file: &Path, given: &mut Given, faults: &mut Vec<Fault>) {
    let unreadable = |cause: String| Fault {
        error: ConfigError::Unreadable {
            file: file.display().to_string(),
            cause,
        },
        place: None,
    };
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => return faults.push(unreadable(error.to_string())),
    };
    let values = match config::File::from_str(&text, FileFormat::Toml).collect() {
        Ok(values) => values,
        Err(error) => return faults.push(unreadable(without_text(&error))),
    };
    let found = paths_in(values);
    let place = file.display().to_string();
    let unknown = unknown_in_file(found.iter().map(|(path, _)| path.as_str()), &place);
    faults.extend(unknown.into_iter().map(|error| Fault { error, place: None }));
    let known = known_paths();
    for (path, value) in found.into_iter().filter(|(path, _)| known.contains(path)) {
        given.insert(path, (value, Origin::File(file.to_owned())));
    }
}

fn read_environment(given: &mut Given, faults: &mut Vec<Fault>) {
    let environment = settings_in(std::env::vars_os());
    let unknown = unknown_in_environment(environment.keys().map(String::as_str));
    faults.extend(unknown.into_iter().map(|error| Fault { error, place: None }));
    let known = known_paths();
    for (name, value) in environment {
        let path = path_of_name(&name);
        if known.contains(&path) {
            given.insert(path, (Value::new(None, value), Origin::Environment(name)));
        }
    }
}

fn read_flags(flags: &[(String, String)], given: &mut Given, faults: &mut Vec<Fault>) {
    let unknown = unknown_in_file(flags.iter().map(|(path, _)| path.as_str()), "--set");
    faults.extend(unknown.into_iter().map(|error| Fault { error, place: None }));
    let known = known_paths();
    for (path, value) in flags.iter().filter(|(path, _)| known.contains(path)) {
        if is_secret(path) || has_password(value) {
            let name = name_in_environment(path);
            let path = path.clone();
            let error = ConfigError::SecretArgument { path, name };
            faults.push(Fault { error, place: None });
            continue;
        }
        given.insert(path.clone(), (Value::new(None, value.as_str()), Origin::Flag));
    }
}

fn raw_of(values: &[(String, Value)]) -> Result<Raw, config::ConfigError> {
    let mut builder = config::Config::builder();
    for (path, value) in values {
        builder = builder.set_override(path, value.clone())?;
    }
    builder.build()?.try_deserialize()
}

/// The error for a value of the wrong type.
fn type_fault(path: &str, value: &Value) -> Option<ConfigError> {
    let error = raw_of(&[(path.to_owned(), value.clone())]).err()?;
    let (given, expected) = given_and_expected(&error);
    // A proxy's URL may contain a password; an invalid number does not.
    let given = if is_secret(path) {
        "a value of the wrong type".to_owned()
    } else {
        given
    };
    let name = name_in_environment(path);
    Some(ConfigError::Type {
        name,
        given,
        expected,
    })
}

fn given_and_expected(error: &config::ConfigError) -> (String, &'static str) {
    match error {
        config::ConfigError::At { error, .. } => given_and_expected(error),
        config::ConfigError::Type {
            unexpected, expected, ..
        } => (value_words(&unexpected.to_string()), type_words(expected)),
        other => (format!("invalid ({other})"), "as docs/operations.md says"),
    }
}

/// A value that has another type, as the other messages show values: `'many'` for `string "many"`.
fn value_words(given: &str) -> String {
    match given.split_once(' ') {
        Some((_, value)) => format!("'{}'", value.trim_matches(['"', '`'])),
        None if given == "sequence" => "an array".to_owned(),
        None if given == "map" => "a table".to_owned(),
        None => format!("a {given}"),
    }
}

fn type_words(expected: &'static str) -> &'static str {
    match expected {
        "an integer" | "a signed 64 bit integer" | "an unsigned 64 bit integer" => "a whole number",
        "a boolean" => "true or false",
        other => other,
    }
}

/// A fault with the place where its setting is given.
fn at(error: ConfigError, place: Option<(&str, &Origin)>) -> Fault {
    let place = place.and_then(|(path, origin)| match origin {
        Origin::File(file) => Some(format!("{path} in {}", file.display())),
        Origin::Flag => Some(format!("--set {path}")),
        Origin::Default | Origin::Environment(_) => None,
    });
    Fault { error, place }
}

/// The parser's message, without the quoted lines of the file, which may contain a secret.
fn without_text(error: &config::ConfigError) -> String {
    let is_quoted = |line: &&str| {
        let line = line.trim_start();
        line.trim_start_matches(|c: char| c.is_ascii_digit())
            .trim_start()
            .starts_with('|')
    };
    let text = match error {
        config::ConfigError::FileParse { cause, .. } => cause.to_string(),
        other => other.to_string(),
    };
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !is_quoted(line))
        .map(str::trim)
        .collect();
    lines.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, flags: &[(&str, &str)]) -> Settings {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("s.toml");
        std::fs::write(&file, text).unwrap();
        Settings::read(&Sources {
            file: Some(file),
            flags: flags
                .iter()
                .map(|(path, value)| ((*path).into(), (*value).into()))
                .collect(),
            without_environment: true,
        })
    }

    fn faults(text: &str, flags: &[(&str, &str)]) -> Vec<String> {
        let settings = read(text, flags);
        settings.faults().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_flag_wins_over_the_file() {
        let settings = read(
            "[worker]\nconcurrency = 5\n[fetch]\nmax_seconds = 7\n",
            &[("worker.concurrency", "6")],
        );
        assert_eq!(settings.origins["worker.concurrency"], Origin::Flag);
        assert!(matches!(settings.origins["fetch.max_seconds"], Origin::File(_)));
        let config = settings.into_config().unwrap();
        assert_eq!(
            (config.worker_concurrency, config.fetch.max_time.as_secs()),
            (6, 7)
        );
    }

    #[test]
    fn unknown_names_wrong_types_and_wrong_values_are_told_together_with_their_places() {
        let found = faults(
            "bnid = 'x'\n[worker]\nconcurrency = 'many'\n[fetch]\nmax_seconds = 900\nproxy = ['x']\n[wroker]\na = 1\n",
            &[("auth.mod", "off"), ("api.requests_per_minute", "0")],
        );
        assert_eq!(found.len(), 7, "{found:#?}");
        for wanted in [
            "bnid in ",
            "did you mean 'bind'?",
            "wroker.a in ",
            "auth.mod in --set is not a setting (did you mean 'auth.mode'?)",
            "SITELOG_WORKER__CONCURRENCY is 'many'; it must be a whole number (worker.concurrency in ",
            "SITELOG_FETCH__MAX_SECONDS is '900'; it must be a number from 1 to 240 (fetch.max_seconds in ",
            "SITELOG_FETCH__PROXY is an array",
            "SITELOG_API__REQUESTS_PER_MINUTE is '0'; it must be 1 or more (--set api.requests_per_minute)",
        ] {
            assert!(
                found.iter().any(|fault| fault.contains(wanted)),
                "{wanted}: {found:#?}"
            );
        }
    }

    #[test]
    fn a_secret_is_in_no_message_and_not_taken_from_the_command_line() {
        let secret = "0123456789abcdef-hidden";
        for text in [
            format!("[auth]\njwt_secret = {secret}\n"),
            format!("[auth]\njwt_secret = '{secret}\n"),
            format!("[auth]\njwt_secret = ['{secret}']\n"),
            format!("[auth]\njwt_secret = '{secret}'\n"),
            format!("[legacy]\nbackend_url = 'ftp://u:{secret}@h.test'\n"),
        ] {
            let found = faults(&text, &[]);
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert!(!found[0].contains("hidden"), "{found:?}");
        }
        let found = faults(
            "",
            &[
                ("auth.jwt_secret", secret),
                ("fetch.proxy", "http://u:hidden@p.test"),
            ],
        );
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(!found.join("").contains("hidden"), "{found:?}");
    }

    #[test]
    fn a_file_that_is_named_must_be_there() {
        let settings = Settings::read(&Sources {
            file: Some("/nowhere/s.toml".into()),
            without_environment: true,
            ..Sources::default()
        });
        let given_and_expected = settings.into_config().unwrap_err().to_string();
        assert!(
            given_and_expected.starts_with("cannot read the settings in /nowhere/s.toml"),
            "{given_and_expected}"
        );
    }
}
