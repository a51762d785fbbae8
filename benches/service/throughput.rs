//! Durable scans per second against a bare fetch of the same URLs: same client, same concurrency, one run.

use std::time::{Duration, Instant};

use futures::StreamExt;
use sitelog::fetch::{Fetcher, Limits};
use url::Url;

use crate::processes::{Service, SitesProcess, host};

const DOMAINS: usize = 3000;
const CONCURRENCY: usize = 64;
/// What a scan of one page asks of a site: robots.txt, home page, index, two sitemaps.
const PATHS: [&str; 5] = [
    "/robots.txt",
    "/",
    "/sitemap.xml",
    "/sitemap-pages.xml",
    "/sitemap-goods.xml.gz",
];

pub async fn run() {
    println!(
        "throughput: {DOMAINS} domains, {} requests each, concurrency {CONCURRENCY}",
        PATHS.len()
    );
    let sites = SitesProcess::start(DOMAINS, 60);
    let bare = bare(&sites).await;
    let service = Service::start(&sites, CONCURRENCY);
    let domains: Vec<String> = (0..DOMAINS).map(host).collect();
    let (batch, took) = service.scan(&domains, 1).await;
    assert_eq!(batch["completed"], DOMAINS, "{batch}");
    let durable = per_second(took);
    println!("  bare fetch   {bare:>8.0} domains/s");
    println!(
        "  durable scan {durable:>8.0} domains/s   ratio {:.2}",
        durable / bare
    );
    let (batch, took) = service.scan(&domains, 1).await;
    assert_eq!(batch["completed"], DOMAINS, "{batch}");
    println!("  durable rescan of the same {:>5.0} domains/s", per_second(took));
    println!(
        "  peak memory of sitelog {} MB",
        service.memory_kb("VmHWM") / 1024
    );
}

async fn bare(sites: &SitesProcess) -> f64 {
    let fetcher = Fetcher::new(sites.fetch_settings()).expect("a fetcher");
    let begun = Instant::now();
    futures::stream::iter(0..DOMAINS)
        .for_each_concurrent(CONCURRENCY, |number| {
            let fetcher = fetcher.clone();
            async move {
                for path in PATHS {
                    let url: Url = format!("https://{}{path}", host(number)).parse().expect("an URL");
                    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
                    let answer = fetcher
                        .get(
                            &url,
                            Limits {
                                deadline,
                                redirects: 5,
                            },
                        )
                        .await
                        .expect("an answer");
                    assert_eq!(answer.status, 200, "{url}");
                    answer.body.read_up_to(4 << 20).await;
                }
            }
        })
        .await;
    per_second(begun.elapsed())
}

fn per_second(took: Duration) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let domains = DOMAINS as f64;
    domains / took.as_secs_f64()
}
