//! `GET /keys`.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::views::Page;
use crate::access::keys::{self, KeyRow};
use crate::api::ApiState;
use crate::api::admission::Administrator;
use crate::api::example::{self, Example};
use crate::api::problem::Problem;

/// A key, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Key {
    /// The ID of the key.
    #[schema(example = "sitelog_0123456789abcdef")]
    pub(super) key_id: String,
    /// The tenant whose data the key gives access to.
    tenant_id: Uuid,
    /// A label.
    name: String,
    /// `read`, `write`, `admin`, `operator`.
    scopes: Vec<String>,
    /// When the key was created.
    created_at: DateTime<Utc>,
    /// Who created the key.
    created_by: String,
    /// When the key expires.
    expires_at: Option<DateTime<Utc>>,
    /// When the key was last used, to the minute.
    last_used_at: Option<DateTime<Utc>>,
    /// When the key was revoked.
    revoked_at: Option<DateTime<Utc>>,
}

impl Example for Key {
    fn example() -> Self {
        Self {
            key_id: "sitelog_0123456789abcdef".to_owned(),
            tenant_id: example::TENANT,
            name: "crm".to_owned(),
            scopes: vec!["read".to_owned(), "write".to_owned()],
            created_at: example::began(),
            created_by: "cli".to_owned(),
            expires_at: None,
            last_used_at: Some(example::ended()),
            revoked_at: None,
        }
    }
}

impl From<KeyRow> for Key {
    fn from(row: KeyRow) -> Self {
        Self {
            key_id: row.key_id,
            tenant_id: row.tenant_id.0,
            name: row.name,
            scopes: row.scopes,
            created_at: row.created_at,
            created_by: row.created_by,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
            revoked_at: row.revoked_at,
        }
    }
}

/// Lists the tenant's keys, oldest first; needs the scope `admin`. `sitelog key create` creates keys.
#[utoipa::path(
    get, path = "/keys", tag = "keys",
    responses((status = 200, body = Page<Key>), (status = 503, body = Problem))
)]
pub(super) async fn list_keys(
    State(state): State<ApiState>,
    Administrator(caller): Administrator,
) -> Result<Json<Page<Key>>, Problem> {
    let rows = keys::list(state.access.pool(), Some(caller.tenant)).await?;
    Ok(Json(Page {
        items: rows.into_iter().map(Key::from).collect(),
        next: None,
    }))
}
