//! A small server for tests: TLS and plain HTTP/1.1 on one loopback port. A closure provides the responses.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::settings::{ConnectTo, FetchSettings};

/// What is served on the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// With a certificate that the site's settings trust.
    Trusted,
    /// With an untrusted certificate.
    Untrusted,
    /// Handshakes are cut.
    None,
}

/// One answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// `Name: value` lines.
    pub headers: Vec<String>,
    /// As sent.
    pub body: Vec<u8>,
    /// Before the status line.
    pub wait: Duration,
    /// Bytes sent at once and the wait between them.
    pub drip: Option<(usize, Duration)>,
}

impl Reply {
    /// 200 with a type.
    pub fn ok(media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: 200,
            headers: vec![format!("Content-Type: {media_type}")],
            body: body.into(),
            wait: Duration::ZERO,
            drip: None,
        }
    }

    /// 200 with a page.
    pub fn html(body: &str) -> Self {
        Self::ok("text/html; charset=utf-8", body)
    }

    /// A status without content.
    pub fn status(status: u16) -> Self {
        Self {
            status,
            ..Self::ok("text/plain", "")
        }
    }

    /// 302.
    pub fn redirect(to: &str) -> Self {
        Self::status(302).with(&format!("Location: {to}"))
    }

    /// One more header.
    #[must_use]
    pub fn with(mut self, header: &str) -> Self {
        self.headers.push(header.to_owned());
        self
    }
}

type Answer = dyn Fn(&str) -> Reply + Send + Sync;

/// A running server; it ends with the test's runtime.
pub struct TestSite {
    address: SocketAddr,
    certificate: tempfile::NamedTempFile,
    tls: Tls,
    asked: Arc<Mutex<Vec<String>>>,
    seen: Arc<Seen>,
}

/// Request data in addition to the URLs.
#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    /// With the lines of the request's head.
    heads: Mutex<Vec<String>>,
    statuses: Mutex<Vec<u16>>,
}

impl TestSite {
    /// Serves `answer`, which is given `scheme://host/path`, for every host under `site.test`.
    pub async fn start(tls: Tls, answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_as(tls, certified(), answer).await
    }

    /// The same with a trusted certificate for other names, or for a time that is over.
    pub async fn start_with_certificate(
        names: &[&str],
        has_expired: bool,
        answer: impl Fn(&str) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::start_as(Tls::Trusted, certified_for(names, has_expired), answer).await
    }

    async fn start_as(
        tls: Tls,
        (config, certificate): (ServerConfig, tempfile::NamedTempFile),
        answer: impl Fn(&str) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (asked, answer): (Arc<Mutex<Vec<String>>>, Arc<Answer>) = (Arc::default(), Arc::new(answer));
        let log = Arc::clone(&asked);
        let seen = Arc::new(Seen::default());
        let noted = Arc::clone(&seen);
        let acceptor = TlsAcceptor::from(Arc::new(config));
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (answer, log, acceptor) = (Arc::clone(&answer), Arc::clone(&log), acceptor.clone());
                let seen = Arc::clone(&noted);
                seen.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move { connection(socket, tls, acceptor, answer, log, seen).await });
            }
        });
        Self {
            address,
            certificate,
            tls,
            asked,
            seen,
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Number of accepted connections.
    pub fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    /// The heads of all requests.
    pub fn heads(&self) -> Vec<String> {
        self.seen.heads.lock().unwrap().clone()
    }

    /// Takes the statuses of the answers since the last time.
    pub fn take_statuses(&self) -> Vec<u16> {
        std::mem::take(&mut self.seen.statuses.lock().unwrap())
    }

    /// Settings under which `*.site.test` and `site.test` are this server.
    pub fn settings(&self) -> FetchSettings {
        let pinned = |pattern: &str| ConnectTo {
            pattern: pattern.to_owned(),
            address: self.address,
        };
        FetchSettings {
            connect_to: vec![pinned("*.site.test"), pinned("site.test")],
            extra_ca: (self.tls == Tls::Trusted).then(|| self.certificate.path().to_owned()),
            ..FetchSettings::default()
        }
    }

    /// All requested URLs.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn connection(
    socket: TcpStream,
    tls: Tls,
    acceptor: TlsAcceptor,
    answer: Arc<Answer>,
    log: Arc<Mutex<Vec<String>>>,
    seen: Arc<Seen>,
) {
    let mut first = [0];
    let peeked = socket.peek(&mut first).await;
    if !matches!(peeked, Ok(1)) || (first[0] == 0x16 && tls == Tls::None) {
        return;
    }
    if first[0] == 0x16 {
        if let Ok(socket) = acceptor.accept(socket).await {
            requests(socket, "https", &*answer, &log, &seen).await;
        }
    } else {
        requests(socket, "http", &*answer, &log, &seen).await;
    }
}

async fn requests(
    mut socket: impl AsyncRead + AsyncWrite + Unpin,
    scheme: &str,
    answer: &Answer,
    log: &Mutex<Vec<String>>,
    seen: &Seen,
) {
    let mut head = Vec::new();
    while let Ok(byte) = socket.read_u8().await {
        head.push(byte);
        if !head.ends_with(b"\r\n\r\n") {
            continue;
        }
        let text = String::from_utf8_lossy(&head).into_owned();
        head.clear();
        let path = text.split(' ').nth(1).unwrap_or("/").to_owned();
        let host = text.lines().find_map(|line| {
            line.to_ascii_lowercase()
                .strip_prefix("host: ")
                .map(str::to_owned)
        });
        let url = format!("{scheme}://{}{path}", host.unwrap_or_default());
        log.lock().unwrap().push(url.clone());
        let reply = unless_same(answer(&url), &text);
        seen.heads.lock().unwrap().push(text);
        seen.statuses.lock().unwrap().push(reply.status);
        if send(&mut socket, reply).await.is_err() {
            return;
        }
    }
}

/// 304 without content if the request names the `ETag` or `Last-Modified` that the answer has.
fn unless_same(reply: Reply, request: &str) -> Reply {
    let asked_by = |name: &str| {
        request.lines().find_map(|line| {
            let (known, value) = line.split_once(": ")?;
            known.eq_ignore_ascii_case(name).then_some(value)
        })
    };
    let has = |name: &str| reply.headers.iter().find_map(|line| line.strip_prefix(name));
    let is_same = match asked_by("if-none-match") {
        Some(tag) => Some(tag) == has("ETag: "),
        None => asked_by("if-modified-since").is_some_and(|date| Some(date) == has("Last-Modified: ")),
    };
    if is_same && reply.status == 200 {
        return Reply {
            status: 304,
            body: Vec::new(),
            ..reply
        };
    }
    reply
}

/// A certificate for `site.test` and all below it, and the file to trust it by.
pub(super) fn certified() -> (ServerConfig, tempfile::NamedTempFile) {
    certified_for(&["site.test", "*.site.test"], false)
}

fn certified_for(names: &[&str], has_expired: bool) -> (ServerConfig, tempfile::NamedTempFile) {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = rcgen::CertificateParams::new(names).unwrap();
    if has_expired {
        params.not_after = rcgen::date_time_ymd(2020, 1, 2);
    }
    let signing_key = rcgen::KeyPair::generate().unwrap();
    let cert = params.self_signed(&signing_key).unwrap();
    let certificate = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(certificate.path(), cert.pem()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let private = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], private)
        .unwrap();
    (config, certificate)
}

async fn send(socket: &mut (impl AsyncWrite + Unpin), reply: Reply) -> std::io::Result<()> {
    tokio::time::sleep(reply.wait).await;
    let mut head = format!(
        "HTTP/1.1 {} x\r\nContent-Length: {}\r\n",
        reply.status,
        reply.body.len()
    );
    for header in &reply.headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    socket.write_all(head.as_bytes()).await?;
    let (size, wait) = reply.drip.unwrap_or((usize::MAX, Duration::ZERO));
    for piece in reply.body.chunks(size) {
        socket.write_all(piece).await?;
        socket.flush().await?;
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }
    socket.flush().await
}
