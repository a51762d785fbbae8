//! The 99th percentile of a status request, idle and while a 64 MB page and a 10 GiB gzip bomb are scanned.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::processes::{Service, SitesProcess, host};

const REQUESTS: usize = 2000;

pub async fn run() {
    println!("latency: {REQUESTS} status requests, one after the other");
    let sites = SitesProcess::start(10, 60);
    let service = Service::start(&sites, 64);
    service.scan(&[host(0)], 1).await;
    let scan = service.post("/api/v4/scans", &json!({ "domain": host(1) })).await;
    let path = format!("/api/v4/scans/{}", scan["scan_id"].as_str().expect("accepted"));
    percentile(&service, &path, 200).await;
    let idle = percentile(&service, &path, REQUESTS).await;
    let hostile = async {
        loop {
            let domains = ["big.sites.test".to_owned(), "bomb.sites.test".to_owned()];
            service.scan(&domains, 4).await;
        }
    };
    let busy = tokio::select! {
        () = hostile => unreachable!("it never ends"),
        busy = percentile(&service, &path, REQUESTS) => busy,
    };
    println!(
        "  p99 idle {idle:?}, while hostile sites are scanned {busy:?}: {:.1} times",
        busy.as_secs_f64() / idle.as_secs_f64()
    );
    println!(
        "  peak memory of sitelog {} MB",
        service.memory_kb("VmHWM") / 1024
    );
}

async fn percentile(service: &Service, path: &str, requests: usize) -> Duration {
    let mut took = Vec::with_capacity(requests);
    for _ in 0..requests {
        let begun = Instant::now();
        service.get(path).await;
        took.push(begun.elapsed());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    took.sort_unstable();
    took[requests * 99 / 100]
}
