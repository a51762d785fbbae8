//! `sitelog mcp`: the tools for agents over standard input and output.

use std::process::ExitCode;

use anyhow::Context;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use bytes::{Bytes, BytesMut};
use futures::TryStreamExt;
use rmcp::ServiceExt;
use rmcp::transport::stdio;
use tokio::signal::unix::{SignalKind, signal};

use super::input::BadArgument;
use super::local::Local;
use super::{note_line, output};
use crate::access::AuthMode;
use crate::api::mcp::own_api;
use crate::config::{Config, Sources};
use crate::fetch::Forwarder;
use crate::mcp::{Api, ApiAnswer, ApiRequest, ToolServer};
use crate::values::TenantId;

/// Serves sitelog's tools to an agent on standard input and output (Model Context Protocol).
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The running server that the tools use, such as `http://127.0.0.1:8080`; set its key in `SITELOG_KEY`. Without a
    /// server the tools use the database in the settings, like the other commands, and this process runs the scans
    #[arg(long, value_name = "URL", env = "SITELOG_URL", hide_env_values = true)]
    url: Option<String>,
    /// The tenant. Default: that of the key, otherwise the default tenant (550e8400-e29b-41d4-a716-446655440000)
    #[arg(long, value_name = "ID")]
    tenant: Option<TenantId>,
}

pub(super) async fn run(args: &Args, sources: &Sources) -> anyhow::Result<ExitCode> {
    if output::is_terminal() {
        note_line(
            "sitelog mcp is started by agents and speaks JSON-RPC; docs/mcp.md says how to register it. Ctrl-D ends it.",
        );
    }
    let headers = args.headers()?;
    match args.url.as_deref().filter(|url| !url.is_empty()) {
        Some(url) => serve(ToolServer::new(Remote::new(url, headers)?)).await?,
        None => serve_own(sources, headers).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn serve_own(sources: &Sources, headers: HeaderMap) -> anyhow::Result<()> {
    let mut config = Config::load(sources)?;
    // Whoever has access to the database may do everything, as with the other commands.
    config.auth.mode = AuthMode::Off;
    let local = Local::start(&config).await?;
    let served = serve(ToolServer::new(Named {
        api: own_api(&local.app.api_state()),
        headers,
    }))
    .await;
    local.finish().await;
    served
}

/// Serves until the agent ends its input, or the process is stopped.
async fn serve<A: Api>(tools: ToolServer<A>) -> anyhow::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let served = async {
        let running = tools
            .serve(stdio())
            .await
            .context("the MCP client did not start the session: it must send 'initialize' first")?;
        running
            .waiting()
            .await
            .context("the MCP session ended with an error")?;
        Ok(())
    };
    tokio::select! {
        served = served => served,
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
    }
}

impl Args {
    /// Who the tools act for.
    fn headers(&self) -> Result<HeaderMap, BadArgument> {
        let mut headers = HeaderMap::new();
        // Not an argument, because other users of the machine can read arguments.
        if let Some(key) = std::env::var("SITELOG_KEY").ok().filter(|key| !key.is_empty()) {
            let value = HeaderValue::from_str(&format!("Bearer {key}"));
            let mut value = value.map_err(|_| BadArgument("SITELOG_KEY is not a key".to_owned()))?;
            value.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, value);
        }
        if let Some(tenant) = self.tenant {
            let value = HeaderValue::from_str(&tenant.to_string()).expect("letters, digits and hyphens");
            headers.insert(HeaderName::from_static("x-tenant-id"), value);
        }
        Ok(headers)
    }
}

/// An API in this process, with headers for every request.
struct Named<A> {
    api: A,
    headers: HeaderMap,
}

impl<A: Api> Api for Named<A> {
    async fn send(&self, request: ApiRequest, _caller: Option<&HeaderMap>) -> Result<ApiAnswer, String> {
        self.api.send(request, Some(&self.headers)).await
    }
}

/// A running server.
struct Remote {
    server: Forwarder,
    url: String,
    headers: HeaderMap,
}

impl Remote {
    fn new(url: &str, headers: HeaderMap) -> anyhow::Result<Self> {
        let is_web = url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        if !is_web {
            let words = format!("--url is '{url}'; it must be an address such as http://127.0.0.1:8080");
            return Err(BadArgument(words).into());
        }
        Ok(Self {
            server: Forwarder::new(url)?,
            url: url.to_owned(),
            headers,
        })
    }
}

impl Api for Remote {
    async fn send(&self, request: ApiRequest, _caller: Option<&HeaderMap>) -> Result<ApiAnswer, String> {
        let silent = |error: &dyn std::error::Error| {
            format!(
                "The server at {} does not respond ({error}). Check that it runs and that SITELOG_URL is correct.",
                self.url
            )
        };
        let mut headers = self.headers.clone();
        if let Some(seconds) = request.wait {
            let value = HeaderValue::from_str(&format!("wait={seconds}")).expect("letters and digits");
            headers.insert(HeaderName::from_static("prefer"), value);
        }
        let body = match request.body {
            Some(body) => {
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
                Bytes::from(body.to_string())
            }
            None => Bytes::new(),
        };
        let path = format!("/api/v4{}", request.path);
        let answer = self.server.send(request.method, &path, &headers, body).await;
        let answer = answer.map_err(|error| silent(&error))?;
        let status = answer.status.as_u16();
        let stream = Box::pin(answer.into_stream());
        let body = stream.try_fold(BytesMut::new(), async |mut all, piece| {
            all.extend_from_slice(&piece);
            Ok(all)
        });
        let body = body.await.map_err(|error| silent(&error))?;
        Ok(ApiAnswer {
            status,
            body: body.freeze(),
        })
    }
}
