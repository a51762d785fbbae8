//! A server that breaks every rule, byte by byte: TLS and plain HTTP on one loopback port, one kind of misbehaviour
//! per host.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tempfile::NamedTempFile;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// What sends and is sent.
pub(super) trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

/// A running server.
pub(super) struct HostileSite {
    pub(super) address: SocketAddr,
    pub(super) ca: NamedTempFile,
    /// Heads of all requests.
    pub(super) heads: Arc<Mutex<Vec<String>>>,
}

impl HostileSite {
    pub(super) async fn start() -> Self {
        let certificates = Certificates::make();
        let ca = NamedTempFile::with_prefix("hostile-ca-").unwrap();
        std::fs::write(ca.path(), &certificates.ca_pem).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(certificates));
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let bombs = Arc::new(Bombs::make().await);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let heads: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = Arc::clone(&heads);
        // In a runtime of its own: what it costs to be bad must not be taken for what it costs to be visited.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener).unwrap();
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(connection(
                        stream,
                        acceptor.clone(),
                        Arc::clone(&log),
                        Arc::clone(&bombs),
                    ));
                }
            });
        });
        Self { address, ca, heads }
    }
}

async fn connection(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    log: Arc<Mutex<Vec<String>>>,
    bombs: Arc<Bombs>,
) {
    let mut first = [0];
    if !matches!(stream.peek(&mut first).await, Ok(1)) {
        return;
    }
    let mut stream: Box<dyn Connection> = if first[0] == 0x16 {
        match acceptor.accept(stream).await {
            Ok(stream) => Box::new(stream),
            Err(_) => return,
        }
    } else {
        Box::new(stream)
    };
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or("/").to_owned();
    let host = head
        .lines()
        .find_map(|line| {
            line.to_ascii_lowercase()
                .strip_prefix("host: ")
                .map(str::to_owned)
        })
        .unwrap_or_default();
    log.lock().unwrap().push(head);
    let name = host.split('.').next().unwrap_or_default();
    let secure = first[0] == 0x16;
    // One answer per connection. Whoever has hung up has seen enough.
    let _gone = misbehave(stream.as_mut(), name, &path, secure, &bombs).await;
    let _gone = stream.shutdown().await;
}

async fn misbehave(
    to: &mut dyn Connection,
    name: &str,
    path: &str,
    secure: bool,
    bombs: &Bombs,
) -> std::io::Result<()> {
    let host = format!("https://{name}.hostile.test");
    // Those whose certificate is bad do not serve plain HTTP either.
    if !secure && matches!(name, "expired" | "selfsigned" | "wrongname") {
        return Ok(());
    }
    let sitemap = match (name, path) {
        ("robotsbomb", "/robots.txt") => return coded(to, "text/plain", "gzip", &bombs.gzip).await,
        ("robotsendless", "/robots.txt") => return endless(to, "text/plain", b"Disallow: /x\n").await,
        (_, "/robots.txt") if name.starts_with("map") => {
            return whole(to, "text/plain", format!("Sitemap: {host}/0.xml\n").as_bytes()).await;
        }
        (_, "/robots.txt") => {
            return to
                .write_all(b"HTTP/1.1 404 x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                .await;
        }
        (_, path) if name.starts_with("map") && path != "/" => true,
        _ => false,
    };
    if sitemap {
        return bad_sitemap(to, name, path, &host, bombs).await;
    }
    match name {
        "headers" | "header" | "continue" | "drip" | "driphead" | "silent" => bad_head(to, name).await,
        "gzip" | "zstd" | "zstdwindow" | "brotli" | "nested" | "brokengzip" => {
            bad_coding(to, name, bombs).await
        }
        _ => bad_page(to, name, path, &host).await,
    }
}

async fn bad_head(to: &mut dyn Connection, name: &str) -> std::io::Result<()> {
    match name {
        "headers" => {
            to.write_all(b"HTTP/1.1 200 OK\r\n").await?;
            loop {
                to.write_all("x-more: and more\r\n".repeat(1000).as_bytes())
                    .await?;
            }
        }
        "header" => {
            to.write_all(b"HTTP/1.1 200 OK\r\nx-long: ").await?;
            loop {
                to.write_all(&vec![b'y'; 65536]).await?;
            }
        }
        "continue" => loop {
            to.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
            tokio::time::sleep(Duration::from_millis(20)).await;
        },
        "drip" => {
            drip(
                to,
                b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n<title>slow</title>",
                52,
            )
            .await
        }
        "driphead" => drip(to, b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n", 0).await,
        "silent" => std::future::pending().await,
        other => unreachable!("{other} has no bad head"),
    }
}

async fn bad_coding(to: &mut dyn Connection, name: &str, bombs: &Bombs) -> std::io::Result<()> {
    let page = "text/html";
    match name {
        "gzip" => coded(to, page, "gzip", &bombs.gzip).await,
        "zstd" => coded(to, page, "zstd", &bombs.zstd).await,
        "zstdwindow" => coded(to, page, "zstd", &bombs.zstd_window).await,
        "brotli" => coded(to, page, "br", &bombs.brotli).await,
        "nested" => coded(to, page, "gzip, gzip, gzip", &bombs.nested).await,
        "brokengzip" => coded(to, page, "gzip", b"\x1f\x8b\x08\x00rubbish").await,
        other => unreachable!("{other} has no bad coding"),
    }
}

async fn bad_page(to: &mut dyn Connection, name: &str, path: &str, host: &str) -> std::io::Result<()> {
    match name {
        "body" => endless(to, "text/html", b"<p>more and more</p>\n").await,
        "charset" => {
            whole(
                to,
                "text/html; charset=utf-16",
                b"<html><title>caf\xe9</title><p>\xff\xfe\x00",
            )
            .await
        }
        "unknowncharset" => whole(to, "text/html; charset=klingon", b"<html><title>caf\xe9</title>").await,
        "nul" => {
            whole(
                to,
                "text/html",
                b"<html><title>a\0b</title>\0\0\0<p>mail\0@nul.hostile.test</p>",
            )
            .await
        }
        "redirects" => {
            let number: u64 = path.trim_start_matches('/').parse().unwrap_or(0);
            redirect(to, &format!("{host}/{}", number + 1)).await
        }
        "longredirect" => redirect(to, &format!("{host}/{}", "x".repeat(60_000))).await,
        "http10" => {
            let page = b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<html><title>old</title>";
            to.write_all(page).await
        }
        "premature" => {
            let page = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 100000\r\n\r\n<html><title>half</title>";
            to.write_all(page).await
        }
        "hangup" => Ok(()),
        "nothttp" => to.write_all(b"SSH-2.0-OpenSSH_9.2\r\n\r\n\r\n").await,
        "badchunk" => {
            let page = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff0\r\n<html>";
            to.write_all(page).await
        }
        "twolengths" => {
            let page = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n<html>";
            to.write_all(page).await
        }
        _ => {
            let cookie = "set-cookie: id=secret; Path=/; Domain=hostile.test\r\n";
            let page = b"<!doctype html><title>Good</title><a href='/contact'>Contact</a>";
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n{cookie}content-length: {}\r\nconnection: close\r\n\r\n",
                page.len()
            );
            to.write_all(head.as_bytes()).await?;
            to.write_all(page).await
        }
    }
}

async fn bad_sitemap(
    to: &mut dyn Connection,
    name: &str,
    path: &str,
    host: &str,
    bombs: &Bombs,
) -> std::io::Result<()> {
    let number: u64 = path
        .trim_matches(|c: char| !c.is_ascii_digit())
        .parse()
        .unwrap_or(0);
    let xml = "application/xml";
    match name {
        "mapmillions" => {
            to.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/xml\r\n\r\n<urlset>")
                .await?;
            for thousand in 0..10_000 {
                let urls: String = (0..1000)
                    .map(|one| {
                        [
                            "<url><loc>",
                            host,
                            "/p/",
                            &(thousand * 1000 + one).to_string(),
                            "</loc></url>",
                        ]
                        .concat()
                    })
                    .collect();
                to.write_all(urls.as_bytes()).await?;
            }
            to.write_all(b"</urlset>").await
        }
        "mapself" => {
            let index = format!("<sitemapindex><sitemap><loc>{host}/0.xml</loc></sitemap></sitemapindex>");
            whole(to, xml, index.as_bytes()).await
        }
        "mapdeep" => {
            let next = if number < 1000 { number + 1 } else { 0 };
            let index =
                format!("<sitemapindex><sitemap><loc>{host}/{next}.xml</loc></sitemap></sitemapindex>");
            whole(to, xml, index.as_bytes()).await
        }
        "mapwide" => {
            let children: String = (number * 1000..number * 1000 + 1000)
                .map(|one| {
                    [
                        "<sitemap><loc>",
                        host,
                        "/",
                        &one.to_string(),
                        ".xml</loc></sitemap>",
                    ]
                    .concat()
                })
                .collect();
            whole(
                to,
                xml,
                format!("<sitemapindex>{children}</sitemapindex>").as_bytes(),
            )
            .await
        }
        "maplaughs" => {
            let mut dtd = String::from("<!ENTITY l0 \"ha\">");
            for n in 1..20 {
                let references = format!("&l{};", n - 1).repeat(10);
                dtd += &["<!ENTITY l", &n.to_string(), " \"", &references, "\">"].concat();
            }
            let map = format!("<!DOCTYPE u [{dtd}]><urlset><url><loc>{host}/&l19;</loc></url></urlset>");
            whole(to, xml, map.as_bytes()).await
        }
        "mapexternal" => {
            let dtd = "<!ENTITY file SYSTEM \"file:///etc/passwd\"><!ENTITY % more SYSTEM \"http://127.0.0.1:1/x.dtd\"> %more;";
            let map = format!("<!DOCTYPE u [{dtd}]><urlset><url><loc>{host}/&file;</loc></url></urlset>");
            whole(to, xml, map.as_bytes()).await
        }
        "mapnested" => {
            let deep = format!("<urlset>{}</urlset>", "<a>".repeat(300_000));
            whole(to, xml, deep.as_bytes()).await
        }
        "mapgzip" => coded(to, xml, "gzip", &bombs.gzip).await,
        "mapendless" => endless(to, xml, b"<url><loc>https://mapendless.hostile.test/</loc></url>").await,
        _ => whole(to, xml, b"\0\0\0<\0urlset>").await,
    }
}

async fn whole(to: &mut dyn Connection, media_type: &str, body: &[u8]) -> std::io::Result<()> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {media_type}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    );
    to.write_all(head.as_bytes()).await?;
    to.write_all(body).await
}

async fn coded(to: &mut dyn Connection, media_type: &str, coding: &str, body: &[u8]) -> std::io::Result<()> {
    whole(to, &format!("{media_type}\r\ncontent-encoding: {coding}"), body).await
}

async fn redirect(to: &mut dyn Connection, target: &str) -> std::io::Result<()> {
    let head =
        format!("HTTP/1.1 302 x\r\nlocation: {target}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    to.write_all(head.as_bytes()).await
}

async fn endless(to: &mut dyn Connection, media_type: &str, piece: &[u8]) -> std::io::Result<()> {
    to.write_all(format!("HTTP/1.1 200 OK\r\ncontent-type: {media_type}\r\n\r\n").as_bytes())
        .await?;
    let piece = piece.repeat(1000);
    loop {
        to.write_all(&piece).await?;
    }
}

/// The first bytes at once, the rest one a second.
async fn drip(to: &mut dyn Connection, bytes: &[u8], at_once: usize) -> std::io::Result<()> {
    let (first, rest) = bytes.split_at(at_once.min(bytes.len()));
    to.write_all(first).await?;
    for byte in rest.iter().chain(b" ".iter().cycle()) {
        to.flush().await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        to.write_all(&[*byte]).await?;
    }
    Ok(())
}

/// Long pages, compressed in each supported way; created once, because that takes a while.
struct Bombs {
    gzip: Vec<u8>,
    nested: Vec<u8>,
    zstd: Vec<u8>,
    /// A small page that asks for 128 MiB to be read.
    zstd_window: Vec<u8>,
    brotli: Vec<u8>,
}

impl Bombs {
    async fn make() -> Self {
        let mut page = b"<!doctype html><title>Boom</title>".to_vec();
        page.resize(32 << 20, b' ');
        let level = async_compression::Level::Precise(1);
        let mut brotli = async_compression::tokio::write::BrotliEncoder::with_quality(Vec::new(), level);
        brotli.write_all(&page).await.unwrap();
        brotli.shutdown().await.unwrap();
        let once = gzip(&page);
        Self {
            nested: gzip(&gzip(&once)),
            gzip: once,
            zstd: zstd::encode_all(page.as_slice(), 1).unwrap(),
            zstd_window: with_window(b"<!doctype html><title>Wide</title>"),
            brotli: brotli.into_inner(),
        }
    }
}

fn with_window(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(27).unwrap();
    encoder.write_all(bytes).unwrap();
    // A frame that ended with its first block would be as wide as that alone.
    Write::flush(&mut encoder).unwrap();
    encoder.finish().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// By the name that the client asks for.
#[derive(Debug)]
struct Certificates {
    ca_pem: String,
    good: Arc<CertifiedKey>,
    expired: Arc<CertifiedKey>,
    selfsigned: Arc<CertifiedKey>,
    wrongname: Arc<CertifiedKey>,
}

impl Certificates {
    fn make() -> Self {
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority_key = KeyPair::generate().unwrap();
        let ca_pem = authority.self_signed(&authority_key).unwrap().pem();
        let issuer = Issuer::new(authority, authority_key);
        let of = |name: &str| CertificateParams::new([name.to_owned()]).unwrap();
        let signed = |params: CertificateParams| {
            let key = KeyPair::generate().unwrap();
            certified(params.signed_by(&key, &issuer).unwrap().der().clone(), &key)
        };
        let mut late = of("*.hostile.test");
        (late.not_before, late.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
        let own_key = KeyPair::generate().unwrap();
        let own = of("*.hostile.test").self_signed(&own_key).unwrap();
        Self {
            ca_pem,
            good: signed(of("*.hostile.test")),
            expired: signed(late),
            selfsigned: certified(own.der().clone(), &own_key),
            wrongname: signed(of("*.elsewhere.test")),
        }
    }
}

fn certified(certificate: rustls::pki_types::CertificateDer<'static>, key: &KeyPair) -> Arc<CertifiedKey> {
    let private = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let signing = rustls::crypto::ring::sign::any_supported_type(&private).unwrap();
    Arc::new(CertifiedKey::new(vec![certificate], signing))
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().unwrap_or_default();
        Some(Arc::clone(match name.split('.').next().unwrap_or_default() {
            "expired" => &self.expired,
            "selfsigned" => &self.selfsigned,
            "wrongname" => &self.wrongname,
            _ => &self.good,
        }))
    }
}
