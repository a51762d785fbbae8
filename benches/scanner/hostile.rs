//! The cost of a hostile site, or of a tenant with many: memory, CPU time, and the delay of others.
//!
//! Each kind of site is scanned by a separate process; this process serves the sites, over plain HTTP on loopback.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::ensure;
use futures::future::join_all;
use sitelog::fetch::{FetchSettings, Fetcher};
use sitelog::scanner::{Scanner, ScannerSettings};
use sitelog::values::report::SiteReport;
use sitelog::values::{DomainName, ScanOptions, TenantId};

use crate::documents::gzip;
use crate::memory::{of_this_process, resident};

/// Megabytes over idle that a scan may take at its peak.
const MAX_MEMORY: u64 = 300;

/// The maximum delay of a timer while a site is scanned.
const MAX_DELAY: Duration = Duration::from_millis(100);

/// The maximum slowdown of a tenant's scans beside another's, unless they are fast anyway.
const MAX_UNFAIR: f64 = 5.0;
const NO_TIME: Duration = Duration::from_secs(2);

const SHAPES: [&str; 5] = ["indexes", "long-urls", "large-entry", "robots", "compute"];

const LIMIT: Duration = Duration::from_mins(1);

pub fn run() -> anyhow::Result<()> {
    println!("hostile sites");
    let address = serve()?;
    for shape in SHAPES.into_iter().chain(["unfair"]) {
        let child = Command::new(std::env::current_exe()?)
            .args(["hostile-of", shape, &address.to_string()])
            .output()?;
        print!("{}", String::from_utf8_lossy(&child.stdout));
        ensure!(
            child.status.success(),
            "{}",
            String::from_utf8_lossy(&child.stderr)
        );
    }
    Ok(())
}

/// What the child runs.
pub fn of(shape: &str, address: &str) -> anyhow::Result<()> {
    let settings = FetchSettings {
        connect_to: vec![format!("*.hostile.test={address}").parse()?],
        ..FetchSettings::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let scanner = Scanner::new(Fetcher::new(settings)?, ScannerSettings::default());
        // What is made at the first scan of all is no site's fault.
        scan(&scanner, TenantId::DEFAULT, "small0").await?;
        if shape == "unfair" {
            return unfair(&scanner).await;
        }
        let idle = resident()?;
        let (longest, begun) = (watch_delays(), Instant::now());
        let report = scan(&scanner, TenantId::DEFAULT, shape).await?;
        let took = begun.elapsed();
        let peak = of_this_process("VmHWM:")?.saturating_sub(idle) / 1_048_576;
        let delay = Duration::from_micros(longest.load(Ordering::Relaxed));
        let kept: usize = report.sitemaps.iter().map(|file| file.urls.len()).sum();
        println!("  {shape:<12} {took:>8.1?}, {peak:>4} MB over idle, timers {delay:.1?} late at most, {kept} URLs kept");
        ensure!(peak <= MAX_MEMORY, "{shape} took {peak} MB");
        ensure!(delay <= MAX_DELAY, "{shape} held a timer up for {delay:?}");
        Ok(())
    })
}

/// Eight small sites of one tenant, alone and beside forty sites of another, each with twenty sitemaps.
async fn unfair(scanner: &Scanner) -> anyhow::Result<()> {
    let tenants = [uuid::Uuid::from_u128(1), uuid::Uuid::from_u128(2)].map(TenantId);
    let small = |from: usize| {
        (from..from + 8).map(|number| scan_named(scanner, tenants[0], format!("small{number}")))
    };
    let begun = Instant::now();
    join_all(small(1)).await;
    let alone = begun.elapsed();
    let heavy: Vec<_> = (0..40)
        .map(|number| {
            let (scanner, tenant) = (scanner.clone(), tenants[1]);
            tokio::spawn(async move { scan_named(&scanner, tenant, format!("heavy{number}")).await })
        })
        .collect();
    // Until they compute.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let begun = Instant::now();
    join_all(small(11)).await;
    let beside = begun.elapsed();
    for scan in heavy {
        scan.abort();
    }
    let ratio = beside.as_secs_f64() / alone.as_secs_f64();
    println!(
        "  eight sites of a tenant: {alone:.1?} alone, {beside:.1?} beside forty heavy ones of another: {ratio:.1} times"
    );
    ensure!(
        ratio <= MAX_UNFAIR || beside <= NO_TIME,
        "{ratio:.1} times as long"
    );
    Ok(())
}

async fn scan(scanner: &Scanner, tenant: TenantId, name: &str) -> anyhow::Result<SiteReport> {
    let report = scan_named(scanner, tenant, name.to_owned()).await;
    report
        .outcome
        .as_ref()
        .map_err(|failure| anyhow::anyhow!("{name}: {failure:?}"))?;
    Ok(report)
}

async fn scan_named(scanner: &Scanner, tenant: TenantId, name: String) -> SiteReport {
    let domain = DomainName::parse(&format!("{name}.hostile.test")).expect("a name");
    scanner
        .scan_for(tenant, &domain, &ScanOptions::default(), LIMIT, None)
        .await
}

/// The longest delay of a timer, in microseconds.
fn watch_delays() -> Arc<AtomicU64> {
    let longest = Arc::new(AtomicU64::new(0));
    for _ in 0..2 {
        let longest = Arc::clone(&longest);
        tokio::spawn(async move {
            loop {
                let begun = Instant::now();
                tokio::time::sleep(Duration::from_millis(2)).await;
                let late = begun.elapsed().saturating_sub(Duration::from_millis(3));
                longest.fetch_max(
                    u64::try_from(late.as_micros()).unwrap_or(u64::MAX),
                    Ordering::Relaxed,
                );
            }
        });
    }
    longest
}

/// Serves all shapes, by host and path.
fn serve() -> anyhow::Result<SocketAddr> {
    let sites = Arc::new(Sites::make()?);
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let sites = Arc::clone(&sites);
            std::thread::spawn(move || answer(stream, &sites));
        }
    });
    Ok(address)
}

fn answer(mut stream: TcpStream, sites: &Sites) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let path = lines.next()?.ok()?.split(' ').nth(1)?.to_owned();
    let host = lines
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty())
        .find_map(|line| {
            line.to_ascii_lowercase()
                .strip_prefix("host: ")
                .map(str::to_owned)
        })?;
    let (status, body) = match sites.body(host.split('.').next()?, &path) {
        Some(body) => ("200 OK", body),
        None => ("404 Not Found", Vec::new()),
    };
    let media = if path == "/" {
        "text/html"
    } else {
        "application/octet-stream"
    };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {media}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream
        .write_all(head.as_bytes())
        .and_then(|()| stream.write_all(&body))
        .ok()
}

struct Sites {
    index: Vec<u8>,
    long_urls: Vec<u8>,
    large_entry: Vec<u8>,
    heavy: Vec<u8>,
}

impl Sites {
    fn make() -> anyhow::Result<Self> {
        // Relative addresses, so that one document serves for all indexes.
        let index: String = (0..5_000)
            .map(|number| ["<sitemap><loc>", &long(number), "</loc></sitemap>"].concat())
            .collect();
        let urls: String = (0..50_000)
            .map(|number| ["<url><loc>", &long(number), "</loc></url>"].concat())
            .collect();
        let text = "x".repeat(8_000);
        let mut parts = String::new();
        for number in 0..1_000 {
            let _never_fails = write!(
                parts,
                "<image:image><image:loc>/{number}{text}</image:loc></image:image>\
                 <xhtml:link rel=\"alternate\" hreflang=\"{text}\" href=\"/{number}{text}\"/>\
                 <video:video><video:title>{text}</video:title><video:description>{text}</video:description></video:video>\
                 <news:news><news:title>{text}</news:title><news:name>{text}</news:name></news:news>"
            );
        }
        let entries: String = (0..20)
            .map(|number| ["<url><loc>/", &number.to_string(), "</loc>", &parts, "</url>"].concat())
            .collect();
        let mut heavy = String::new();
        for number in 0..100_000 {
            let _never_fails = write!(
                heavy,
                "<url><loc>/{number}</loc><lastmod>2024-05-08</lastmod><x>{:80}</x></url>",
                ""
            );
        }
        Ok(Self {
            index: gzip(&format!("<sitemapindex>{index}</sitemapindex>"))?,
            long_urls: gzip(&format!("<urlset>{urls}</urlset>"))?,
            large_entry: gzip(&format!("<urlset>{entries}</urlset>"))?,
            heavy: gzip(&format!("<urlset>{heavy}</urlset>"))?,
        })
    }

    fn body(&self, site: &str, path: &str) -> Option<Vec<u8>> {
        let named = |count: usize| {
            (0..count)
                .map(|number| ["Sitemap: /", &number.to_string(), "/s.xml.gz\n"].concat())
                .collect::<String>()
        };
        let home = || Some(b"<!doctype html><title>Home</title><p>Here we are".to_vec());
        match (site, path) {
            ("robots", "/robots.txt") => Some(rules().into_bytes()),
            ("robots", "/") => Some(links().into_bytes()),
            (_, "/") => home(),
            ("indexes", "/robots.txt") => Some(named(90).into_bytes()),
            ("indexes", path) => path.ends_with("/s.xml.gz").then(|| self.index.clone()),
            ("long-urls", "/sitemap.xml") => Some(self.long_urls.clone()),
            ("large-entry", "/sitemap.xml") => Some(self.large_entry.clone()),
            (name, "/robots.txt") if name == "compute" || name.starts_with("heavy") => {
                Some(named(20).into_bytes())
            }
            (name, path) if name == "compute" || name.starts_with("heavy") => {
                path.ends_with("/s.xml.gz").then(|| self.heavy.clone())
            }
            (name, "/sitemap.xml") if name.starts_with("small") => {
                Some(crate::documents::sitemap(100).into_bytes())
            }
            _ => None,
        }
    }
}

/// An address of 7,900 bytes, of which this many are random that it inflates within measure.
fn long(number: u64) -> String {
    let mut random = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut digits = String::new();
    while digits.len() < 45 {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let _never_fails = write!(digits, "{random:016x}");
    }
    format!("{number}/{}/{}", &digits[..45], "a".repeat(7_840))
}

/// 500 KB of rules with wildcards, none like another.
fn rules() -> String {
    let lines: String = (0..32_000)
        .map(|number| ["allow:*zazazz", &number.to_string(), "\n"].concat())
        .collect();
    format!("user-agent: *\n{}", &lines[..lines.len().min(499_000)])
}

/// A hundred links to contact pages, of five to nine kilobytes each.
fn links() -> String {
    let mut page = "<!doctype html><title>Home</title>".to_owned();
    for number in 0..100 {
        let padding = "za".repeat(2_500 + number * 20);
        let _never_fails = write!(page, "<a href='/contact?{number}{padding}'>Contact</a>");
    }
    page
}
