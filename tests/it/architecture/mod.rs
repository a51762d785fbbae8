//! Who may use whom: reads every path in `src/` and compares it with the table below.
//!
//! The table is the one of ARCHITECTURE.md. A new module is entered here first; that is the moment to think about
//! it. Tests inside `src/` may use what they like.

mod expressions;
mod paths;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use paths::{crates_named, paths_used, tokens, without_tests};

/// The modules that a module may use, other than itself.
struct Rule {
    module: &'static str,
    uses: &'static [&'static str],
    /// Parts of these modules that it must not use: the module and names within it.
    except: &'static [(&'static str, &'static [&'static str])],
    crates: &'static [&'static str],
}

/// Only commands call `decide`; others use only events and statuses.
const DECIDING: (&str, &[&str]) = (
    "aggregates",
    &[
        "DomainScan",
        "BatchScan",
        "Webhook",
        "Monitor",
        "Tenant",
        "ScanCommand",
        "BatchCommand",
        "WebhookCommand",
        "MonitorCommand",
        "TenantCommand",
    ],
);
/// Only commands append.
const APPENDING: (&str, &[&str]) = (
    "log",
    &["append", "together", "AppendUnit", "StreamAppend", "NewEvent"],
);
/// `app` decides who runs projections.
const PROJECTING: (&str, &[&str]) = ("projections", &["evolve", "runner", "rebuild"]);

/// The API only counts tasks.
const CLAIMING: (&str, &[&str]) = (
    "tasks",
    &["NewTask", "ClaimedTask", "Settled", "enqueue", "dequeue"],
);

/// The API passes requests on to the old backend; sites are the worker's.
const FETCHING: (&str, &[&str]) = ("fetch", &["Fetcher"]);

/// `app` decides who sends to endpoints.
const SENDING: (&str, &[&str]) = ("webhooks", &["Deliverer"]);

/// Crates that only some modules may name. `tokio` and `rand` stand for IO, clock and chance.
const RESTRICTED_CRATES: [&str; 6] = ["sqlx", "reqwest", "tokio", "rand", "async_nats", "nkeys"];

#[rustfmt::skip]
const RULES: &[Rule] = &[
    Rule { module: "values", uses: &[], except: &[], crates: &[] },
    Rule { module: "pools", uses: &[], except: &[], crates: &["sqlx", "tokio"] },
    Rule { module: "traces", uses: &[], except: &[], crates: &["rand", "tokio"] },
    Rule { module: "turns", uses: &["values"], except: &[], crates: &["tokio"] },
    Rule { module: "aggregates", uses: &["values"], except: &[], crates: &[] },
    Rule { module: "log", uses: &["pools", "turns", "traces", "values"], except: &[], crates: &["sqlx", "tokio", "rand"] },
    Rule { module: "tasks", uses: &["pools", "values"], except: &[], crates: &["sqlx", "tokio", "rand"] },
    Rule { module: "fetch", uses: &["traces", "values"], except: &[], crates: &["reqwest", "tokio", "rand"] },
    Rule { module: "scanner", uses: &["fetch", "values"], except: &[], crates: &["tokio", "rand"] },
    Rule { module: "commands", uses: &["access", "aggregates", "log", "values"], except: &[], crates: &["tokio", "rand"] },
    Rule { module: "projections", uses: &["aggregates", "log", "turns", "traces", "values"], except: &[DECIDING, APPENDING], crates: &["sqlx", "tokio", "rand"] },
    Rule { module: "progress", uses: &["projections"], except: &[PROJECTING], crates: &["sqlx"] },
    Rule { module: "webhooks", uses: &["aggregates", "commands", "fetch", "log", "values"], except: &[DECIDING, APPENDING], crates: &["sqlx", "tokio", "rand"] },
    Rule { module: "mail", uses: &["access"], except: &[], crates: &["tokio"] },
    Rule { module: "monitors", uses: &["access", "aggregates", "commands", "log", "mail", "projections", "values", "webhooks"], except: &[DECIDING, APPENDING, PROJECTING, SENDING], crates: &["sqlx", "tokio", "rand"] },
    Rule { module: "policies", uses: &["aggregates", "commands", "monitors", "tasks", "webhooks", "log", "values"], except: &[DECIDING, APPENDING, SENDING], crates: &["sqlx", "tokio", "rand"] },
    Rule { module: "worker", uses: &["scanner", "commands", "tasks", "projections", "traces", "values"], except: &[PROJECTING], crates: &["tokio", "rand"] },
    Rule { module: "fleet", uses: &["commands", "log", "tasks", "worker", "values"], except: &[APPENDING], crates: &["tokio", "async_nats", "nkeys"] },
    Rule { module: "access", uses: &["fetch", "values"], except: &[], crates: &["sqlx", "tokio", "rand"] },
    Rule { module: "saved_filters", uses: &["values"], except: &[], crates: &["sqlx"] },
    Rule { module: "legacy", uses: &["commands", "projections", "log", "aggregates", "values"], except: &[DECIDING, APPENDING, PROJECTING], crates: &["sqlx", "tokio", "rand"] },
    Rule { module: "export", uses: &["commands", "values"], except: &[], crates: &["tokio"] },
    Rule { module: "mcp", uses: &["values"], except: &[], crates: &["tokio"] },
    Rule { module: "api", uses: &["export", "mcp", "commands", "progress", "projections", "legacy", "access", "log", "tasks", "turns", "fetch", "monitors", "webhooks", "aggregates", "pools", "values"], except: &[DECIDING, APPENDING, PROJECTING, CLAIMING, FETCHING, SENDING], crates: &["tokio", "rand"] },
    Rule { module: "dashboard", uses: &["api", "export", "pools", "progress", "projections", "commands", "access", "log", "monitors", "saved_filters", "tasks", "webhooks", "aggregates", "values"], except: &[DECIDING, APPENDING, PROJECTING, CLAIMING, SENDING], crates: &["tokio", "rand"] },
    Rule { module: "backup", uses: &["postgres", "projections", "log"], except: &[APPENDING, PROJECTING], crates: &["sqlx", "tokio"] },
    Rule { module: "postgres", uses: &[], except: &[], crates: &["sqlx", "tokio", "rand"] },
];

/// The wiring, which may use everything but the network's client.
const WIRING: [&str; 9] = [
    "app",
    "cli",
    "config",
    "database",
    "telemetry",
    "trace_export",
    "lib",
    "main",
    "metric_export",
];
const WIRING_CRATES: [&str; 3] = ["sqlx", "tokio", "rand"];

/// A restricted API: its tokens, and the only files that may contain them.
struct Door {
    what: &'static str,
    tokens: &'static [&'static [&'static str]],
    files: &'static [&'static str],
}

const DOORS: [Door; 2] = [
    Door {
        what: "prints; only cli/output.rs does, where all of it is made harmless",
        tokens: &[
            &["println", "!"],
            &["print", "!"],
            &["eprintln", "!"],
            &["eprint", "!"],
            &["dbg", "!"],
            &["stdout", "(", ")"],
            &["stderr", "(", ")"],
        ],
        files: &["cli/output.rs", "cli/style.rs", "telemetry.rs"],
    },
    Door {
        what: "starts a program; only postgres/child.rs does, which keeps our environment from it",
        tokens: &[&["Command", "::", "new"], &["process", "::", "Command"]],
        files: &["postgres/child.rs"],
    },
];

/// The places that violate a restriction.
fn round_the_walls<'a>(
    file: &'a Path,
    tokens: &'a [paths::Token],
) -> impl Iterator<Item = (usize, String)> + 'a {
    let closed = DOORS
        .iter()
        .filter(|door| !door.files.iter().any(|name| file.ends_with(name)));
    closed.flat_map(move |door| {
        let starts = (0..tokens.len()).filter(move |start| {
            let here = |wanted: &&[&str]| {
                let found = tokens[*start..].iter().map(|(_, token)| *token);
                found.take(wanted.len()).eq(wanted.iter().copied())
            };
            door.tokens.iter().any(here)
        });
        starts.map(move |start| (tokens[start].0, door.what.to_owned()))
    })
}

#[test]
fn every_module_uses_only_what_it_may() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = rust_files(&src);
    assert!(files.len() > 10, "the sources are in {}", src.display());
    let of_file = |file: &PathBuf| {
        let source = fs::read_to_string(file).unwrap();
        violations_in(file.strip_prefix(&src).unwrap(), &source)
    };
    let violations: Vec<String> = files
        .iter()
        .flat_map(of_file)
        .map(|found| found.to_string())
        .collect();
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}

#[derive(Debug, PartialEq, Eq)]
struct Violation {
    file: PathBuf,
    line: usize,
    what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "src/{}:{} {}", self.file.display(), self.line, self.what)
    }
}

fn violations_in(file: &Path, source: &str) -> Vec<Violation> {
    if file.ends_with("tests.rs") {
        return Vec::new();
    }
    let module = top_module(file);
    let tokens = without_tests(tokens(source));
    let mut found = Vec::new();
    let rule = RULES.iter().find(|rule| rule.module == module);
    if let Some(rule) = rule {
        let refused = |(line, path): (usize, Vec<String>)| Some((line, refusal(rule, &path)?));
        found.extend(paths_used(&tokens, depth(file)).into_iter().filter_map(refused));
    } else if !WIRING.contains(&module.as_str()) {
        found.push((
            1,
            format!("the module {module} is not in the table of tests/it/architecture"),
        ));
    }
    let may_name = rule.map_or(&WIRING_CRATES[..], |rule| rule.crates);
    for (line, name) in crates_named(&tokens) {
        if !may_name.contains(&name.as_str()) {
            found.push((line, format!("{module} may not name the crate {name}")));
        }
    }
    found.extend(round_the_walls(file, &tokens));
    let violation = |(line, what)| Violation {
        file: file.to_owned(),
        line,
        what,
    };
    found.into_iter().map(violation).collect()
}

/// Why this module may not use that path, if so.
fn refusal(rule: &Rule, path: &[String]) -> Option<String> {
    let target = path.first()?;
    let is_module = RULES.iter().any(|rule| rule.module == target) || WIRING.contains(&target.as_str());
    if !is_module || target == rule.module {
        return None;
    }
    let whole = path.join("::");
    if !rule.uses.contains(&target.as_str()) {
        return Some(format!("{} may not use {target} (crate::{whole})", rule.module));
    }
    let barred = rule
        .except
        .iter()
        .filter(|(module, _)| module == target)
        .flat_map(|(_, names)| names.iter());
    let name = barred
        .into_iter()
        .find(|name| path.iter().any(|segment| segment == **name))?;
    Some(format!(
        "{} may use {target}, but not its {name} (crate::{whole})",
        rule.module
    ))
}

/// `api` for `api/v4/scans.rs`, `app` for `app.rs`.
fn top_module(file: &Path) -> String {
    let first = file.components().next().expect("a file has a name");
    Path::new(first.as_os_str())
        .with_extension("")
        .display()
        .to_string()
}

/// The number of `super` from this file to the crate's root.
fn depth(file: &Path) -> usize {
    file.components().count() - usize::from(file.ends_with("mod.rs"))
}

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn found_in(file: &str, source: &str) -> Vec<String> {
    violations_in(Path::new(file), source)
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn a_forbidden_use_is_found_however_it_is_written() {
    let written = [
        "use crate::tasks;",
        "use crate::tasks::lease::Lease;",
        "use crate::{values::ScanId, tasks::{self, Lease}};",
        "fn f() { crate::tasks::lease(); }",
        "type T = Vec<crate::tasks::Lease>;",
        "use super::super::tasks::Lease;",
        "pub(crate) use crate::tasks as queue;",
    ];
    for source in written {
        let found = found_in("scanner/robots.rs", source);
        assert!(
            found
                .first()
                .is_some_and(|text| text.contains("scanner may not use tasks")),
            "{source}: {found:?}"
        );
    }
}

#[test]
fn the_place_of_a_violation_is_told() {
    let found = found_in(
        "dashboard/scans.rs",
        "//! About.\n\nuse crate::{\n    values::ScanId,\n    fetch::Fetcher,\n};\n",
    );
    assert_eq!(
        found,
        ["src/dashboard/scans.rs:5 dashboard may not use fetch (crate::fetch::Fetcher)"]
    );
}

#[test]
fn a_part_of_a_module_can_be_out_of_bounds() {
    assert_eq!(
        found_in("policies/x.rs", "use crate::aggregates::{ScanEvent, ScanStatus};"),
        [""; 0]
    );
    let found = found_in(
        "policies/x.rs",
        "use crate::aggregates::{ScanEvent, scan::DomainScan};",
    );
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("not its DomainScan"), "{found:?}");
}

#[test]
fn a_crate_is_found_where_it_may_not_be_named() {
    for source in [
        "use sqlx::PgPool;",
        "fn f(pool: &sqlx::PgPool) {}",
        "use {sqlx::PgPool};",
        "use sqlx as db;",
    ] {
        assert_eq!(found_in("commands/bus.rs", source).len(), 1, "{source}");
        assert_eq!(found_in("log/append.rs", source), [""; 0], "{source}");
    }
    assert_eq!(found_in("app.rs", "use reqwest::Client;").len(), 1);
}

#[test]
fn what_goes_round_a_wall_is_found() {
    for source in [
        "fn f() { println!(\"{x}\"); }",
        "fn f() { std::io::stderr().write_all(b); }",
        "use std::io::stdout;\nfn f() { writeln!(stdout(), \"\"); }",
        "fn f() { tokio::process::Command::new(x); }",
        "use std::process::Command as Program;",
    ] {
        assert!(!found_in("cli/key.rs", source).is_empty(), "{source}");
    }
    assert_eq!(found_in("cli/output.rs", "fn f() { io::stdout(); }"), [""; 0]);
    assert_eq!(
        found_in(
            "cli/key.rs",
            "#[cfg(test)]\nmod tests {\n    fn f() { println!(); }\n}"
        ),
        [""; 0]
    );
}

#[test]
fn words_that_are_no_use_are_not_found() {
    let sources = [
        "//! Like crate::tasks and sqlx::query.",
        "/* crate::tasks::x */ fn f() {}",
        r##"const A: &str = "crate::tasks"; const B: &str = r#"sqlx::x " crate::tasks"#; const C: char = '"';"##,
        "fn f<'a>(x: &'a str) { let q = '\\''; let c = 'c'; }",
        "use crate::scanner::tasks::Lease; use self::tasks::Lease; use super::tasks::Lease;",
        "fn f() {}\n#[cfg(test)]\nmod tests {\n    use crate::tasks::Lease;\n}",
    ];
    for source in sources {
        assert_eq!(found_in("scanner/robots.rs", source), [""; 0], "{source}");
    }
}

#[test]
fn a_module_that_is_not_in_the_table_is_found() {
    assert!(found_in("helpers/mod.rs", "")[0].contains("the module helpers is not in the table"));
}
