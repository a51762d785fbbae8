//! The processes of a bench: the sites, and the service on a fresh data directory.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sitelog::fetch::settings::FetchSettings;
use tempfile::TempDir;

use crate::sites::{Sites, SitesOptions};

/// The sites as a separate process.
pub struct SitesProcess {
    child: Child,
    /// Of `SITELOG_FETCH__CONNECT_TO`.
    pub connect_to: String,
    /// Of `SITELOG_FETCH__EXTRA_CA`.
    pub ca: String,
}

/// What the child runs: `COUNT SLOW_SECONDS`.
pub async fn serve_sites(arguments: &[String]) {
    let number = |place: usize| arguments[place].parse::<u64>().expect("a number");
    let options = SitesOptions {
        sites: usize::try_from(number(0)).expect("a count"),
        slow: Duration::from_secs(number(1)),
        ..SitesOptions::default()
    };
    let sites = Sites::start(options).await.expect("the sites start");
    println!("{}", sites.connect_to());
    println!("{}", sites.ca_pem().display());
    std::future::pending::<()>().await;
}

impl SitesProcess {
    /// Starts this many sites; `slow` answers after this many seconds.
    pub fn start(count: usize, slow_seconds: u64) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args([crate::SERVE_SITES, &count.to_string(), &slow_seconds.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the sites start");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut line = || lines.next().expect("two lines").expect("text");
        Self {
            connect_to: line(),
            ca: line(),
            child,
        }
    }

    /// Settings for a fetcher in this process.
    pub fn fetch_settings(&self) -> FetchSettings {
        FetchSettings {
            connect_to: vec![self.connect_to.parse().expect("a pattern and an address")],
            extra_ca: Some(self.ca.clone().into()),
            ..FetchSettings::default()
        }
    }
}

impl Drop for SitesProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_file(&self.ca);
    }
}

/// The service as a separate process.
pub struct Service {
    child: Child,
    address: String,
    client: reqwest::Client,
    complaints: Arc<Mutex<BTreeMap<String, u64>>>,
    data_dir: TempDir,
}

impl Service {
    /// Starts `sitelog serve` with room for this many scans.
    pub fn start(sites: &SitesProcess, concurrency: usize) -> Self {
        Self::start_on(sites, concurrency, None)
    }

    /// The same on a database that is there already.
    pub fn start_on(sites: &SitesProcess, concurrency: usize, database: Option<&str>) -> Self {
        let settings = database.map(|url| ("DATABASE_URL", url.to_owned()));
        let mut settings: Vec<_> = settings.into_iter().collect();
        settings.push(("SITELOG_WORKER__CONCURRENCY", concurrency.to_string()));
        Self::start_with(sites, &[], &settings)
    }

    /// The same with arguments and settings of its own.
    pub fn start_with(sites: &SitesProcess, arguments: &[&str], settings: &[(&'static str, String)]) -> Self {
        let data_dir = TempDir::with_prefix("sitelog-bench-").expect("a directory");
        let mut child = Command::new(env!("CARGO_BIN_EXE_sitelog"))
            .arg("serve")
            .args(arguments)
            .env_remove("DATABASE_URL")
            .env("SITELOG_DATA_DIR", data_dir.path())
            .env("SITELOG_BIND", "127.0.0.1:0")
            .env("SITELOG_AUTH__MODE", "off")
            .env("SITELOG_FETCH__CONNECT_TO", &sites.connect_to)
            .env("SITELOG_FETCH__EXTRA_CA", &sites.ca)
            .env("SITELOG_API__REQUESTS_PER_MINUTE", "10000000")
            .envs(settings.iter().map(|(name, value)| (*name, value)))
            .stderr(Stdio::piped())
            .spawn()
            .expect("the service starts");
        let mut lines = BufReader::new(child.stderr.take().expect("piped"))
            .lines()
            .map_while(Result::ok);
        let address = lines
            .by_ref()
            .find_map(|line| {
                Some(
                    line.split_once("listens on http://")?
                        .1
                        .split_whitespace()
                        .next()?
                        .to_owned(),
                )
            })
            .expect("the service says where it listens");
        let complaints = Arc::<Mutex<BTreeMap<String, u64>>>::default();
        let heard = Arc::clone(&complaints);
        std::thread::spawn(move || {
            for line in lines {
                if let Some(kind) = complaint(&line) {
                    *heard.lock().expect("nobody panics").entry(kind).or_default() += 1;
                }
            }
        });
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        Self {
            child,
            address,
            client,
            complaints,
            data_dir,
        }
    }

    /// Warnings and errors that it logged, and how often.
    pub fn complaints(&self) -> BTreeMap<String, u64> {
        self.complaints.lock().expect("nobody panics").clone()
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Value {
        let answer = self
            .client
            .get(format!("http://{}{path}", self.address))
            .send()
            .await
            .expect("an answer");
        serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("JSON")
    }

    /// GET of anything: the body.
    pub async fn text(&self, path: &str) -> Vec<u8> {
        let answer = self.client.get(self.url(path)).send().await.expect("an answer");
        assert_eq!(answer.status().as_u16(), 200, "{path}");
        answer.bytes().await.expect("a body").to_vec()
    }

    /// POST of JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.client.post(format!("http://{}{path}", self.address));
        let request = request
            .header("content-type", "application/json")
            .body(body.to_string());
        let answer = request.send().await.expect("an answer");
        serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("JSON")
    }

    /// Scans a list as one batch; returns how long it took until its end could be read.
    pub async fn scan(&self, domains: &[String], max_pages: u32) -> (Value, Duration) {
        let begun = Instant::now();
        let body = json!({ "domains": domains, "max_concurrent": 1000, "max_pages": max_pages });
        let batch = self.post("/api/v4/batches", &body).await;
        let path = format!(
            "/api/v4/batches/{}",
            batch["batch_id"].as_str().expect("accepted")
        );
        loop {
            let batch = self.get(&path).await;
            if !["pending", "running"].contains(&batch["status"].as_str().expect("a status")) {
                return (batch, begun.elapsed());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The process ID.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its private database.
    pub fn database_url(&self) -> String {
        let doctor = Command::new(env!("CARGO_BIN_EXE_sitelog"))
            .args(["doctor", "--json"])
            .env_remove("DATABASE_URL")
            .env("SITELOG_DATA_DIR", self.data_dir.path())
            .output()
            .expect("doctor runs");
        let found: Value = serde_json::from_slice(&doctor.stdout).expect("JSON");
        found["database_url"].as_str().expect("it runs").to_owned()
    }

    /// A line of `/proc/PID/status` in kB: `VmHWM` or `VmRSS`.
    pub fn memory_kb(&self, line: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
        let found = status
            .lines()
            .find(|text| text.starts_with(line))
            .expect("the line");
        found
            .split_whitespace()
            .nth(1)
            .and_then(|number| number.parse().ok())
            .expect("kB")
    }
}

/// A warning or error without what differs from one to the next.
fn complaint(line: &str) -> Option<String> {
    let start = line.find(" WARN ").or_else(|| line.find("ERROR "))?;
    let text: String = line[start..].chars().filter(|c| !c.is_ascii_digit()).collect();
    Some(text.trim().chars().take(160).collect())
}

impl Drop for Service {
    fn drop(&mut self) {
        // SIGTERM by the system's own tool: the service drains and stops its PostgreSQL.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

/// Host of an ordinary site.
pub fn host(number: usize) -> String {
    format!("site{number:05}.sites.test")
}
