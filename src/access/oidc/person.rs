//! The user who signed in, from the provider's claims.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::SubjectIdentifier;
use openidconnect::core::CoreIdToken;
use serde_json::{Map, Value};

use super::SignInError;
use crate::access::Scopes;
use crate::values::TenantId;

/// Characters of a subject at most (OpenID Connect Core 1.0, section 2).
const MAX_SUBJECT: usize = 255;
/// Characters of a name at most.
const MAX_NAME: usize = 100;

/// A user who signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// For the log: `oidc:<subject>`.
    pub actor: String,
    /// The user's name, with the email address if there is one.
    pub name: String,
    /// The user's tenant.
    pub tenant: TenantId,
    /// The user's scopes; at least one.
    pub scopes: Scopes,
    /// Of the sign-in, which works only once: a digest of its state.
    pub sign_in: [u8; 32],
}

/// All claims of a token that was verified.
pub(super) fn claims_of(token: &CoreIdToken) -> Result<Map<String, Value>, SignInError> {
    let text = token.to_string();
    let payload = text.split('.').nth(1).unwrap_or_default();
    let bytes = URL_SAFE_NO_PAD
        .decode(payload.trim_end_matches('='))
        .unwrap_or_default();
    serde_json::from_slice(&bytes).map_err(|error| SignInError::Invalid(error.to_string()))
}

/// How the log names a person. No two have one name: a subject that is too long is refused, not cut.
pub(super) fn actor(subject: &SubjectIdentifier) -> Result<String, SignInError> {
    let subject = subject.as_str();
    let fits = (1..=MAX_SUBJECT).contains(&subject.len()) && !subject.contains(char::is_control);
    if fits {
        return Ok(format!("oidc:{subject}"));
    }
    Err(SignInError::Invalid(format!(
        "its subject is empty, has more than {MAX_SUBJECT} bytes, or has control characters"
    )))
}

/// How people call a person.
pub(super) fn name(claims: &Map<String, Value>, subject: &SubjectIdentifier) -> String {
    let text = |name: &str| {
        let text = claims.get(name).and_then(Value::as_str).map(shown);
        text.filter(|text| !text.trim().is_empty())
    };
    let email = text("email");
    match (text("name").or_else(|| text("preferred_username")), email) {
        (Some(name), Some(email)) if name != email => format!("{name} ({email})"),
        (Some(name), _) => name,
        (None, Some(email)) => email,
        (None, None) => shown(subject.as_str()),
    }
}

/// A shortened external text, on one line.
pub(super) fn shown(text: &str) -> String {
    let visible = text.chars().filter(|c| !c.is_control());
    visible.take(MAX_NAME).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_person_is_called_by_name_and_address() {
        let called = |claims: Value| {
            let claims = serde_json::from_value(claims).unwrap();
            name(&claims, &SubjectIdentifier::new("7".to_owned()))
        };
        assert_eq!(
            called(json!({ "name": "Ann", "email": "a@b.test" })),
            "Ann (a@b.test)"
        );
        assert_eq!(
            called(json!({ "preferred_username": "ann", "email": null })),
            "ann"
        );
        assert_eq!(called(json!({ "name": " ", "email": "a@b.test\n" })), "a@b.test");
        assert_eq!(called(json!({ "name": 5 })), "7");
    }

    #[test]
    fn an_actor_is_whole_or_none() {
        let actor = |subject: &str| actor(&SubjectIdentifier::new(subject.to_owned())).ok();
        assert_eq!(actor("ann@b.test").as_deref(), Some("oidc:ann@b.test"));
        for bad in [String::new(), "a\nb".to_owned(), "a".repeat(256)] {
            assert_eq!(actor(&bad), None);
        }
    }
}
