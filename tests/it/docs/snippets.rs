//! The programs of `docs/snippets` work with a service with access control, and `/docs` shows all of them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;
use tempfile::TempDir;
use tokio::process::Command;

use crate::support::app::TestApp;
use crate::support::server::Server;
use crate::support::sites::{Sites, SitesOptions};

/// The interpreter for each file extension, and what it needs.
const LANGUAGES: [(&str, &str, &[&str]); 3] = [
    ("sh", "sh", &["curl", "jq"]),
    ("py", "python3", &[]),
    ("mjs", "node", &[]),
];

const LIST: &str = "name,domain,city\nAnna,site00000.sites.test,Rome\nBob,err404.sites.test,Turin\n";

struct Desk {
    server: Server,
    folder: TempDir,
    key: String,
}

impl Desk {
    /// Runs a program; returns whether it succeeded, and its output.
    async fn run(&self, (ending, language): (&str, &str), name: &str, arguments: &[&str]) -> (bool, String) {
        let mut command = Command::new(language);
        command
            .arg(snippets().join(format!("{name}.{ending}")))
            .args(arguments)
            .current_dir(self.folder.path())
            .env("SITELOG_URL", format!("http://{}", self.server.address()))
            .env("SITELOG_KEY", &self.key);
        // A proxy of this machine's does not lead to this machine.
        for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
            command.env_remove(name);
        }
        let output = command.output().await.unwrap();
        let said = [output.stdout, output.stderr].concat();
        (
            output.status.success(),
            String::from_utf8_lossy(&said).into_owned(),
        )
    }

    /// Waits until lists show the last event that was printed.
    async fn read_models_come_to(&self, printed: &str) {
        let position = Regex::new(r"(?m)^(?:id: )?(\d+)").unwrap();
        let last = &position.captures_iter(printed).last().unwrap()[1];
        for list in ["domains", "scans"] {
            let path = format!("/api/v4/{list}?at_least={last}");
            let mut statuses = Vec::new();
            while statuses.last() != Some(&200) {
                assert!(statuses.len() < 30, "{path}: {statuses:?}");
                statuses.push(self.server.status_of("GET", &path, Some(&self.key)).await);
            }
        }
    }

    /// The output of a program that must succeed.
    async fn said(&self, language: (&str, &str), name: &str, arguments: &[&str]) -> String {
        let (well, said) = self.run(language, name, arguments).await;
        assert!(well, "{name}.{}: {said}", language.0);
        said
    }
}

fn snippets() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/snippets")
}

fn contains(said: &str, wanted: &[&str]) {
    for wanted in wanted {
        assert!(said.contains(wanted), "no {wanted}: {said}");
    }
}

async fn is_there(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().await;
    found.is_ok_and(|output| output.status.success())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_journey_is_made_in_each_language() {
    let sites = Sites::start(SitesOptions {
        sites: 1,
        ..SitesOptions::default()
    })
    .await
    .unwrap();
    let server = Server::start(&sites, &[("SITELOG_AUTH__MODE", "required")]);
    let key = server.first_key().unwrap().to_owned();
    let mut desk = Desk {
        server,
        folder: TempDir::with_prefix("snippets-").unwrap(),
        key,
    };
    fs::write(desk.folder.path().join("list.csv"), LIST).unwrap();
    for (ending, program, needed) in LANGUAGES {
        let mut missing = Vec::new();
        for needed in needed.iter().chain([&program]).filter(|needed| **needed != "sh") {
            if !is_there(needed).await {
                missing.push(*needed);
            }
        }
        if missing.is_empty() {
            journeys(&mut desk, (ending, program)).await;
        } else {
            eprintln!("SKIPPED: the snippets in *.{ending} are not run, {missing:?} is not there");
        }
    }
}

async fn journeys(desk: &mut Desk, language: (&str, &str)) {
    let scan = desk
        .said(language, "scan", &["https://www.site00000.sites.test/"])
        .await;
    contains(
        &scan,
        &[
            "site00000.sites.test",
            "completed",
            "Workshop 0",
            "hello@site00000.sites.test",
        ],
    );

    let printed = desk.said(language, "batch", &["list.csv"]).await;
    contains(
        &printed,
        &[
            "BatchRequested",
            "ScanCompleted",
            "ScanFailed",
            "BatchCompleted",
            "partial",
        ],
    );
    let batch = printed
        .lines()
        .find_map(|line| line.strip_prefix("batch "))
        .unwrap();

    desk.read_models_come_to(&printed).await;

    let found = desk.said(language, "emails", &[]).await;
    let lines: Vec<&str> = found.lines().collect();
    assert_eq!(
        lines,
        [
            "site00000.sites.test\thello@site00000.sites.test",
            "site00000.sites.test\torders@site00000.sites.test"
        ]
    );

    let file = format!("results-{}.csv", language.0);
    contains(
        &desk.said(language, "export", &[batch, &file]).await,
        &["saved", &file],
    );
    let results = fs::read_to_string(desk.folder.path().join(&file)).unwrap();
    contains(
        &results,
        &["domain,", "hello@site00000.sites.test", ",Rome", ",Turin"],
    );
    assert_eq!(results.lines().count(), 3, "{results}");

    let why = desk.said(language, "failures", &[batch]).await;
    contains(&why, &["err404.sites.test", "http_status", "answered 404"]);

    let changes = desk.said(language, "history", &["site00000.sites.test"]).await;
    contains(&changes, &["title: null -> \"Workshop 0", "email_addresses"]);

    let key = std::mem::replace(&mut desk.key, "sl_nobody".to_owned());
    let other = format!("refused-{}.csv", language.0);
    for (name, arguments) in [
        ("scan", &["site00000.sites.test"][..]),
        ("batch", &["list.csv"]),
        ("emails", &[]),
        ("export", &[batch, &other]),
        ("failures", &[batch]),
        ("history", &["site00000.sites.test"]),
    ] {
        let (well, said) = desk.run(language, name, arguments).await;
        assert!(!well, "{name}.{} ends well without access: {said}", language.0);
        contains(&said, &["invalid_credentials"]);
    }
    assert!(!desk.folder.path().join(&other).exists());
    desk.key = key;
}

#[tokio::test]
async fn the_docs_show_every_one_of_them() {
    let app = TestApp::start().await;
    let page = app.get("/docs").await.text();
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(snippets()).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let shown = text
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;");
        assert!(page.contains(&shown), "{}", path.display());
        names.insert(path.file_stem().unwrap().to_string_lossy().into_owned());
    }
    assert!(names.len() >= 6, "{names:?}");
    for (name, (ending, ..)) in names
        .iter()
        .flat_map(|name| LANGUAGES.map(|language| (name, language)))
    {
        assert!(
            snippets().join(format!("{name}.{ending}")).exists(),
            "{name}.{ending}"
        );
    }
}
