//! `GET /domains/{domain}/sitemap-audit`.

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
use crate::api::problem::Problem;
use crate::api::request::{Paging, PathOf, QueryOf, Tenant};
use crate::projections::domains::{self, Domains};
use crate::projections::query::Listed;
use crate::values::sitemap_audit::{AuditExample, AuditFault, SampledUrl};
use crate::values::{DomainName, Findings, TenantId};

/// A result of a sitemap audit: an example of what a check found, or a URL that was fetched to check it.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct AuditRow {
    /// The domain of the sitemaps.
    pub(super) domain: String,
    /// The check, or `sample` for a URL that was fetched.
    #[schema(example = "plain_http")]
    check: String,
    /// How many entries or files the check found; the rows are some of them. Null for `sample`.
    count: Option<u64>,
    /// The URL of the entry, or of the file.
    url: String,
    /// The sitemap file that has the entry.
    sitemap: Option<String>,
    /// The `lastmod`, the number of URLs, or the bytes.
    value: Option<String>,
    /// HTTP status after redirects; 0 if there was no response.
    status: Option<u16>,
    /// Where the URL redirects to.
    redirects_to: Option<String>,
    /// What tells search engines not to index the page: a header or an element.
    noindex: Option<String>,
    /// The canonical URL that the page states, if it is another page.
    canonical: Option<String>,
    /// Why there was no response.
    error: Option<String>,
}

impl Example for AuditRow {
    fn example() -> Self {
        Self {
            domain: "example.com".to_owned(),
            check: "plain_http".to_owned(),
            count: Some(12),
            url: "http://example.com/pages/0".to_owned(),
            sitemap: Some("https://example.com/sitemap.xml".to_owned()),
            value: None,
            status: None,
            redirects_to: None,
            noindex: None,
            canonical: None,
            error: None,
        }
    }
}

/// What is wrong with the sitemaps of a domain: examples of what each check found, then the URLs that the last scan
/// with a sample fetched.
#[utoipa::path(
    get, path = "/domains/{domain}/sitemap-audit", tag = "domains",
    params(("domain" = String, Path), FormatQuery, Paging, AtLeast),
    responses(
        (status = 200, body = Page<AuditRow>),
        (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 503, body = Problem),
    )
)]
pub(super) async fn list_sitemap_audit(
    State(state): State<ApiState>,
    Tenant(tenant): Tenant,
    PathOf(domain): PathOf<String>,
    QueryOf(paging): QueryOf<Paging>,
    QueryOf(at_least): QueryOf<AtLeast>,
    wanted: Wanted,
) -> Result<Response, Problem> {
    at_least.wait::<Domains>(&state).await?;
    let domain = known_domain(&state, tenant, &domain).await?;
    wanted.answer(&state, tenant, paging, DomainAudit(domain)).await
}

/// The rows about the sitemaps of a domain.
struct DomainAudit(DomainName);

impl List for DomainAudit {
    type Row = AuditRow;

    fn name(&self) -> String {
        format!("{}-sitemap-audit", self.0)
    }

    async fn page(
        &self,
        state: &ApiState,
        tenant: TenantId,
        paging: &Paging,
    ) -> Result<Page<AuditRow>, Problem> {
        let from = paging.after::<usize>()?.unwrap_or(0);
        let limit = paging.limit()?;
        let row = domains::query::find(&state.models, tenant, &self.0).await?;
        let known: Findings = row.and_then(|row| row.meta_json.read()).unwrap_or_default();
        let rows = rows_of(self.0.as_str(), known).into_iter().enumerate().skip(from);
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        let rows = rows.take(most.saturating_add(1)).collect();
        let listed = Listed::of(rows, limit, |(place, _): &(usize, AuditRow)| {
            (place + 1).to_string()
        });
        Ok(Page {
            items: listed.items.into_iter().map(|(_, row)| row).collect(),
            next: listed.next,
        })
    }
}

fn rows_of(domain: &str, known: Findings) -> Vec<AuditRow> {
    let faults = known.sitemap_audit.unwrap_or_default().faults.into_iter();
    let examples = faults.flat_map(|fault| {
        let AuditFault {
            check,
            count,
            examples,
        } = fault;
        examples
            .into_iter()
            .map(move |example| row_of_example(domain, check.as_str(), count, example))
    });
    let sampled = known.sitemap_sample.into_iter();
    examples
        .chain(sampled.map(|url| row_of_sample(domain, url)))
        .collect()
}

fn row_of_example(domain: &str, check: &str, count: u64, example: AuditExample) -> AuditRow {
    let stated = |text: String| Some(text).filter(|text| !text.is_empty());
    AuditRow {
        domain: domain.to_owned(),
        check: check.to_owned(),
        count: Some(count),
        url: example.url,
        sitemap: stated(example.sitemap),
        value: stated(example.value),
        ..AuditRow::default()
    }
}

fn row_of_sample(domain: &str, sampled: SampledUrl) -> AuditRow {
    AuditRow {
        domain: domain.to_owned(),
        check: "sample".to_owned(),
        url: sampled.url,
        status: Some(sampled.status),
        redirects_to: sampled.redirects_to,
        noindex: sampled.noindex,
        canonical: sampled.canonical,
        error: sampled.error,
        ..AuditRow::default()
    }
}
