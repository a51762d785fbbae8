//! Invented but complete histories, written directly to the log: tenants with domains, single scans and batches,
//! interleaved, failing, retried, cancelled, with various findings. The same seed gives the same story.

use chrono::{DateTime, Utc};
use cqrs_es::DomainEvent;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde::Serialize;
use serde_json::json;
use sitelog::aggregates::BatchEvent;
use sitelog::aggregates::scan::{ScanEvent, ScanStatus, ScanTotals};
use sitelog::log::body::Body;
use sitelog::log::{AppendUnit, EventLog, NewEvent, StreamAppend};
use sitelog::values::sitemap::{SitemapKind, SitemapUrl};
use sitelog::values::{BatchId, BatchOptions, FailureReason, Findings, ScanId, ScanOptions, TenantId};
use uuid::Uuid;

/// What the story is about.
#[derive(Clone, Debug)]
pub struct StoryOptions {
    pub seed: u64,
    pub tenants: usize,
    /// Of each tenant.
    pub domains: usize,
    /// Maximum number of concurrent scans.
    pub at_once: usize,
    /// URLs of a sitemap, at most.
    pub urls: usize,
    /// Bytes of the longest text among what a scan finds, at most.
    pub text: usize,
}

impl Default for StoryOptions {
    fn default() -> Self {
        Self {
            seed: 1,
            tenants: 3,
            domains: 20,
            at_once: 16,
            urls: 12,
            text: 1500,
        }
    }
}

/// A story under way.
pub struct Story {
    options: StoryOptions,
    rng: StdRng,
    scans: Vec<Scan>,
    batches: Vec<Batch>,
}

struct Scan {
    id: ScanId,
    tenant: TenantId,
    domain: String,
    batch: Option<usize>,
    sequence: i64,
    attempt: u32,
    round: u32,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    New,
    Waiting,
    Running,
}

struct Batch {
    id: BatchId,
    tenant: TenantId,
    sequence: i64,
    open: usize,
}

impl Story {
    pub fn new(options: StoryOptions) -> Self {
        Self {
            rng: StdRng::seed_from_u64(options.seed),
            options,
            scans: Vec::new(),
            batches: Vec::new(),
        }
    }

    /// Appends about this many events more.
    pub async fn append(&mut self, log: &EventLog, events: usize) -> usize {
        let mut appended = 0;
        while appended < events {
            while self.scans.len() < self.options.at_once {
                appended += self.begin(log).await;
            }
            let mut units = Vec::new();
            let mut going_on = Vec::new();
            for mut scan in std::mem::take(&mut self.scans) {
                if self.rng.random_bool(0.3) {
                    going_on.push(scan);
                    continue;
                }
                let (events, bodies, ended) = self.step(log, &mut scan).await;
                appended += events.len();
                units.push(unit(
                    scan.tenant,
                    "domain_scan",
                    scan.id.0,
                    &mut scan.sequence,
                    events,
                    bodies,
                ));
                if !ended {
                    going_on.push(scan);
                } else if let Some(batch) = scan.batch {
                    units.extend(self.one_less(batch));
                }
            }
            self.scans = going_on;
            append(log, units).await;
        }
        appended
    }

    /// A scan alone, or a batch of some.
    async fn begin(&mut self, log: &EventLog) -> usize {
        let tenant = self.tenant();
        if self.rng.random_bool(0.8) {
            let scan = self.scan(tenant, None);
            self.scans.push(scan);
            return 0;
        }
        let (count, number) = (self.rng.random_range(1..5), self.batches.len());
        let mut batch = Batch {
            id: BatchId(self.uuid()),
            tenant,
            sequence: 0,
            open: count,
        };
        let salt = log.salt(tenant, &batch.id.0.to_string()).await.unwrap();
        let (items, body) = salt.seal(b"{}", 1);
        let events = [
            BatchEvent::BatchRequested {
                total: u32::try_from(count).unwrap(),
                options: BatchOptions::new(None, None),
                items,
                monitor_id: None,
            },
            BatchEvent::BatchExpanded { round: 1 },
        ];
        let events: Vec<NewEvent> = events
            .iter()
            .map(|event| new_event(event, tenant, &mut self.rng))
            .collect();
        let appended = events.len();
        append(
            log,
            vec![unit(
                tenant,
                "batch_scan",
                batch.id.0,
                &mut batch.sequence,
                events,
                vec![body],
            )],
        )
        .await;
        self.batches.push(batch);
        for _ in 0..count {
            let scan = self.scan(tenant, Some(number));
            self.scans.push(scan);
        }
        appended
    }

    fn one_less(&mut self, number: usize) -> Option<AppendUnit> {
        let batch = &mut self.batches[number];
        batch.open -= 1;
        if batch.open > 0 {
            return None;
        }
        let event = new_event(
            &BatchEvent::BatchCompleted { round: 1 },
            batch.tenant,
            &mut self.rng,
        );
        Some(unit(
            batch.tenant,
            "batch_scan",
            batch.id.0,
            &mut batch.sequence,
            vec![event],
            Vec::new(),
        ))
    }

    fn scan(&mut self, tenant: TenantId, batch: Option<usize>) -> Scan {
        Scan {
            id: ScanId(self.uuid()),
            tenant,
            domain: format!("site-{}.example", self.rng.random_range(0..self.options.domains)),
            batch,
            sequence: 0,
            attempt: 0,
            round: 1,
            stage: Stage::New,
        }
    }

    /// What happens next to a scan, and whether that was the end.
    async fn step(&mut self, log: &EventLog, scan: &mut Scan) -> (Vec<NewEvent>, Vec<Body>, bool) {
        let (domain, batch_id) = (
            scan.domain.clone(),
            scan.batch.map(|number| self.batches[number].id),
        );
        let mut bodies = Vec::new();
        let mut ended = false;
        let events = match scan.stage {
            Stage::New => {
                scan.stage = Stage::Waiting;
                vec![ScanEvent::ScanRequested {
                    domain,
                    batch_id,
                    line: batch_id.map(|_| 1),
                    max_concurrent: batch_id.map(|_| 50),
                    options: ScanOptions::default(),
                }]
            }
            Stage::Waiting if self.rng.random_bool(0.03) => {
                ended = true;
                vec![ScanEvent::ScanCancelled {
                    domain,
                    batch_id,
                    attempt: scan.attempt,
                }]
            }
            Stage::Waiting => {
                scan.stage = Stage::Running;
                scan.attempt += 1;
                vec![ScanEvent::ScanStarted {
                    domain,
                    batch_id,
                    attempt: scan.attempt,
                    fence: i64::from(scan.attempt),
                    worker: "worker:story".into(),
                    deadline_at: moment(),
                }]
            }
            Stage::Running => {
                let (events, stage) = self.outcome(log, scan, batch_id, &mut bodies).await;
                ended = stage.is_none();
                scan.stage = stage.unwrap_or(Stage::Running);
                events
            }
        };
        let events = events
            .iter()
            .map(|event| new_event(event, scan.tenant, &mut self.rng))
            .collect();
        (events, bodies, ended)
    }

    async fn outcome(
        &mut self,
        log: &EventLog,
        scan: &mut Scan,
        batch_id: Option<BatchId>,
        bodies: &mut Vec<Body>,
    ) -> (Vec<ScanEvent>, Option<Stage>) {
        let (domain, attempt) = (scan.domain.clone(), scan.attempt);
        let (reason, error) = (FailureReason::Timeout, "the site was silent".to_owned());
        match self.rng.random_range(0..100) {
            0..8 => {
                let retry_at = moment();
                let failed = ScanEvent::ScanAttemptFailed {
                    domain,
                    batch_id,
                    attempt,
                    reason,
                    error,
                    retry_at,
                };
                (vec![failed], Some(Stage::Waiting))
            }
            8..24 => {
                let failed = ScanEvent::ScanFailed {
                    domain: domain.clone(),
                    batch_id,
                    attempt,
                    reason,
                    error,
                };
                if self.rng.random_bool(0.7) {
                    return (vec![failed], None);
                }
                scan.round += 1;
                let retried = ScanEvent::ScanRetried {
                    domain,
                    batch_id,
                    round: scan.round,
                    ended: ScanStatus::Failed,
                    reason: Some(reason),
                    max_concurrent: batch_id.map(|_| 50),
                };
                (vec![failed, retried], Some(Stage::Waiting))
            }
            _ => (self.completed(log, scan, batch_id, bodies).await, None),
        }
    }

    async fn completed(
        &mut self,
        log: &EventLog,
        scan: &Scan,
        batch_id: Option<BatchId>,
        bodies: &mut Vec<Body>,
    ) -> Vec<ScanEvent> {
        let (domain, attempt) = (scan.domain.clone(), scan.attempt);
        let salt = log.salt(scan.tenant, &domain).await.unwrap();
        let mut events = vec![ScanEvent::RobotsRead {
            domain: domain.clone(),
            attempt,
            url: format!("https://{domain}/robots.txt"),
            status: 200,
            not_modified: false,
            bytes: 120,
            allowed: true,
            crawl_delay: None,
            sitemaps: Vec::new(),
        }];
        let sitemaps = self.rng.random_range(0..3_u64);
        let mut total = 0;
        for number in 0..sitemaps {
            let count = self.rng.random_range(0..=self.options.urls);
            let urls: Vec<String> = (0..count).map(|n| url_line(&domain, number, n)).collect();
            let count = u64::try_from(count).unwrap();
            let (urls, body) = salt.seal(urls.join("\n").as_bytes(), count);
            bodies.push(body);
            total += count;
            events.push(ScanEvent::SitemapParsed {
                domain: domain.clone(),
                attempt,
                url: format!("https://{domain}/sitemap-{number}.xml"),
                kind: SitemapKind::Urlset,
                status: 200,
                not_modified: false,
                bytes: 4_000,
                entries: count,
                urls: Some(urls),
                problems: Vec::new(),
            });
        }
        let findings = self.findings(&domain);
        let (findings, body) = salt.seal_object(&serde_json::to_string(&findings).unwrap());
        bodies.push(body);
        events.push(ScanEvent::PageRead {
            domain: domain.clone(),
            attempt,
            url: format!("https://{domain}/"),
            status: 200,
            not_modified: false,
            bytes: 15_000,
            problems: Vec::new(),
        });
        events.push(ScanEvent::ScanCompleted {
            domain,
            batch_id,
            attempt,
            findings,
            revisit: None,
            totals: ScanTotals {
                sitemaps,
                sitemap_urls: total,
                pages: 1,
                ..ScanTotals::default()
            },
        });
        events
    }

    /// Texts that every way into a table must leave as they are.
    fn findings(&mut self, domain: &str) -> Findings {
        let titles = [
            "Bäckerei \"Huber\" & Söhne",
            "tab\there, line\nthere",
            "back\\slash \\N {a,b}",
            "日本語 🏡",
            "bell\u{7}, delete\u{7f}, line separator\u{2028}",
            "",
        ];
        let title = titles
            .choose(&mut self.rng)
            .copied()
            .filter(|title| !title.is_empty());
        let mut findings = Findings {
            title: title.map(str::to_owned),
            language: Some("de".into()),
            is_wordpress: self.rng.random_bool(0.4),
            ..Findings::default()
        };
        for _ in 0..self.rng.random_range(0..3) {
            let n = self.rng.random_range(0..5);
            findings.contact_info.email.push(format!("info+{n}@{domain}"));
            findings
                .contact_info
                .phone
                .push(format!("+49 89 {n}, \"ext\" \\{n}"));
        }
        findings.technologies = serde_json::from_value(json!([{
            "name": "Elementor", "version": "3.1", "categories": ["Page builders"], "confidence": 100,
            "evidence": self.text(),
        }]))
        .unwrap();
        findings
    }

    /// Words that compress about as well as what pages say.
    fn text(&mut self) -> String {
        let length = self.rng.random_range(0..self.options.text);
        let mut text = String::new();
        while text.len() < length {
            let word = self.rng.random_range(0..100_000);
            text.extend([format!("{word:x}"), " scripts and styles ".to_owned()]);
        }
        text
    }

    fn tenant(&mut self) -> TenantId {
        let number = self.rng.random_range(0..self.options.tenants);
        TenantId(Uuid::from_u128(1000 + u128::try_from(number).unwrap()))
    }

    fn uuid(&mut self) -> Uuid {
        Uuid::from_u128(self.rng.random())
    }
}

fn url_line(domain: &str, file: u64, number: usize) -> String {
    let url = SitemapUrl {
        loc: format!("https://{domain}/{file}/page-{number}?a=1&b=%22"),
        lastmod: number.is_multiple_of(2).then(|| "2026-01-31".to_owned()),
        changefreq: number.is_multiple_of(3).then(|| "daily".to_owned()),
        priority: number.is_multiple_of(5).then(|| "0.5".to_owned()),
    };
    serde_json::to_string(&url).unwrap()
}

fn moment() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 123_456_789).unwrap()
}

fn new_event<E: DomainEvent + Serialize>(event: &E, tenant: TenantId, rng: &mut StdRng) -> NewEvent {
    NewEvent {
        event_id: Uuid::from_u128(rng.random()),
        event_type: event.event_type(),
        event_version: event.event_version(),
        payload: serde_json::to_value(event).unwrap(),
        metadata: json!({ "tenant_id": tenant, "actor": "story" }),
    }
}

fn unit(
    tenant: TenantId,
    aggregate_type: &'static str,
    id: Uuid,
    sequence: &mut i64,
    events: Vec<NewEvent>,
    bodies: Vec<Body>,
) -> AppendUnit {
    let expected = *sequence;
    *sequence += i64::try_from(events.len()).unwrap();
    AppendUnit {
        tenant,
        streams: vec![StreamAppend {
            aggregate_type,
            aggregate_id: id.to_string(),
            expected,
            events,
        }],
        bodies,
        key: None,
    }
}

async fn append(log: &EventLog, units: Vec<AppendUnit>) {
    for outcome in log.append_all(units).await {
        outcome.unwrap();
    }
}
