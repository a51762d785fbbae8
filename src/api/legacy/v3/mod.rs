//! `/api/v3`, April to November 2025: page scans, sitemap scans, batches and the list of domains. The caller needs a key
//! or token, as before.

mod batches;
mod domains;
mod error;
mod import_csv;
mod jobs;
mod list_domains;
mod scans;
mod service;
mod words;

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::Response;
use axum::routing::{get, post};

use super::headers::{Successor, deprecated};
use super::{backend, owner};
use crate::api::ApiState;

/// All routes, to be nested at `/api/v3`, and a second time below themselves.
pub(super) fn router(state: &ApiState) -> Router<ApiState> {
    let scans = Router::new()
        .route("/modernized_page_scraper/scan", post(scans::modernized))
        .route("/modernized_page_scraper/status/{job_id}", get(jobs::page))
        .route("/batch_page_scraper/scan", post(scans::batch_page))
        .route("/batch_page_scraper/status/{job_id}", get(jobs::page))
        .route("/sitemap/scan", post(scans::sitemap))
        .route("/sitemap/status/{job_id}", get(jobs::sitemap));
    let batches = Router::new()
        .route("/modernized_page_scraper/batch", post(batches::create))
        .route(
            "/modernized_page_scraper/batch/{batch_id}/status",
            get(batches::status),
        )
        .route("/batch_page_scraper/batch", post(batches::create))
        .route(
            "/batch_page_scraper/batch/{batch_id}/status",
            get(batches::status),
        )
        .route("/sitemap/batch/create", post(batches::create_for_sitemaps))
        .route("/sitemap/batch/status/{batch_id}", get(batches::status));
    let domains = Router::new()
        .route("/domains", get(list_domains::list))
        .route("/domains/direct-submit", post(domains::submit))
        .route("/domains/import-csv", post(import_csv::import));
    // These two needed no key, and reveal nothing.
    let open = Router::new()
        .route("/batch_page_scraper/health", get(service::health))
        .route(
            "/batch_page_scraper/test_background_task",
            get(service::test_background_task),
        );
    let behind = |routes: Router<ApiState>, successor| {
        let routes = backend::switchable(routes, state)
            .route_layer(from_fn_with_state(state.clone(), owner::admit_known));
        deprecated(routes, successor, state)
    };
    let routes = behind(scans, Successor::Scans)
        .merge(behind(batches, Successor::Batches))
        .merge(behind(domains, Successor::Domains))
        .merge(deprecated(
            backend::switchable(open, state),
            Successor::Scans,
            state,
        ));
    error::dialect(super::fallbacks(routes)).layer(map_response(async |mut answer: Response| {
        let never = HeaderValue::from_static("no-store, no-cache, must-revalidate, max-age=0");
        answer.headers_mut().insert(header::CACHE_CONTROL, never);
        answer
    }))
}
