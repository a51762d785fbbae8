//! `/openapi.json`, from the handlers themselves.

use axum::http::header;
use axum::routing::get;
use axum::{Router, response::IntoResponse};
use utoipa::Modify;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ObjectBuilder, OpenApi, RefOr, Required, Type};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{ApiState, health, metrics, v4};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "sitelog",
        description = "Event-sourced web scanning. Send domains, poll or read what was found; every change is an event in a log that can be read."
    ),
    tags(
        (name = "scans", description = "One domain each"),
        (name = "batches", description = "Lists of domains"),
        (name = "domains", description = "What is known of each domain"),
        (name = "events", description = "The log"),
        (name = "operations", description = "For who runs the service")
    )
)]
struct Document;

/// The headers that every operation of v4 understands, said once.
struct CommonHeaders;

impl Modify for CommonHeaders {
    fn modify(&self, document: &mut OpenApi) {
        for (path, item) in &mut document.paths.paths {
            if !path.starts_with("/api/v4/") {
                continue;
            }
            for operation in [&mut item.get, &mut item.post].into_iter().flatten() {
                let parameters = operation.parameters.get_or_insert_default();
                parameters.push(header(
                    "X-Tenant-Id",
                    "Whose data: a UUID; without it the default tenant's",
                ));
            }
            if let Some(operation) = &mut item.post {
                let parameters = operation.parameters.get_or_insert_default();
                let repeat = "1 to 255 characters; a repeat with the same key and body gets the first answer";
                parameters.push(header("Idempotency-Key", repeat));
                parameters.push(header(
                    "X-Request-Id",
                    "Goes into the metadata of the events that follow",
                ));
            }
        }
    }
}

fn header(name: &str, description: &str) -> RefOr<Parameter> {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .build()
        .into()
}

/// The routes and their document.
pub(super) fn described() -> (Router<ApiState>, OpenApi) {
    let (routes, mut document) = documented().split_for_parts();
    CommonHeaders.modify(&mut document);
    (routes, document)
}

/// The routes that the document describes.
fn documented() -> OpenApiRouter<ApiState> {
    OpenApiRouter::with_openapi(<Document as utoipa::OpenApi>::openapi())
        .routes(routes!(health::livez))
        .routes(routes!(health::readyz))
        .routes(routes!(metrics::metrics))
        .nest("/api/v4", v4::router())
}

/// The document itself.
pub(super) fn routes(document: &OpenApi) -> Router<ApiState> {
    let json = document.to_pretty_json().expect("the document is plain data");
    Router::new().route(
        "/openapi.json",
        get(move || {
            let json = json.clone();
            async move { ([(header::CONTENT_TYPE, "application/json")], json).into_response() }
        }),
    )
}

/// The document as text, for `sitelog openapi` and the snapshot.
pub fn document() -> String {
    described()
        .1
        .to_pretty_json()
        .expect("the document is plain data")
}
