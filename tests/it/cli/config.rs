//! `sitelog config`, and the sources of settings.

use std::path::Path;
use std::process::Output;

use serde_json::Value;

use super::{sitelog, text};

/// A command with only the given settings.
fn run(dir: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = sitelog(arguments);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("SITELOG_") || name == "DATABASE_URL" {
            command.env_remove(name);
        }
    }
    command
        .env_remove("SITELOG_CONFIG")
        .current_dir(dir)
        .envs(environment.iter().copied());
    command.output().unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)))
}

/// A setting of `config show --json`.
fn setting<'a>(shown: &'a Value, name: &str) -> &'a Value {
    let settings = shown["settings"].as_array().unwrap().iter();
    let mut found = settings.filter(|one| one["name"] == name || one["environment"] == name);
    found.next().unwrap_or_else(|| panic!("{name} is not shown"))
}

#[test]
fn each_value_is_shown_with_its_origin_and_secrets_are_not() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(
        dir.path().join("sitelog.toml"),
        "[worker]\nconcurrency = 5\n[fetch]\nmax_seconds = 7\nproxy = 'http://u:hush@p.test'\n\
         [auth]\njwt_secret = 'hush-hush-hush-hush-hush-hush-hush'\naudience = 'a'\n",
    )
    .unwrap();
    let environment = [
        ("SITELOG_FETCH__MAX_SECONDS", "8"),
        ("SITELOG_API__REQUESTS_PER_MINUTE", "9"),
        ("DATABASE_URL", "postgres://u:hush@db.test/d"),
    ];
    let set = ["config", "show", "--json", "--set", "api.requests_per_minute=10"];
    let output = run(dir.path(), &set, &environment);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let shown = json(&output);
    for (name, value, origin) in [
        ("bind", Value::from("127.0.0.1:8080"), "default"),
        ("worker.concurrency", 5.into(), "file sitelog.toml"),
        (
            "fetch.max_seconds",
            8.into(),
            "environment SITELOG_FETCH__MAX_SECONDS",
        ),
        ("api.requests_per_minute", "10".into(), "flag --set"),
        ("auth.jwt_secret", "***".into(), "file sitelog.toml"),
        ("fetch.proxy", "http://u:***@p.test/".into(), "file sitelog.toml"),
        ("database.connections", Value::Null, "default"),
        (
            "DATABASE_URL",
            "postgres://u:***@db.test/d".into(),
            "environment DATABASE_URL",
        ),
    ] {
        let setting = setting(&shown, name);
        assert_eq!(
            (&setting["value"], &setting["origin"]),
            (&value, &origin.into()),
            "{name}"
        );
    }
    let lines = run(dir.path(), &["config", "show", "--changed"], &environment);
    let lines = text(&lines.stdout);
    assert!(
        !lines.contains("hush") && !text(&output.stdout).contains("hush"),
        "{lines}"
    );
    let first_words: Vec<&str> = lines.lines().filter_map(|line| line.split("  ").next()).collect();
    assert_eq!(
        first_words,
        [
            "DATABASE_URL",
            "api.requests_per_minute",
            "auth.audience",
            "auth.jwt_secret",
            "fetch.max_seconds",
            "fetch.proxy",
            "worker.concurrency"
        ]
    );
}

#[test]
fn settings_that_are_wrong_are_all_told_and_what_is_right_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    let environment = [
        ("SITELOG_WORKER__CONCURENCY", "5"),
        ("SITELOG_FETCH__MAX_BYTES", "much"),
        ("SITELOG_BIND", "0.0.0.0:80"),
    ];
    let shown = run(
        dir.path(),
        &["config", "show", "--set", "auth.mode=off"],
        &environment,
    );
    assert_eq!(shown.status.code(), Some(3));
    assert!(text(&shown.stdout).contains("0.0.0.0:80"));
    let started = run(dir.path(), &["migrate", "--set", "auth.mode=off"], &environment);
    assert_eq!(started.status.code(), Some(3));
    for printed in [text(&shown.stderr), text(&started.stderr)] {
        for wanted in [
            "SITELOG_WORKER__CONCURENCY is not a setting (did you mean 'SITELOG_WORKER__CONCURRENCY'?)",
            "SITELOG_FETCH__MAX_BYTES is 'much'; it must be a whole number",
            "SITELOG_BIND is 0.0.0.0:80, but with SITELOG_AUTH__MODE=off",
        ] {
            assert!(printed.contains(wanted), "{printed}");
        }
    }
}

#[test]
fn a_file_is_checked_alone_or_with_the_environment() {
    let dir = tempfile::tempdir().unwrap();
    let check = |content: &str, more: &[&str], environment: &[(&str, &str)]| {
        std::fs::write(dir.path().join("new.toml"), content).unwrap();
        let arguments = [&["config", "check", "new.toml"], more].concat();
        run(dir.path(), &arguments, environment)
    };
    let right = check("[worker]\nconcurrency = 5\n", &[], &[("SITELOG_BNID", "x")]);
    assert_eq!(right.status.code(), Some(0), "{}", text(&right.stdout));
    assert_eq!(text(&right.stdout), "new.toml has no errors\n");

    let content =
        "[worker]\nconcurency = 5\n[fetch]\nmax_seconds = 900\n[auth]\njwt_secret = '0123456789abcdef'\n";
    let wrong = check(content, &[], &[]);
    assert_eq!(wrong.status.code(), Some(3));
    assert_eq!(text(&wrong.stdout).lines().count(), 3, "{}", text(&wrong.stdout));
    assert!(text(&wrong.stdout).contains("did you mean 'worker.concurrency'?"));
    let environment = [
        ("SITELOG_AUTH__AUDIENCE", "a"),
        ("SITELOG_FETCH__MAX_SECONDS", "9"),
    ];
    let with = check(content, &["--with-environment", "--json"], &environment);
    assert_eq!(with.status.code(), Some(3));
    assert_eq!(
        json(&with)["faults"].as_array().unwrap().len(),
        1,
        "{}",
        text(&with.stdout)
    );

    let broken = check("[worker\n", &[], &[]);
    assert_eq!(broken.status.code(), Some(3));
    assert!(
        text(&broken.stdout).contains("line 1"),
        "{}",
        text(&broken.stdout)
    );
    let missing = run(dir.path(), &["config", "check", "none.toml"], &[]);
    assert_eq!(missing.status.code(), Some(2));
}

#[test]
fn a_file_can_be_named_and_the_working_directory_s_is_then_not_read() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("sitelog.toml"), "bnid = 'x'\n").unwrap();
    std::fs::write(dir.path().join("other.toml"), "bind = '127.0.0.1:1'\n").unwrap();
    let show = ["config", "show", "--json"];
    assert_eq!(run(dir.path(), &show, &[]).status.code(), Some(3));
    let by_flag = run(
        dir.path(),
        &[&show[..], &["--config", "other.toml"]].concat(),
        &[],
    );
    let by_variable = run(dir.path(), &show, &[("SITELOG_CONFIG", "other.toml")]);
    for output in [by_flag, by_variable] {
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        assert_eq!(setting(&json(&output), "bind")["value"], "127.0.0.1:1");
    }
    let nothing = run(dir.path(), &["config", "show", "--set", "bind"], &[]);
    assert_eq!(nothing.status.code(), Some(2));
}

#[test]
fn the_settings_that_the_package_installs_have_no_faults() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("dist/debian/sitelog.toml");
    let content = std::fs::read_to_string(file).unwrap();
    // What is commented out is an example, which somebody will use.
    let examples = content
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(rest) if rest.starts_with('[') || rest.contains(" = ") => rest,
            _ => line,
        })
        .collect::<Vec<_>>()
        .join("\n");
    assert!(examples.contains("\ncontact = ") && examples.contains("\nconcurrency = "));
    let dir = tempfile::tempdir().unwrap();
    for (name, content) in [("as.toml", &content), ("examples.toml", &examples)] {
        std::fs::write(dir.path().join(name), content).unwrap();
        let output = run(dir.path(), &["config", "check", name], &[]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    }
}
