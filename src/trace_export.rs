//! Sends traces to a collector: OTLP over HTTP as JSON, with our own HTTP client.

use std::time::Duration;

use async_trait::async_trait;
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{ExporterBuildError, Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;
use url::Url;

use crate::fetch::Direct;
use crate::traces::{self, Sampled};

/// The time limit for one message.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Sends traces until it is shut down.
pub struct TraceExport(SdkTracerProvider);

/// Switches traces on and sends them to a collector, whose address is that of OTLP/HTTP (`http://collector:4318`).
pub fn start(endpoint: &Url, sampled: Sampled, direct: Direct) -> Result<TraceExport, ExporterBuildError> {
    let client = Client {
        direct,
        threads: Handle::current(),
    };
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(client)
        .with_endpoint(format!("{}/v1/traces", endpoint.as_str().trim_end_matches('/')))
        .with_protocol(Protocol::HttpJson)
        .with_timeout(TIMEOUT)
        .build()?;
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_id_generator(traces::Ids)
        .with_resource(Resource::builder().with_service_name("sitelog").build())
        .build();
    traces::switch_on(provider.tracer("sitelog"), sampled);
    Ok(TraceExport(provider))
}

impl TraceExport {
    /// Sends the rest.
    pub async fn shut_down(self) {
        // It waits for its thread, which waits for ours.
        #[expect(clippy::disallowed_methods, reason = "once, when the process ends")]
        let ended = tokio::task::spawn_blocking(move || self.0.shutdown()).await;
        if let Ok(Err(error)) = ended {
            tracing::warn!(%error, "Cannot send the last traces");
        }
    }
}

/// The exporter has its own thread; requests run on our runtime.
#[derive(Debug)]
struct Client {
    direct: Direct,
    threads: Handle,
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let direct = self.direct.clone();
        let request = request.map(|body| body.to_vec());
        let answer = self
            .threads
            .spawn(async move { direct.send(request).await })
            .await??;
        Ok(answer.map(Bytes::from))
    }
}
