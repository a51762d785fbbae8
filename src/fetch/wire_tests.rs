//! What goes over the wire: HTTP/2, one connection for many requests, content codings, proxies. Over real sockets.

use std::convert::Infallible;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use url::Url;

use super::error::FetchError;
use super::fetcher::{Fetcher, Limits};
use super::guard::Guard;
use super::settings::FetchSettings;
use super::test_site::{Reply, TestSite, Tls, certified};
use super::tests::Zone;

/// A public address without connections.
const PUBLIC: &str = "93.184.216.34";

async fn get(fetcher: &Fetcher, url: &str) -> Result<(u16, String), FetchError> {
    let limits = Limits {
        deadline: Instant::now() + Duration::from_secs(20),
        redirects: 3,
    };
    let answer = fetcher.get(&Url::parse(url).unwrap(), limits).await?;
    let status = answer.status;
    let body = answer.body.read_up_to(1 << 20).await;
    match body.broke {
        Some(error) => Err(error),
        None => Ok((status, String::from_utf8(body.bytes).unwrap())),
    }
}

#[tokio::test]
async fn http2_is_spoken_where_the_server_offers_it_over_one_connection() {
    let (mut config, certificate) = certified();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            let socket = acceptor.accept(socket).await.unwrap();
            assert_eq!(socket.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
            let version = service_fn(|request: hyper::Request<hyper::body::Incoming>| async move {
                let spoken = format!("{:?}", request.version());
                Ok::<_, Infallible>(hyper::Response::new(Full::new(Bytes::from(spoken))))
            });
            let serving = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            tokio::spawn(serving.serve_connection(TokioIo::new(socket), version));
        }
    });
    let fetcher = Fetcher::new(FetchSettings {
        connect_to: vec![format!("*.site.test={address}").parse().unwrap()],
        extra_ca: Some(certificate.path().to_owned()),
        ..FetchSettings::default()
    })
    .unwrap()
    .visit()
    .unwrap();
    for path in ["a", "b", "c"] {
        let got = get(&fetcher, &format!("https://a.site.test/{path}"))
            .await
            .unwrap();
        assert_eq!(got, (200, "HTTP/2.0".to_owned()));
    }
    let (one, other) = tokio::join!(
        get(&fetcher, "https://a.site.test/d"),
        get(&fetcher, "https://a.site.test/e")
    );
    assert!(one.is_ok() && other.is_ok());
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn requests_to_one_host_share_a_connection() {
    let site = TestSite::start(Tls::Trusted, |_| Reply::html("x")).await;
    let fetcher = Fetcher::new(site.settings()).unwrap().visit().unwrap();
    for path in ["a", "b", "c", "d"] {
        get(&fetcher, &format!("https://a.site.test/{path}"))
            .await
            .unwrap();
    }
    assert_eq!((site.asked().len(), site.connections()), (4, 1));
}

fn packed<W: Write>(writer: W, text: &str, finish: impl FnOnce(W) -> Vec<u8>) -> Vec<u8> {
    let mut writer = writer;
    writer.write_all(text.as_bytes()).unwrap();
    finish(writer)
}

#[tokio::test]
async fn each_content_coding_that_is_asked_for_is_read() {
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    let text = "Grüße aus Köln. ".repeat(2_000);
    let gzip = packed(GzEncoder::new(Vec::new(), Compression::fast()), &text, |w| {
        w.finish().unwrap()
    });
    let zlib = packed(ZlibEncoder::new(Vec::new(), Compression::fast()), &text, |w| {
        w.finish().unwrap()
    });
    let raw = packed(DeflateEncoder::new(Vec::new(), Compression::fast()), &text, |w| {
        w.finish().unwrap()
    });
    let mut brotli = async_compression::tokio::write::BrotliEncoder::new(Vec::new());
    brotli.write_all(text.as_bytes()).await.unwrap();
    brotli.shutdown().await.unwrap();
    let twice = packed(GzEncoder::new(Vec::new(), Compression::fast()), &text, |w| {
        zstd::bulk::compress(&w.finish().unwrap(), 1).unwrap()
    });
    let bodies: Vec<(&str, Vec<u8>)> = vec![
        ("gzip", gzip.clone()),
        ("x-gzip", gzip),
        ("deflate", zlib),
        ("deflate", raw),
        ("br", brotli.into_inner()),
        ("zstd", zstd::bulk::compress(text.as_bytes(), 1).unwrap()),
        ("gzip, zstd", twice),
        ("gzip", text.clone().into_bytes()),
        ("identity", text.clone().into_bytes()),
    ];
    let count = bodies.len();
    let site = TestSite::start(Tls::Trusted, move |url| {
        let number: usize = url.rsplit('/').next().unwrap().parse().unwrap();
        let (coding, body) = &bodies[number];
        Reply::ok("text/plain", body.clone()).with(&format!("Content-Encoding: {coding}"))
    })
    .await;
    let fetcher = Fetcher::new(site.settings()).unwrap();
    for number in 0..count {
        let got = get(&fetcher, &format!("https://a.site.test/{number}"))
            .await
            .unwrap();
        assert!(got.1 == text, "coding {number}");
    }
    let accepted = "accept-encoding: gzip, br, zstd, deflate";
    assert!(
        site.heads()[0].to_lowercase().contains(accepted),
        "{}",
        site.heads()[0]
    );
}

/// A proxy that records its requests and sends all of them to one address.
struct Proxy {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    async fn start(site: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(lead(socket, site, Arc::clone(&log)));
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// CONNECT, a plain request in absolute form, or SOCKS 5.
async fn lead(mut socket: TcpStream, site: SocketAddr, log: Arc<Mutex<Vec<String>>>) -> std::io::Result<()> {
    let note = |what: String| log.lock().unwrap().push(what);
    let mut first = [0];
    socket.peek(&mut first).await?;
    if first[0] == 5 {
        let mut greeting = [0; 2];
        socket.read_exact(&mut greeting).await?;
        let mut methods = vec![0; usize::from(greeting[1])];
        socket.read_exact(&mut methods).await?;
        socket.write_all(&[5, 0]).await?;
        let mut request = [0; 4];
        socket.read_exact(&mut request).await?;
        let target = match request[3] {
            1 => {
                let mut address = [0; 4];
                socket.read_exact(&mut address).await?;
                std::net::Ipv4Addr::from(address).to_string()
            }
            3 => {
                let mut name = vec![0; usize::from(socket.read_u8().await?)];
                socket.read_exact(&mut name).await?;
                String::from_utf8(name).unwrap()
            }
            other => format!("address type {other}"),
        };
        let port = socket.read_u16().await?;
        note(format!("SOCKS {target}:{port}"));
        socket.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
    } else {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(socket.read_u8().await?);
        }
        let text = String::from_utf8(head).unwrap();
        let auth = text
            .lines()
            .find(|line| line.to_lowercase().starts_with("proxy-authorization"));
        let line = text.lines().next().unwrap();
        note(format!("{line} {}", auth.unwrap_or_default()).trim().to_owned());
        if !line.starts_with("CONNECT ") {
            let page = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 3\r\n\r\nvia";
            return socket.write_all(page.as_bytes()).await;
        }
        socket
            .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
            .await?;
    }
    let mut upstream = TcpStream::connect(site).await?;
    copy_bidirectional(&mut socket, &mut upstream).await?;
    Ok(())
}

/// A fetcher behind a proxy, for which `a.site.test` is public and `inside.site.test` is not; `both` and `mixed` have
/// an address of each kind. The proxy is at `proxy.test`, a loopback address, or at `door.test`, which is both.
fn behind(site: &TestSite, proxy: &str, resolves: bool) -> Fetcher {
    let settings = FetchSettings {
        connect_to: Vec::new(),
        proxy: Some(proxy.parse().unwrap()),
        proxy_resolves: resolves,
        ..site.settings()
    };
    let zone = Zone::default()
        .with("a.site.test", &[&[PUBLIC]])
        .with("inside.site.test", &[&["127.0.0.1"]])
        .with("both.site.test", &[&[PUBLIC, "10.0.0.1"]])
        .with("mixed.site.test", &[&["fd00::1", PUBLIC, "fe80::1"]])
        .with("door.test", &[&["127.0.0.1", PUBLIC]])
        .with("proxy.test", &[&["127.0.0.1"]]);
    Fetcher::guarded_by(Guard::with_names(&settings, Arc::new(zone)), settings).unwrap()
}

async fn site_and_proxy() -> (TestSite, Proxy) {
    let site = TestSite::start(Tls::Trusted, Reply::html).await;
    let proxy = Proxy::start(site.address()).await;
    (site, proxy)
}

#[tokio::test]
async fn through_an_http_proxy_tls_is_spoken_with_the_site_itself() {
    let (site, proxy) = site_and_proxy().await;
    let url = format!("http://user:secret@proxy.test:{}", proxy.address.port());
    let fetcher = behind(&site, &url, false);
    let got = get(&fetcher, "https://a.site.test/x").await.unwrap();
    assert_eq!(got, (200, "https://a.site.test/x".to_owned()));
    assert_eq!(get(&fetcher, "http://a.site.test/y").await.unwrap().1, "via");
    let asked = proxy.asked();
    assert!(
        asked[0].starts_with("CONNECT a.site.test:443 HTTP/1.1"),
        "{asked:?}"
    );
    assert!(
        asked[1].starts_with("GET http://a.site.test/y HTTP/1.1"),
        "{asked:?}"
    );
    assert!(
        asked.iter().all(|line| line.ends_with("Basic dXNlcjpzZWNyZXQ=")),
        "{asked:?}"
    );
    assert!(!format!("{fetcher:?}").contains("secret"));
}

#[tokio::test]
async fn a_socks_proxy_is_given_the_address_that_was_checked() {
    let (site, proxy) = site_and_proxy().await;
    let fetcher = behind(&site, &format!("socks5://{}", proxy.address), false);
    let got = get(&fetcher, "https://a.site.test/x").await.unwrap();
    assert_eq!(got, (200, "https://a.site.test/x".to_owned()));
    assert_eq!(proxy.asked(), [format!("SOCKS {PUBLIC}:443")]);
}

#[tokio::test]
async fn no_proxy_is_asked_for_what_is_not_public() {
    let (site, proxy) = site_and_proxy().await;
    for scheme in ["http", "socks5"] {
        for at in ["proxy.test".to_owned(), "127.0.0.1".to_owned()] {
            let fetcher = behind(&site, &format!("{scheme}://{at}:{}", proxy.address.port()), false);
            for url in [
                "https://inside.site.test/",
                "http://inside.site.test/",
                "https://127.0.0.1/",
                "http://10.0.0.1/",
                // The proxy's own name is no way in either.
                "http://proxy.test/",
                "https://proxy.test/",
            ] {
                let refused = get(&fetcher, url).await.unwrap_err();
                assert!(
                    matches!(refused, FetchError::Forbidden { .. }),
                    "{scheme} {url}: {refused}"
                );
            }
            let unknown = get(&fetcher, "https://nowhere.site.test/").await.unwrap_err();
            assert!(matches!(unknown, FetchError::NameUnknown { .. }), "{unknown}");
        }
    }
    assert!(proxy.asked().is_empty(), "{:?}", proxy.asked());
}

#[tokio::test]
async fn an_http_proxy_is_not_left_to_choose_between_a_public_address_and_another() {
    let (site, proxy) = site_and_proxy().await;
    let port = proxy.address.port();
    let urls = |hosts: &[&str]| -> Vec<String> {
        let schemes = ["http", "https"].into_iter();
        schemes
            .flat_map(|scheme| hosts.iter().map(move |host| format!("{scheme}://{host}/")))
            .collect()
    };
    let mut refused = vec![(
        format!("http://proxy.test:{port}"),
        urls(&["both.site.test", "mixed.site.test"]),
    )];
    // The site has the proxy's own name: then its addresses are given out unchecked.
    for scheme in ["http", "socks5"] {
        refused.push((format!("{scheme}://door.test:{port}"), urls(&["door.test"])));
    }
    for (at, urls) in refused {
        let fetcher = behind(&site, &at, false);
        for url in urls {
            let refused = get(&fetcher, &url).await.unwrap_err();
            assert!(
                matches!(refused, FetchError::Forbidden { .. }),
                "{at} {url}: {refused}"
            );
        }
    }
    assert!(proxy.asked().is_empty(), "{:?}", proxy.asked());
}

#[tokio::test]
async fn a_socks_proxy_is_given_the_public_address_of_several() {
    let (site, proxy) = site_and_proxy().await;
    let fetcher = behind(
        &site,
        &format!("socks5://door.test:{}", proxy.address.port()),
        false,
    );
    for host in ["both.site.test", "mixed.site.test"] {
        assert!(get(&fetcher, &format!("https://{host}/")).await.is_ok(), "{host}");
    }
    assert_eq!(
        proxy.asked(),
        [format!("SOCKS {PUBLIC}:443"), format!("SOCKS {PUBLIC}:443")]
    );
}

#[tokio::test]
async fn a_proxy_that_alone_resolves_names_is_trusted_with_them_but_not_with_addresses() {
    let (site, proxy) = site_and_proxy().await;
    let fetcher = behind(&site, &format!("http://{}", proxy.address), true);
    assert!(get(&fetcher, "https://b.site.test/").await.is_ok());
    let refused = get(&fetcher, "https://169.254.169.254/").await.unwrap_err();
    assert!(matches!(refused, FetchError::Forbidden { .. }), "{refused}");
    assert_eq!(proxy.asked().len(), 1);
}

#[tokio::test]
async fn hosts_with_an_address_of_their_own_are_not_asked_through_the_proxy() {
    let (site, proxy) = site_and_proxy().await;
    let settings = FetchSettings {
        proxy: Some(format!("http://{}", proxy.address).parse().unwrap()),
        ..site.settings()
    };
    let fetcher = Fetcher::new(settings).unwrap();
    assert!(get(&fetcher, "https://a.site.test/x").await.is_ok());
    assert!(proxy.asked().is_empty());
}
