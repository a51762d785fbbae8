//! Settings: a file, the environment and `--set`; later ones take precedence.

mod auth;
mod error;
mod fetch;
mod mail;
mod names;
mod nats;
mod oidc;
mod raw;
mod show;
mod sources;
mod telemetry;

use std::net::SocketAddr;
use std::path::PathBuf;

use self::auth::auth_settings;
use self::error::Faults;
pub use self::error::{ConfigError, ConfigFaults, Fault};
use self::fetch::fetch_settings;
use self::mail::mail_settings;
use self::nats::nats_settings;
use self::oidc::oidc_settings;
use self::raw::{Raw, RawLegacy};
pub use self::show::{Setting, without_password};
pub use self::sources::{Origin, Settings, Sources};
pub use self::telemetry::TelemetrySettings;
use self::telemetry::telemetry_settings;
use crate::access::{AuthMode, AuthSettings};
use crate::api::settings::{BackendSettings, LegacySettings};
use crate::fetch::settings::FetchSettings;
use crate::fleet::NatsSettings;
use crate::mail::MailSettings;
use crate::pools::MIN_CONNECTIONS;
use axum::http::HeaderValue;
use chrono::NaiveDateTime;

/// All settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// A PostgreSQL ≥ 15; `None` for the private one in the data directory.
    pub database_url: Option<String>,
    /// Maximum database connections of this process; `None` for a number that fits the server.
    pub database_connections: Option<u32>,
    /// The data directory of the private PostgreSQL and its locks.
    pub data_dir: PathBuf,
    /// Where the API listens.
    pub bind: SocketAddr,
    /// Concurrent scans of this process.
    pub worker_concurrency: usize,
    /// How sites are fetched.
    pub fetch: FetchSettings,
    /// Admission of callers.
    pub auth: AuthSettings,
    /// The mail server; `None` if no email is sent.
    pub mail: Option<MailSettings>,
    /// The broker of remote workers; `None` if there is none.
    pub nats: Option<NatsSettings>,
    /// Where traces and metrics are sent; `None` if they are not sent.
    pub telemetry: Option<TelemetrySettings>,
    /// The predecessor's paths.
    pub legacy: LegacySettings,
}

/// Concurrent scans by default.
const DEFAULT_CONCURRENCY: usize = 64;

/// Where the API listens when nothing is set.
const DEFAULT_BIND: &str = "127.0.0.1:8080";

impl Config {
    /// Reads the settings and reports all their errors at once.
    pub fn load(sources: &Sources) -> Result<Self, ConfigFaults> {
        Settings::read(sources).into_config()
    }

    /// `None` only where there is no data directory. What is wrong has its default here, and is among the faults.
    fn from_raw(raw: Raw, database_url: Option<String>, faults: &mut Faults) -> Option<Self> {
        let public_url = public_url(raw.public_url, faults);
        let mut auth = auth_settings(raw.auth, &raw.api, faults);
        auth.oidc = oidc_settings(raw.oidc, public_url.as_ref(), faults);
        let data_dir = raw.data_dir.or_else(default_data_dir);
        if data_dir.is_none() {
            faults.push(ConfigError::NoDataDir);
        }
        let concurrency = raw.worker.concurrency.unwrap_or(DEFAULT_CONCURRENCY);
        if !(1..=10_000).contains(&concurrency) {
            let expected = "a number from 1 to 10000";
            faults.push(value(
                "SITELOG_WORKER__CONCURRENCY",
                &concurrency.to_string(),
                expected,
            ));
        }
        let connections = raw.database.connections;
        if let Some(given) = connections.filter(|given| *given < MIN_CONNECTIONS) {
            let expected = "14 or more";
            faults.push(value(
                "SITELOG_DATABASE__CONNECTIONS",
                &given.to_string(),
                expected,
            ));
        }
        let fetch = fetch_settings(raw.fetch, faults);
        let telemetry = telemetry_settings(raw.telemetry, faults);
        let mail = mail_settings(raw.mail, public_url.as_ref(), faults);
        let nats = nats_settings(raw.nats, faults);
        let legacy = legacy_settings(raw.legacy, faults);
        Some(Self {
            database_url,
            database_connections: connections,
            data_dir: data_dir?,
            bind: bind(raw.bind.as_deref(), auth.mode, faults)?,
            worker_concurrency: concurrency,
            fetch,
            auth,
            mail,
            nats,
            telemetry,
            legacy,
        })
    }
}

fn bind(given: Option<&str>, mode: AuthMode, faults: &mut Faults) -> Option<SocketAddr> {
    let given = given.unwrap_or(DEFAULT_BIND);
    let expected = "an address and port such as 127.0.0.1:8080";
    let parsed = given.parse().map_err(|_| value("SITELOG_BIND", given, expected));
    let bind: SocketAddr = faults.take(parsed)?;
    if mode == AuthMode::Off && !bind.ip().is_loopback() {
        faults.push(ConfigError::NotLoopback(bind));
    }
    Some(bind)
}

/// The public URL of sitelog.
fn public_url(given: Option<String>, faults: &mut Faults) -> Option<url::Url> {
    let given = given.filter(|url| !url.is_empty())?;
    let parsed = url::Url::parse(&given).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https") && url.host().is_some() && url.query().is_none()
    });
    let expected = "the public address of sitelog, such as https://sitelog.example.com";
    faults.take(parsed.ok_or_else(|| value("SITELOG_PUBLIC_URL", &without_password(&given), expected)))
}

fn legacy_settings(raw: RawLegacy, faults: &mut Faults) -> LegacySettings {
    let mut settings = LegacySettings {
        static_dir: raw.static_dir,
        ..LegacySettings::default()
    };
    if let Some(sunset) = raw.sunset {
        let date = NaiveDateTime::parse_from_str(&sunset, "%a, %d %b %Y %H:%M:%S GMT").ok();
        let header = date.and_then(|_| HeaderValue::from_str(&sunset).ok());
        let header = header.ok_or_else(|| {
            let expected = "an HTTP date such as Fri, 31 Dec 2027 23:59:59 GMT";
            value("SITELOG_LEGACY__SUNSET", &sunset, expected)
        });
        settings.sunset = faults.take(header).unwrap_or(settings.sunset);
    }
    let answers: Vec<String> = list(raw.backend_answers.as_deref()).map(str::to_owned).collect();
    let Some(url) = raw.backend_url else {
        if !answers.is_empty() {
            faults.push(ConfigError::Needs {
                name: "SITELOG_LEGACY__BACKEND_ANSWERS",
                other: "SITELOG_LEGACY__BACKEND_URL, the address of the backend",
            });
        }
        return settings;
    };
    let is_web = url::Url::parse(&url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    if !is_web {
        let expected = "an address such as http://10.0.0.5:8000";
        faults.push(value(
            "SITELOG_LEGACY__BACKEND_URL",
            &without_password(&url),
            expected,
        ));
        return settings;
    }
    settings.backend = Some(BackendSettings {
        url: url.trim_end_matches('/').to_owned(),
        token: raw.backend_token,
        answers,
    });
    settings
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
    use crate::fleet::Cell;

    fn with(change: impl FnOnce(&mut Raw)) -> Result<Config, ConfigError> {
        let mut raw = Raw {
            data_dir: Some("/d".into()),
            ..Raw::default()
        };
        change(&mut raw);
        let mut faults = Faults::default();
        let config = Config::from_raw(raw, None, &mut faults);
        faults.0.pop().map_or_else(|| Ok(config.unwrap()), Err)
    }

    #[test]
    fn all_faults_are_found_at_once() {
        let mut faults = Faults::default();
        let mut raw = Raw {
            bind: Some("nowhere".into()),
            ..Raw::default()
        };
        raw.worker.concurrency = Some(0);
        raw.database.connections = Some(1);
        raw.auth.mode = Some("on".into());
        raw.auth.jwt_secret = Some("short".into());
        raw.auth.jwks_url = Some("a.test".into());
        raw.auth.audience = Some("us".into());
        raw.auth.issuer = Some("https://a.test".into());
        raw.api.requests_per_minute = Some("0".into());
        raw.fetch.connect_to = Some("nonsense, a.test=1.2.3.4:5, more".into());
        raw.legacy.sunset = Some("never".into());
        raw.legacy.backend_answers = Some("scans".into());
        Config::from_raw(raw, None, &mut faults);
        let found: Vec<String> = faults.0.iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 11, "{found:#?}");
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
        let jwks = |url: &str, audience: Option<&str>| {
            with(|raw| {
                raw.auth.jwks_url = Some(url.into());
                raw.auth.audience = audience.map(str::to_owned);
                raw.auth.issuer = Some("https://a.test".into());
            })
        };
        assert!(
            jwks("https://a.test/keys", Some("us"))
                .unwrap()
                .auth
                .jwt
                .is_some()
        );
        assert!(jwks("http://127.0.0.1:8/keys", Some("us")).is_ok());
        assert!(matches!(
            jwks("https://a.test/keys", None),
            Err(ConfigError::Needs { .. })
        ));
        let without_issuer = with(|raw| {
            raw.auth.jwks_url = Some("https://a.test/keys".into());
            raw.auth.audience = Some("us".into());
        });
        assert!(matches!(without_issuer, Err(ConfigError::Needs { .. })));
        for bad in ["http://a.test/keys", "a.test", "file:///keys"] {
            assert!(
                matches!(jwks(bad, Some("us")), Err(ConfigError::Value { .. })),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_broker_has_an_address_and_the_rest_needs_it() {
        let nats = |url: Option<&str>, cell: Option<&str>| {
            with(|raw| {
                raw.nats.url = url.map(str::to_owned);
                raw.nats.cell = cell.map(str::to_owned);
            })
        };
        let two = nats(Some("nats://a.test:4222, tls://b.test"), None).unwrap();
        assert_eq!(two.nats.unwrap().cell, Cell::parse("main").unwrap());
        assert!(nats(None, None).unwrap().nats.is_none());
        for (url, cell, named) in [
            (None, Some("eu"), "SITELOG_NATS__CELL requires"),
            (
                Some("http://me:secret@a.test"),
                None,
                "SITELOG_NATS__URL is 'http://a.test'",
            ),
            (Some("nats://a.test"), Some("a.b"), "SITELOG_NATS__CELL is 'a.b'"),
        ] {
            let error = nats(url, cell).unwrap_err().to_string();
            assert!(error.starts_with(named), "{error}");
        }
    }

    #[test]
    fn mails_need_a_server_a_sender_and_an_address_of_ours() {
        let mail = |smtp: Option<&str>, from: Option<&str>, public: Option<&str>| {
            with(|raw| {
                raw.mail.smtp_url = smtp.map(str::to_owned);
                raw.mail.from = from.map(str::to_owned);
                raw.public_url = public.map(str::to_owned);
            })
        };
        let (smtp, from, public) = (
            Some("smtps://me:secret@mail.test"),
            Some("sitelog <a@b.test>"),
            Some("https://sitelog.test"),
        );
        let config = mail(smtp, from, public).unwrap();
        assert!(config.mail.is_some() && !format!("{config:?}").contains("secret@"));
        assert!(mail(None, None, public).unwrap().mail.is_none());
        for (smtp, from, public, named) in [
            (None, from, public, "SITELOG_MAIL__FROM requires"),
            (
                smtp,
                None,
                public,
                "SITELOG_MAIL__SMTP_URL requires SITELOG_MAIL__FROM",
            ),
            (
                smtp,
                from,
                None,
                "SITELOG_MAIL__SMTP_URL requires SITELOG_PUBLIC_URL",
            ),
            (
                Some("mail.test:secret"),
                from,
                public,
                "SITELOG_MAIL__SMTP_URL must be",
            ),
            (
                smtp,
                Some("nobody"),
                public,
                "SITELOG_MAIL__SMTP_URL requires SITELOG_MAIL__FROM",
            ),
            (
                smtp,
                from,
                Some("sitelog.test"),
                "SITELOG_MAIL__SMTP_URL requires SITELOG_PUBLIC_URL",
            ),
        ] {
            let error = mail(smtp, from, public).unwrap_err().to_string();
            assert!(error.starts_with(named) && !error.contains("secret"), "{error}");
        }
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
