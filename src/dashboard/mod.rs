//! The pages: rendered on the server, usable without JavaScript, over the same commands and queries as the API. One
//! page, one file. The script in `assets` is optional: it updates live parts and loads further rows.

mod assets;
mod batch;
mod batches;
mod changes;
mod chart;
mod domain;
mod domain_columns;
mod domain_selection;
mod domains;
mod entry;
mod files;
mod form;
mod keys;
mod links;
mod log;
mod monitors;
mod network;
mod new_batch;
mod overview;
mod parts;
mod people;
mod projections;
mod refused;
mod saved_filters;
mod scan;
mod shell;
mod sign_in;
mod sign_in_by_provider;
mod site_picture;
mod sitemap_audit;
mod sitemap_tree;
mod tasks;
mod technologies;
mod unsubscribe;
mod webhooks;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use crate::access::OidcSettings;
use crate::api::ApiState;

/// All pages and what they are made of.
pub fn router(state: &ApiState) -> Router<ApiState> {
    let guarded = guarded_pages().route_layer(from_fn_with_state(state.clone(), entry::admit));
    let open = Router::new()
        .route("/sign-in", get(sign_in::show).post(sign_in::sign_in))
        .route(
            sign_in_by_provider::PROVIDER_PATH,
            get(sign_in_by_provider::begin),
        )
        .route(OidcSettings::RETURN_PATH, get(sign_in_by_provider::complete))
        // With any scope, and also after the key has expired.
        .route("/sign-out", post(sign_in::sign_out))
        .route(
            "/unsubscribe/{token}",
            get(unsubscribe::show).post(unsubscribe::stop),
        )
        .route_layer(from_fn_with_state(state.clone(), entry::in_words));
    guarded
        .merge(open)
        .merge(assets::router())
        .fallback(entry::nothing_here)
}

/// The pages without admission: a request must already have its caller.
fn guarded_pages() -> Router<ApiState> {
    Router::new()
        .route("/", get(overview::show))
        .route("/start", post(new_batch::start))
        .route("/batches", get(batches::show).post(new_batch::create))
        .route("/batches/check", post(new_batch::check))
        .route("/batches/{id}", get(batch::show))
        .route("/batches/{id}/cancel", post(batch::cancel))
        .route("/batches/{id}/retry", post(batch::retry))
        .route("/domains", get(domains::show))
        .route("/domains/selection", get(domain_selection::export))
        .route("/domains/selection/scan", post(domain_selection::scan))
        .route(
            "/domains/selection/monitor",
            post(domain_selection::add_to_monitor),
        )
        .route(
            "/saved-filters",
            get(saved_filters::show).post(saved_filters::create),
        )
        .route("/saved-filters/{id}/{work}", post(saved_filters::maintain))
        .route("/domains/{domain}", get(domain::show))
        .route("/domains/{domain}/pictures/{kind}", get(site_picture::show))
        .route("/changes", get(changes::show))
        .route("/technologies", get(technologies::show))
        .route("/scans", post(scan::create))
        .route("/scans/{id}", get(scan::show))
        .route("/scans/{id}/cancel", post(scan::cancel))
        .route("/scans/{id}/retry", post(scan::retry))
        .route("/log", get(log::show))
        .route("/projections", get(projections::show))
        .route("/projections/{name}/{work}", post(projections::request))
        .route("/tasks", get(tasks::show))
        .route("/tasks/{id}/hasten", post(tasks::hasten))
        .route("/webhooks", get(webhooks::list).post(webhooks::create))
        .route("/webhooks/{id}", get(webhooks::show))
        .route("/webhooks/{id}/rotate", post(webhooks::rotate))
        .route("/webhooks/{id}/{work}", post(webhooks::maintain))
        .route("/monitors", get(monitors::list).post(monitors::create))
        .route("/monitors/{id}", get(monitors::show))
        .route("/monitors/{id}/{work}", post(monitors::maintain))
        .route("/links", get(links::show).post(links::create))
        .route("/links/{id}/revoke", post(links::revoke))
        .route("/keys", get(keys::show).post(keys::create))
        .route("/keys/{id}/revoke", post(keys::revoke))
        .route("/people/sign-out", post(people::sign_out))
}
