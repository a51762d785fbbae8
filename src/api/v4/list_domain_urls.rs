//! `GET /domains/{domain}/urls`.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::get_domain::known_domain;
use super::views::Page;
use crate::api::ApiState;
use crate::api::at_least::AtLeast;
use crate::api::example::Example;
use crate::api::export::{FormatQuery, List, Wanted};
use crate::api::problem::{Problem, ProblemCode};
use crate::api::request::{Paging, PathOf, QueryOf, Tenant};
use crate::projections::domains::Domains;
use crate::projections::sitemaps::query::UrlRow;
use crate::projections::sitemaps::{self, Sitemaps};
use crate::values::{DomainName, TenantId};

/// A URL in a sitemap.
#[derive(Debug, Serialize, ToSchema)]
pub struct Url {
    /// The domain of the sitemap.
    pub(super) domain: String,
    /// The absolute URL.
    url: String,
    /// The W3C date-time in the sitemap.
    lastmod: Option<String>,
    /// The change frequency in the sitemap.
    changefreq: Option<String>,
    /// The priority in the sitemap, 0.0 to 1.0.
    priority: Option<String>,
    /// The URL of the sitemap file.
    sitemap: String,
}

impl Example for Url {
    fn example() -> Self {
        Self {
            domain: "example.com".to_owned(),
            url: "https://example.com/pages/0".to_owned(),
            lastmod: Some("2025-02-01".to_owned()),
            changefreq: None,
            priority: None,
            sitemap: "https://example.com/sitemap.xml".to_owned(),
        }
    }
}

impl Url {
    fn of(domain: &DomainName, row: UrlRow) -> Self {
        Self {
            domain: domain.as_str().to_owned(),
            url: row.url,
            lastmod: row.lastmod,
            changefreq: row.changefreq,
            priority: row.priority,
            sitemap: row.sitemap,
        }
    }
}

/// The URLs of a domain's sitemaps, in document order.
#[utoipa::path(
    get, path = "/domains/{domain}/urls", tag = "domains", params(("domain" = String, Path), FormatQuery, Paging, AtLeast),
    responses(
        (status = 200, body = Page<Url>),
        (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 503, body = Problem),
    )
)]
pub(super) async fn list_domain_urls(
    State(state): State<ApiState>,
    Tenant(tenant): Tenant,
    PathOf(domain): PathOf<String>,
    QueryOf(paging): QueryOf<Paging>,
    QueryOf(at_least): QueryOf<AtLeast>,
    wanted: Wanted,
) -> Result<Response, Problem> {
    at_least.wait::<Domains>(&state).await?;
    at_least.wait::<Sitemaps>(&state).await?;
    let domain = known_domain(&state, tenant, &domain).await?;
    wanted.answer(&state, tenant, paging, DomainUrls(domain)).await
}

/// The URLs of a domain.
pub(crate) struct DomainUrls(pub(crate) DomainName);

impl List for DomainUrls {
    type Row = Url;

    fn name(&self) -> String {
        format!("{}-urls", self.0)
    }

    async fn page(&self, state: &ApiState, tenant: TenantId, paging: &Paging) -> Result<Page<Url>, Problem> {
        let domain = &self.0;
        let after = match paging.after::<String>()? {
            Some(place) => parse_place(&place)?,
            None => (-1, 0),
        };
        let listed = sitemaps::query::urls(&state.models, tenant, domain, after, paging.limit()?).await?;
        Ok(Page {
            items: listed.items.into_iter().map(|row| Url::of(domain, row)).collect(),
            next: listed.next,
        })
    }
}

fn parse_place(place: &str) -> Result<(i32, i32), Problem> {
    let numbers = place
        .split_once(':')
        .and_then(|(file, url)| Some((file.parse().ok()?, url.parse().ok()?)));
    numbers.ok_or_else(|| {
        Problem::of(
            ProblemCode::InvalidQuery,
            "The cursor is not one that this list returned.",
        )
    })
}
