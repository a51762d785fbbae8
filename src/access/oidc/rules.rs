//! Turns the claims of a user into a tenant and scopes.

use serde_json::{Map, Value};

use super::SignInError;
use crate::access::{Scope, Scopes};
use crate::values::TenantId;

/// The meaning of claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimRules {
    /// The claim with the tenant; a path such as `app_metadata.tenant_id` refers to a field of an object.
    pub tenant_claim: String,
    /// What the values of that claim mean. Empty: each value is the id of a tenant itself.
    pub tenants: Vec<(String, TenantId)>,
    /// The tenant of users without the claim; `None` if they are refused.
    pub default_tenant: Option<TenantId>,
    /// The claim with the scopes; `None` if all users get the same.
    pub scopes_claim: Option<String>,
    /// What the values of that claim mean. Empty: each value is the name of a scope itself.
    pub scopes_of: Vec<(String, Scope)>,
    /// The scopes of users whose claim grants none; empty if they are refused.
    pub default_scopes: Scopes,
}

impl ClaimRules {
    /// The default claim with the tenant.
    pub const DEFAULT_TENANT_CLAIM: &str = "tenant_id";
    /// The default scopes.
    pub const DEFAULT_SCOPES: &str = "read";

    /// Whether the claims contain everything that the rules use.
    pub(super) fn are_met_by(&self, claims: &Map<String, Value>) -> bool {
        let has = |name: &str| found(claims, name).is_some();
        has(&self.tenant_claim) && self.scopes_claim.as_deref().is_none_or(has)
    }

    /// Whose data a person may touch.
    pub(super) fn tenant(&self, claims: &Map<String, Value>) -> Result<TenantId, SignInError> {
        let claim = &self.tenant_claim;
        let Some(value) = found(claims, claim) else {
            return self
                .default_tenant
                .ok_or_else(|| SignInError::MissingClaim(claim.clone()));
        };
        let texts = texts(value);
        let mut known: Vec<TenantId> = texts.iter().filter_map(|text| self.tenant_of(text)).collect();
        known.sort();
        known.dedup();
        match known[..] {
            [tenant] => Ok(tenant),
            [] => Err(SignInError::UnknownTenant {
                claim: claim.clone(),
                value: shortened(&texts.join(", ")),
            }),
            _ => Err(SignInError::SeveralTenants(claim.clone())),
        }
    }

    /// What a person may do; at least one scope.
    pub(super) fn scopes(&self, claims: &Map<String, Value>) -> Result<Scopes, SignInError> {
        let value = self.scopes_claim.as_deref().and_then(|name| found(claims, name));
        let texts = value.map(texts).unwrap_or_default();
        let words = texts.iter().flat_map(|text| self.scopes_in(text));
        let given: Scopes = words.collect();
        let scopes = if given.is_empty() {
            self.default_scopes.clone()
        } else {
            given
        };
        if scopes.is_empty() {
            return Err(SignInError::NoScopes(self.scopes_claim.clone()));
        }
        Ok(scopes)
    }

    fn tenant_of(&self, value: &str) -> Option<TenantId> {
        if self.tenants.is_empty() {
            return value.parse().ok();
        }
        let mut named = self.tenants.iter();
        named.find_map(|(name, tenant)| (name == value).then_some(*tenant))
    }

    fn scopes_in(&self, value: &str) -> Vec<Scope> {
        if self.scopes_of.is_empty() {
            return value
                .split_ascii_whitespace()
                .filter_map(|word| word.parse().ok())
                .collect();
        }
        let named = self.scopes_of.iter().filter(|(name, _)| name == value);
        named.map(|(_, scope)| *scope).collect()
    }
}

/// A claim by its name, otherwise by its path. A null claim counts as missing.
fn found<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let by_path = || {
        let mut parts = name.split('.');
        let first = claims.get(parts.next()?)?;
        parts.try_fold(first, |value, part| value.get(part))
    };
    let value = claims.get(name).or_else(by_path)?;
    (!value.is_null()).then_some(value)
}

/// The texts of a claim: one, or a list of them.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// As much of a value as fits a sentence.
fn shortened(text: &str) -> String {
    const MAX_CHARACTERS: usize = 100;
    let mut short: String = text.chars().take(MAX_CHARACTERS).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ONE: &str = "11111111-1111-4111-8111-111111111111";
    const TWO: &str = "22222222-2222-4222-8222-222222222222";

    fn rules() -> ClaimRules {
        ClaimRules {
            tenant_claim: "tenant_id".to_owned(),
            tenants: Vec::new(),
            default_tenant: None,
            scopes_claim: None,
            scopes_of: Vec::new(),
            default_scopes: Scopes::from_iter([Scope::Read]),
        }
    }

    fn claims(value: Value) -> Map<String, Value> {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_claim_names_a_tenant_by_its_id_or_by_a_name_of_the_settings() {
        let tenant = |rules: &ClaimRules, value: Value| rules.tenant(&claims(value));
        let one: TenantId = ONE.parse().unwrap();
        assert_eq!(tenant(&rules(), json!({ "tenant_id": ONE })).unwrap(), one);
        let nested = ClaimRules {
            tenant_claim: "app_metadata.tenant".to_owned(),
            ..rules()
        };
        assert_eq!(
            tenant(&nested, json!({ "app_metadata": { "tenant": ONE } })).unwrap(),
            one
        );
        let named = ClaimRules {
            tenant_claim: "https://a.test/groups".to_owned(),
            tenants: vec![
                ("acme".to_owned(), one),
                ("acme-de".to_owned(), one),
                ("umbrella".to_owned(), TWO.parse().unwrap()),
            ],
            ..rules()
        };
        let groups = |value: Value| tenant(&named, json!({ "https://a.test/groups": value }));
        assert_eq!(groups(json!(["all", "acme", "acme-de"])).unwrap(), one);
        assert!(matches!(
            groups(json!(["acme", "umbrella"])),
            Err(SignInError::SeveralTenants(_))
        ));
        // If names are mapped, an id is not accepted.
        for unknown in [
            json!("else"),
            json!(ONE),
            json!([]),
            json!(7),
            json!({ "acme": true }),
        ] {
            assert!(
                matches!(groups(unknown.clone()), Err(SignInError::UnknownTenant { .. })),
                "{unknown}"
            );
        }
    }

    #[test]
    fn without_the_claim_the_default_tenant_counts_and_a_wrong_value_is_never_replaced_by_it() {
        let with_default = ClaimRules {
            default_tenant: Some(TenantId::DEFAULT),
            ..rules()
        };
        for missing in [json!({}), json!({ "tenant_id": null })] {
            assert_eq!(
                with_default.tenant(&claims(missing.clone())).unwrap(),
                TenantId::DEFAULT
            );
            assert!(matches!(
                rules().tenant(&claims(missing)),
                Err(SignInError::MissingClaim(_))
            ));
        }
        let wrong = with_default.tenant(&claims(json!({ "tenant_id": "x".repeat(1000) })));
        let Err(SignInError::UnknownTenant { value, .. }) = wrong else {
            panic!("{wrong:?}")
        };
        assert_eq!(value.chars().count(), 101);
    }

    #[test]
    fn scopes_come_from_the_claim_or_else_from_the_settings() {
        let scopes = |rules: &ClaimRules, value: Value| rules.scopes(&claims(value)).map(|s| s.to_string());
        // Values without a rule grant nothing.
        assert_eq!(scopes(&rules(), json!({ "scopes": "operator" })).unwrap(), "read");
        let words = ClaimRules {
            scopes_claim: Some("scopes".to_owned()),
            ..rules()
        };
        assert_eq!(
            scopes(&words, json!({ "scopes": "write openid" })).unwrap(),
            "write"
        );
        assert_eq!(
            scopes(&words, json!({ "scopes": ["admin", "read"] })).unwrap(),
            "read admin"
        );
        assert_eq!(scopes(&words, json!({ "scopes": "else" })).unwrap(), "read");
        let groups = ClaimRules {
            scopes_of: vec![
                ("staff".to_owned(), Scope::Write),
                ("it team".to_owned(), Scope::Operator),
            ],
            default_scopes: Scopes::default(),
            ..words
        };
        assert_eq!(
            scopes(&groups, json!({ "scopes": ["staff", "it team"] })).unwrap(),
            "write operator"
        );
        for nothing in [
            json!({}),
            json!({ "scopes": ["operator"] }),
            json!({ "scopes": true }),
        ] {
            assert!(
                matches!(scopes(&groups, nothing.clone()), Err(SignInError::NoScopes(_))),
                "{nothing}"
            );
        }
    }
}
