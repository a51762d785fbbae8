//! Settings: `sitelog.toml` and the environment; the environment wins.

mod names;

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use axum::http::HeaderValue;
use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};

use self::names::{require_known_in_environment, require_known_in_file, settings_in};
use crate::access::{AuthMode, AuthSettings, JwtSettings, Secret};
use crate::api::settings::{BackendSettings, LegacySettings};
use crate::fetch::InvalidProxy;
use crate::fetch::settings::{ConnectTo, FetchSettings};
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

// No `Debug`: it may hold a proxy's password.
#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct RawFetch {
    connect_to: Option<String>,
    extra_ca: Option<PathBuf>,
    allow_private: Option<String>,
    user_agent: Option<String>,
    contact: Option<String>,
    per_host_delay_ms: Option<u64>,
    proxy: Option<String>,
    proxy_resolves: Option<bool>,
    name_servers: Option<String>,
    dns_records: Option<bool>,
    max_requests: Option<u64>,
    max_bytes: Option<u64>,
    max_seconds: Option<u64>,
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

fn fetch_settings(raw: RawFetch) -> Result<FetchSettings, ConfigError> {
    let mut settings = FetchSettings::default();
    for entry in list(raw.connect_to.as_deref()) {
        let parsed: Result<ConnectTo, _> = entry.parse();
        settings.connect_to.push(parsed.map_err(|_| {
            value(
                "SITELOG_FETCH__CONNECT_TO",
                entry,
                "PATTERN=ADDR:PORT, such as *.farm.test=127.0.0.1:18443",
            )
        })?);
    }
    for entry in list(raw.allow_private.as_deref()) {
        let network = entry
            .parse()
            .or_else(|_| entry.parse::<IpAddr>().map(ipnet::IpNet::from));
        settings.allow_private.push(network.map_err(|_| {
            value(
                "SITELOG_FETCH__ALLOW_PRIVATE",
                entry,
                "a network such as 10.0.0.0/8",
            )
        })?);
    }
    settings.extra_ca = raw.extra_ca;
    if let Some(agent) = raw.user_agent {
        settings.user_agent = agent;
    }
    if let Some(contact) = raw.contact {
        if !is_contact(&contact) {
            let expected = "an address where who runs a site can reach you: https://… or name@host";
            return Err(value("SITELOG_FETCH__CONTACT", &contact, expected));
        }
        settings.user_agent = format!("{} (+{contact})", settings.user_agent);
    }
    settings.per_host_delay = Duration::from_millis(raw.per_host_delay_ms.unwrap_or(0));
    settings.proxy = raw
        .proxy
        .filter(|proxy| !proxy.is_empty())
        .map(|proxy| proxy.parse())
        .transpose()
        .map_err(|_: InvalidProxy| ConfigError::Secret {
            name: "SITELOG_FETCH__PROXY",
            expected: "a proxy such as http://proxy.example:3128 or socks5://127.0.0.1:1080",
        })?;
    settings.proxy_resolves = raw.proxy_resolves.unwrap_or(false);
    if settings.proxy_resolves && settings.proxy.is_none() {
        return Err(ConfigError::Needs {
            name: "SITELOG_FETCH__PROXY_RESOLVES",
            other: "SITELOG_FETCH__PROXY, the proxy that resolves names",
        });
    }
    for entry in list(raw.name_servers.as_deref()) {
        let server = entry.parse().or_else(|_| {
            entry
                .parse::<IpAddr>()
                .map(|address| SocketAddr::new(address, 53))
        });
        settings.name_servers.push(server.map_err(|_| {
            value(
                "SITELOG_FETCH__NAME_SERVERS",
                entry,
                "an address such as 192.0.2.53 or [2001:db8::53]:53",
            )
        })?);
    }
    settings.dns_records = raw.dns_records.unwrap_or(true);
    budget(&mut settings, raw.max_requests, raw.max_bytes, raw.max_seconds)?;
    Ok(settings)
}

/// A home page cannot be had for less: the file of rules, the page, and the redirects of both.
const LEAST_REQUESTS: u64 = 10;
const LEAST_BYTES: u64 = 64 * 1024;
/// The time that a scan with all its attempts has.
const MOST_SECONDS: u64 = 240;

fn budget(
    settings: &mut FetchSettings,
    requests: Option<u64>,
    bytes: Option<u64>,
    seconds: Option<u64>,
) -> Result<(), ConfigError> {
    let within = |name, given: Option<u64>, range: RangeInclusive<u64>, expected| match given {
        Some(given) if !range.contains(&given) => Err(value(name, &given.to_string(), expected)),
        given => Ok(given),
    };
    let requests = within(
        "SITELOG_FETCH__MAX_REQUESTS",
        requests,
        LEAST_REQUESTS..=u64::MAX,
        "a number from 10 on",
    )?;
    let bytes = within(
        "SITELOG_FETCH__MAX_BYTES",
        bytes,
        LEAST_BYTES..=u64::MAX,
        "a number from 65536 on",
    )?;
    let seconds = within(
        "SITELOG_FETCH__MAX_SECONDS",
        seconds,
        1..=MOST_SECONDS,
        "a number from 1 to 240",
    )?;
    settings.max_requests = requests.unwrap_or(settings.max_requests);
    settings.max_bytes = bytes.unwrap_or(settings.max_bytes);
    settings.max_time = seconds.map_or(settings.max_time, Duration::from_secs);
    Ok(())
}

/// Whether a text is a web or e-mail address that may stand in a comment of `User-Agent` (RFC 9110, 5.6.5).
fn is_contact(text: &str) -> bool {
    let is_plain = text
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !b"()\\\"".contains(&byte));
    let is_web = ["https://", "http://"]
        .iter()
        .any(|scheme| text.starts_with(scheme))
        && url::Url::parse(text).is_ok();
    let is_mail = text
        .split_once('@')
        .is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
    is_plain && (is_web || is_mail)
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

    #[test]
    fn a_contact_goes_into_the_user_agent() {
        let agent =
            |contact: &str| with(|raw| raw.fetch.contact = Some(contact.into())).map(|c| c.fetch.user_agent);
        let told = agent("https://example.com/bot").unwrap();
        assert!(
            told.starts_with("sitelog/") && told.ends_with(" (+https://example.com/bot)"),
            "{told}"
        );
        assert!(agent("bots@example.com").is_ok());
        for bad in [
            "",
            "me",
            "https://",
            "a@b",
            "https://a.test/)\r\nx: y",
            "https://a.test/ü",
        ] {
            assert!(agent(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_proxy_is_used_if_it_is_one_and_its_password_is_never_shown() {
        let proxy = |text: &str| with(|raw| raw.fetch.proxy = Some(text.into())).map(|c| c.fetch.proxy);
        assert!(proxy("http://user:secret@proxy.test:3128").unwrap().is_some());
        assert!(proxy("").unwrap().is_none());
        for bad in ["ftp://user:secret@proxy.test", "proxy.test:3128"] {
            let error = proxy(bad).unwrap_err().to_string();
            assert!(
                error.starts_with("SITELOG_FETCH__PROXY") && !error.contains("secret"),
                "{error}"
            );
        }
        assert!(with(|raw| raw.fetch.proxy_resolves = Some(true)).is_err());
    }

    #[test]
    fn a_budget_is_never_too_small_for_a_home_page() {
        let fetch = with(|raw| raw.fetch.max_seconds = Some(5)).unwrap().fetch;
        assert_eq!(
            (fetch.max_time, fetch.max_requests),
            (Duration::from_secs(5), 1_000)
        );
        assert!(with(|raw| raw.fetch.max_seconds = Some(0)).is_err());
        assert!(with(|raw| raw.fetch.max_requests = Some(9)).is_err());
        assert!(with(|raw| raw.fetch.max_bytes = Some(1000)).is_err());
    }

    #[test]
    fn networks_and_single_addresses_can_be_allowed() {
        let config = with(|raw| raw.fetch.allow_private = Some("10.0.0.0/8, 127.0.0.1".into())).unwrap();
        assert_eq!(config.fetch.allow_private.len(), 2);
    }
}
