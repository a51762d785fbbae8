//! The output of commands never controls the terminal, whatever they read.

use std::process::Output;

use serde_json::{Value, json};

use crate::support::app::TestApp;

/// Sets the title, clears the screen, changes colours (as 7 and as 8 bits), goes back, and turns the direction.
const HOSTILE: &str = "a\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\r\u{202e}\u{7f}\u{8}b";

/// Runs a command and looks at all that it prints, in a pipe and where colours are wanted.
fn run(app: &TestApp, data_dir: &std::path::Path, arguments: &[&str]) -> Output {
    let mut last = None;
    for environment in [&[][..], &[("CLICOLOR_FORCE", "1"), ("TERM", "xterm-256color")]] {
        let mut command = app.command(arguments);
        command.env_remove("NO_COLOR").env("SITELOG_DATA_DIR", data_dir);
        let output = command.envs(environment.iter().copied()).output().unwrap();
        for said in [&output.stdout, &output.stderr] {
            let said = String::from_utf8(said.clone()).unwrap();
            let without_colours = without_colours(&said);
            let acting = |c: char| c.is_control() && !matches!(c, '\n' | '\t') || c == '\u{202e}';
            assert!(
                !without_colours.contains(acting),
                "{arguments:?} prints {without_colours:?}"
            );
            assert!(!said.contains("\u{1b}[2J"), "{arguments:?} prints {said:?}");
        }
        last = Some(output);
    }
    last.unwrap()
}

/// The text without `ESC [ numbers m`, if colours are all that there is.
fn without_colours(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part
            .find(|c: char| !c.is_ascii_digit() && c != ';')
            .unwrap_or(part.len());
        plain.push_str(part[end..].strip_prefix('m').unwrap_or("\u{1b}"));
    }
    plain
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn names_of_keys_that_somebody_chose_are_shown_harmless() {
    let app = TestApp::start().await;
    let dir = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| run(&app, dir.path(), arguments);
    let name = format!("{HOSTILE}\nsitelog_0000000000000000  forged");
    run(&["key", "create", "--name", &name]);
    run(&["key", "create", "--name", &name, "--json"]);
    let listed = text(&run(&["key", "list"]).stdout);
    assert_eq!(listed.lines().count(), 4, "a line per key: {listed}");
    assert!(listed.contains("\\u001b]0;owned"), "{listed}");
    let listed = text(&run(&["key", "list", "--json"]).stdout);
    for line in listed.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        assert_eq!(row["name"], name);
    }
}

#[tokio::test]
async fn files_that_commands_are_given_are_shown_harmless() {
    let app = TestApp::start().await;
    let dir = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| run(&app, dir.path(), arguments);
    let file = |name: &str, content: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let list = file("list.csv", &format!("domain\n{HOSTILE}\n"));
    let refused = run(&["batch", &list]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        text(&refused.stderr).contains("\\u001b]0;owned"),
        "{}",
        text(&refused.stderr)
    );
    let set = json!({ "technologies": {
        format!("Good {HOSTILE}"): { "cats": [1], "headers": { "x-a": "b" }, "website": HOSTILE },
        format!("Bad {HOSTILE}"): { "cats": [1], "html": format!("(?<!a)\\1{HOSTILE}(") },
    } });
    let set = file("set.json", &set.to_string());
    let loaded = run(&["technologies", "load", &set]);
    assert!(loaded.status.success(), "{}", text(&loaded.stderr));
    run(&["technologies", "load", &set, "--json"]);
    let listed = text(&run(&["technologies", "list"]).stdout);
    assert!(listed.contains("Good a\\u001b]0;owned"), "{listed}");
    run(&["technologies", "list", "--json"]);
    let page = file("page.html", &format!("<title>{HOSTILE}</title>"));
    run(&["extract", &page]);
    let sitemap = file("sitemap.txt", &format!("https://a.com/{HOSTILE}\n{HOSTILE}\n"));
    run(&["sitemap", &sitemap, "--summary"]);
    run(&["sitemap", &sitemap, "--audit", "--url", "https://a.com/"]);
    let broken = file("broken.json", &format!("{{ {HOSTILE}"));
    run(&["technologies", "load", &broken]);
    run(&["log", "verify", "--head", &file("head", HOSTILE)]);
    run(&["log", "verify-segment", &file("segment", HOSTILE)]);
}

#[tokio::test]
async fn arguments_that_are_told_back_are_shown_harmless() {
    let app = TestApp::start().await;
    let dir = tempfile::tempdir().unwrap();
    let missing = format!("/no/such/{HOSTILE}");
    for arguments in [
        &[HOSTILE][..],
        &["scan", HOSTILE],
        &["scan", "--max-pages", HOSTILE, "a.com"],
        &["batch", &missing],
        &["export", "domains", "--domain", HOSTILE],
        &["export", "domains", "--format", HOSTILE],
        &["sitemap", &missing],
        &["extract", &missing],
        &["robots", &missing, "--agent", "a", "/"],
        &["technologies", "load", &missing],
        &["technologies", "unload", HOSTILE],
        &["events", "--stream", HOSTILE],
        &["forget", HOSTILE, "--yes"],
        &["key", "revoke", HOSTILE],
        &["key", "create", "--scopes", HOSTILE],
        &["tenant", "set", HOSTILE],
        &[
            "tenant",
            "set",
            "00000000-0000-4000-8000-000000000001",
            "--max-batch-domains",
            HOSTILE,
        ],
        &["log", "verify", "--head", HOSTILE],
        &["log", "verify-segment", &missing],
        &["projections", "rebuild", HOSTILE],
        &["legacy", "import", "--from", HOSTILE],
    ] {
        let output = run(&app, dir.path(), arguments);
        assert!(
            !output.status.success() || arguments[0] == "events",
            "{arguments:?}"
        );
    }
}

#[tokio::test]
async fn settings_that_are_told_back_are_shown_harmless() {
    let app = TestApp::start().await;
    for (name, arguments) in [
        ("SITELOG_BIND", &["serve"][..]),
        ("SITELOG_BIND", &["doctor"]),
        ("SITELOG_BIND", &["doctor", "--json"]),
        ("DATABASE_URL", &["doctor"]),
        ("SITELOG_FETCH__CONNECT_TO", &["scan", "a.com"]),
    ] {
        let output = app.command(arguments).env(name, HOSTILE).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{name} {arguments:?}");
        for said in [&output.stdout, &output.stderr] {
            let acting = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
            assert!(!text(said).contains(acting), "{name}: {:?}", text(said));
        }
    }
}
