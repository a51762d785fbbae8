//! Access control: who is admitted, and with which rights.

mod audit_events;
mod command_line;
mod first_key;
mod isolation;
mod jwks;
mod keys;
mod oidc;
mod predecessor;
mod quotas;
mod row_security;
mod secrets;
mod tokens;
mod under_way;

use sitelog::access::keys::{NewKey, create};
use sitelog::access::{ApiKey, Scope};
use sitelog::values::TenantId;

use crate::support::app::TestApp;

const OTHER: &str = "11111111-1111-4111-8111-111111111111";

/// A key of a tenant with these scopes.
pub async fn key_of(app: &TestApp, tenant: TenantId, scopes: &[Scope]) -> ApiKey {
    let new = NewKey {
        tenant,
        name: "for a test".to_owned(),
        scopes: scopes.iter().copied().collect(),
        expires: None,
        created_by: "test".to_owned(),
    };
    create(app.app.log.pool(), &new).await.unwrap().0
}

/// A key of the default tenant.
pub async fn key(app: &TestApp, scopes: &[Scope]) -> ApiKey {
    key_of(app, TenantId::DEFAULT, scopes).await
}

fn other() -> TenantId {
    OTHER.parse().unwrap()
}
