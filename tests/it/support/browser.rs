//! A real browser without a window, driven by `WebDriver` (W3C), for pages that people use. `script/test` installs it;
//! where there is none, the tests that need one say that they are passed over.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::json;
use tempfile::TempDir;

/// How long a page may take to come to where a test wants it, however slow the machine.
const PATIENCE: Duration = Duration::from_mins(1);
/// The browser as distributions call it.
const BROWSERS: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// A browser with a profile of its own; it ends when dropped.
pub struct Browser {
    /// For what is not here.
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
    /// Starts one; `None`, said loudly, where this machine has none.
    pub async fn start() -> Option<Self> {
        let (Some(browser), Some(driver)) = (found(&BROWSERS), found(&["chromedriver"])) else {
            eprintln!("SKIPPED: there is no Chromium with its driver here; pages are not run in a browser");
            return None;
        };
        let (driver, address) = start_driver(driver);
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
        let wanted = json!({ "goog:chromeOptions": { "binary": browser, "args": arguments } });
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(wanted.as_object().unwrap().clone())
            .connect(&address)
            .await
            .unwrap_or_else(|error| panic!("the browser does not start: {error}"));
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

    /// Waits until an element is there that a path finds (`XPath` 1.0), and tells its text.
    pub async fn wait_for(&self, path: &str) -> String {
        let waiting = self.client.wait().at_most(PATIENCE);
        match waiting.for_element(Locator::XPath(path)).await {
            // A title has no text that would be shown.
            Ok(element) => element.prop("textContent").await.unwrap().unwrap_or_default(),
            Err(error) => panic!("{path} does not appear: {error}\n{}", self.source().await),
        }
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

/// Starts a driver on a free port; its address.
fn start_driver(driver: PathBuf) -> (Driver, String) {
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
    let port = port.expect("the driver says where it listens");
    // Somebody must go on reading, or it blocks on a full pipe.
    std::thread::spawn(move || lines.for_each(drop));
    (driver, format!("http://127.0.0.1:{port}"))
}

/// The first of some programs that the PATH has.
fn found(names: &[&str]) -> Option<PathBuf> {
    let dirs: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
    names
        .iter()
        .find_map(|name| dirs.iter().map(|dir| dir.join(name)).find(|path| path.exists()))
}
