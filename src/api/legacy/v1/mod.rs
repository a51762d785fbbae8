//! `/api/v1` as of February 2025: single scans and batches of at most 100 domains.

mod create_batch;
mod create_scan;
mod get_batch_status;
mod get_scan_status;

pub(in crate::api::legacy) use create_batch::MAX_DOMAINS;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use super::headers::{Successor, deprecated};
use super::{backend, owner};
use crate::api::ApiState;

/// The four routes, to be nested at `/api/v1`.
pub(in crate::api) fn router(state: &ApiState) -> Router<ApiState> {
    let scans = Router::new()
        .route("/scrapersky", post(create_scan::create_scan))
        .route("/status/{job_id}", get(get_scan_status::get_scan_status));
    let batches = Router::new()
        .route("/batch", post(create_batch::create_batch))
        .route(
            "/batch/status/{batch_id}",
            get(get_batch_status::get_batch_status),
        );
    let behind = |routes: Router<ApiState>, successor| {
        let routes =
            backend::switchable(routes, state).route_layer(from_fn_with_state(state.clone(), owner::admit));
        deprecated(routes, successor, state)
    };
    behind(scans, Successor::Scans).merge(behind(batches, Successor::Batches))
}
