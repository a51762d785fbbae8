//! A real headless browser, driven by `WebDriver` (W3C), for pages. `script/test` installs it; without one, the tests
//! that need it print that they are skipped.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use axum::http::Method;
use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::wd::{TimeoutConfiguration, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use tempfile::TempDir;
use url::Url;

use super::PATIENCE;

/// The browser as distributions call it.
const BROWSERS: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// A browser with a new profile; it ends when dropped.
pub struct Browser {
    /// For requests without a function here.
    pub client: Client,
    driver: Driver,
    _profile: TempDir,
}

/// The process that drives it, and the browser that it began.
struct Driver(Child);

impl Drop for Driver {
    fn drop(&mut self) {
        let group = Pid::from_child(&self.0);
        let _ends_with_us_or_has_ended = kill_process_group(group, Signal::KILL);
        let _the_same = self.0.wait();
    }
}

impl Browser {
    /// Starts a browser; prints a message and returns `None` if there is none.
    pub async fn start() -> Option<Self> {
        let (Some(browser), Some(driver)) = (found(&BROWSERS), found(&["chromedriver"])) else {
            eprintln!("SKIPPED: there is no Chromium with its driver here; pages are not run in a browser");
            return None;
        };
        let (driver, address) = start_driver(&driver);
        let profile = TempDir::with_prefix("sitelog-browser-").unwrap();
        // Root has no sandbox, and containers little shared memory.
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            &format!("--user-data-dir={}", profile.path().display()),
        ];
        let wanted = json!({
            "goog:chromeOptions": { "binary": browser, "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        });
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(wanted.as_object().unwrap().clone())
            .connect(&address)
            .await
            .unwrap_or_else(|error| panic!("the browser does not start: {error}"));
        // Scripts that check a whole page take more than the default of half a minute on a slow machine.
        let timeouts = TimeoutConfiguration::new(Some(PATIENCE), Some(PATIENCE), None);
        client.update_timeouts(timeouts).await.unwrap();
        Some(Self {
            client,
            driver,
            _profile: profile,
        })
    }

    /// Opens a page and waits until it is loaded.
    pub async fn open(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    /// Waits for the element of a path (`XPath` 1.0), and returns its text.
    pub async fn wait_for(&self, path: &str) -> String {
        // A title has no text that would be shown.
        let text = async |element: Element| element.prop("textContent").await;
        self.with(path, text).await.unwrap_or_default()
    }

    /// Clicks what a path finds, once it is there.
    pub async fn click(&self, path: &str) {
        self.with(path, async |element: Element| element.click().await)
            .await;
    }

    /// Types into what a path finds.
    pub async fn fill(&self, path: &str, text: &str) {
        self.with(path, async |element: Element| element.send_keys(text).await)
            .await;
    }

    /// Runs an action on the element of a path, once it is there. If a live page replaces the element meanwhile, uses the
    /// new one.
    async fn with<T>(&self, path: &str, act: impl AsyncFn(Element) -> Result<T, CmdError>) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            let waiting = self.client.wait().at_most(PATIENCE);
            let done = match waiting.for_element(Locator::XPath(path)).await {
                Ok(element) => act(element).await,
                Err(error) => Err(error),
            };
            match done {
                Ok(value) => return value,
                Err(error) if error.is_stale_element_reference() && Instant::now() < end => {}
                Err(error) => panic!("{path}: {error}\n{}", self.source().await),
            }
        }
    }

    /// Runs a script in the page and returns its result; `return` of a promise is awaited.
    pub async fn run(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    /// A command of the browser's own protocol (Chrome `DevTools`).
    pub async fn devtools(&self, command: &str, parameters: Value) -> Value {
        let body = json!({ "cmd": command, "params": parameters });
        let asked = self
            .client
            .issue_cmd(Extension("goog/cdp/execute", body.to_string()));
        asked.await.unwrap()
    }

    /// The browser's log since the last call: errors of scripts and of loaded files.
    pub async fn errors(&self) -> Vec<String> {
        let entries = self.log("browser").await;
        let is_bad = |entry: &&Value| entry["level"] == "SEVERE";
        let bad = entries.iter().filter(is_bad);
        bad.map(|entry| entry["message"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// The URLs that pages have requested since the last call.
    pub async fn requests(&self) -> Vec<String> {
        let entries = self.log("performance").await;
        let messages = entries.iter().filter_map(|entry| entry["message"].as_str());
        let messages = messages.filter_map(|text| serde_json::from_str::<Value>(text).ok());
        messages
            .filter(|entry| entry["message"]["method"] == "Network.requestWillBeSent")
            .filter_map(|entry| Some(entry["message"]["params"]["request"]["url"].as_str()?.to_owned()))
            // The browser's own first page is made of files of its own.
            .filter(|url| {
                !["chrome:", "chrome-untrusted:", "data:"]
                    .iter()
                    .any(|own| url.starts_with(own))
            })
            .collect()
    }

    async fn log(&self, kind: &str) -> Vec<Value> {
        let body = json!({ "type": kind }).to_string();
        let entries = self.client.issue_cmd(Extension("se/log", body)).await.unwrap();
        entries.as_array().cloned().unwrap_or_default()
    }

    /// As wide as a phone or a desktop, light or dark.
    pub async fn look_like(&self, width: u32, scheme: &str) {
        let metrics = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500 });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
        let feature = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.devtools("Emulation.setEmulatedMedia", feature).await;
    }

    /// What the page holds now.
    pub async fn source(&self) -> String {
        self.client.source().await.unwrap()
    }

    /// Ends it; without this it is killed.
    pub async fn close(self) {
        self.client.close().await.unwrap();
        drop(self.driver);
    }
}

/// A command that a driver has in addition to those of the standard: its path within the session, its body.
#[derive(Debug)]
struct Extension(&'static str, String);

impl WebDriverCompatibleCommand for Extension {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.0))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.1.clone()))
    }
}

/// Starts a driver on a free port; its address. It chooses a port before it binds it for both versions of IP, and ends if
/// somebody else is faster.
fn start_driver(driver: &Path) -> (Driver, String) {
    (0..5)
        .find_map(|_| try_to_start(driver))
        .expect("the driver says where it listens")
}

fn try_to_start(driver: &Path) -> Option<(Driver, String)> {
    let mut child = Command::new(driver)
        .arg("--port=0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    let driver = Driver(child);
    let port = lines.find_map(|line| {
        let (_, port) = line.split_once("started successfully on port ")?;
        Some(port.trim_end_matches('.').to_owned())
    });
    // Somebody must continue reading, or it blocks on a full pipe.
    let port = port?;
    std::thread::spawn(move || lines.for_each(drop));
    Some((driver, format!("http://127.0.0.1:{port}")))
}

/// The first of some programs that the PATH has.
fn found(names: &[&str]) -> Option<PathBuf> {
    let dirs: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
    names
        .iter()
        .find_map(|name| dirs.iter().map(|dir| dir.join(name)).find(|path| path.exists()))
}
