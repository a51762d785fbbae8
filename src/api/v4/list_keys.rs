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
use crate::api::problem::Problem;

/// A key, without its secret, which nobody has but who was shown it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Key {
    /// The visible part, by which a key is spoken of.
    #[schema(example = "sitelog_0123456789abcdef")]
    pub(super) key_id: String,
    /// Whose data it opens.
    tenant_id: Uuid,
    /// For people.
    name: String,
    /// `read`, `write`, `admin`, `operator`.
    scopes: Vec<String>,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// Who made it.
    created_by: String,
    /// When it ends by itself.
    expires_at: Option<DateTime<Utc>>,
    /// When it was last used, to the minute.
    last_used_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    revoked_at: Option<DateTime<Utc>>,
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

/// The tenant's keys, oldest first; for the scope `admin`. `sitelog key create` makes them.
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
