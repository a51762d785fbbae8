//! The effective settings as `sitelog config show` prints them; secrets are hidden.

use serde::Serialize;
use serde_json::{Value, json};

use super::names::{known_paths, name_in_environment};
use super::sources::{Origin, Settings};
use super::telemetry::DEFAULT_TRACE_SAMPLE;
use super::{DEFAULT_BIND, DEFAULT_CONCURRENCY, default_data_dir};
use crate::access::{AuthSettings, ClaimRules, OidcSettings};
use crate::api::settings::DEFAULT_SUNSET;
use crate::fetch::settings::FetchSettings;

/// Settings whose values are never shown.
const SECRETS: [&str; 4] = [
    "auth.jwt_secret",
    "legacy.backend_token",
    "mail.smtp_url",
    "oidc.client_secret",
];
/// Stands for what is hidden.
const HIDDEN: &str = "***";

/// One effective setting.
#[derive(Clone, Debug, Serialize)]
pub struct Setting {
    /// Its name in the file, such as `worker.concurrency`; null if it can be set only in the environment.
    pub name: Option<String>,
    /// Its name in the environment.
    pub environment: String,
    /// Its value; null if there is none.
    pub value: Value,
    /// `default`, `file`, `environment` or `flag`, and which.
    #[serde(serialize_with = "as_text")]
    pub origin: Origin,
}

impl Setting {
    /// Whether it is set.
    pub fn is_changed(&self) -> bool {
        self.origin != Origin::Default
    }
}

fn as_text<S: serde::Serializer>(origin: &Origin, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(origin)
}

/// Each setting there is.
pub(super) fn effective(settings: &Settings) -> Vec<Setting> {
    let given = serde_json::to_value(&settings.raw).unwrap_or_default();
    let of_path = |path: String| {
        let origin = settings.origins.get(&path).cloned().unwrap_or(Origin::Default);
        let value = if origin == Origin::Default {
            default_of(&path)
        } else {
            shown(&path, given.pointer(&format!("/{}", path.replace('.', "/"))))
        };
        Setting {
            environment: name_in_environment(&path),
            name: Some(path),
            value,
            origin,
        }
    };
    let database = Setting {
        name: None,
        environment: "DATABASE_URL".to_owned(),
        value: settings.database_url.as_deref().map(without_password).into(),
        origin: match settings.database_url {
            Some(_) => Origin::Environment("DATABASE_URL".to_owned()),
            None => Origin::Default,
        },
    };
    [database]
        .into_iter()
        .chain(known_paths().into_iter().map(of_path))
        .collect()
}

fn shown(path: &str, given: Option<&Value>) -> Value {
    match given {
        Some(Value::String(_)) if is_secret(path) => HIDDEN.into(),
        Some(Value::String(text)) if has_password(text) => without_password(text).into(),
        Some(value) => value.clone(),
        None => Value::Null,
    }
}

pub(super) fn is_secret(path: &str) -> bool {
    SECRETS.contains(&path)
}

/// Whether a text is a URL with a password.
pub(super) fn has_password(text: &str) -> bool {
    // A text that is not a URL but has the parts of one is a URL with a mistake in it.
    url::Url::parse(text.trim()).map_or_else(
        |_| text.contains("://") && text.contains('@'),
        |url| url.password().is_some() || url.query_pairs().any(|(name, _)| name == "password"),
    )
}

/// A URL without its password.
pub fn without_password(text: &str) -> String {
    if !has_password(text) {
        return text.to_owned();
    }
    let Ok(mut url) = url::Url::parse(text.trim()) else {
        return HIDDEN.to_owned();
    };
    if url.password().is_some() && url.set_password(Some(HIDDEN)).is_err() {
        return HIDDEN.to_owned();
    }
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    if pairs.iter().any(|(name, _)| name == "password") {
        let hidden = pairs.into_iter().map(|(name, value)| {
            let value = if name == "password" {
                HIDDEN.to_owned()
            } else {
                value
            };
            (name, value)
        });
        url.query_pairs_mut().clear().extend_pairs(hidden);
    }
    url.to_string()
}

/// The default; null if there is none, or if it depends on the database.
fn default_of(path: &str) -> Value {
    let fetch = FetchSettings::default();
    match path {
        "bind" => DEFAULT_BIND.into(),
        "data_dir" => json!(default_data_dir()),
        "worker.concurrency" => DEFAULT_CONCURRENCY.into(),
        "auth.mode" => "required".into(),
        "api.requests_per_minute" => AuthSettings::DEFAULT_REQUESTS_PER_MINUTE.get().to_string().into(),
        "telemetry.trace_sample" => DEFAULT_TRACE_SAMPLE.into(),
        "oidc.label" => OidcSettings::DEFAULT_LABEL.into(),
        "oidc.request_scopes" => OidcSettings::DEFAULT_REQUEST_SCOPES.into(),
        "oidc.tenant_claim" => ClaimRules::DEFAULT_TENANT_CLAIM.into(),
        "oidc.default_scopes" => ClaimRules::DEFAULT_SCOPES.into(),
        "legacy.sunset" => DEFAULT_SUNSET.into(),
        "fetch.user_agent" => fetch.user_agent.into(),
        "fetch.per_host_delay_ms" => json!(fetch.per_host_delay.as_millis()),
        "fetch.proxy_resolves" => fetch.proxy_resolves.into(),
        "fetch.dns_records" => fetch.dns_records.into(),
        "fetch.max_requests" => fetch.max_requests.into(),
        "fetch.max_bytes" => fetch.max_bytes.into(),
        "fetch.max_seconds" => fetch.max_time.as_secs().into(),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each row of the table of settings: environment, file and default, as written.
    fn documented() -> Vec<[String; 3]> {
        let page =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/operations.md")).unwrap();
        let rows = page.lines().filter_map(|line| {
            let cells: Vec<&str> = line.strip_prefix("| `")?.split('|').map(str::trim).collect();
            let [environment, name, default, ..] = cells[..] else {
                return None;
            };
            let environment = environment.strip_suffix('`')?;
            let is_setting = environment.starts_with("SITELOG_") && name.starts_with('`');
            is_setting.then(|| [environment, name.trim_matches('`'), default].map(str::to_owned))
        });
        rows.collect()
    }

    #[test]
    fn every_setting_is_documented_with_the_default_that_it_has() {
        let rows = documented();
        let known = known_paths();
        assert_eq!(rows.len(), known.len(), "{rows:?}");
        for path in known {
            let [environment, _, default] = rows.iter().find(|row| row[1] == path).expect(&path);
            assert_eq!(*environment, name_in_environment(&path));
            let value = match default_of(&path) {
                Value::String(text) => text,
                Value::Null => continue,
                other => other.to_string(),
            };
            let depends_on_the_machine = path == "data_dir";
            assert!(
                depends_on_the_machine || *default == format!("`{value}`"),
                "{path}: {default} is not {value}"
            );
        }
    }

    #[test]
    fn passwords_are_hidden_wherever_a_url_has_them() {
        assert_eq!(
            without_password("postgres://u:secret@h.test:5432/d"),
            "postgres://u:***@h.test:5432/d"
        );
        let url = without_password("postgres://h.test/d?user=u&password=secret");
        assert!(!url.contains("secret") && url.contains("user=u"), "{url}");
        assert_eq!(without_password("http://u:secret@"), "***");
        assert_eq!(without_password("https://a.test/"), "https://a.test/");
        assert_eq!(shown("auth.jwt_secret", Some(&"secret".into())), "***");
        assert_eq!(
            shown("fetch.proxy", Some(&"http://u:secret@p.test".into())),
            "http://u:***@p.test/"
        );
    }
}
