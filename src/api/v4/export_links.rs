//! `POST /links`, `GET /links` and `DELETE /links/{id}`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::views::Page;
use crate::access::links::{self, DAYS, DEFAULT_DAYS, LinkRow, LinkToken, MAX_LINKS, NewLink};
use crate::api::ApiState;
use crate::api::example::{self, Example};
use crate::api::links::check;
use crate::api::openapi::V4;
use crate::api::problem::{Problem, ProblemCode};
use crate::api::request::{CommandRequest, PathOf, Tenant};
use crate::commands::CommandContext;
use crate::commands::store_response::store_response;

/// Characters of a name.
const MAX_NAME: usize = 100;
/// Bytes of a path.
const MAX_PATH: usize = 4000;

/// The export to create a link for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WantedLink {
    /// The export: the path of a list below `/api/v4`, with its filters and `format` (`csv`, `ndjson`, `xlsx` or
    /// `parquet`).
    #[schema(example = "/domains?has_email=true&format=csv")]
    path: String,
    /// What the link is for.
    #[serde(default)]
    #[schema(example = "Sales sheet", max_length = 100)]
    name: String,
    /// Number of days that the link is valid, 1 to 365; 30 if omitted.
    #[schema(example = 90)]
    days: Option<u32>,
}

/// A link to an export.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportLink {
    /// Its ID.
    pub link_id: Uuid,
    /// What is exported.
    pub path: String,
    /// What it is for.
    pub name: String,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// Who created it.
    pub created_by: String,
    /// When it expires.
    pub expires_at: DateTime<Utc>,
    /// When it was last read.
    pub used_at: Option<DateTime<Utc>>,
}

impl Example for ExportLink {
    fn example() -> Self {
        Self {
            link_id: example::OTHER,
            path: "/domains?has_email=true&format=csv".to_owned(),
            name: "Sales sheet".to_owned(),
            created_at: example::began(),
            created_by: "key:sitelog_0123456789abcdef".to_owned(),
            expires_at: example::later(),
            used_at: None,
        }
    }
}

/// A new link to an export.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewExportLink {
    /// Its ID.
    pub link_id: Uuid,
    /// The path of the link on this server, which contains its token. It is shown once; null if the request is a repeat.
    #[schema(example = "/links/9f2c….csv")]
    pub link: Option<String>,
    /// When it expires; null if the request is a repeat.
    pub expires_at: Option<DateTime<Utc>>,
}

impl Example for NewExportLink {
    fn example() -> Self {
        Self {
            link_id: example::OTHER,
            link: Some(
                "/links/5d41402abc4b2a76b9719d911017c592ae2fdc8a6e1f4b3c9d0e7f6a5b4c3d2e.csv".to_owned(),
            ),
            expires_at: Some(example::later()),
        }
    }
}

impl From<LinkRow> for ExportLink {
    fn from(row: LinkRow) -> Self {
        Self {
            link_id: row.link_id,
            path: row.path,
            name: row.name,
            created_at: row.created_at,
            created_by: row.created_by,
            expires_at: row.expires_at,
            used_at: row.used_at,
        }
    }
}

/// Creates a link to an export, for spreadsheets and other programs that cannot send a key. Anyone with the link can
/// read that export until the link expires or is revoked. It is shown once. At most 1,000 per tenant.
#[utoipa::path(
    post, path = "/links", tag = "exports", request_body = WantedLink,
    responses(
        (status = 201, body = NewExportLink), (status = 400, body = Problem),
        (status = 415, description = "The content is not JSON", body = Problem),
        (status = 422, description = "There is no such export, or the tenant already has 1,000 links", body = Problem),
        (status = 503, body = Problem),
    )
)]
pub(super) async fn create_link(
    State(state): State<ApiState>,
    request: CommandRequest,
) -> Result<(StatusCode, Json<NewExportLink>), Problem> {
    let wanted: WantedLink = request.json()?;
    if let Some(first) = request.first_result(&state).await? {
        let link_id = first["link_id"].as_str().and_then(|id| id.parse().ok());
        let view = NewExportLink {
            link_id: link_id.unwrap_or_default(),
            link: None,
            expires_at: None,
        };
        return Ok((StatusCode::CREATED, Json(view)));
    }
    let days = wanted.days.unwrap_or(DEFAULT_DAYS);
    let (row, link) = create(&state, &wanted.path, &wanted.name, days, &request.context).await?;
    store_response(&state.bus, json!({ "link_id": row.link_id }), &request.context).await?;
    let view = NewExportLink {
        link_id: row.link_id,
        link: Some(link),
        expires_at: Some(row.expires_at),
    };
    Ok((StatusCode::CREATED, Json(view)))
}

/// Lists the tenant's links to exports, oldest first, without their tokens.
#[utoipa::path(
    get, path = "/links", tag = "exports",
    responses((status = 200, body = Page<ExportLink>), (status = 503, body = Problem))
)]
pub(super) async fn list_links(
    State(state): State<ApiState>,
    Tenant(tenant): Tenant,
) -> Result<Json<Page<ExportLink>>, Problem> {
    let rows = links::list(state.access.pool(), tenant).await?;
    Ok(Json(Page {
        items: rows.into_iter().map(ExportLink::from).collect(),
        next: None,
    }))
}

/// Revokes a link: it stops working immediately.
#[utoipa::path(
    delete, path = "/links/{id}", tag = "exports", params(("id" = uuid::Uuid, Path)),
    responses((status = 204, description = "The link is revoked"), (status = 404, body = Problem), (status = 503, body = Problem))
)]
pub(super) async fn revoke_link(
    State(state): State<ApiState>,
    PathOf(id): PathOf<Uuid>,
    request: CommandRequest,
) -> Result<StatusCode, Problem> {
    if links::revoke(state.access.pool(), request.context.tenant, id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::not_found("link"))
    }
}

/// Makes a link: its row, and the path with its token.
pub(crate) async fn create(
    state: &ApiState,
    path: &str,
    name: &str,
    days: u32,
    context: &CommandContext,
) -> Result<(LinkRow, String), Problem> {
    let refused = |detail: String| Problem::of(ProblemCode::InvalidField, detail);
    if name.chars().count() > MAX_NAME {
        return Err(refused(format!("name must have at most {MAX_NAME} characters.")));
    }
    if !DAYS.contains(&days) {
        return Err(refused(format!("days is {days}; it must be 1 to 365.")));
    }
    if path.len() > MAX_PATH {
        return Err(refused(format!("path must have at most {MAX_PATH} bytes.")));
    }
    // As it is in the document, too.
    let path = path.strip_prefix(V4).unwrap_or(path);
    let format = check(state, context.tenant, path).await?;
    let new = NewLink {
        tenant: context.tenant,
        path: path.to_owned(),
        name: name.to_owned(),
        days,
        created_by: context.actor.clone(),
    };
    let token = LinkToken::generate();
    let row = links::create(state.access.pool(), &new, &token).await?;
    let row = row.ok_or_else(|| {
        let detail = format!("Not created: the tenant has {MAX_LINKS} links; revoke one first.");
        Problem::of(ProblemCode::TooManyLinks, detail)
    })?;
    Ok((row, token.path(&format.to_string())))
}
