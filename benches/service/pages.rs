//! Pages with a batch of 100,000 domains: their times, compared with the same pages of a batch of ten.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::browser::Browser;
use crate::processes::{Service, SitesProcess, host};

/// The most that a batch takes.
const DOMAINS: usize = 100_000;
/// One in this many fails.
const FAILING: usize = 20;
/// How often each page is asked for.
const TIMES: usize = 20;

pub async fn run() {
    println!("pages: a batch of {DOMAINS} domains against one of 10, each page {TIMES} times");
    let sites = SitesProcess::start(DOMAINS, 60);
    let service = Service::start(&sites, 64);
    let domains: Vec<String> = (0..DOMAINS).map(name).collect();
    let (small, _) = service.scan(&domains[..10], 1).await;
    let (large, took) = service.scan(&domains, 1).await;
    println!("  scanned in {:.0} s: {}", took.as_secs_f64(), large["status"]);
    let address = |batch: &Value| format!("/batches/{}", batch["batch_id"].as_str().expect("an id"));
    let (small, large) = (address(&small), address(&large));
    for (what, small, large) in [
        ("batch", small.clone(), large.clone()),
        (
            "batch, failed only",
            format!("{small}?status=failed"),
            format!("{large}?status=failed"),
        ),
        (
            "batch, part of a name",
            format!("{small}?contains=site00001"),
            format!("{large}?contains=site99999"),
        ),
        (
            "its API view",
            format!("/api/v4{small}"),
            format!("/api/v4{large}"),
        ),
    ] {
        let (of_small, of_large) = (median(&service, &small).await, median(&service, &large).await);
        println!(
            "  {what:<24} {of_large:>7.1} ms   of ten {of_small:>6.1} ms   ratio {:.1}",
            of_large / of_small
        );
    }
    for (what, path) in [
        ("batches", "/"),
        ("domains", "/domains"),
        ("domains, by last scan", "/domains?sort=-last_scan"),
        ("domains, part of a name", "/domains?contains=site99999"),
        ("domains, of a technology", "/domains?technology=WordPress"),
        ("domains, none like that", "/domains?language=xx"),
        ("tasks", "/tasks"),
    ] {
        println!("  {what:<24} {:>7.1} ms", median(&service, path).await);
    }
    export(&service, &large).await;
    if let Some(browser) = Browser::start().await {
        for (what, path) in [("of ten", &small), ("of 100,000", &large)] {
            paint(&browser, &service, what, path).await;
        }
        scroll(&browser, &service, &large).await;
        browser.close().await;
    }
    println!(
        "  peak memory of sitelog {} MB",
        service.memory_kb("VmHWM") / 1024
    );
}

fn name(number: usize) -> String {
    if number % FAILING == FAILING - 1 {
        format!("{number}.err404.sites.test")
    } else {
        host(number)
    }
}

/// From the request to the last byte, in milliseconds.
async fn median(service: &Service, path: &str) -> f64 {
    let mut times = Vec::new();
    for _ in 0..TIMES {
        let begun = Instant::now();
        let bytes = service.text(path).await.len();
        assert!(bytes > 0, "{path}");
        times.push(milliseconds(begun.elapsed()));
    }
    times.sort_by(f64::total_cmp);
    times[TIMES / 2]
}

/// Exports all rows, compared with the API's pages of a thousand.
async fn export(service: &Service, batch: &str) {
    let begun = Instant::now();
    let mut next = Value::Null;
    loop {
        let cursor = next
            .as_str()
            .map(|next| format!("&cursor={next}"))
            .unwrap_or_default();
        let page = service
            .get(&format!("/api/v4{batch}/domains?limit=1000{cursor}"))
            .await;
        next = page["next"].clone();
        if next.is_null() {
            break;
        }
    }
    let paged = begun.elapsed();
    for format in ["csv", "ndjson", "xlsx"] {
        let begun = Instant::now();
        let bytes = service
            .text(&format!("/api/v4{batch}/domains?format={format}"))
            .await
            .len();
        let took = begun.elapsed();
        println!(
            "  export as {format:<6} {:>6.1} s, {:>4} MB, {:>6.0} rows/s   as pages of 1000 {:.1} s, ratio {:.2}",
            took.as_secs_f64(),
            bytes / 1_000_000,
            count(DOMAINS) / took.as_secs_f64(),
            paged.as_secs_f64(),
            took.as_secs_f64() / paged.as_secs_f64(),
        );
    }
}

/// The time of the first paint, and of the complete page (Paint Timing, Navigation Timing).
async fn paint(browser: &Browser, service: &Service, what: &str, path: &str) {
    let mut times = Vec::new();
    for _ in 0..5 {
        browser.open(&service.url(path)).await;
        let script = "return [performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1,
            performance.getEntriesByType('navigation')[0].loadEventEnd]";
        let measured = browser.run(script).await;
        times.push((
            measured[0].as_f64().unwrap_or(-1.0),
            measured[1].as_f64().unwrap_or(-1.0),
        ));
    }
    times.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (first, loaded) = times[2];
    println!("  in a browser, batch {what:<11} first paint {first:>5.0} ms, loaded {loaded:>5.0} ms");
}

/// Scrolls to the end until a thousand rows are loaded.
async fn scroll(browser: &Browser, service: &Service, path: &str) {
    browser.open(&service.url(path)).await;
    let begun = Instant::now();
    let rows = loop {
        let rows = browser
            .run("scrollTo(0, document.body.scrollHeight); return document.querySelectorAll('#scans tbody > tr').length")
            .await;
        let rows = rows.as_u64().unwrap_or(0);
        if rows >= 1000 || begun.elapsed() > Duration::from_mins(1) {
            break rows;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    let took = milliseconds(begun.elapsed());
    // How long the browser takes for a frame while the whole list is scrolled through.
    let frames = "const done = arguments[arguments.length - 1]; const times = []; let last = performance.now();
        const step = (now) => { times.push(now - last); last = now; scrollBy(0, -400);
            scrollY > 0 ? requestAnimationFrame(step) : done(times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)]) };
        requestAnimationFrame(step)";
    let frame = browser
        .client
        .execute_async(frames, Vec::new())
        .await
        .expect("a time");
    println!(
        "  scrolling to {rows} rows {took:.0} ms; 99th percentile of a frame while scrolling through them {:.0} ms",
        frame.as_f64().unwrap_or(-1.0)
    );
}

#[expect(clippy::cast_precision_loss, reason = "a hundred thousand")]
fn count(rows: usize) -> f64 {
    rows as f64
}

fn milliseconds(took: Duration) -> f64 {
    took.as_secs_f64() * 1000.0
}
