//! Targets that sitelog must never connect to, in every form.
//!
//! The test answers DNS queries, and records each address that the client gets for a connection: the guard is the only
//! source of addresses. Listeners on loopback count connections that must not happen.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::Instant;
use url::Url;

use super::error::FetchError;
use super::fetcher::{Fetcher, Limits};
use super::guard::{Guard, GuardedResolve};
use super::names::Names;
use super::settings::FetchSettings;
use crate::scanner::{Scanner, ScannerSettings};
use crate::values::{DomainName, FailureReason, ScanOptions};

/// Where the one site lives that may be asked: loopback to the system, public to the guard.
const PUBLIC: Ipv4Addr = Ipv4Addr::new(127, 77, 77, 77);

/// Literal hosts of URLs that lead inside, or nowhere public.
const LITERALS: &[&str] = &[
    // Plainly.
    "127.0.0.1",
    "127.1.2.3",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "100.64.0.1",
    "169.254.1.1",
    "0.0.0.0",
    "224.0.0.1",
    "239.255.255.250",
    "255.255.255.255",
    "240.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.7",
    "192.0.0.170",
    // Metadata services of clouds.
    "169.254.169.254",
    "169.254.170.2",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "[fd00:ec2::254]",
    "[fe80::a9fe:a9fe]",
    // The forms that URL parsers take for the same address (WHATWG URL, 3.5).
    "2130706433",
    "0x7f000001",
    "017700000001",
    "0177.0.0.1",
    "0x7f.0.0.1",
    "0x7f.1",
    "127.1",
    "127.0.1",
    "0",
    "0x0",
    "127.0.0.1.",
    "127.000.000.001",
    "0x7F.0x0.0x0.0x1",
    "3232235777",
    "2852039166",
    "%31%32%37.0.0.1",
    "１２７.0.0.1",
    "127。0。0。1",
    "①②⑦.⓪.⓪.①",
    // IPv6, and IPv4 inside of it.
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:a9fe:a9fe]",
    "[::127.0.0.1]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::1]",
    "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
    "[fc00::1]",
    "[fd12:3456:789a::1]",
    "[fe80::1]",
    "[fec0::1]",
    "[ff02::1]",
    "[2001:db8::1]",
    "[100::1]",
];

/// Names and what a hostile DNS says of them.
const NAMES: &[(&str, &[&str])] = &[
    ("localhost", &["127.0.0.1", "::1"]),
    ("localhost.localdomain", &["127.0.0.1"]),
    ("127.0.0.1.nip.test", &["127.0.0.1"]),
    ("7f000001.nip.test", &["127.0.0.1"]),
    ("10.0.0.1.nip.test", &["10.0.0.1"]),
    ("169-254-169-254.sslip.test", &["169.254.169.254"]),
    ("metadata.google.internal", &["169.254.169.254"]),
    ("mapped.test", &["::ffff:127.0.0.1"]),
    ("nat64.test", &["64:ff9b::7f00:1"]),
    ("six-to-four.test", &["2002:7f00:1::"]),
    ("ula.test", &["fd00:ec2::254"]),
    ("link.test", &["fe80::1"]),
    ("zero.test", &["0.0.0.0"]),
    ("multicast.test", &["224.0.0.1"]),
    ("cgnat.test", &["100.64.0.1"]),
    ("both.test", &["127.0.0.1", "10.0.0.1", "::1"]),
];

/// DNS as the test wants it: each name has answers that follow one another; the last one stays.
#[derive(Default)]
pub(super) struct Zone {
    answers: HashMap<String, Vec<Vec<IpAddr>>>,
    asked: Mutex<HashMap<String, usize>>,
}

impl Zone {
    pub(super) fn with(mut self, name: &str, answers: &[&[&str]]) -> Self {
        let parsed = answers
            .iter()
            .map(|one| one.iter().map(|text| text.parse().unwrap()).collect());
        self.answers.insert(name.to_owned(), parsed.collect());
        self
    }
}

impl Names for Zone {
    fn addresses<'a>(&'a self, host: &'a str) -> BoxFuture<'a, Result<Vec<IpAddr>, FetchError>> {
        let mut asked = self.asked.lock().unwrap();
        let count = asked.entry(host.to_owned()).or_default();
        let answer = self
            .answers
            .get(host)
            .map(|all| all[(*count).min(all.len() - 1)].clone());
        *count += 1;
        let unknown = || FetchError::NameUnknown {
            host: host.to_owned(),
        };
        Box::pin(async move { answer.ok_or_else(unknown) })
    }
}

/// The guard's answers on their way to the client, written down.
struct Recording {
    guarded: GuardedResolve,
    given: Arc<Mutex<Vec<SocketAddr>>>,
}

impl Resolve for Recording {
    fn resolve(&self, name: Name) -> Resolving {
        let (answer, given) = (self.guarded.resolve(name), Arc::clone(&self.given));
        Box::pin(async move {
            let addresses: Vec<SocketAddr> = answer.await?.collect();
            given.lock().unwrap().extend(&addresses);
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// A fetcher, a public site with given responses, and private listeners that must not be reached.
struct Field {
    fetcher: Fetcher,
    given: Arc<Mutex<Vec<SocketAddr>>>,
    site: u16,
    inside: u16,
    visitors: Arc<AtomicUsize>,
}

impl Field {
    /// `answer` makes what the site says to a request's path, given the ports of the site and of the inside.
    async fn new(zone: Zone, answer: fn(&str, u16, u16) -> String) -> Self {
        let visitors = Arc::new(AtomicUsize::new(0));
        let inside = count_visitors(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), &visitors)
            .await
            .unwrap();
        // The same ports on the other loopback, and the ports that a plain URL means, where the system lets us.
        for address in [
            SocketAddr::from((Ipv6Addr::LOCALHOST, inside)),
            SocketAddr::from((Ipv4Addr::LOCALHOST, 80)),
            SocketAddr::from((Ipv4Addr::LOCALHOST, 443)),
            SocketAddr::from((Ipv6Addr::LOCALHOST, 80)),
        ] {
            if let Err(error) = count_visitors(address, &visitors).await {
                eprintln!(
                    "nobody listens on {address} ({error}): only the addresses that are given out are watched there"
                );
            }
        }
        let listener = TcpListener::bind((PUBLIC, 0)).await.unwrap();
        let site = listener.local_addr().unwrap().port();
        tokio::spawn(serve(listener, move |path| answer(path, site, inside)));
        let settings = FetchSettings {
            allow_private: vec![IpAddr::from(PUBLIC).into()],
            connect_timeout: Duration::from_secs(2),
            first_byte_timeout: Duration::from_secs(2),
            ..FetchSettings::default()
        };
        let given = Arc::new(Mutex::new(Vec::new()));
        let zone = zone.with("public.test", &[&[&PUBLIC.to_string()]]);
        let guard = Guard::with_names(&settings, Arc::new(zone));
        let watch = Arc::clone(&given);
        let fetcher = Fetcher::watched(guard, settings, move |guarded| {
            Arc::new(Recording {
                guarded,
                given: Arc::clone(&watch),
            })
        })
        .unwrap();
        Self {
            fetcher,
            given,
            site,
            inside,
            visitors,
        }
    }

    async fn get(&self, url: &str) -> Result<(), FetchError> {
        let limits = Limits {
            deadline: Instant::now() + Duration::from_secs(20),
            redirects: 10,
        };
        let url = Url::parse(url).unwrap();
        self.fetcher.get(&url, limits).await.map(drop)
    }

    /// Nothing but the public site was connected to.
    #[track_caller]
    fn assert_nobody_was_inside(&self, after: &str) {
        let given = self.given.lock().unwrap();
        let elsewhere: Vec<&SocketAddr> = given.iter().filter(|address| address.ip() != PUBLIC).collect();
        assert!(elsewhere.is_empty(), "{after}: {elsewhere:?}");
        assert_eq!(
            self.visitors.load(Ordering::SeqCst),
            0,
            "{after}: somebody was inside"
        );
    }
}

async fn count_visitors(address: SocketAddr, visitors: &Arc<AtomicUsize>) -> std::io::Result<u16> {
    let listener = TcpListener::bind(address).await?;
    let port = listener.local_addr()?.port();
    let visitors = Arc::clone(visitors);
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            visitors.fetch_add(1, Ordering::SeqCst);
        }
    });
    Ok(port)
}

/// A plain HTTP/1.1 server that hangs up on TLS; an answer is the whole of what is sent.
async fn serve(listener: TcpListener, answer: impl Fn(&str) -> String + Clone + Send + 'static) {
    while let Ok((mut socket, _)) = listener.accept().await {
        let answer = answer.clone();
        tokio::spawn(async move {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") && head.first() != Some(&0x16) {
                match socket.read_u8().await {
                    Ok(byte) => head.push(byte),
                    Err(_) => return,
                }
            }
            let text = String::from_utf8_lossy(&head).into_owned();
            let path = text.split(' ').nth(1).unwrap_or("/").to_owned();
            if head.first() != Some(&0x16) {
                let _gone = socket.write_all(answer(&path).as_bytes()).await;
            }
        });
    }
}

fn redirect(to: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
}

fn page(media_type: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {media_type}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

fn hostile_zone() -> Zone {
    NAMES.iter().fold(Zone::default(), |zone, (name, answer)| {
        zone.with(name, &[*answer])
    })
}

fn is_forbidden(result: &Result<(), FetchError>) -> bool {
    matches!(result, Err(FetchError::Forbidden { .. }))
}

#[tokio::test]
async fn the_listeners_would_notice() {
    let field = Field::new(Zone::default(), |_, _, _| page("text/html", "")).await;
    field
        .get(&format!("http://public.test:{}/", field.site))
        .await
        .unwrap();
    assert_eq!(*field.given.lock().unwrap(), [SocketAddr::from((PUBLIC, 0))]);
    let _connection = tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, field.inside))
        .await
        .unwrap();
    while field.visitors.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn no_literal_and_no_name_leads_inside() {
    assert!(LITERALS.len() + NAMES.len() >= 60);
    let field = Field::new(hostile_zone(), |_, _, _| page("text/html", "")).await;
    let hosts = LITERALS
        .iter()
        .copied()
        .chain(NAMES.iter().map(|(name, _)| *name));
    for host in hosts {
        for (scheme, port) in [
            ("http", String::new()),
            ("https", String::new()),
            ("http", format!(":{}", field.inside)),
        ] {
            let url = format!("{scheme}://{host}{port}/");
            let result = field.get(&url).await;
            assert!(is_forbidden(&result), "{url}: {result:?}");
            field.assert_nobody_was_inside(&url);
        }
    }
}

#[tokio::test]
async fn no_other_scheme_port_or_trick_in_a_url_leads_inside() {
    let field = Field::new(hostile_zone(), |_, _, _| page("text/html", "")).await;
    let inside = field.inside;
    for url in [
        "ftp://127.0.0.1/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "gopher://127.0.0.1:70/".to_owned(),
        "data:text/html,hello".to_owned(),
        "unix:/run/docker.sock".to_owned(),
        format!("http://public.test@127.0.0.1:{inside}/"),
        format!("http://public.test:80@localhost:{inside}/"),
        format!("http://127.0.0.1:{inside}#@public.test/"),
        format!("http://127.0.0.1:{inside}\\@public.test/"),
        format!("http:127.0.0.1:{inside}/"),
        format!("http:////127.0.0.1:{inside}/"),
        "http://8.8.8.8:22/".to_owned(),
        "https://8.8.8.8:8443/".to_owned(),
    ] {
        let result = field.get(&url).await;
        assert!(is_forbidden(&result), "{url}: {result:?}");
        field.assert_nobody_was_inside(&url);
    }
}

#[tokio::test]
async fn no_redirect_leads_inside_at_whichever_hop() {
    // `/<hops>/<target>` redirects `hops` times within the site and then to the target.
    let field = Field::new(hostile_zone(), |path, site, _| {
        let mut parts = path.trim_start_matches('/').splitn(2, '/');
        let hops: u32 = parts.next().and_then(|hops| hops.parse().ok()).unwrap_or(0);
        let target = parts.next().unwrap_or_default();
        if hops == 0 {
            let target = hex::decode(target).unwrap_or_default();
            return redirect(&String::from_utf8_lossy(&target));
        }
        redirect(&format!("http://public.test:{site}/{}/{target}", hops - 1))
    })
    .await;
    let hosts = LITERALS
        .iter()
        .copied()
        .chain(NAMES.iter().map(|(name, _)| *name));
    let targets = hosts
        .flat_map(|host| {
            [
                format!("http://{host}/"),
                format!("http://{host}:{}/", field.inside),
            ]
        })
        .chain(
            [
                "file:///etc/passwd",
                "//127.0.0.1/",
                "http://user:word@127.0.0.1/",
            ]
            .map(str::to_owned),
        );
    for (hops, target) in (0..).map(|n| n % 9).zip(targets) {
        let url = format!(
            "http://public.test:{}/{hops}/{}",
            field.site,
            hex::encode(&target)
        );
        let result = field.get(&url).await;
        assert!(is_forbidden(&result), "{target} after {hops}: {result:?}");
        field.assert_nobody_was_inside(&target);
    }
}

#[tokio::test]
async fn a_name_that_changes_its_answer_gains_nothing() {
    let public = PUBLIC.to_string();
    let public = &[public.as_str()][..];
    for (n, answers) in [
        // Public when it is checked, private when it is connected to.
        vec![public, &["127.0.0.1"]],
        vec![public, public, &["127.0.0.1"]],
        vec![public, &["169.254.169.254"], public],
        // Private first, public later: refused, and no better the second time.
        vec![&["127.0.0.1"], public],
    ]
    .into_iter()
    .enumerate()
    {
        let zone = Zone::default().with("rebind.test", &answers);
        let field = Field::new(zone, |_, site, _| {
            redirect(&format!("http://rebind.test:{site}/"))
        })
        .await;
        for _ in 0..4 {
            let url = format!("http://rebind.test:{}/", field.site);
            let _whatever_it_is = field.get(&url).await;
            field.assert_nobody_was_inside(&format!("answers {n}"));
        }
        // And with the ports that are not checked before.
        for scheme in ["http", "https"] {
            let _whatever_it_is = field.get(&format!("{scheme}://rebind.test/")).await;
            field.assert_nobody_was_inside(&format!("answers {n}"));
        }
    }
}

#[tokio::test]
async fn of_mixed_addresses_only_the_public_ones_are_given_out() {
    let public = PUBLIC.to_string();
    let zone = Zone::default().with("mixed.test", &[&["127.0.0.1", &public, "10.0.0.1", "::1"]]);
    let field = Field::new(zone, |_, _, _| page("text/html", "")).await;
    let _nobody_listens_there = field.get("http://mixed.test/").await;
    assert_eq!(*field.given.lock().unwrap(), [SocketAddr::from((PUBLIC, 0))]);
    field.assert_nobody_was_inside("mixed.test");
}

#[tokio::test]
async fn names_and_passwords_in_urls_are_not_sent() {
    let listener = TcpListener::bind((PUBLIC, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let settings = FetchSettings {
        allow_private: vec![IpAddr::from(PUBLIC).into()],
        ..FetchSettings::default()
    };
    let fetcher = Fetcher::new(settings).unwrap();
    let url = Url::parse(&format!("http://user:word@{PUBLIC}:{port}/")).unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    let asking = tokio::spawn(async move {
        fetcher
            .get(
                &url,
                Limits {
                    deadline,
                    redirects: 1,
                },
            )
            .await
            .map(drop)
    });
    let (mut socket, _) = listener.accept().await.unwrap();
    let mut head = vec![0; 4096];
    let read = socket.read(&mut head).await.unwrap();
    let head = String::from_utf8_lossy(&head[..read]).to_lowercase();
    socket.write_all(page("text/html", "x").as_bytes()).await.unwrap();
    asking.await.unwrap().unwrap();
    for word in ["authorization", "cookie", "referer", "word"] {
        assert!(!head.contains(word), "{head}");
    }
}

/// Everything in a site's files that names other places names the inside.
fn poisoned(path: &str, site: u16, inside: u16) -> String {
    let targets = [
        format!("http://127.0.0.1:{inside}/sitemap.xml"),
        format!("http://[::1]:{inside}/sitemap.xml"),
        "http://169.254.169.254/latest/meta-data/sitemap.xml".to_owned(),
        format!("http://localhost:{inside}/sitemap.xml"),
        format!("http://public.test:{site}/hop.xml"),
    ];
    match path {
        "/robots.txt" => {
            let lines: String = targets
                .iter()
                .flat_map(|target| ["Sitemap: ", target, "\n"])
                .collect();
            page(
                "text/plain",
                &format!("{lines}Sitemap: http://public.test:{site}/index.xml\n"),
            )
        }
        "/index.xml" => {
            let children: String = targets
                .iter()
                .flat_map(|target| ["<sitemap><loc>", target, "</loc></sitemap>"])
                .collect();
            page(
                "application/xml",
                &format!("<sitemapindex>{children}</sitemapindex>"),
            )
        }
        "/hop.xml" => redirect(&format!("http://127.0.0.1:{inside}/sitemap.xml")),
        "/contact" => redirect(&format!("http://127.0.0.1:{inside}/contact")),
        _ => page(
            "text/html",
            &format!(
                "<!doctype html><title>Poisoned</title><link rel=sitemap href='http://127.0.0.1:{inside}/s.xml'>\
                 <a href='/contact'>Contact</a><a href='http://localhost:{inside}/contact'>Contact us</a>\
                 <img src='http://127.0.0.1:{inside}/logo.png'><meta http-equiv=refresh content='0;url=http://127.0.0.1:{inside}/'>"
            ),
        ),
    }
}

#[tokio::test]
async fn nothing_that_a_site_names_leads_a_scan_inside() {
    let field = Field::new(hostile_zone(), poisoned).await;
    // The scan asks on port 80, so the one site is pinned; whatever it names is not.
    let settings = FetchSettings {
        connect_to: vec![format!("public.test={PUBLIC}:{}", field.site).parse().unwrap()],
        ..field.fetcher.settings().clone()
    };
    let given = Arc::clone(&field.given);
    let guard = Guard::with_names(&settings, Arc::new(hostile_zone()));
    let fetcher = Fetcher::watched(guard, settings, move |guarded| {
        Arc::new(Recording {
            guarded,
            given: Arc::clone(&given),
        })
    })
    .unwrap();
    let scanner = Scanner::new(fetcher, ScannerSettings::default());
    let domain = DomainName::parse("public.test").unwrap();
    let report = scanner
        .scan(&domain, &ScanOptions::default(), Duration::from_secs(30))
        .await;
    let findings = report.outcome.expect("the site itself can be read");
    assert_eq!(findings.title.as_deref(), Some("Poisoned"));
    field.assert_nobody_was_inside("the scan");
}

#[tokio::test]
async fn a_scan_of_an_inner_name_fails_as_forbidden() {
    let settings = FetchSettings::default();
    let zone = hostile_zone();
    let guard = Guard::with_names(&settings, Arc::new(zone));
    let scanner = Scanner::new(
        Fetcher::guarded_by(guard, settings).unwrap(),
        ScannerSettings::default(),
    );
    for name in ["127.0.0.1.nip.test", "metadata.google.internal", "mapped.test"] {
        let domain = DomainName::parse(name).unwrap();
        let report = scanner
            .scan(&domain, &ScanOptions::default(), Duration::from_secs(30))
            .await;
        assert_eq!(
            report.outcome.unwrap_err().reason,
            FailureReason::ForbiddenAddress,
            "{name}"
        );
    }
}
