//! Who may use whom: reads every path in `src/` and compares it with the table below.
//!
//! The table is the one of ARCHITECTURE.md. A new module is entered here first; that is the moment to think about
//! it. Tests inside `src/` may use what they like.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// What one module may use, itself aside.
struct Rule {
    module: &'static str,
    uses: &'static [&'static str],
    /// Parts of the modules in `uses` that are out of bounds nevertheless: the module and names within it.
    except: &'static [(&'static str, &'static [&'static str])],
    crates: &'static [&'static str],
}

/// Only commands make an aggregate decide; the others know what happened (events) and what that amounts to (status).
const DECIDING: (&str, &[&str]) = (
    "aggregates",
    &["DomainScan", "BatchScan", "ScanCommand", "BatchCommand"],
);
/// Only commands write.
const APPENDING: (&str, &[&str]) = ("log", &["append", "AppendUnit", "StreamAppend", "NewEvent"]);
/// Who runs projections is decided in `app`.
const PROJECTING: (&str, &[&str]) = ("projections", &["evolve", "runner", "rebuild"]);

/// Crates that only some modules may name. `tokio` and `rand` stand for IO, clock and chance.
const RESTRICTED_CRATES: [&str; 4] = ["sqlx", "reqwest", "tokio", "rand"];

#[rustfmt::skip]
const RULES: &[Rule] = &[
    Rule { module: "values", uses: &[], except: &[], crates: &[] },
    Rule { module: "aggregates", uses: &["values"], except: &[], crates: &[] },
    Rule { module: "log", uses: &["values"], except: &[], crates: &["sqlx", "tokio", "rand"] },
    Rule { module: "tasks", uses: &["values"], except: &[], crates: &["sqlx", "tokio", "rand"] },
    Rule { module: "fetch", uses: &["values"], except: &[], crates: &["reqwest", "tokio", "rand"] },
    Rule { module: "scanner", uses: &["fetch", "values"], except: &[], crates: &["tokio", "rand"] },
    Rule { module: "commands", uses: &["aggregates", "log", "values"], except: &[], crates: &["tokio", "rand"] },
    Rule { module: "projections", uses: &["aggregates", "log", "values"], except: &[DECIDING, APPENDING], crates: &["sqlx", "tokio", "rand"] },
    Rule { module: "policies", uses: &["aggregates", "commands", "tasks", "log", "values"], except: &[DECIDING, APPENDING], crates: &["sqlx", "tokio", "rand"] },
    Rule { module: "worker", uses: &["scanner", "commands", "tasks", "projections", "values"], except: &[PROJECTING], crates: &["tokio", "rand"] },
    Rule { module: "access", uses: &["fetch", "values"], except: &[], crates: &["sqlx", "tokio", "rand"] },
    Rule { module: "api", uses: &["commands", "projections", "access", "log", "aggregates", "values"], except: &[DECIDING, APPENDING, PROJECTING], crates: &["tokio", "rand"] },
    Rule { module: "dashboard", uses: &["projections", "commands", "access", "aggregates", "values"], except: &[DECIDING, PROJECTING], crates: &["tokio", "rand"] },
    Rule { module: "postgres", uses: &[], except: &[], crates: &["sqlx", "tokio", "rand"] },
];

/// The wiring, which may use everything but the network's client.
const WIRING: [&str; 6] = ["app", "cli", "config", "telemetry", "lib", "main"];
const WIRING_CRATES: [&str; 3] = ["sqlx", "tokio", "rand"];

#[test]
fn every_module_uses_only_what_it_may() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = rust_files(&src);
    assert!(files.len() > 10, "the sources are in {}", src.display());
    let violations: Vec<String> = files
        .iter()
        .flat_map(|file| {
            violations_in(
                file.strip_prefix(&src).unwrap(),
                &fs::read_to_string(file).unwrap(),
            )
        })
        .map(|violation| violation.to_string())
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
    let module = top_module(file);
    let tokens = without_tests(tokens(source));
    let violation = |line, what| Violation {
        file: file.to_owned(),
        line,
        what,
    };
    let (paths, crates) = match RULES.iter().find(|rule| rule.module == module) {
        _ if file.ends_with("tests.rs") => return Vec::new(),
        Some(rule) => {
            let paths = paths_used(&tokens, depth(file)).into_iter();
            (
                paths
                    .filter_map(|(line, path)| Some((line, refusal(rule, &path)?)))
                    .collect(),
                rule.crates,
            )
        }
        None if WIRING.contains(&module.as_str()) => (Vec::new(), &WIRING_CRATES[..]),
        None => (
            vec![(
                1,
                format!("the module {module} is not in the table of tests/it/architecture.rs"),
            )],
            &[][..],
        ),
    };
    let named = crates_named(&tokens)
        .into_iter()
        .filter(|(_, name)| !crates.contains(&name.as_str()));
    let named = named.map(|(line, name)| (line, format!("{module} may not name the crate {name}")));
    paths
        .into_iter()
        .chain(named)
        .map(|(line, what)| violation(line, what))
        .collect()
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

/// How many `super` lead from this file to the crate's root.
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

/// A token and the line it is on.
type Token<'a> = (usize, &'a str);

/// Identifiers, `::` and single other characters; comments, strings and character literals are left out.
fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let (mut rest, mut line) = (source, 1);
    while !rest.is_empty() {
        let (length, is_token) = first_token(rest);
        let text = &rest[..length];
        if is_token {
            found.push((line, text));
        }
        line += text.matches('\n').count();
        rest = &rest[length..];
    }
    found
}

/// The length of what stands first, and whether it counts.
fn first_token(text: &str) -> (usize, bool) {
    let first = text.chars().next().expect("not empty");
    let identifier = text
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    if text.starts_with("//") {
        return (text.find('\n').unwrap_or(text.len()), false);
    }
    if text.starts_with("/*") {
        return (text.find("*/").map_or(text.len(), |end| end + 2), false);
    }
    if let Some(length) = raw_string(text) {
        return (length, false);
    }
    match first {
        '"' => (string(text), false),
        '\'' => (character(text), false),
        ':' if text.starts_with("::") => (2, true),
        _ if identifier > 0 => (identifier, true),
        _ => (first.len_utf8(), !first.is_whitespace()),
    }
}

/// `r"…"`, `r#"…"#` and the same with `b`.
fn raw_string(text: &str) -> Option<usize> {
    let body = text.strip_prefix('b').unwrap_or(text).strip_prefix('r')?;
    let hashes = body.len() - body.trim_start_matches('#').len();
    let inner = body[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let start = text.len() - inner.len();
    Some(inner.find(&end).map_or(text.len(), |at| start + at + end.len()))
}

fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '"' if !escaped => return at + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

/// A character literal, or the quote of a lifetime.
fn character(text: &str) -> usize {
    let inner = &text[1..];
    if inner.starts_with('\\') {
        return inner[2..].find('\'').map_or(text.len(), |end| end + 4);
    }
    let first = inner.chars().next().map_or(0, char::len_utf8);
    if inner[first..].starts_with('\'') {
        first + 2
    } else {
        1
    }
}

/// Everything before `#[cfg(test)] mod tests {`, which comes last in a file.
fn without_tests(mut tokens: Vec<Token<'_>>) -> Vec<Token<'_>> {
    const START: [&str; 8] = ["#", "[", "cfg", "(", "test", ")", "]", "mod"];
    let is_start = |window: &[Token]| {
        window
            .iter()
            .zip(START)
            .all(|((_, token), wanted)| *token == wanted)
            && window[9].1 == "{"
    };
    if let Some(start) = tokens.windows(10).position(is_start) {
        tokens.truncate(start);
    }
    tokens
}

/// Every path from the crate's root, `use` or inline, as its segments without `crate`.
fn paths_used(tokens: &[Token], depth: usize) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    for start in 0..tokens.len() {
        if start > 0 && tokens[start - 1].1 == "::" {
            continue;
        }
        let supers = tokens[start..]
            .chunks(2)
            .take_while(|pair| is_step(pair, "super"))
            .count();
        let roots = usize::from(is_step(&tokens[start..], "crate"));
        if roots == 1 || (supers > 0 && supers >= depth) {
            collect_paths(tokens, start + 2 * (roots + supers), &[], &mut found);
        }
    }
    found
}

fn is_step(tokens: &[Token], name: &str) -> bool {
    matches!(tokens, [(_, first), (_, "::"), ..] if *first == name)
}

/// Reads one path, or all paths of a group in braces; gives the place after it.
fn collect_paths(
    tokens: &[Token],
    at: usize,
    prefix: &[String],
    found: &mut Vec<(usize, Vec<String>)>,
) -> usize {
    let Some((line, token)) = tokens.get(at) else {
        return at;
    };
    if *token == "{" {
        return collect_group(tokens, at + 1, prefix, found);
    }
    let path = [prefix, &[(*token).to_owned()]].concat();
    if matches!(tokens.get(at + 1), Some((_, "::"))) {
        return collect_paths(tokens, at + 2, &path, found);
    }
    found.push((*line, path));
    at + 1
}

fn collect_group(
    tokens: &[Token],
    mut at: usize,
    prefix: &[String],
    found: &mut Vec<(usize, Vec<String>)>,
) -> usize {
    while let Some((_, token)) = tokens.get(at) {
        at = match *token {
            "}" => return at + 1,
            "," => at + 1,
            "as" => at + 2,
            _ => collect_paths(tokens, at, prefix, found),
        };
    }
    at
}

/// Restricted crates that are named, by `use` or inline.
fn crates_named(tokens: &[Token]) -> Vec<(usize, String)> {
    let named = (0..tokens.len()).filter(|&at| {
        let starts_path = at == 0 || tokens[at - 1].1 != "::";
        let leads_on = tokens
            .get(at + 1)
            .is_some_and(|(_, next)| ["::", "as", ";"].contains(next));
        starts_path && leads_on && RESTRICTED_CRATES.contains(&tokens[at].1)
    });
    named.map(|at| (tokens[at].0, tokens[at].1.to_owned())).collect()
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
        "api/v4/scans.rs",
        "//! About.\n\nuse crate::{\n    values::ScanId,\n    tasks::Lease,\n};\n",
    );
    assert_eq!(
        found,
        ["src/api/v4/scans.rs:5 api may not use tasks (crate::tasks::Lease)"]
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
