//! Sites to scan: a real HTTP/1.1 server on one loopback port that speaks TLS and plain HTTP, for any number of hosts.
//!
//! Tests use it in their own process; benches run `examples/sites.rs` in another. It counts requests and can hold
//! them, so that a test can look, or kill something, in the middle of a scan. Not here: what the bodies say (`pages`).
//!
//! `siteNNNNN.sites.test` is an ordinary site. The special ones, all below `sites.test`:
//!
//! | host | does |
//! |---|---|
//! | `err500` `err403` `err404` | that status for every path |
//! | `empty` | 200, HTML, no bytes |
//! | `loop` `hop` `inside` `meta` | redirects: to itself; to `site00000`; to a port of this machine; to a cloud's metadata |
//! | `slow` `*.slow` | answers after `SitesOptions::slow` |
//! | `bomb` | its sitemap inflates to `SitesOptions::bomb_bytes` |
//! | `big` | a home page of `SitesOptions::big_bytes` |
//! | `soft404` | every path is a home page with status 200 |
//! | `flaky` | 503 for the first `SitesOptions::flaky_failures` requests, then an ordinary site |
//! | `changing` | a home page that is another edition at each visit |
//! | `bad.name` | an ordinary site whose certificate is for other names |
//! | `back.name` | the same, and plain HTTP redirects to https |

mod bomb;
mod gate;
mod listener;
mod pages;

use std::collections::HashMap;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION};
use axum::http::{HeaderMap, HeaderName, Response, StatusCode, Uri, header};
use tempfile::NamedTempFile;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

pub use gate::Gate;
use gate::Gates;
use listener::{Certificates, Origin, SniffingListener};
use pages::{Document, Pages, Site};

/// The number of sites, and the parameters of the special ones.
#[derive(Clone, Debug)]
pub struct SitesOptions {
    /// 0 takes a free port.
    pub port: u16,
    /// Ordinary sites, `site00000` and up.
    pub sites: usize,
    /// In each of the two sitemaps of an ordinary site.
    pub urls_per_sitemap: usize,
    /// Before `slow` answers.
    pub slow: Duration,
    /// Inflated size of `bomb`'s sitemap.
    pub bomb_bytes: u64,
    /// Size of `big`'s home page.
    pub big_bytes: u64,
    /// Requests that `flaky` refuses.
    pub flaky_failures: u64,
    /// Whether every document has an `ETag`, and gets 304 if the client has it.
    pub tagged: bool,
    /// Whether ordinary sites are small: a home page of some lines without pictures, and one sitemap.
    pub small: bool,
    /// Before each answer of an ordinary site.
    pub pause: Duration,
}

impl Default for SitesOptions {
    fn default() -> Self {
        Self {
            port: 0,
            sites: 20,
            urls_per_sitemap: 50,
            slow: Duration::from_mins(1),
            bomb_bytes: 10 << 30,
            big_bytes: 64 << 20,
            flaky_failures: 2,
            tagged: false,
            small: false,
            pause: Duration::ZERO,
        }
    }
}

/// The running server; it accepts no connections after it is dropped.
pub struct Sites {
    farm: Arc<Farm>,
    address: SocketAddr,
    ca: NamedTempFile,
    server: AbortHandle,
}

struct Farm {
    options: SitesOptions,
    pages: Pages,
    requests: Mutex<HashMap<String, HashMap<String, u64>>>,
    gates: Gates,
}

impl Sites {
    pub async fn start(options: SitesOptions) -> io::Result<Self> {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let address = socket.local_addr()?;
        let certificates = Certificates::make().map_err(io::Error::other)?;
        let mut ca = NamedTempFile::with_prefix("sites-ca-")?;
        ca.write_all(certificates.ca_pem.as_bytes())?;
        let farm = Arc::new(Farm {
            pages: Pages::new(&options),
            options,
            requests: Mutex::default(),
            gates: Gates::default(),
        });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&farm));
        let service = router.into_make_service_with_connect_info::<Origin>();
        let listener = SniffingListener::new(socket, certificates.acceptor);
        let server = tokio::spawn(async move { axum::serve(listener, service).await }).abort_handle();
        Ok(Self {
            farm,
            address,
            ca,
            server,
        })
    }

    /// What a scan of `siteNNNNN` must find.
    pub fn site(number: usize) -> Site {
        Site::new(number)
    }

    /// The value of `SITELOG_FETCH__CONNECT_TO` for this server.
    pub fn connect_to(&self) -> String {
        format!("*.sites.test={}", self.address)
    }

    /// The value of `SITELOG_FETCH__EXTRA_CA` that trusts these sites.
    pub fn ca_pem(&self) -> &Path {
        self.ca.path()
    }

    /// Number of requests for one path of one host.
    pub fn requests(&self, host: &str, path: &str) -> u64 {
        let requests = self.farm.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests
            .get(host)
            .and_then(|paths| paths.get(path))
            .copied()
            .unwrap_or(0)
    }

    /// Number of requests for one host.
    pub fn requests_to(&self, host: &str) -> u64 {
        let requests = self.farm.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.get(host).map_or(0, |paths| paths.values().sum())
    }

    /// Number of requests for all hosts.
    pub fn all_requests(&self) -> u64 {
        let requests = self.farm.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.values().flat_map(HashMap::values).sum()
    }

    /// From now on, keeps requests for this path of this host waiting until the gate opens or is dropped.
    pub fn hold(&self, host: &str, path: &str) -> Gate {
        self.farm.gates.close(host, path)
    }
}

impl Drop for Sites {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Farm {
    /// Counts a request; returns the number of earlier ones for the host.
    fn count(&self, host: &str, path: &str) -> u64 {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        if !requests.contains_key(host) {
            requests.insert(host.to_owned(), HashMap::new());
        }
        let paths = requests.get_mut(host).expect("inserted above");
        let before = paths.values().sum();
        match paths.get_mut(path) {
            Some(count) => *count += 1,
            None => drop(paths.insert(path.to_owned(), 1)),
        }
        before
    }
}

async fn answer(
    State(farm): State<Arc<Farm>>,
    ConnectInfo(origin): ConnectInfo<Origin>,
    uri: Uri,
    headers: HeaderMap,
) -> Response<Body> {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let path = uri.path();
    let before = farm.count(&host, path);
    farm.gates.pass(&host, path).await;
    let Some(name) = host.strip_suffix(".sites.test") else {
        return status(404);
    };
    match name {
        "err500" => status(500),
        "err403" => status(403),
        "err404" => status(404),
        "empty" => html(Document::html("")),
        "loop" => redirect(302, &format!("{}://{host}{path}", origin.scheme())),
        "changing" if path == "/" => {
            let edition = before + 1;
            html(Document::html(format!(
                "<!doctype html><html lang=en><title>Edition {edition}</title><p>Write to edition{edition}@{host}"
            )))
        }
        "hop" => redirect(301, "https://site00000.sites.test/"),
        "inside" => redirect(301, "http://127.0.0.1:1/"),
        "meta" => redirect(301, "http://169.254.169.254/latest/meta-data/"),
        "back.name" if origin.scheme() == "http" => redirect(301, &format!("https://{host}{path}")),
        "flaky" if before < farm.options.flaky_failures => status(503),
        slow if slow.split('.').next_back() == Some("slow") => {
            tokio::time::sleep(farm.options.slow).await;
            html(Document::html("<title>late</title>"))
        }
        _ => {
            if !farm.options.pause.is_zero() {
                tokio::time::sleep(farm.options.pause).await;
            }
            match farm.pages.document(name, path) {
                Some(_) if farm.options.tagged && headers.contains_key(IF_NONE_MATCH) => not_modified(),
                Some(document) if farm.options.tagged => tagged(html(document)),
                Some(document) => html(document),
                None => status(404),
            }
        }
    }
}

fn tagged(mut response: Response<Body>) -> Response<Body> {
    set(&mut response, ETAG, "\"as ever\"");
    response
}

fn not_modified() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    tagged(response)
}

fn status(code: u16) -> Response<Body> {
    let page = format!("<!doctype html><title>{code}</title><h1>{code}</h1>");
    let mut response = html(Document::html(page));
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

fn redirect(code: u16, target: &str) -> Response<Body> {
    let mut response = status(code);
    set(&mut response, LOCATION, target);
    response
}

fn html(document: Document) -> Response<Body> {
    let mut response = Response::new(document.body);
    set(&mut response, CONTENT_TYPE, document.media_type);
    set(&mut response, CONTENT_LENGTH, &document.length.to_string());
    response
}

fn set(response: &mut Response<Body>, name: HeaderName, value: &str) {
    response
        .headers_mut()
        .insert(name, value.parse().expect("made of ASCII"));
}
