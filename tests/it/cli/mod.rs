//! The command line without a server.

mod config;
mod output;
mod sitemap_audit;

use std::collections::BTreeSet;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::support::app::TestApp;

fn sitelog(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sitelog"));
    // Not what this machine has.
    command
        .args(arguments)
        .env("SITELOG_CONFIG", "/dev/null")
        .stdin(Stdio::null());
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Each command as docs/cli.md, which is made from the program, names it: `log verify`, say.
fn commands() -> Vec<String> {
    let page = sitelog::cli::reference();
    let names = page
        .lines()
        .filter_map(|line| line.strip_prefix("## `sitelog ")?.strip_suffix('`'));
    names.map(str::to_owned).collect()
}

#[test]
fn completions_are_scripts_of_each_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = sitelog(&["completions", shell]).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        let script = text(&output.stdout);
        for word in ["export", "completions"] {
            assert!(script.contains(word), "{shell} lacks {word}");
        }
        if shell == "bash" {
            let dir = tempfile::tempdir().unwrap();
            let file = dir.path().join("sitelog.bash");
            std::fs::write(&file, &script).unwrap();
            let checked = Command::new("bash").arg("-n").arg(&file).output().unwrap();
            assert!(checked.status.success(), "{}", text(&checked.stderr));
        }
    }
    assert_eq!(
        sitelog(&["completions", "tcsh"]).output().unwrap().status.code(),
        Some(2)
    );
}

#[test]
fn every_command_has_a_manual_page() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("man1");
    let output = sitelog(&["man", folder.to_str().unwrap()]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let mut wanted: BTreeSet<String> = commands()
        .iter()
        .map(|name| format!("sitelog-{}.1", name.replace(' ', "-")))
        .collect();
    wanted.insert("sitelog.1".to_owned());
    let entries = std::fs::read_dir(&folder).unwrap();
    let written: BTreeSet<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(written, wanted);
    let page = std::fs::read_to_string(folder.join("sitelog-log-verify.1")).unwrap();
    assert!(page.contains(".TH") && page.contains("head"), "{page}");
    let main = sitelog(&["man"]).output().unwrap();
    assert_eq!(
        text(&main.stdout),
        std::fs::read_to_string(folder.join("sitelog.1")).unwrap()
    );
}

/// Those for which JSON would add nothing: other commands, a service, or a format of their own.
const WITHOUT_JSON: [&str; 23] = [
    "serve",
    "worker",
    "follow",
    "nats",
    "nats accounts",
    "nats init",
    "nats check",
    "export",
    "config",
    "mcp",
    "openapi",
    "completions",
    "man",
    "log",
    "key",
    "monitor",
    "webhook",
    "tenant",
    "tenant export",
    "tenant import",
    "technologies",
    "legacy",
    "projections",
];

#[test]
fn every_command_that_tells_something_does_so_in_json_too() {
    let page = sitelog::cli::reference();
    for name in commands() {
        let start = page.find(&format!("## `sitelog {name}`")).unwrap();
        let help = page[start..].split("\n## ").next().unwrap();
        let is_exempt = WITHOUT_JSON.contains(&name.as_str());
        assert!(
            is_exempt || help.contains("--json"),
            "sitelog {name} has no --json"
        );
    }
}

#[tokio::test]
async fn nothing_is_coloured_in_a_pipe_and_only_there_when_asked() {
    let app = TestApp::start().await;
    let scan = app.create_scan("a.com").await;
    app.post(&format!("/api/v4/scans/{scan}/cancel")).await;
    let run = async |arguments: &[&str], environment: &[(&str, &str)]| -> Output {
        let mut command = app.command(arguments);
        command
            .env_remove("NO_COLOR")
            .env("TERM", "xterm-256color")
            .envs(environment.iter().copied());
        tokio::process::Command::from(command).output().await.unwrap()
    };
    for arguments in [&["events"][..], &["projections", "status"], &["doctor"]] {
        let plain = run(arguments, &[]).await;
        assert!(!text(&plain.stdout).is_empty(), "{}", text(&plain.stderr));
        assert!(!text(&plain.stdout).contains('\u{1b}'), "{arguments:?}");
        let forced = run(arguments, &[("CLICOLOR_FORCE", "1")]).await;
        assert!(
            text(&forced.stdout).contains('\u{1b}'),
            "{arguments:?} has colours where it is told to"
        );
        let none = run(arguments, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]).await;
        assert!(
            !text(&none.stdout).contains('\u{1b}'),
            "{arguments:?} with NO_COLOR"
        );
    }
    let json = run(&["events", "--json"], &[("CLICOLOR_FORCE", "1")]).await;
    for line in text(&json.stdout).lines() {
        serde_json::from_str::<Value>(line).unwrap();
    }
}

#[tokio::test]
async fn what_is_done_is_told_in_json() {
    let app = TestApp::start().await;
    let tenant = "00000000-0000-4000-8000-000000000001";
    for (arguments, field, wanted) in [
        (&["migrate", "--json"][..], "up_to_date", Value::from(true)),
        (
            &["tenant", "set", tenant, "--open-v1", "true", "--json"],
            "tenant_id",
            tenant.into(),
        ),
        (
            &["projections", "as-of", "0", "--drop", "--json"],
            "dropped",
            true.into(),
        ),
    ] {
        let command = app.command(arguments);
        let output = tokio::process::Command::from(command).output().await.unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report[field], wanted, "{arguments:?}");
    }
}

#[tokio::test]
async fn a_database_that_was_only_migrated_can_be_read() {
    let dir = tempfile::tempdir().unwrap();
    for arguments in [
        &["migrate"][..],
        &["export", "domains"],
        &["projections", "status"],
    ] {
        let mut command = sitelog(arguments);
        command
            .env_remove("DATABASE_URL")
            .env("SITELOG_DATA_DIR", dir.path());
        let output = tokio::process::Command::from(command).output().await.unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    }
}
