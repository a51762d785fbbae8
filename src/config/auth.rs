//! Settings of access control: who is admitted, and how tokens are checked.

use std::num::NonZeroU32;

use super::error::Faults;
use super::raw::{RawApi, RawAuth};
use super::{ConfigError, value, without_password};
use crate::access::{AuthMode, AuthSettings, JwtSettings, Secret};

/// Bytes of a shared secret at least. RFC 7518, 3.2 asks for 32; less is taken with a warning, for the secrets of
/// issuers that are there already.
const MIN_SECRET: usize = 16;
const GOOD_SECRET: usize = 32;

pub(super) fn auth_settings(raw: RawAuth, api: &RawApi, faults: &mut Faults) -> AuthSettings {
    let mode = match raw.mode.as_deref() {
        None | Some("required") => AuthMode::Required,
        Some("off") => AuthMode::Off,
        Some(other) => {
            faults.push(value("SITELOG_AUTH__MODE", other, "required or off"));
            AuthMode::Required
        }
    };
    let mut settings = AuthSettings::of(mode);
    settings.jwt = jwt_settings(raw, faults);
    if let Some(given) = &api.requests_per_minute {
        let rate: Result<NonZeroU32, _> = given.parse();
        let rate = rate.map_err(|_| value("SITELOG_API__REQUESTS_PER_MINUTE", given, "1 or more"));
        settings.requests_per_minute = faults.take(rate).unwrap_or(settings.requests_per_minute);
    }
    settings
}

/// How tokens are checked; `None` if none are, or if something is wrong with the settings.
fn jwt_settings(raw: RawAuth, faults: &mut Faults) -> Option<JwtSettings> {
    const SECRET: &str = "SITELOG_AUTH__JWT_SECRET";
    const JWKS: &str = "SITELOG_AUTH__JWKS_URL";
    let needed = |text: Option<String>| text.filter(|text| !text.is_empty());
    let name = if raw.jwt_secret.is_some() { SECRET } else { JWKS };
    let secret = raw.jwt_secret.map(|secret| {
        if secret.len() < MIN_SECRET {
            let expected = "at least 16 characters long; 32 or more are recommended";
            return Err(ConfigError::Secret {
                name: SECRET,
                expected,
            });
        }
        if secret.len() < GOOD_SECRET {
            tracing::warn!("{SECRET} is shorter than 32 bytes, which RFC 7518 requires");
        }
        Ok(Secret::new(secret))
    });
    let jwks_url = needed(raw.jwks_url).map(|given| {
        let expected = "an https address such as https://issuer.example.com/.well-known/jwks.json";
        let url = url::Url::parse(&given).ok().filter(is_private_or_encrypted);
        url.ok_or_else(|| value(JWKS, &without_password(&given), expected))
    });
    if secret.is_none() && jwks_url.is_none() {
        return None;
    }
    let issuer = needed(raw.issuer);
    if jwks_url.is_some() && issuer.is_none() {
        faults.push(ConfigError::Needs {
            name: JWKS,
            other: "SITELOG_AUTH__ISSUER, because several issuers may share a set of keys",
        });
    }
    let audience = needed(raw.audience).ok_or(ConfigError::Needs {
        name,
        other: "SITELOG_AUTH__AUDIENCE, because tokens for other services must not be accepted",
    });
    let (secret, jwks_url) = (
        secret.map(|secret| faults.take(secret)),
        jwks_url.map(|url| faults.take(url)),
    );
    Some(JwtSettings {
        secret: secret.map_or(Some(None), |secret| secret.map(Some))?,
        jwks_url: jwks_url.map_or(Some(None), |url| url.map(Some))?,
        audience: faults.take(audience)?,
        issuer,
    })
}

/// Whether responses are safe from changes in transit.
pub(super) fn is_private_or_encrypted(url: &url::Url) -> bool {
    let is_this_machine = match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        _ => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && is_this_machine)
}
