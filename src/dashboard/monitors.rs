//! The tenant's monitors: their next runs, and the changes that their runs found.

pub(super) mod forms;
mod shown;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use self::forms::{new_form, selection, settings};
use self::shown::{actions, email, head, runs, table};
use super::changes::one as change;
use super::entry::Visitor;
use super::form::Form;
use super::parts::{link, pager, public_url, seen_from};
use super::shell::{Page, Section};
use crate::access::Scope;
use crate::api::ApiState;
use crate::api::at_least::AtLeast;
use crate::api::batch_input::{BatchInput, in_background};
use crate::api::export::List;
use crate::api::list_quotas::wait_for_list_turn;
use crate::api::problem::{Problem, ProblemCode};
use crate::api::request::{CommandRequest, Paging, PathOf, QueryOf};
use crate::api::v4::create_monitor::create as create_monitor;
use crate::api::v4::list_changes::ChangeQuery;
use crate::api::v4::list_monitors::{find_monitor, wait};
use crate::api::v4::monitor_subscribers::subscribe;
use crate::api::v4::monitor_views::{WantedMonitor, require_filter};
use crate::commands::maintain_monitor::{MonitorWork, change_monitor, maintain_monitor};
use crate::commands::run_monitor::Run;
use crate::monitors::feeds::{self, FeedToken};
use crate::monitors::rows;
use crate::monitors::subscribers;
use crate::projections::query::Listed;
use crate::values::batch_list;
use crate::values::monitor::{DomainSelection, WatchedDomains};
use crate::values::{BatchOptions, MonitorId};

/// Monitors or runs on one page.
const ROWS: i64 = 50;
/// Changes on the page of a monitor.
const CHANGES: i64 = 5;
pub(super) async fn list(
    State(state): State<ApiState>,
    visitor: Visitor,
    QueryOf(paging): QueryOf<Paging>,
) -> Result<Markup, Problem> {
    let found = rows::list(state.monitors.pool(), visitor.tenant(), paging.after()?, ROWS + 1).await?;
    let listed = Listed::of(found, ROWS, |row| row.position.to_string());
    let content = html! {
        h1 { "Monitors" }
        p { "A monitor scans its domains on a schedule. The changes that it finds are listed under " a href="/changes" { "Changes" } "." }
        section #monitors data-part {
            (table(&listed.items))
            (pager(listed.next.as_ref(), "/monitors", paging.cursor.is_none()))
        }
        @if visitor.may(Scope::Write) { (new_form(visitor.refused.form("/monitors"))) }
    };
    Ok(Page::new("Monitors", Section::Monitors)
        .polling_in_place()
        .render(Some(&visitor), &content))
}

pub(super) async fn show(
    State(state): State<ApiState>,
    visitor: Visitor,
    PathOf(id): PathOf<MonitorId>,
    QueryOf(paging): QueryOf<Paging>,
    QueryOf(at_least): QueryOf<AtLeast>,
) -> Result<Markup, Problem> {
    wait(&state, at_least).await?;
    let (pool, tenant) = (state.monitors.pool(), visitor.tenant());
    let row = find_monitor(&state, tenant, id).await?;
    let row = row.ok_or_else(|| Problem::not_found("monitor"))?;
    let found = rows::runs(pool, tenant, id, paging.after()?, ROWS + 1).await?;
    let listed = Listed::of(found, ROWS, |row| row.position.to_string());
    let query = ChangeQuery {
        monitor: Some(id.to_string()),
        ..ChangeQuery::default()
    };
    let first = Paging {
        limit: Some(CHANGES),
        cursor: None,
    };
    let changes = query.page(&state.for_long_reads(), tenant, &first).await?;
    let subscribers = subscribers::list(pool, tenant, id).await?;
    let path = format!("/monitors/{id}");
    let all = link("/changes", &[("monitor", &id.to_string())]);
    let content = html! {
        h1 { (row.settings.name) }
        section #monitor data-part { (head(&row)) }
        @if visitor.may(Scope::Write) { (actions(&row, &path, &visitor)) }
        h2 { "Email notifications" }
        section #subscribers data-part { (email(&subscribers, &path, state.sends_mails, &visitor)) }
        h2 { "Runs" }
        section #runs data-part {
            @if listed.items.is_empty() { p.empty { "No runs yet." } }
            @else {
                (runs(&listed.items))
                (pager(listed.next.as_ref(), &path, paging.cursor.is_none()))
            }
        }
        h2 { "Latest changes" }
        section #changes data-part {
            @if changes.items.is_empty() { p.empty { "No changes yet. They appear when a later scan differs from an earlier one." } }
            @else {
                @for item in &changes.items { (change(item)) }
                p { a.button href=(all) { "Show all changes" } }
            }
        }
    };
    Ok(Page::new("Monitor", Section::Monitors)
        .polling_in_place()
        .render(Some(&visitor), &content))
}

pub(super) async fn create(
    State(state): State<ApiState>,
    visitor: Visitor,
    request: CommandRequest,
) -> Result<Response, Problem> {
    visitor.require(Scope::Write)?;
    let _turn = wait_for_list_turn(&state, visitor.tenant()).await?;
    let form = Form::of(&request).await?;
    let content = match form.shared("file") {
        file if file.is_empty() => form.shared("list"),
        file => file,
    };
    let list = if content.is_empty() {
        None
    } else {
        let read = move || {
            let text = batch_list::ListText::of(&content, None)?;
            let list = text.read(batch_list::Form::Unknown, None)?;
            BatchInput::of(list, BatchOptions::new(None, None))
        };
        Some(in_background(read).await?)
    };
    let mut change = settings(&form)?;
    let filter = selection(&form);
    if filter != DomainSelection::default() && list.is_some() {
        let detail = "The form has both a list and a filter. Clear one of them.";
        return Err(Problem::of(ProblemCode::InvalidField, detail));
    }
    if list.is_none() {
        if filter == DomainSelection::default() {
            let detail = "The monitor has no domains. Choose a file, paste a list, or fill in the filter.";
            return Err(Problem::of(ProblemCode::InvalidField, detail));
        }
        require_filter(&filter)?;
        change.domains = Some(WatchedDomains::Filter(filter));
    }
    change.scan = form.wanted_scan()?;
    change.max_concurrent = form.number("max_concurrent")?;
    let wanted = WantedMonitor { change, list };
    let context = form.context(&request, "POST /monitors");
    let (created, _, _) = create_monitor(&state, wanted, &context).await?;
    Ok(seen_from("/monitors", created.id, created.position))
}

/// Changes, pauses, resumes, runs or deletes a monitor.
pub(super) async fn maintain(
    State(state): State<ApiState>,
    visitor: Visitor,
    PathOf((id, work)): PathOf<(MonitorId, String)>,
    request: CommandRequest,
) -> Result<Response, Problem> {
    visitor.require(Scope::Write)?;
    let (bus, context) = (&state.bus, &request.context);
    let now = state.monitors.now().await?;
    let work = match work.as_str() {
        "pause" => MonitorWork::Pause,
        "resume" => MonitorWork::Resume,
        "delete" => MonitorWork::Delete,
        "feed" => {
            let token = FeedToken::generate();
            return if feeds::open(state.monitors.pool(), context.tenant, id, &token).await? {
                Ok(feed_page(
                    &visitor,
                    id,
                    &public_url(&request.headers, &token.path()),
                ))
            } else {
                Err(Problem::not_found("monitor"))
            };
        }
        "subscribe" => {
            let form = Form::of(&request).await?;
            subscribe(&state, context.tenant, id, form.text("address")).await?;
            return Ok(Redirect::to(&format!("/monitors/{id}")).into_response());
        }
        "unsubscribe" => {
            let form = Form::of(&request).await?;
            let subscriber = form.text("subscriber").parse();
            let subscriber = subscriber.map_err(|_| Problem::not_found("subscriber"))?;
            subscribers::remove(state.monitors.pool(), context.tenant, id, subscriber).await?;
            return Ok(Redirect::to(&format!("/monitors/{id}")).into_response());
        }
        "close-feed" => {
            feeds::close(state.monitors.pool(), context.tenant, id).await?;
            return Ok(Redirect::to(&format!("/monitors/{id}")).into_response());
        }
        "change" => {
            let form = Form::of(&request).await?;
            let position = change_monitor(bus, id, settings(&form)?, None, now, context).await?;
            return Ok(seen_from("/monitors", id, position));
        }
        "run" => {
            return match state.monitors.run_now(id, context).await? {
                Run::Began { position, .. } => Ok(seen_from("/monitors", id, position)),
                Run::Skipped(_) | Run::Nothing => Err(Problem::not_found("monitor")),
            };
        }
        _ => return Err(Problem::not_found("path")),
    };
    let position = maintain_monitor(bus, id, work, now, context).await?;
    Ok(match work {
        MonitorWork::Delete => Redirect::to("/monitors").into_response(),
        MonitorWork::Pause | MonitorWork::Resume => seen_from("/monitors", id, position),
    })
}

/// Shows the URL of a feed once.
fn feed_page(visitor: &Visitor, id: MonitorId, url: &str) -> Response {
    let content = html! {
        h1 { "Feed" }
        div.panel.good role="status" {
            p { strong { "The URL of the feed. It is shown only once; give it to your feed reader." } }
            p { a href=(url) { (url) } }
        }
        p { a href={ "/monitors/" (id) } { "Show the monitor" } }
    };
    let page = Page::new("Feed", Section::Monitors).render(Some(visitor), &content);
    ([(header::CACHE_CONTROL, "no-store")], page).into_response()
}
