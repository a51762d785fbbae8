//! The current API: one endpoint, one file.

mod cancel_batch;
mod cancel_scan;
mod create_batch;
pub(crate) mod create_monitor;
mod create_scan;
mod create_webhook;
mod domain_view;
mod event_view;
pub(in crate::api) mod examples;
pub(crate) mod export_links;
mod exported;
mod forget_domain;
pub(crate) mod get_batch;
mod get_domain;
pub(crate) mod get_scan;
pub(crate) mod list_batch_domains;
mod list_batch_scans;
mod list_batches;
mod list_change_urls;
pub(crate) mod list_changes;
mod list_domain_history;
pub(crate) mod list_domain_urls;
pub(crate) mod list_domains;
mod list_events;
mod list_keys;
pub(crate) mod list_monitors;
mod list_projections;
pub(crate) mod list_scans;
mod list_sitemap_audit;
pub(crate) mod list_webhooks;
mod list_workers;
mod maintain_monitor;
mod maintain_projection;
mod maintain_webhook;
pub(crate) mod monitor_subscribers;
pub(crate) mod monitor_views;
pub(crate) mod retry_batch;
mod retry_scan;
mod revoke_key;
pub mod views;
mod watch_batch;
mod watch_changes;
mod watch_scan;
mod webhook_views;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ApiState;

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(create_scan::create_scan, list_scans::list_scans))
        .routes(routes!(get_scan::get_scan))
        .routes(routes!(watch_scan::watch_scan))
        .routes(routes!(cancel_scan::cancel_scan))
        .routes(routes!(retry_scan::retry_scan))
        .routes(routes!(create_batch::create_batch, list_batches::list_batches))
        .routes(routes!(get_batch::get_batch))
        .routes(routes!(watch_batch::watch_batch))
        .routes(routes!(list_batch_scans::list_batch_scans))
        .routes(routes!(list_batch_domains::list_batch_domains))
        .routes(routes!(cancel_batch::cancel_batch))
        .routes(routes!(retry_batch::retry_batch))
        .routes(routes!(list_domains::list_domains))
        .routes(routes!(get_domain::get_domain, forget_domain::forget_domain))
        .routes(routes!(list_domain_urls::list_domain_urls))
        .routes(routes!(list_sitemap_audit::list_sitemap_audit))
        .routes(routes!(list_domain_history::list_domain_history))
        .routes(routes!(list_changes::list_changes))
        .routes(routes!(watch_changes::watch_changes))
        .routes(routes!(list_change_urls::list_change_urls))
        .routes(routes!(list_events::list_events))
        .routes(routes!(list_events::get_stream))
        .routes(routes!(list_projections::list_projections))
        .routes(routes!(list_projections::get_projection))
        .routes(routes!(list_workers::list_workers))
        .routes(routes!(maintain_projection::rebuild_projection))
        .routes(routes!(maintain_projection::roll_back_projection))
        .routes(routes!(maintain_projection::verify_projection))
        .routes(routes!(maintain_projection::retry_parked))
        .routes(routes!(
            create_webhook::create_webhook,
            list_webhooks::list_webhooks
        ))
        .routes(routes!(
            list_webhooks::get_webhook,
            maintain_webhook::change_webhook,
            maintain_webhook::delete_webhook
        ))
        .routes(routes!(list_webhooks::list_deliveries))
        .routes(routes!(maintain_webhook::rotate_webhook_secret))
        .routes(routes!(maintain_webhook::enable_webhook))
        .routes(routes!(maintain_webhook::disable_webhook))
        .routes(routes!(maintain_webhook::test_webhook))
        .routes(routes!(maintain_webhook::replay_webhook))
        .routes(routes!(maintain_webhook::resend_event))
        .routes(routes!(
            create_monitor::create_monitor,
            list_monitors::list_monitors
        ))
        .routes(routes!(
            list_monitors::get_monitor,
            maintain_monitor::change_monitor,
            maintain_monitor::delete_monitor
        ))
        .routes(routes!(list_monitors::list_runs))
        .routes(routes!(maintain_monitor::pause_monitor))
        .routes(routes!(maintain_monitor::resume_monitor))
        .routes(routes!(maintain_monitor::run_monitor))
        .routes(routes!(
            monitor_subscribers::add_subscriber,
            monitor_subscribers::list_subscribers
        ))
        .routes(routes!(monitor_subscribers::remove_subscriber))
        .routes(routes!(maintain_monitor::open_feed, maintain_monitor::close_feed))
        .routes(routes!(export_links::create_link, export_links::list_links))
        .routes(routes!(export_links::revoke_link))
        .routes(routes!(list_keys::list_keys))
        .routes(routes!(revoke_key::revoke_key))
}
