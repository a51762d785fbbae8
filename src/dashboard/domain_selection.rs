//! Actions on the domains that are selected in the list: export them, scan them again, add them to a monitor.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use maud::{Markup, html};
use serde_json::json;

use super::entry::Visitor;
use super::form::{Form, PICTURES};
use super::parts::{choice, request_key, seen_from};
use crate::access::Scope;
use crate::api::ApiState;
use crate::api::batch_input::BatchInput;
use crate::api::export::{List, Wanted};
use crate::api::list_quotas::{require_acceptable, require_room_for_urls};
use crate::api::problem::{Problem, ProblemCode, sentence};
use crate::api::request::{CommandRequest, Paging};
use crate::api::v4::views::{Domain, Page};
use crate::commands::bus::CommandError;
use crate::commands::extend_monitor::{ExtendError, extend_monitor};
use crate::commands::request_batch::{BatchItem, request_batch};
use crate::export::Format;
use crate::monitors::{MonitorRow, rows};
use crate::projections::domains;
use crate::projections::domains::query::{DomainFilter, DomainSort};
use crate::values::batch_list::MAX_DOMAINS;
use crate::values::{BatchOptions, DomainName, MonitorId, TenantId};

/// Domains that can be selected at once. More would not fit into a URL.
const MAX_SELECTED: usize = 500;
/// Monitors in the choice.
const MONITORS: i64 = 200;
/// The form that the checkboxes of the list belong to.
pub(super) const FORM: &str = "selection";

/// The monitors that domains can be added to.
pub(super) async fn monitors(state: &ApiState, visitor: &Visitor) -> Result<Vec<MonitorRow>, Problem> {
    if !visitor.may(Scope::Write) {
        return Ok(Vec::new());
    }
    let mut found = rows::list(state.monitors.pool(), visitor.tenant(), None, MONITORS).await?;
    found.retain(|monitor| monitor.settings.list.is_some());
    Ok(found)
}

/// The checkbox of a row.
pub(super) fn tick(domain: &str) -> Markup {
    html! { input type="checkbox" name="domain" value=(domain) form=(FORM) aria-label={ "Select " (domain) }; }
}

/// The actions on the selected rows.
pub(super) fn actions(monitors: &[MonitorRow], may_write: bool) -> Markup {
    html! {
        form.selection #(FORM) method="post" action="/domains/selection/scan" role="group" aria-label="Selected domains" {
            (request_key())
            input type="hidden" name=(PICTURES) value="1";
            span.small.muted { "Select rows in the list to use these buttons." }
            span.small.muted hidden { "Selected: " output data-count=(FORM) { "0" } }
            span {
                label.inline for="selection-format" { "Format" } " "
                select #selection-format name="format" {
                    @for (format, name) in [("csv", "CSV"), ("xlsx", "Excel"), ("ndjson", "NDJSON"), ("parquet", "Parquet")] { (choice(format, name, "csv")) }
                }
                " " button type="submit" formmethod="get" formaction="/domains/selection" { "Export" }
            }
            @if may_write {
                button type="submit" { "Scan again" }
                @if !monitors.is_empty() {
                    span {
                        label.inline for="selection-monitor" { "Monitor" } " "
                        select #selection-monitor name="monitor" {
                            @for monitor in monitors { option value=(monitor.monitor_id) { (monitor.settings.name) } }
                        }
                        " " button type="submit" formaction="/domains/selection/monitor" { "Add to monitor" }
                    }
                }
            }
        }
    }
}

/// The selected domains as a file.
pub(super) async fn export(
    State(state): State<ApiState>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let query = query.unwrap_or_default();
    let mut fields = url::form_urlencoded::parse(query.as_bytes());
    let format = fields.find(|(name, _)| name == "format");
    let format: Format = format
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
        .parse()
        .map_err(|_| {
            Problem::of(
                ProblemCode::InvalidQuery,
                "format must be csv, ndjson, xlsx or parquet.",
            )
        })?;
    let named = url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "domain");
    let domains = chosen(named.map(|(_, value)| value.into_owned()))?;
    let selected = Selected(domains.iter().map(|domain| domain.as_str().to_owned()).collect());
    Wanted::file(format)
        .answer(&state, visitor.tenant(), Paging::default(), selected)
        .await
}

/// Scans the selected domains as a batch.
pub(super) async fn scan(
    State(state): State<ApiState>,
    visitor: Visitor,
    request: CommandRequest,
) -> Result<Response, Problem> {
    visitor.require(Scope::Write)?;
    let form = Form::of(&request).await?;
    let domains = chosen(form.all("domain"))?;
    let input = BatchInput {
        items: items(&domains),
        options: BatchOptions::wanted(form.wanted_scan()?, None),
        ..BatchInput::default()
    };
    require_acceptable(&state, visitor.tenant(), &input).await?;
    require_room_for_urls(&state, visitor.tenant()).await?;
    let summary = json!({ "accepted": input.items.len(), "duplicates": 0, "rejected": [], "column": null, "notes": [] });
    let context = form.context(&request, "POST /domains/selection/scan");
    let batch = request_batch(&state.bus, &input.items, input.options, summary, &context).await?;
    Ok(seen_from("/batches", batch.batch_id, batch.position))
}

/// Adds the selected domains to a monitor.
pub(super) async fn add_to_monitor(
    State(state): State<ApiState>,
    visitor: Visitor,
    request: CommandRequest,
) -> Result<Response, Problem> {
    visitor.require(Scope::Write)?;
    let form = Form::of(&request).await?;
    let domains = chosen(form.all("domain"))?;
    let id: MonitorId = form
        .text("monitor")
        .parse()
        .map_err(|_| Problem::not_found("monitor"))?;
    let settings = state.access.tenants().settings(visitor.tenant()).await?;
    let limit = settings.max_batch_domains.map_or(MAX_DOMAINS as u64, u64::from);
    let now = state.monitors.now().await?;
    let context = form.context(&request, "POST /domains/selection/monitor");
    let extended = extend_monitor(&state.bus, id, &domains, limit, now, &context)
        .await
        .map_err(problem)?;
    Ok(seen_from("/monitors", id, extended.position))
}

fn problem(error: CommandError<ExtendError>) -> Problem {
    match error {
        CommandError::Refused(ExtendError::Monitor(error)) => error.into(),
        CommandError::Refused(error @ ExtendError::HasNoList) => {
            Problem::of(ProblemCode::InvalidField, format!("Nothing was added: {error}."))
        }
        CommandError::Refused(error @ ExtendError::TooLong { .. }) => Problem::of(
            ProblemCode::TooManyDomains,
            format!("Nothing was added: {error}."),
        ),
        CommandError::NotFound(_) => Problem::not_found("monitor"),
        CommandError::Log(error) => error.into(),
    }
}

/// The selected domains, each once.
fn chosen(named: impl IntoIterator<Item = String>) -> Result<Vec<DomainName>, Problem> {
    let mut domains: Vec<DomainName> = Vec::new();
    for name in named {
        let domain = DomainName::parse(&name)
            .map_err(|error| Problem::of(ProblemCode::InvalidDomain, sentence(&error)))?;
        if !domains.contains(&domain) {
            domains.push(domain);
        }
        if domains.len() > MAX_SELECTED {
            let detail = format!(
                "More than {MAX_SELECTED} domains are selected. Select fewer, or export all rows that match a filter."
            );
            return Err(Problem::of(ProblemCode::TooManyDomains, detail));
        }
    }
    if domains.is_empty() {
        let detail = "No domain is selected. Select at least one row in the list.";
        return Err(Problem::of(ProblemCode::InvalidField, detail));
    }
    Ok(domains)
}

fn items(domains: &[DomainName]) -> Vec<BatchItem> {
    let lines = (1..).zip(domains);
    lines
        .map(|(line, domain)| BatchItem::scan(line, domain.clone()))
        .collect()
}

/// The rows of these domains.
struct Selected(Vec<String>);

impl List for Selected {
    type Row = Domain;

    fn name(&self) -> String {
        "domains".to_owned()
    }

    async fn page(
        &self,
        state: &ApiState,
        tenant: TenantId,
        paging: &Paging,
    ) -> Result<Page<Domain>, Problem> {
        let filter = DomainFilter {
            domains: self.0.clone(),
            after: paging.after_in(DomainSort::Name)?,
            limit: paging.limit()?,
            ..DomainFilter::default()
        };
        Ok(domains::query::list(&state.models, tenant, &filter).await?.into())
    }
}
