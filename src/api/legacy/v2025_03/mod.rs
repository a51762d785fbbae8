//! The formats of March 2025, under `/api/v1/sitemap/*`, `/api/v1/batch/{batch_id}/status` and their later names below
//! `/api/v2/page_scraper`: UUIDs without prefix, progress as a number, and each domain of a batch from the start.

mod create;
mod error;
mod status;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};

use super::headers::{Successor, deprecated};
use super::{backend, owner};
use crate::api::ApiState;

/// The paths below `/api/v1`.
pub(super) fn v1(state: &ApiState) -> Router<ApiState> {
    let scans = Router::new()
        .route("/sitemap/scrapersky", post(create::scan))
        .route("/sitemap/scan", post(create::scan))
        .route("/sitemap/status/{job_id}", get(status::job));
    let batches = Router::new()
        .route("/batch/{batch_id}/status", get(status::batch))
        .route("/sitemap/batch", post(create::batch))
        .route("/sitemap/batch/{batch_id}/status", get(status::batch))
        .route("/sitemap/batch/status/{batch_id}", get(status::batch));
    dialect(behind(scans, batches, state))
}

/// The paths below `/api/v2`.
pub(super) fn v2(state: &ApiState) -> Router<ApiState> {
    let scans = Router::new()
        .route("/page_scraper/scan", post(create::scan))
        .route("/page_scraper/status/{job_id}", get(status::job));
    let batches = Router::new()
        .route("/page_scraper/batch", post(create::batch))
        .route("/page_scraper/batch/{batch_id}/status", get(status::batch));
    behind(scans, batches, state)
}

fn behind(scans: Router<ApiState>, batches: Router<ApiState>, state: &ApiState) -> Router<ApiState> {
    let behind = |routes: Router<ApiState>, successor| {
        let routes =
            backend::switchable(routes, state).route_layer(from_fn_with_state(state.clone(), owner::admit));
        deprecated(routes, successor, state)
    };
    behind(scans, Successor::Scans).merge(behind(batches, Successor::Batches))
}

/// Converts errors of these routes to the format of this version.
pub(super) fn dialect(routes: Router<ApiState>) -> Router<ApiState> {
    routes.layer(from_fn(error::convert_errors))
}
