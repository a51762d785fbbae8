//! The views that have examples, by the names of their schemas.

use serde_json::{Value, json};
use utoipa::ToSchema;

use super::views::Event;
use super::{
    create_batch, export_links, forget_domain, list_change_urls, list_changes, list_domain_urls, list_keys,
    list_projections, list_sitemap_audit, list_workers, monitor_subscribers, monitor_views, views,
    webhook_views,
};
use crate::api::example::Example;
use crate::api::health::Health;
use crate::projections::history::FieldChange;
use crate::projections::status::ProjectionStatus;
use crate::projections::task::ProjectionTask;

macro_rules! by_schema {
    ($($view:ty,)+) => { vec![$((<$view as ToSchema>::name().into_owned(), json!(<$view>::example())),)+] };
}

/// The example of the schema of this name; a page of a list has one row.
pub(in crate::api) fn of_schema(name: &str) -> Option<Value> {
    let known: Vec<(String, Value)> = by_schema![
        views::Scan,
        views::EndedScan,
        views::AcceptedScan,
        views::Batch,
        views::AcceptedBatchCommand,
        views::Domain,
        views::BatchDomain,
        Event,
        create_batch::AcceptedBatch,
        export_links::ExportLink,
        export_links::NewExportLink,
        forget_domain::AcceptedErasure,
        list_change_urls::ChangedUrl,
        list_changes::DomainChange,
        list_domain_urls::Url,
        list_keys::Key,
        list_projections::Projection,
        list_sitemap_audit::AuditRow,
        list_workers::Worker,
        monitor_subscribers::SubscriberView,
        monitor_subscribers::Subscribers,
        monitor_views::CreatedMonitor,
        monitor_views::MonitorView,
        monitor_views::RunView,
        monitor_views::AcceptedMonitorCommand,
        monitor_views::MonitorFeed,
        monitor_views::StartedRun,
        webhook_views::WebhookView,
        webhook_views::WebhookSecretView,
        webhook_views::AcceptedWebhookCommand,
        webhook_views::DeliveryView,
        FieldChange,
        ProjectionStatus,
        ProjectionTask,
        Health,
    ];
    let of = |name: &str| {
        known
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, example)| example)
    };
    match name.strip_prefix("Page_") {
        Some(row) => of(row).map(|row| json!({ "items": [row], "next": null })),
        None => of(name).cloned(),
    }
}

/// A stream (server-sent events) with one event.
pub(in crate::api) fn stream_of(operation: &str) -> Option<String> {
    let event = |mut event: Event, kind: &str, stream: (&str, String), data: Value| {
        kind.clone_into(&mut event.kind);
        (event.stream.kind, event.stream.id) = (stream.0.to_owned(), stream.1);
        event.data = data;
        (event.position, kind.to_owned(), json!(event))
    };
    let (position, kind, data) = match operation {
        "watch_scan" => {
            let stream = ("domain_scan", crate::api::example::SCAN.to_string());
            let data = json!({ "domain": "example.com", "batch_id": null, "attempt": 1 });
            event(Event::example(), "ScanCompleted", stream, data)
        }
        "watch_batch" => {
            let event = Event::example();
            (event.position, event.kind.clone(), json!(event))
        }
        "watch_changes" => {
            let change = list_changes::DomainChange::example();
            (change.position, "DomainChanged".to_owned(), json!(change))
        }
        _ => return None,
    };
    Some(format!(
        "retry: 1000\n\nid: {position}\nevent: {kind}\ndata: {data}\n\n"
    ))
}
