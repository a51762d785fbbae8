//! The old pages, if the settings say where they are: they ask for `/api/…` of the place they came from, so they
//! must come from here.

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::middleware::map_response;
use axum::response::Response;
use tower_http::services::ServeDir;

use crate::api::ApiState;

/// They hold inline scripts, load libraries from elsewhere, and one of them asks `localhost:8000`, where the
/// predecessor ran in development.
const POLICY: &str = "default-src 'self' 'unsafe-inline' https: data:; connect-src 'self' http://localhost:8000; \
                      frame-ancestors 'none'; base-uri 'none'";

pub(super) fn router(state: &ApiState) -> Router<ApiState> {
    let Some(dir) = &state.legacy.static_dir else {
        return Router::new();
    };
    let pages = Router::new().fallback_service(ServeDir::new(dir));
    let pages = pages.layer(map_response(async |mut answer: Response| {
        let policy = HeaderValue::from_static(POLICY);
        answer
            .headers_mut()
            .insert(header::CONTENT_SECURITY_POLICY, policy);
        answer
    }));
    Router::new().nest("/static", pages)
}
