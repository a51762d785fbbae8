//! Settings: `sitelog.toml` and the environment; the environment wins.

mod fetch;
mod names;

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use axum::http::HeaderValue;
use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};

use self::fetch::{RawFetch, fetch_settings};
use self::names::{require_known_in_environment, require_known_in_file, settings_in};
use crate::access::{AuthMode, AuthSettings, JwtSettings, Secret};
use crate::api::settings::{BackendSettings, LegacySettings};
use crate::fetch::settings::FetchSettings;
use crate::pools::FEWEST_CONNECTIONS;

/// Everything that can be set.
#[derive(Clone, Debug)]
pub struct Config {
    /// A PostgreSQL ≥ 15; `None` for the private one in the data directory.
    pub database_url: Option<String>,
    /// Connections that this process opens at most; `None` for as many as suit the server.
    pub database_connections: Option<u32>,
    /// Where the private PostgreSQL and its lock live.
    pub data_dir: PathBuf,
    /// Where the API listens.
    pub bind: SocketAddr,
    /// Scans under way at once in this process.
    pub worker_concurrency: usize,
    /// How sites are asked.
    pub fetch: FetchSettings,
    /// Who is let in.
    pub auth: AuthSettings,
    /// The predecessor's paths.
    pub legacy: LegacySettings,
}

/// Why the settings cannot be used; the message names the setting.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file or the environment cannot be read.
    #[error("cannot read the settings")]
    Unreadable(#[from] config::ConfigError),
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
    /// Without access control nobody but this machine may reach the API.
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
    /// A setting needs another.
    #[error("{name} requires {other}")]
    Needs {
        /// What is set.
        name: &'static str,
        /// What is not.
        other: &'static str,
    },
    /// A setting is not for this release.
    #[error("{0} is not supported by this release: tokens are checked with SITELOG_AUTH__JWT_SECRET")]
    Unsupported(&'static str),
    /// A setting that nobody reads, which is a misspelt one.
    #[error("{name} is not a setting; the most similar is {nearest}. docs/operations.md lists all settings")]
    Unknown {
        /// As given, and where.
        name: String,
        /// The one that was probably meant.
        nearest: String,
    },
    /// There is no home directory to put data in.
    #[error("cannot determine the data directory: set SITELOG_DATA_DIR")]
    NoDataDir,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct Raw {
    data_dir: Option<PathBuf>,
    bind: Option<String>,
    database: RawDatabase,
    worker: RawWorker,
    fetch: RawFetch,
    auth: RawAuth,
    api: RawApi,
    legacy: RawLegacy,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct RawDatabase {
    connections: Option<u32>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct RawWorker {
    concurrency: Option<usize>,
}

// No `Debug`: it holds a secret.
#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct RawAuth {
    mode: Option<String>,
    jwt_secret: Option<String>,
    jwks_url: Option<String>,
    audience: Option<String>,
    issuer: Option<String>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct RawApi {
    requests_per_minute: Option<String>,
}

// No `Debug`: it holds a secret.
#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct RawLegacy {
    sunset: Option<String>,
    backend_url: Option<String>,
    backend_token: Option<String>,
    backend_answers: Option<String>,
    static_dir: Option<PathBuf>,
}

/// Scans under way at once when nothing is set.
const DEFAULT_CONCURRENCY: usize = 64;

impl Config {
    /// Reads `sitelog.toml` in the working directory, if there is one, and the environment.
    pub fn load() -> Result<Self, ConfigError> {
        // By its whole name: `with_name` would take the binary itself for it where that lies beside it.
        let file = config::File::new("sitelog.toml", config::FileFormat::Toml).required(false);
        require_known_in_file(&file)?;
        let environment = settings_in(std::env::vars_os());
        require_known_in_environment(environment.keys().map(String::as_str))?;
        let raw: Raw = config::Config::builder()
            .add_source(file)
            .add_source(
                config::Environment::with_prefix("SITELOG")
                    .prefix_separator("_")
                    .separator("__")
                    .try_parsing(false)
                    .source(Some(environment)),
            )
            .build()?
            .try_deserialize()?;
        Self::from_raw(
            raw,
            std::env::var("DATABASE_URL").ok().filter(|url| !url.is_empty()),
        )
    }

    fn from_raw(raw: Raw, database_url: Option<String>) -> Result<Self, ConfigError> {
        let bind = raw.bind.as_deref().unwrap_or("127.0.0.1:8080");
        let bind: SocketAddr = bind
            .parse()
            .map_err(|_| value("SITELOG_BIND", bind, "an address and port such as 127.0.0.1:8080"))?;
        let auth = auth_settings(raw.auth, &raw.api)?;
        if auth.mode == AuthMode::Off && !bind.ip().is_loopback() {
            return Err(ConfigError::NotLoopback(bind));
        }
        let concurrency = raw.worker.concurrency.unwrap_or(DEFAULT_CONCURRENCY);
        if !(1..=10_000).contains(&concurrency) {
            let given = concurrency.to_string();
            return Err(value(
                "SITELOG_WORKER__CONCURRENCY",
                &given,
                "a number from 1 to 10000",
            ));
        }
        let connections = raw.database.connections;
        if let Some(given) = connections.filter(|given| *given < FEWEST_CONNECTIONS) {
            return Err(value(
                "SITELOG_DATABASE__CONNECTIONS",
                &given.to_string(),
                "a number from 14 on",
            ));
        }
        Ok(Self {
            database_url,
            database_connections: connections,
            data_dir: raw
                .data_dir
                .or_else(default_data_dir)
                .ok_or(ConfigError::NoDataDir)?,
            bind,
            worker_concurrency: concurrency,
            fetch: fetch_settings(raw.fetch)?,
            auth,
            legacy: legacy_settings(raw.legacy)?,
        })
    }
}

/// Bytes of a shared secret at least. RFC 7518, 3.2 asks for 32; less is taken with a warning, for the secrets of
/// issuers that are there already.
const MIN_SECRET: usize = 16;
const GOOD_SECRET: usize = 32;

fn auth_settings(raw: RawAuth, api: &RawApi) -> Result<AuthSettings, ConfigError> {
    let mode = match raw.mode.as_deref() {
        None | Some("required") => AuthMode::Required,
        Some("off") => AuthMode::Off,
        Some(other) => return Err(value("SITELOG_AUTH__MODE", other, "required or off")),
    };
    if raw.jwks_url.is_some() {
        return Err(ConfigError::Unsupported("SITELOG_AUTH__JWKS_URL"));
    }
    let mut settings = AuthSettings::of(mode);
    settings.jwt = raw
        .jwt_secret
        .map(|secret| jwt_settings(secret, raw.audience, raw.issuer))
        .transpose()?;
    if let Some(given) = &api.requests_per_minute {
        let rate: Result<NonZeroU32, _> = given.parse();
        settings.requests_per_minute =
            rate.map_err(|_| value("SITELOG_API__REQUESTS_PER_MINUTE", given, "a number from 1 on"))?;
    }
    Ok(settings)
}

fn jwt_settings(
    secret: String,
    audience: Option<String>,
    issuer: Option<String>,
) -> Result<JwtSettings, ConfigError> {
    const NAME: &str = "SITELOG_AUTH__JWT_SECRET";
    if secret.len() < MIN_SECRET {
        let expected = "at least 16 characters long; 32 or more are recommended";
        return Err(ConfigError::Secret { name: NAME, expected });
    }
    if secret.len() < GOOD_SECRET {
        tracing::warn!("{NAME} is shorter than 32 bytes, which RFC 7518 requires");
    }
    let needed = |text: Option<String>| text.filter(|text| !text.is_empty());
    Ok(JwtSettings {
        secret: Secret::new(secret),
        audience: needed(audience).ok_or(ConfigError::Needs {
            name: NAME,
            other: "SITELOG_AUTH__AUDIENCE, because tokens for other services must not be accepted",
        })?,
        issuer: needed(issuer),
    })
}

fn legacy_settings(raw: RawLegacy) -> Result<LegacySettings, ConfigError> {
    let mut settings = LegacySettings {
        static_dir: raw.static_dir,
        ..LegacySettings::default()
    };
    if let Some(sunset) = raw.sunset {
        let date = NaiveDateTime::parse_from_str(&sunset, "%a, %d %b %Y %H:%M:%S GMT").ok();
        let header = date.and_then(|_| HeaderValue::from_str(&sunset).ok());
        settings.sunset = header.ok_or_else(|| {
            let expected = "an HTTP date such as Fri, 31 Dec 2027 23:59:59 GMT";
            value("SITELOG_LEGACY__SUNSET", &sunset, expected)
        })?;
    }
    let answers: Vec<String> = list(raw.backend_answers.as_deref()).map(str::to_owned).collect();
    let Some(url) = raw.backend_url else {
        return if answers.is_empty() {
            Ok(settings)
        } else {
            Err(ConfigError::Needs {
                name: "SITELOG_LEGACY__BACKEND_ANSWERS",
                other: "SITELOG_LEGACY__BACKEND_URL, the address of the backend",
            })
        };
    };
    let is_web = url::Url::parse(&url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    if !is_web {
        let expected = "an address such as http://10.0.0.5:8000";
        return Err(value("SITELOG_LEGACY__BACKEND_URL", &url, expected));
    }
    settings.backend = Some(BackendSettings {
        url: url.trim_end_matches('/').to_owned(),
        token: raw.backend_token,
        answers,
    });
    Ok(settings)
}

fn list(text: Option<&str>) -> impl Iterator<Item = &str> {
    text.unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
}

fn value(name: &'static str, value: &str, expected: &'static str) -> ConfigError {
    ConfigError::Value {
        name,
        value: value.to_owned(),
        expected,
    }
}

/// `/var/lib/sitelog` as root, else the user's data directory (XDG Base Directory).
fn default_data_dir() -> Option<PathBuf> {
    if rustix::process::geteuid().is_root() {
        return Some(PathBuf::from("/var/lib/sitelog"));
    }
    let xdg = std::env::var_os("XDG_DATA_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    xdg.or_else(|| std::env::home_dir().map(|home| home.join(".local/share")))
        .map(|base| base.join("sitelog"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(change: impl FnOnce(&mut Raw)) -> Result<Config, ConfigError> {
        let mut raw = Raw {
            data_dir: Some("/d".into()),
            ..Raw::default()
        };
        change(&mut raw);
        Config::from_raw(raw, None)
    }

    #[test]
    fn the_defaults_are_the_documented_ones() {
        let config = with(|_| ()).unwrap();
        assert_eq!(
            (config.bind.to_string().as_str(), config.worker_concurrency),
            ("127.0.0.1:8080", 64)
        );
        assert!(config.fetch.allow_private.is_empty());
    }

    #[test]
    fn access_control_is_on_unless_it_is_switched_off_for_this_machine() {
        let bound_to = |bind: &str, mode: Option<&str>| {
            with(|raw| {
                raw.bind = Some(bind.into());
                raw.auth.mode = mode.map(str::to_owned);
            })
        };
        assert_eq!(
            bound_to("0.0.0.0:8080", None).unwrap().auth.mode,
            AuthMode::Required
        );
        assert!(bound_to("0.0.0.0:8080", Some("required")).is_ok());
        assert_eq!(
            bound_to("[::1]:8080", Some("off")).unwrap().auth.mode,
            AuthMode::Off
        );
        assert!(matches!(
            bound_to("0.0.0.0:8080", Some("off")),
            Err(ConfigError::NotLoopback(_))
        ));
        assert!(matches!(
            bound_to("[::]:8080", Some("off")),
            Err(ConfigError::NotLoopback(_))
        ));
    }

    #[test]
    fn a_secret_is_never_shown_and_needs_an_audience() {
        let jwt = |secret: &str, audience: Option<&str>| {
            with(|raw| {
                raw.auth.jwt_secret = Some(secret.into());
                raw.auth.audience = audience.map(str::to_owned);
            })
        };
        let secret = "0123456789abcdef0123456789abcdef";
        let config = jwt(secret, Some("authenticated")).unwrap();
        assert!(!format!("{config:?}").contains(secret));
        assert!(matches!(jwt(secret, None), Err(ConfigError::Needs { .. })));
        let refused = jwt("short", Some("authenticated")).unwrap_err();
        assert!(!refused.to_string().contains("'short'"), "{refused}");
        assert!(with(|raw| raw.auth.jwks_url = Some("https://a.test".into())).is_err());
    }

    #[test]
    fn a_bad_value_is_named_with_its_setting() {
        let error = with(|raw| raw.fetch.connect_to = Some("nonsense".into())).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("SITELOG_FETCH__CONNECT_TO is 'nonsense'"),
            "{error}"
        );
        assert!(with(|raw| raw.auth.mode = Some("on".into())).is_err());
        assert!(with(|raw| raw.api.requests_per_minute = Some("0".into())).is_err());
        assert!(with(|raw| raw.worker.concurrency = Some(0)).is_err());
    }
}
