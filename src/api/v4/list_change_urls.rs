//! `GET /changes/{position}/urls`.

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::views::Page;
use crate::aggregates::ScanEvent;
use crate::api::ApiState;
use crate::api::example::Example;
use crate::api::export::{FormatQuery, List, Wanted};
use crate::api::problem::Problem;
use crate::api::request::{Paging, PathOf, QueryOf, Tenant};
use crate::log::body::load_bodies;
use crate::projections::query::Listed;
use crate::values::EventType;
use crate::values::TenantId;

/// A URL that sitemaps of a domain gained or lost.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ChangedUrl {
    /// The domain of the sitemaps.
    pub(super) domain: String,
    /// `added` or `removed`.
    #[schema(example = "removed")]
    change: String,
    /// The absolute URL.
    url: String,
}

impl Example for ChangedUrl {
    fn example() -> Self {
        Self {
            domain: "example.com".to_owned(),
            change: "removed".to_owned(),
            url: "https://example.com/old".to_owned(),
        }
    }
}

/// The same as it is stored.
#[derive(Deserialize)]
struct Line {
    change: String,
    url: String,
}

/// The URLs that the sitemaps of a domain gained and lost with a change: first the added ones, then the removed ones.
/// Empty if they were erased.
#[utoipa::path(
    get, path = "/changes/{position}/urls", tag = "changes",
    params(("position" = i64, Path, description = "`position` of the change"), FormatQuery, Paging),
    responses(
        (status = 200, body = Page<ChangedUrl>), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 503, body = Problem),
    )
)]
pub(super) async fn list_change_urls(
    State(state): State<ApiState>,
    Tenant(tenant): Tenant,
    PathOf(position): PathOf<i64>,
    QueryOf(paging): QueryOf<Paging>,
    wanted: Wanted,
) -> Result<Response, Problem> {
    wanted
        .answer(&state.for_long_reads(), tenant, paging, ChangedUrls(position))
        .await
}

/// The URLs of the change at a position.
struct ChangedUrls(i64);

impl List for ChangedUrls {
    type Row = ChangedUrl;

    fn name(&self) -> String {
        format!("change-{}-urls", self.0)
    }

    async fn page(
        &self,
        state: &ApiState,
        tenant: TenantId,
        paging: &Paging,
    ) -> Result<Page<ChangedUrl>, Problem> {
        let (start, limit) = (paging.after::<usize>()?.unwrap_or(0), paging.limit()?);
        let _turn = state.models.turn(tenant).await?;
        let event = state.log.event_at(tenant, self.0).await?;
        let event = event.filter(|event| event.event_type == EventType::DomainChanged.as_str());
        let event = event.ok_or_else(|| Problem::not_found("change"))?;
        let ScanEvent::DomainChanged { domain, urls, .. } = event.decode()? else {
            return Err(Problem::not_found("change"));
        };
        let bodies = load_bodies(state.log.pool(), urls.iter().map(|urls| &urls.list)).await?;
        let content = match &urls {
            Some(urls) => bodies.get(&urls.list)?.unwrap_or_default(),
            None => &[],
        };
        let wanted = usize::try_from(limit + 1).unwrap_or(usize::MAX);
        let lines = serde_json::Deserializer::from_slice(content).into_iter::<Line>();
        let mut rows = Vec::new();
        for (place, line) in lines.enumerate().skip(start).take(wanted) {
            let Line { change, url } = line.map_err(|error| {
                tracing::error!(%error, position = self.0, "Cannot read the URLs of the change at {}", self.0);
                Problem::internal()
            })?;
            let domain = domain.clone();
            rows.push((place + 1, ChangedUrl { domain, change, url }));
        }
        let listed = Listed::of(rows, limit, |(place, _)| place.to_string());
        Ok(Page {
            items: listed.items.into_iter().map(|(_, url)| url).collect(),
            next: listed.next,
        })
    }
}
