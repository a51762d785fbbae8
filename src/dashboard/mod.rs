//! Pages for people: rendered here, readable without JavaScript, over the same commands and queries as the API.

use axum::Router;

use crate::api::ApiState;

/// All pages and what they are made of.
pub fn router() -> Router<ApiState> {
    Router::new()
}
