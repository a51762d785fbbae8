//! Settings of single sign-on (OpenID Connect): the provider, and the meaning of its claims.

use std::path::Path;

use url::Url;

use super::auth::is_private_or_encrypted;
use super::error::Faults;
use super::raw::RawOidc;
use super::{ConfigError, list, value, without_password};
use crate::access::{ClaimRules, OidcSettings, Scope, Scopes, Secret};

const ISSUER: &str = "SITELOG_OIDC__ISSUER";
const CLIENT_ID: &str = "SITELOG_OIDC__CLIENT_ID";
const SECRET: &str = "SITELOG_OIDC__CLIENT_SECRET";
const SECRET_FILE: &str = "SITELOG_OIDC__CLIENT_SECRET_FILE";
const TENANTS: &str = "SITELOG_OIDC__TENANTS";
const DEFAULT_TENANT: &str = "SITELOG_OIDC__DEFAULT_TENANT";
const SCOPES_OF: &str = "SITELOG_OIDC__SCOPES_OF";
const DEFAULT_SCOPES: &str = "SITELOG_OIDC__DEFAULT_SCOPES";

/// Bytes of a file with a secret at most.
const MAX_SECRET: u64 = 16 * 1024;

/// How people sign in with a provider; `None` if they do not, or if something is wrong with the settings.
pub(super) fn oidc_settings(
    raw: RawOidc,
    public_url: Option<&Url>,
    faults: &mut Faults,
) -> Option<OidcSettings> {
    let given = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let issuer = given(raw.issuer);
    let client_id = given(raw.client_id);
    let client_secret = client_secret(
        given(raw.client_secret),
        raw.client_secret_file.as_deref(),
        faults,
    );
    let rules = ClaimRules {
        tenant_claim: given(raw.tenant_claim).unwrap_or_else(|| ClaimRules::DEFAULT_TENANT_CLAIM.to_owned()),
        tenants: pairs(
            raw.tenants.as_deref(),
            TENANTS,
            "values of the claim, each with the ID of its tenant, such as acme=550e8400-e29b-41d4-a716-446655440000",
            faults,
        ),
        default_tenant: given(raw.default_tenant).and_then(|id| {
            let expected = "the ID of a tenant (a UUID)";
            faults.take(
                id.trim()
                    .parse()
                    .map_err(|_| value(DEFAULT_TENANT, &id, expected)),
            )
        }),
        scopes_claim: given(raw.scopes_claim),
        scopes_of: pairs(
            raw.scopes_of.as_deref(),
            SCOPES_OF,
            "values of the claim, each with its scope (read, write, admin or operator), such as staff=write",
            faults,
        ),
        default_scopes: default_scopes(raw.default_scopes.as_deref(), faults),
    };
    if !rules.scopes_of.is_empty() && rules.scopes_claim.is_none() {
        let other = "SITELOG_OIDC__SCOPES_CLAIM, the claim that has these values";
        faults.push(ConfigError::Needs {
            name: SCOPES_OF,
            other,
        });
    }
    let Some(issuer) = issuer else {
        if client_id.is_some() {
            let other = "SITELOG_OIDC__ISSUER, the provider";
            faults.push(ConfigError::Needs {
                name: CLIENT_ID,
                other,
            });
        }
        return None;
    };
    let address = Url::parse(&issuer).ok();
    let is_issuer =
        |url: &Url| is_private_or_encrypted(url) && url.query().is_none() && url.fragment().is_none();
    if address.as_ref().is_none_or(|url| !is_issuer(url)) {
        let expected = "the https URL of the provider, exactly as the provider publishes it, such as https://login.example.com/realms/main";
        faults.push(value(ISSUER, &without_password(&issuer), expected));
        return None;
    }
    for (other, is_missing) in [
        (
            "SITELOG_OIDC__CLIENT_ID, the client ID that the provider assigned to sitelog",
            client_id.is_none(),
        ),
        (
            "SITELOG_PUBLIC_URL, the address to which the provider returns users",
            public_url.is_none(),
        ),
    ] {
        if is_missing {
            faults.push(ConfigError::Needs { name: ISSUER, other });
        }
    }
    let asked = given(raw.request_scopes).unwrap_or_else(|| OidcSettings::DEFAULT_REQUEST_SCOPES.to_owned());
    let place = format!(
        "{}{}",
        public_url?.as_str().trim_end_matches('/'),
        OidcSettings::RETURN_PATH
    );
    Some(OidcSettings {
        issuer,
        client_id: client_id?,
        client_secret,
        redirect: Url::parse(&place).ok()?,
        label: given(raw.label).unwrap_or_else(|| OidcSettings::DEFAULT_LABEL.to_owned()),
        request_scopes: asked.split_ascii_whitespace().map(str::to_owned).collect(),
        rules,
    })
}

/// The secret itself, or what is in a file.
fn client_secret(given: Option<String>, file: Option<&Path>, faults: &mut Faults) -> Option<Secret> {
    let Some(file) = file else {
        return given.map(Secret::new);
    };
    if given.is_some() {
        let expected = "unset if SITELOG_OIDC__CLIENT_SECRET_FILE is set; set only one of them";
        faults.push(ConfigError::Secret {
            name: SECRET,
            expected,
        });
        return None;
    }
    let is_small = std::fs::metadata(file).is_ok_and(|file| file.is_file() && file.len() <= MAX_SECRET);
    let content = is_small.then(|| std::fs::read_to_string(file).ok()).flatten();
    let secret = content
        .map(|content| content.trim().to_owned())
        .filter(|secret| !secret.is_empty());
    let expected = "a file that sitelog can read and that contains only the secret";
    let secret = secret.ok_or_else(|| value(SECRET_FILE, &file.display().to_string(), expected));
    faults.take(secret).map(Secret::new)
}

/// `name=value, name=value`. A name may have an equals sign, a value has none.
fn pairs<T: std::str::FromStr>(
    text: Option<&str>,
    setting: &'static str,
    expected: &'static str,
    faults: &mut Faults,
) -> Vec<(String, T)> {
    let pair = |entry: &str| {
        let (name, meaning) = entry.rsplit_once('=')?;
        let name = name.trim();
        (!name.is_empty()).then_some(())?;
        Some((name.to_owned(), meaning.trim().parse().ok()?))
    };
    list(text)
        .filter_map(|entry| faults.take(pair(entry).ok_or_else(|| value(setting, entry, expected))))
        .collect()
}

fn default_scopes(text: Option<&str>, faults: &mut Faults) -> Scopes {
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    if text == Some("none") {
        return Scopes::default();
    }
    let scopes: Result<Vec<Scope>, _> = list(Some(text.unwrap_or(ClaimRules::DEFAULT_SCOPES)))
        .map(str::parse)
        .collect();
    let expected = "none, or one or more of read, write, admin and operator, separated by commas";
    let scopes = scopes.map_err(|_| value(DEFAULT_SCOPES, text.unwrap_or_default(), expected));
    faults.take(scopes).unwrap_or_default().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(change: impl FnOnce(&mut RawOidc)) -> (Option<OidcSettings>, Vec<String>) {
        let mut raw = RawOidc {
            issuer: Some("https://login.test/realms/main".to_owned()),
            client_id: Some("sitelog".to_owned()),
            ..RawOidc::default()
        };
        change(&mut raw);
        let mut faults = Faults::default();
        let public = "https://sitelog.test/".parse().unwrap();
        let settings = oidc_settings(raw, Some(&public), &mut faults);
        (settings, faults.0.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_provider_and_our_name_there_are_enough() {
        let (settings, faults) = with(|_| ());
        let settings = settings.unwrap();
        assert!(faults.is_empty(), "{faults:?}");
        assert_eq!(
            settings.redirect.as_str(),
            "https://sitelog.test/sign-in/oidc/return"
        );
        assert_eq!(settings.request_scopes, ["openid", "profile", "email"]);
        assert_eq!(settings.rules.tenant_claim, "tenant_id");
        assert_eq!(settings.rules.default_scopes.to_string(), "read");
        assert!(settings.client_secret.is_none());
        let (settings, faults) = with(|raw| *raw = RawOidc::default());
        assert!(settings.is_none() && faults.is_empty());
    }

    #[test]
    fn claims_are_given_their_meaning() {
        let (settings, faults) = with(|raw| {
            raw.tenants = Some(
                "ou=a=550e8400-e29b-41d4-a716-446655440000, b = 11111111-1111-4111-8111-111111111111"
                    .to_owned(),
            );
            raw.scopes_claim = Some("groups".to_owned());
            raw.scopes_of = Some("staff=write,it=operator".to_owned());
            raw.default_scopes = Some("none".to_owned());
        });
        let rules = settings.unwrap().rules;
        assert!(faults.is_empty(), "{faults:?}");
        assert_eq!(
            (rules.tenants[0].0.as_str(), rules.tenants[1].0.as_str()),
            ("ou=a", "b")
        );
        assert_eq!(rules.scopes_of[1], ("it".to_owned(), Scope::Operator));
        assert!(rules.default_scopes.is_empty());
    }

    #[test]
    fn each_fault_is_named_and_no_secret_is_shown() {
        let faults = |change: fn(&mut RawOidc)| with(change).1.join("\n");
        for (change, named) in [
            (
                (|raw| raw.client_id = None) as fn(&mut RawOidc),
                "SITELOG_OIDC__ISSUER requires SITELOG_OIDC__CLIENT_ID",
            ),
            (
                |raw| raw.issuer = None,
                "SITELOG_OIDC__CLIENT_ID requires SITELOG_OIDC__ISSUER",
            ),
            (
                |raw| raw.issuer = Some("http://login.test".to_owned()),
                "SITELOG_OIDC__ISSUER is 'http://login.test'",
            ),
            (
                |raw| raw.issuer = Some("login.test".to_owned()),
                "SITELOG_OIDC__ISSUER is",
            ),
            (
                |raw| raw.tenants = Some("acme".to_owned()),
                "SITELOG_OIDC__TENANTS is 'acme'",
            ),
            (
                |raw| raw.default_tenant = Some("acme".to_owned()),
                "SITELOG_OIDC__DEFAULT_TENANT is 'acme'",
            ),
            (
                |raw| raw.default_scopes = Some("all".to_owned()),
                "SITELOG_OIDC__DEFAULT_SCOPES is 'all'",
            ),
            (
                |raw| raw.scopes_of = Some("it=operator".to_owned()),
                "SITELOG_OIDC__SCOPES_OF requires SITELOG_OIDC__SCOPES_CLAIM",
            ),
            (
                |raw| {
                    raw.scopes_claim = Some("g".to_owned());
                    raw.scopes_of = Some("it=root".to_owned());
                },
                "SITELOG_OIDC__SCOPES_OF is 'it=root'",
            ),
            (
                |raw| raw.client_secret_file = Some("/nowhere".into()),
                "SITELOG_OIDC__CLIENT_SECRET_FILE is '/nowhere'",
            ),
            (
                |raw| {
                    raw.client_secret = Some("hidden".to_owned());
                    raw.client_secret_file = Some("/dev/null".into());
                },
                "SITELOG_OIDC__CLIENT_SECRET must be unset",
            ),
        ] {
            let messages = faults(change);
            assert!(
                messages.contains(named) && !messages.contains("hidden"),
                "{named}: {messages}"
            );
        }
    }

    #[test]
    fn a_secret_may_be_in_a_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "s3cret\n").unwrap();
        let (settings, faults) = with(|raw| raw.client_secret_file = Some(file.path().to_owned()));
        assert!(faults.is_empty(), "{faults:?}");
        let settings = settings.unwrap();
        assert_eq!(settings.client_secret.as_ref().unwrap().reveal(), "s3cret");
        assert!(!format!("{settings:?}").contains("s3cret"));
    }
}
