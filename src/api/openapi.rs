//! `/openapi.json`, generated from the handlers.

mod examples;
mod precise;

use axum::http::header;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use axum::{Router, response::IntoResponse};
use utoipa::Modify;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, ObjectBuilder, OpenApi, Ref, RefOr, Required, ResponseBuilder, Type};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::known_names::{self, KnownNames};
use super::{ApiState, admission, health, metrics, v4};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "sitelog",
        description = "Event-sourced web scanning. Send domains, and read, watch or export the results; every change is an event in a log that you can read."
    ),
    tags(
        (name = "scans", description = "Scans of one domain each"),
        (name = "batches", description = "Lists of domains"),
        (name = "domains", description = "The results per domain"),
        (name = "changes", description = "What changed in domains"),
        (name = "events", description = "The event log"),
        (name = "monitors", description = "Domains that are scanned on a schedule"),
        (name = "webhooks", description = "URLs to which events are sent"),
        (name = "exports", description = "Links to exports"),
        (name = "keys", description = "API keys"),
        (name = "operations", description = "For operators")
    )
)]
struct Document;

/// The common part of all operations of v4: headers, access, and the errors that follow from them.
struct Common;

/// Where the current API is.
pub(super) const V4: &str = "/api/v4";
/// The name of the only security scheme.
const SCHEME: &str = "bearer";

impl Modify for Common {
    fn modify(&self, document: &mut OpenApi) {
        let description = "A key from `sitelog key create`, or a JSON Web Token (HS256, RS256 or ES256). Not needed if access control is off.";
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(description))
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme(SCHEME, SecurityScheme::Http(scheme));
        for (path, item) in &mut document.paths.paths {
            if path == "/metrics" {
                item.get.iter_mut().for_each(guarded);
            }
            if !path.starts_with("/api/v4/") {
                continue;
            }
            for operation in [&mut item.get, &mut item.post, &mut item.patch, &mut item.delete]
                .into_iter()
                .flatten()
            {
                guarded(operation);
                refused(operation, "400", "The request is invalid");
                refused(
                    operation,
                    "429",
                    "The tenant has reached its rate limit; `Retry-After` says when to try again",
                );
                let parameters = operation.parameters.get_or_insert_default();
                let whose = "The tenant, a UUID. Only operators may name a tenant other than the one their key or token belongs to";
                parameters.push(header("X-Tenant-Id", whose));
            }
            for operation in [&mut item.post, &mut item.patch].into_iter().flatten() {
                refused(operation, "408", "The request body did not arrive in time");
                refused(operation, "413", "The request body is too large");
                refused(
                    operation,
                    "422",
                    "The `Idempotency-Key` belongs to another request",
                );
                let parameters = operation.parameters.get_or_insert_default();
                let repeat = "1 to 255 characters; a retried request with the same key and body gets the original response";
                parameters.push(header("Idempotency-Key", repeat));
                parameters.push(header(
                    "X-Request-Id",
                    "Recorded in the metadata of the resulting events",
                ));
            }
        }
    }
}

/// An operation that needs a key or token.
fn guarded(operation: &mut Operation) {
    let none: [&str; 0] = [];
    operation.security = Some(vec![SecurityRequirement::new(SCHEME, none)]);
    refused(operation, "401", "The key or token is missing or invalid");
    refused(operation, "403", "The key or token does not allow this");
}

/// A problem that an operation may answer with, unless the operation describes it itself.
fn refused(operation: &mut Operation, status: &str, description: &str) {
    let problem = Ref::from_schema_name("Problem");
    let content = ContentBuilder::new().schema(Some(problem)).build();
    let response = ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", content)
        .build();
    let responses = &mut operation.responses.responses;
    responses
        .entry(status.to_owned())
        .or_insert_with(|| response.into());
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

/// The routes and their document; with a state, the routes are guarded.
pub(super) fn described(state: Option<&ApiState>) -> (Router<ApiState>, String) {
    let (routes, mut document) = documented(state).split_for_parts();
    Common.modify(&mut document);
    let text = serde_json::to_string_pretty(&precise::precise(&document));
    (routes, text.expect("the document is plain data"))
}

/// The routes of the API without admission: a request must already have its caller.
pub(super) fn unguarded() -> Router<ApiState> {
    let v4 = v4::router();
    let known = KnownNames::of(v4.get_openapi(), V4);
    let routes = v4.route_layer(from_fn_with_state(known, known_names::require_known));
    Router::new().nest(V4, routes.split_for_parts().0)
}

/// The routes that the document describes.
fn documented(state: Option<&ApiState>) -> OpenApiRouter<ApiState> {
    let mut metrics = OpenApiRouter::new().routes(routes!(metrics::metrics));
    let mut v4 = v4::router();
    if let Some(state) = state {
        metrics = metrics.route_layer(from_fn_with_state(state.clone(), admission::admit_operator));
        let known = KnownNames::of(v4.get_openapi(), V4);
        v4 = v4
            .route_layer(from_fn_with_state(known, known_names::require_known))
            .route_layer(from_fn_with_state(state.clone(), admission::admit));
    }
    OpenApiRouter::with_openapi(<Document as utoipa::OpenApi>::openapi())
        .routes(routes!(health::livez))
        .routes(routes!(health::readyz))
        .merge(metrics)
        .nest(V4, v4)
}

/// The document itself.
pub(super) fn routes(json: String) -> Router<ApiState> {
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
    described(None).1
}
