//! `GET /domains`.

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

use super::views::{Domain, Page};
use crate::api::ApiState;
use crate::api::at_least::AtLeast;
use crate::api::export::{FormatQuery, List, Wanted};
use crate::api::problem::{Problem, ProblemCode};
use crate::api::request::{Paging, QueryOf, Tenant, order};
use crate::projections::domains::query::{DomainFilter, DomainSort};
use crate::projections::domains::{self, Domains};
use crate::values::monitor::DomainSelection;
use crate::values::{BatchId, TenantId};

/// Which domains.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DomainQuery {
    /// Only domains whose latest scan has this status.
    pub(crate) status: Option<String>,
    /// Only domains whose name or title contains this text, case-insensitive.
    pub(crate) contains: Option<String>,
    /// Only domains whose latest scan belongs to this batch; `batch_id` is an alias.
    #[serde(alias = "batch_id")]
    pub(crate) batch: Option<String>,
    /// Only domains that run WordPress (`true`) or do not (`false`).
    pub(crate) is_wordpress: Option<bool>,
    /// Only domains whose pages use Elementor (`true`) or do not (`false`).
    pub(crate) has_elementor: Option<bool>,
    /// Only domains with (`true`) or without (`false`) an email address.
    pub(crate) has_email: Option<bool>,
    /// Only domains with (`true`) or without (`false`) a phone number.
    pub(crate) has_phone: Option<bool>,
    /// Only domains in this language, a BCP 47 tag; `de` also matches `de-AT`.
    pub(crate) language: Option<String>,
    /// Only domains that use this technology, case-insensitive.
    pub(crate) technology: Option<String>,
    /// Only domains whose home page is in this state: `parked`, `for_sale`, `under_construction`, `server_default`,
    /// `soft_error` or `needs_javascript`.
    pub(crate) site_state: Option<String>,
    /// Only domains whose email is handled by this provider, case-insensitive: `Google Workspace`, `Microsoft 365` …
    pub(crate) email_provider: Option<String>,
    /// Only domains whose TLS certificate expires before this date or time (RFC 3339): `2026-12-31`.
    pub(crate) tls_expires_before: Option<String>,
    /// The order: by name (`domain`, `-domain`), or by the end of the latest scan (`last_scan`, `-last_scan`; domains
    /// without a finished scan come last).
    pub(crate) sort: Option<String>,
}

/// Lists domains by name, or by the time of the latest scan.
#[utoipa::path(
    get, path = "/domains", tag = "domains", params(DomainQuery, FormatQuery, Paging, AtLeast),
    responses(
        (status = 200, body = Page<Domain>),
        (status = 400, body = Problem), (status = 503, body = Problem),
    )
)]
pub(super) async fn list_domains(
    State(state): State<ApiState>,
    Tenant(tenant): Tenant,
    QueryOf(query): QueryOf<DomainQuery>,
    QueryOf(paging): QueryOf<Paging>,
    QueryOf(at_least): QueryOf<AtLeast>,
    wanted: Wanted,
) -> Result<Response, Problem> {
    at_least.wait::<Domains>(&state).await?;
    wanted.answer(&state, tenant, paging, query).await
}

impl List for DomainQuery {
    type Row = Domain;

    fn name(&self) -> String {
        "domains".to_owned()
    }

    fn batch(&self) -> Option<BatchId> {
        self.batch.as_deref()?.parse().ok()
    }

    fn is_costly(&self) -> bool {
        let costly = [
            &self.contains,
            &self.technology,
            &self.language,
            &self.site_state,
            &self.email_provider,
            &self.tls_expires_before,
        ];
        costly.iter().any(|filter| filter.is_some())
    }

    async fn page(
        &self,
        state: &ApiState,
        tenant: TenantId,
        paging: &Paging,
    ) -> Result<Page<Domain>, Problem> {
        let filter = self.filter(paging)?;
        Ok(domains::query::list(&state.models, tenant, &filter).await?.into())
    }
}

impl DomainQuery {
    pub(crate) fn filter(&self, paging: &Paging) -> Result<DomainFilter, Problem> {
        let sort: DomainSort = order(self.sort.as_deref())?;
        let filter = DomainFilter::of(&self.selection());
        let filter = filter.map_err(|error| Problem::of(ProblemCode::InvalidQuery, format!("{error}.")))?;
        Ok(DomainFilter {
            sort,
            after: paging.after_in(sort)?,
            limit: paging.limit()?,
            ..filter
        })
    }

    /// The filters alone.
    fn selection(&self) -> DomainSelection {
        DomainSelection {
            status: self.status.clone(),
            contains: self.contains.clone(),
            batch: self.batch.clone(),
            is_wordpress: self.is_wordpress,
            has_elementor: self.has_elementor,
            has_email: self.has_email,
            has_phone: self.has_phone,
            language: self.language.clone(),
            technology: self.technology.clone(),
            site_state: self.site_state.clone(),
            email_provider: self.email_provider.clone(),
            tls_expires_before: self.tls_expires_before.clone(),
        }
    }
}
