//! The Model Context Protocol: sitelog as tools of an agent. Each tool is one or a few requests to the HTTP API, made in
//! the name of its caller, so keys, scopes, tenants and quotas are those of the API. Answers are cut to what a
//! model can use.

mod arguments;
mod brief;
mod evidence;
mod run;
mod tools;

use std::sync::Arc;

use axum::http::{HeaderMap, Method, request::Parts};
use bytes::Bytes;
use rmcp::ServerHandler;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ErrorData, Implementation,
    ListResourceTemplatesResult, ListToolsResult, PaginatedRequestParams, ReadResourceRequestParams,
    ReadResourceResponse, ReadResourceResult, ResourceContents, ResourceTemplate, ServerCapabilities,
    ServerConfig,
};
use rmcp::service::{RequestContext, RoleServer};
use serde_json::Value;

use tools::TOOLS;

/// Instructions for the model about all tools.
const INSTRUCTIONS: &str = "\
sitelog scans websites and finds out who runs a domain, how to contact them, and which technologies the site uses. \
For one domain use scan_domain; it waits for the result. For several use scan_batch, then batch_status with \
wait_seconds until the batch has ended, then search_domains with its batch_id: it has the owner and contacts of each. \
To read what is already known without a scan, use get_domain and search_domains. \
Results are shortened; explain_value shows where a value was found, and the resource sitelog://domain/{domain} has \
everything that is known.";

/// Where the resource of a domain begins.
const DOMAIN_URI: &str = "sitelog://domain/";

/// A request to the API.
#[derive(Clone, Debug)]
pub struct ApiRequest {
    /// GET or POST.
    pub method: Method,
    /// Below `/api/v4`, with the query.
    pub path: String,
    /// Seconds to wait for the end of a scan.
    pub wait: Option<u64>,
    /// JSON.
    pub body: Option<Value>,
}

/// The response of the API.
#[derive(Clone, Debug)]
pub struct ApiAnswer {
    /// The HTTP status.
    pub status: u16,
    /// JSON, unless a proxy has answered.
    pub body: Bytes,
}

/// The API that the tools use.
pub trait Api: Send + Sync + 'static {
    /// Sends a request. `caller` holds the headers of the caller, if the tool was called over HTTP. A failure is
    /// described in words.
    fn send(
        &self,
        request: ApiRequest,
        caller: Option<&HeaderMap>,
    ) -> impl Future<Output = Result<ApiAnswer, String>> + Send;
}

/// The server of tools; clones share the API.
pub struct ToolServer<A>(Arc<A>);

impl<A> Clone for ToolServer<A> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<A: Api> ToolServer<A> {
    /// Over an API.
    pub fn new(api: A) -> Self {
        Self(Arc::new(api))
    }
}

impl<A: Api> ServerHandler for ToolServer<A> {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_resources()
            .build();
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("sitelog", env!("CARGO_PKG_VERSION")))
            .with_instructions(INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(
            TOOLS.iter().map(tools::Tool::described).collect(),
        ))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let Some(tool) = TOOLS.iter().find(|tool| tool.name == request.name) else {
            return Err(ErrorData::invalid_params(tools::unknown(&request.name), None));
        };
        let arguments = request.arguments.unwrap_or_default();
        let caller = headers_of(&context);
        let done = tokio::select! {
            done = run::run(&*self.0, caller, tool, &arguments) => done,
            () = context.ct.cancelled() => Err("The call was cancelled.".to_owned()),
        };
        // The model should correct errors of a call, so they are results and not errors of the protocol.
        Ok(match done {
            Ok(answer) => CallToolResult::structured(brief::fitting(answer)),
            Err(words) => CallToolResult::error(vec![ContentBlock::text(words)]),
        }
        .into())
    }

    async fn list_resource_templates(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let template = ResourceTemplate::new(format!("{DOMAIN_URI}{{domain}}"), "domain")
            .with_title("Everything known about a domain")
            .with_description("The whole record as JSON, with the evidence of each value. It may be long.")
            .with_mime_type("application/json");
        Ok(ListResourceTemplatesResult::with_all_items(vec![template]))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let uri = request.uri;
        let Some(domain) = uri.strip_prefix(DOMAIN_URI) else {
            let words = format!("sitelog has no resource {uri}. Use, for example, {DOMAIN_URI}example.com");
            return Err(ErrorData::resource_not_found(words, None));
        };
        let found = run::domain(&*self.0, headers_of(&context), domain).await;
        let found = found.map_err(|words| ErrorData::resource_not_found(words, None))?;
        let content = ResourceContents::text(found.to_string(), uri).with_mime_type("application/json");
        Ok(ReadResourceResult::new(vec![content]).into())
    }
}

/// The headers of the HTTP request in which a message came.
fn headers_of(context: &RequestContext<RoleServer>) -> Option<&HeaderMap> {
    context.extensions.get::<Parts>().map(|parts| &parts.headers)
}

#[cfg(test)]
mod tests;
