//! `POST /keys/{id}/revoke`.

use axum::Json;
use axum::extract::State;

use super::list_keys::Key;
use crate::access::KeyId;
use crate::api::ApiState;
use crate::api::admission::Administrator;
use crate::api::problem::Problem;
use crate::api::request::{CommandRequest, PathOf};
use crate::commands::change_access::revoke_key as revoke;

/// Revokes a key permanently, effective immediately; needs the scope `admin`. A second request has no effect.
#[utoipa::path(
    post, path = "/keys/{id}/revoke", tag = "keys",
    params(("id" = String, Path, description = "The ID of the key: the part before its secret")),
    responses((status = 200, body = Key), (status = 404, body = Problem), (status = 503, body = Problem))
)]
pub(super) async fn revoke_key(
    State(state): State<ApiState>,
    Administrator(caller): Administrator,
    PathOf(id): PathOf<String>,
    request: CommandRequest,
) -> Result<Json<Key>, Problem> {
    let id = KeyId::parse(&id).ok_or_else(|| Problem::not_found("key"))?;
    let row = revoke(&state.bus, Some(caller.tenant), &id, &request.context).await?;
    row.map(|row| Json(row.into()))
        .ok_or_else(|| Problem::not_found("key"))
}
