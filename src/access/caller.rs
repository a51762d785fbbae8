//! The caller of a request, and its rights.

use std::fmt;
use std::str::FromStr;

use crate::values::TenantId;

/// What a caller may do; each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Read what belongs to the tenant.
    Read,
    /// Request, cancel and retry scans.
    Write,
    /// Create, list and revoke the tenant's keys.
    Admin,
    /// Run the service: every tenant, read models, metrics.
    Operator,
}

/// A text is not a scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a scope; use read, write, admin or operator")]
pub struct UnknownScope(pub String);

impl Scope {
    /// All scopes, from the smallest to the largest.
    pub const ALL: [Self; 4] = [Self::Read, Self::Write, Self::Admin, Self::Operator];

    /// As in keys, tokens and metadata.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
            Self::Operator => "operator",
        }
    }
}

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        let known = Self::ALL.into_iter().find(|scope| scope.as_str() == text);
        known.ok_or_else(|| UnknownScope(text.to_owned()))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Granted scopes, in order, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    /// The scopes of the first key.
    pub fn of_first_key() -> Self {
        Self::from_iter([Scope::Admin, Scope::Operator])
    }

    /// Whether they include one.
    pub fn allow(&self, wanted: Scope) -> bool {
        self.0.iter().any(|given| *given >= wanted)
    }

    /// Their names.
    pub fn names(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The largest scope.
    pub fn highest(&self) -> Option<Scope> {
        self.0.last().copied()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        let mut scopes: Vec<Scope> = scopes.into_iter().collect();
        scopes.sort();
        scopes.dedup();
        Self(scopes)
    }
}

/// Separated by blanks, as in OAuth (RFC 6749, 3.3).
impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().join(" "))
    }
}

/// The caller of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The tenant.
    pub tenant: TenantId,
    /// For the log: `key:…`, `user:…`, `oidc:…` or `anonymous`.
    pub actor: String,
    /// Its label; `None` if it has none.
    pub name: Option<String>,
    /// Its scopes.
    pub scopes: Scopes,
}

impl Caller {
    /// Any caller, without access control.
    pub fn anyone(tenant: TenantId) -> Self {
        Self {
            tenant,
            actor: "anonymous".to_owned(),
            name: None,
            scopes: Scopes::from_iter([Scope::Operator]),
        }
    }

    /// Whether it has this scope.
    pub fn may(&self, wanted: Scope) -> bool {
        self.scopes.allow(wanted)
    }

    /// Whether it may act for a tenant: its own, or any as an operator.
    pub fn may_act_for(&self, tenant: TenantId) -> bool {
        self.tenant == tenant || self.may(Scope::Operator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_includes_those_before_it() {
        let writer = Scopes::from_iter([Scope::Write]);
        let allowed: Vec<bool> = Scope::ALL.into_iter().map(|scope| writer.allow(scope)).collect();
        assert_eq!(allowed, [true, true, false, false]);
        assert!(!Scopes::default().allow(Scope::Read));
    }

    #[test]
    fn only_an_operator_acts_for_other_tenants() {
        let mut caller = Caller::anyone(TenantId::DEFAULT);
        let other = TenantId(uuid::Uuid::nil());
        assert!(caller.may_act_for(other));
        caller.scopes = Scopes::from_iter([Scope::Admin]);
        assert!(caller.may_act_for(TenantId::DEFAULT) && !caller.may_act_for(other));
    }
}
