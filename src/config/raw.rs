//! The settings as given: one field each. Only their types are checked here.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::fetch::RawFetch;

// No `Debug`, here and below where a secret is held.
#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Raw {
    pub(super) data_dir: Option<PathBuf>,
    pub(super) bind: Option<String>,
    pub(super) public_url: Option<String>,
    pub(super) database: RawDatabase,
    pub(super) worker: RawWorker,
    pub(super) fetch: RawFetch,
    pub(super) auth: RawAuth,
    pub(super) oidc: RawOidc,
    pub(super) api: RawApi,
    pub(super) mail: RawMail,
    pub(super) nats: RawNats,
    pub(super) telemetry: RawTelemetry,
    pub(super) legacy: RawLegacy,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct RawDatabase {
    pub(super) connections: Option<u32>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct RawWorker {
    pub(super) concurrency: Option<usize>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct RawAuth {
    pub(super) mode: Option<String>,
    pub(super) jwt_secret: Option<String>,
    pub(super) jwks_url: Option<String>,
    pub(super) audience: Option<String>,
    pub(super) issuer: Option<String>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct RawOidc {
    pub(super) issuer: Option<String>,
    pub(super) client_id: Option<String>,
    pub(super) client_secret: Option<String>,
    pub(super) client_secret_file: Option<PathBuf>,
    pub(super) label: Option<String>,
    pub(super) request_scopes: Option<String>,
    pub(super) tenant_claim: Option<String>,
    pub(super) tenants: Option<String>,
    pub(super) default_tenant: Option<String>,
    pub(super) scopes_claim: Option<String>,
    pub(super) scopes_of: Option<String>,
    pub(super) default_scopes: Option<String>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct RawApi {
    pub(super) requests_per_minute: Option<String>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct RawMail {
    pub(super) smtp_url: Option<String>,
    pub(super) from: Option<String>,
}

// Its address may hold a password.
#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct RawNats {
    pub(super) url: Option<String>,
    pub(super) credentials: Option<PathBuf>,
    pub(super) ca: Option<PathBuf>,
    pub(super) cell: Option<String>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct RawTelemetry {
    pub(super) otlp_endpoint: Option<String>,
    pub(super) trace_sample: Option<f64>,
    pub(super) metrics_seconds: Option<u64>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct RawLegacy {
    pub(super) sunset: Option<String>,
    pub(super) backend_url: Option<String>,
    pub(super) backend_token: Option<String>,
    pub(super) backend_answers: Option<String>,
    pub(super) static_dir: Option<PathBuf>,
}
