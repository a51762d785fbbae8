//! `GET /feeds/{token}.xml`: the changes that a monitor found, as an Atom feed (RFC 4287). The token is the
//! credential, because feed readers send no other.

use atom_syndication::{Content, Entry, Feed, Link, Person, Text};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chrono::{DateTime, FixedOffset, Utc};
use maud::html;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::ApiState;
use super::export::List;
use super::problem::Problem;
use super::request::Paging;
use super::v4::list_changes::{ChangeQuery, DomainChange};
use crate::access::Admission;
use crate::monitors::feeds::{FeedToken, opened};
use crate::monitors::{MonitorRow, rows};
use crate::values::change_words::{field_words, value_words};
use crate::values::domain_change::SITEMAP_URLS;
use crate::values::{MonitorId, TenantId};

/// Changes in a feed; older ones are on the page.
const ENTRIES: i64 = 50;
/// Characters of a value; all of it is on the page.
const VALUE: usize = 1000;

/// The one route.
pub(super) fn routes() -> Router<ApiState> {
    Router::new().route("/feeds/{token}", get(show))
}

async fn show(
    State(state): State<ApiState>,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let token = FeedToken::shown(file.trim_end_matches(".xml"));
    let pool = state.monitors.pool();
    let (tenant, id) = opened(pool, &token)
        .await?
        .ok_or_else(|| Problem::not_found("feed"))?;
    if let Admission::Refused(_, seconds) = state.access.tenants().admit(tenant).await? {
        return Err(Problem::too_many_requests(
            u32::try_from(seconds).unwrap_or(u32::MAX),
        ));
    }
    let monitor = rows::find(pool, tenant, id).await?;
    let monitor = monitor.ok_or_else(|| Problem::not_found("feed"))?;
    let changes = changes(&state, tenant, id).await?;
    let text = feed_of(&monitor, &changes).to_string();
    let tag = format!("\"{}\"", hex::encode(&Sha256::digest(text.as_bytes())[..16]));
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok());
    let is_known = known.unwrap_or_default().split(',').any(|known| {
        let known = known.trim();
        known == "*" || known.trim_start_matches("W/") == tag
    });
    let caching = [
        (header::ETAG, tag),
        (header::CACHE_CONTROL, "private, no-cache".to_owned()),
    ];
    if is_known {
        return Ok((StatusCode::NOT_MODIFIED, caching).into_response());
    }
    let kind = [(header::CONTENT_TYPE, "application/atom+xml; charset=utf-8")];
    Ok((caching, kind, text).into_response())
}

async fn changes(state: &ApiState, tenant: TenantId, id: MonitorId) -> Result<Vec<DomainChange>, Problem> {
    let query = ChangeQuery {
        monitor: Some(id.to_string()),
        ..ChangeQuery::default()
    };
    let paging = Paging {
        limit: Some(ENTRIES),
        cursor: None,
    };
    Ok(query.page(&state.for_long_reads(), tenant, &paging).await?.items)
}

fn feed_of(monitor: &MonitorRow, changes: &[DomainChange]) -> Feed {
    let id = monitor.monitor_id;
    let updated = changes.iter().map(|change| change.at).max();
    Feed {
        title: Text::plain(clean(&format!("Changes: {}", monitor.settings.name))),
        id: format!("urn:uuid:{id}"),
        updated: fixed(updated.unwrap_or(monitor.created_at)),
        authors: vec![Person {
            name: "sitelog".to_owned(),
            ..Person::default()
        }],
        links: vec![link(format!("/changes?monitor={id}"))],
        entries: changes.iter().map(|change| entry_of(id, change)).collect(),
        ..Feed::default()
    }
}

fn entry_of(monitor: Uuid, change: &DomainChange) -> Entry {
    let mut names: Vec<String> = change
        .fields
        .iter()
        .map(|field| field_words(&field.field))
        .collect();
    if change.urls.is_some() {
        names.push(field_words(SITEMAP_URLS));
    }
    let title = format!("{}: {}", change.domain_unicode, names.join(", "));
    let mut content = Content::default();
    content.set_content_type("html".to_owned());
    content.set_value(clean(&page_of(change)));
    Entry {
        title: Text::plain(clean(&title)),
        // The same for the same change, each time.
        id: format!(
            "urn:uuid:{}",
            Uuid::new_v5(&monitor, &change.position.to_be_bytes())
        ),
        updated: fixed(change.at),
        published: Some(fixed(change.at)),
        links: vec![link(format!("/domains/{}", change.domain))],
        content: Some(content),
        ..Entry::default()
    }
}

/// Before and after, escaped.
fn page_of(change: &DomainChange) -> String {
    let page = html! {
        @if !change.fields.is_empty() {
            table {
                tr { th { "Field" } th { "Before" } th { "After" } }
                @for field in &change.fields {
                    tr {
                        th { (field_words(&field.field)) }
                        @if change.erased && field.field != "status" { td colspan="2" { "erased" } }
                        @else { td { (value_words(&field.before, VALUE)) } td { (value_words(&field.after, VALUE)) } }
                    }
                }
            }
        }
        @if let Some(reason) = &change.reason { p { "Reason: " (reason) } }
        @if let Some(urls) = change.urls {
            p { "Sitemaps: " (urls.added) " URLs added, " (urls.removed) " removed." }
        }
    };
    page.into_string()
}

/// Without the characters that XML does not allow (XML 1.0, 2.2), which sites may send.
fn clean(text: &str) -> String {
    let is_allowed = |letter: &char| matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    text.chars().filter(is_allowed).collect()
}

fn fixed(at: DateTime<Utc>) -> DateTime<FixedOffset> {
    at.fixed_offset()
}

fn link(path: String) -> Link {
    Link {
        href: path,
        rel: "alternate".to_owned(),
        mime_type: Some("text/html".to_owned()),
        ..Link::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_does_not_allow_is_left_out() {
        assert_eq!(clean("a\u{0}\u{8}b\u{ffff}\tc\u{1f600}"), "ab\tc\u{1f600}");
    }
}
