//! The real binary as a separate process, with an embedded PostgreSQL in its own data directory, so that tests can
//! kill it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Once;
use std::thread::JoinHandle;
use std::time::Duration;

use reqwest::StatusCode;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::Instant;

use super::PATIENCE;
use super::postgres::data_directory;
use super::sites::Sites;

/// A server process; it and its database are killed when dropped.
pub struct Server {
    pub data_dir: TempDir,
    connect_to: String,
    ca: String,
    settings: Vec<(&'static str, String)>,
    /// Additional arguments of `serve`.
    arguments: Vec<String>,
    process: Option<Process>,
    /// Reads the log of the last process until its end.
    reader: Option<JoinHandle<Vec<String>>>,
    client: reqwest::Client,
}

struct Process {
    child: Child,
    address: String,
    first_key: Option<String>,
}

impl Server {
    /// Starts a server that scans these sites.
    pub fn start(sites: &Sites, settings: &[(&'static str, &str)]) -> Self {
        Self::start_with(sites, settings, &[])
    }

    /// The same with further arguments of `serve`.
    pub fn start_with(sites: &Sites, settings: &[(&'static str, &str)], arguments: &[&str]) -> Self {
        let mut server = Self {
            data_dir: data_directory("sitelog-"),
            connect_to: sites.connect_to(),
            ca: sites.ca_pem().display().to_string(),
            settings: settings
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned()))
                .collect(),
            arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
            process: None,
            reader: None,
            client: client(),
        };
        server.restart();
        server
    }

    /// A command of the binary on this server's data directory.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sitelog"));
        command
            .args(arguments)
            .env_remove("DATABASE_URL")
            // Not what this machine or the working directory has.
            .env("SITELOG_CONFIG", "/dev/null")
            .env("SITELOG_DATA_DIR", self.data_dir.path())
            .env("SITELOG_BIND", "127.0.0.1:0")
            .env("SITELOG_AUTH__MODE", "off")
            .env("SITELOG_FETCH__CONNECT_TO", &self.connect_to)
            .env("SITELOG_FETCH__EXTRA_CA", &self.ca)
            .envs(self.settings.iter().map(|(name, value)| (*name, value)))
            .stdin(Stdio::null());
        command
    }

    /// Starts the process again after it was killed or stopped.
    pub fn restart(&mut self) {
        assert!(self.process.is_none(), "the server still runs");
        let key_file = self.data_dir.path().join("first-key");
        let _of_an_earlier_start = std::fs::remove_file(&key_file);
        let mut child = self
            .command(&["serve", "--first-key-file", key_file.to_str().unwrap()])
            .args(&self.arguments)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        // The last line that it says of itself begins so.
        let first_lines: Vec<String> = lines
            .by_ref()
            .map_while(Result::ok)
            .take_while(|line| !line.starts_with("try: "))
            .collect();
        let after = |mark: &str| {
            first_lines
                .iter()
                .find_map(|line| line.split_once(mark)?.1.split_whitespace().next())
        };
        let address = after("listens on http://").map(str::to_owned);
        let first_key = std::fs::read_to_string(&key_file).ok();
        let first_key = first_key.map(|key| key.trim_end().to_owned());
        let address =
            address.unwrap_or_else(|| panic!("the server does not say where it listens: {first_lines:?}"));
        // Somebody must continue reading, or the server blocks on a full pipe.
        self.reader = Some(std::thread::spawn(move || {
            let mut said = first_lines;
            for line in lines.map_while(Result::ok) {
                eprintln!("server: {line}");
                said.push(line);
            }
            said
        }));
        self.process = Some(Process {
            child,
            address,
            first_key,
        });
    }

    /// The whole log of the last process, after it has ended.
    pub fn said(&mut self) -> Vec<String> {
        assert!(self.process.is_none(), "the server still runs");
        self.reader.take().expect("it was started").join().unwrap()
    }

    /// Where it listens.
    pub fn address(&self) -> &str {
        &self.process.as_ref().expect("the server runs").address
    }

    /// The key that this start created, if any.
    pub fn first_key(&self) -> Option<&str> {
        self.process.as_ref()?.first_key.as_deref()
    }

    /// The status of one request without a body.
    pub async fn status_of(&self, method: &str, path: &str, key: Option<&str>) -> u16 {
        let address = &self.process.as_ref().expect("the server runs").address;
        let mut request = self
            .client
            .request(method.parse().unwrap(), format!("http://{address}{path}"));
        if let Some(key) = key {
            request = request.bearer_auth(key);
        }
        request.send().await.unwrap().status().as_u16()
    }

    /// The peak memory of the process in bytes.
    pub fn peak_memory(&self) -> u64 {
        let id = self.process.as_ref().expect("the server runs").child.id();
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// kill -9.
    pub fn kill(&mut self) {
        let mut process = self.process.take().unwrap();
        process.child.kill().unwrap();
        process.child.wait().unwrap();
    }

    /// Freezes the process (SIGSTOP).
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// SIGCONT.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let process = self.process.as_ref().expect("the server runs");
        kill_process(pid(process.child.id().cast_signed()), signal).unwrap();
    }

    /// Runs a command of the binary; returns its exit code and output.
    pub async fn run(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = tokio::process::Command::from(self.command(arguments))
            .output()
            .await
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&said).into_owned())
    }

    /// Its private database, as the owner's.
    pub fn database_url(&self) -> String {
        let output = self.command(&["doctor", "--json"]).output().unwrap();
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        found["database_url"].as_str().unwrap().to_owned()
    }

    /// Sends SIGTERM; returns when the server accepts no more requests.
    pub async fn ask_to_stop(&self) {
        self.signal(Signal::TERM);
        let process = self.process.as_ref().unwrap();
        while tokio::net::TcpStream::connect(&process.address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until the process has exited successfully.
    pub fn wait_for_exit(&mut self) {
        let mut process = self.process.take().unwrap();
        assert!(process.child.wait().unwrap().success());
    }

    /// Sends SIGTERM; waits until the server has drained.
    pub async fn terminate(&mut self) {
        self.ask_to_stop().await;
        self.wait_for_exit();
    }

    /// kill -9 of the database's first process.
    pub fn kill_postgres(&self) {
        kill_process(
            pid(postmaster(self.data_dir.path()).expect("PostgreSQL runs")),
            Signal::KILL,
        )
        .unwrap();
    }

    /// Status and text of one answer to a GET.
    pub async fn answer(&self, path: &str, tenant: Option<&str>) -> (u16, String) {
        let mut request = self.client.get(format!("http://{}{path}", self.address()));
        if let Some(tenant) = tenant {
            request = request.header("x-tenant-id", tenant);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// A GET; retried while the service or its database is down.
    pub async fn get(&self, path: &str) -> Value {
        self.until_answered(reqwest::Client::get, path).await
    }

    /// A POST of JSON; retried with the same idempotency key until it is acknowledged.
    pub async fn post(&self, path: &str, body: &Value) -> Value {
        let key = uuid::Uuid::new_v4().to_string();
        let request = |client: &reqwest::Client, url: String| {
            let body = body.to_string();
            client
                .post(url)
                .header("content-type", "application/json")
                .header("idempotency-key", &key)
                .body(body)
        };
        self.until_answered(request, path).await
    }

    /// The status of one POST, whatever it is.
    pub async fn try_post(&self, path: &str, body: &Value) -> StatusCode {
        let address = &self.process.as_ref().expect("the server runs").address;
        let request = self.client.post(format!("http://{address}{path}"));
        let request = request
            .header("content-type", "application/json")
            .body(body.to_string());
        request.send().await.unwrap().status()
    }

    async fn until_answered(
        &self,
        request: impl Fn(&reqwest::Client, String) -> reqwest::RequestBuilder,
        path: &str,
    ) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            let address = &self.process.as_ref().expect("the server runs").address;
            match request(&self.client, format!("http://{address}{path}"))
                .send()
                .await
            {
                Ok(answer) if answer.status().is_success() => {
                    return serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
                }
                Ok(answer) if answer.status() != StatusCode::SERVICE_UNAVAILABLE => {
                    panic!(
                        "{path}: {} {}",
                        answer.status(),
                        answer.text().await.unwrap_or_default()
                    );
                }
                other => assert!(Instant::now() < end, "{path} is not answered: {other:?}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Waits until the response to a GET matches.
    pub async fn wait_for(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            let answer = self.get(path).await;
            if wanted(&answer) {
                return answer;
            }
            assert!(Instant::now() < end, "{path} still says {answer}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// All items of a paged list.
    pub async fn all(&self, path: &str) -> Vec<Value> {
        let (mut items, mut cursor) = (Vec::new(), Value::Null);
        loop {
            let separator = if path.contains('?') { '&' } else { '?' };
            let more = cursor
                .as_str()
                .map(|cursor| format!("&cursor={cursor}"))
                .unwrap_or_default();
            let page = self.get(&format!("{path}{separator}limit=1000{more}")).await;
            items.extend(page["items"].as_array().unwrap().iter().cloned());
            cursor = page["next"].clone();
            if cursor.is_null() {
                return items;
            }
        }
    }

    /// Requests a batch of these domains.
    pub async fn request_batch(&self, domains: &[String]) -> String {
        let answer = self.post("/api/v4/batches", &json!({ "domains": domains })).await;
        answer["batch_id"].as_str().unwrap().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.child.kill();
            let _ = process.child.wait();
        }
        if let Some(postmaster) = postmaster(self.data_dir.path()) {
            let _ = kill_process(pid(postmaster), Signal::QUIT);
        }
    }
}

/// A client for local servers.
pub fn client() -> reqwest::Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// The first line of PostgreSQL's pid file.
fn postmaster(data_dir: &Path) -> Option<i32> {
    let file = std::fs::read_to_string(data_dir.join("postgres/postmaster.pid")).ok()?;
    file.lines().next()?.trim().parse().ok()
}

fn pid(number: i32) -> Pid {
    Pid::from_raw(number).unwrap()
}
