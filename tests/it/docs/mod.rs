//! The pages under `docs/` that are made from the program: they must say what it says.
//!
//! `UPDATE_DOCS=1 cargo test --test it docs::` writes them again.

mod events;
mod parser;
mod snippets;

use std::fs;
use std::path::Path;

#[test]
fn the_description_of_the_http_api_is_up_to_date() {
    check("docs/openapi.json", &sitelog::api::openapi::document());
}

#[test]
fn the_page_about_the_command_line_is_up_to_date() {
    check("docs/cli.md", &sitelog::cli::reference());
}

#[test]
fn the_catalogue_of_events_is_up_to_date() {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        events::store_new_versions();
    }
    check("docs/events.md", &events::page());
}

#[test]
fn every_failure_reason_is_explained_to_who_runs_the_service() {
    let page = read("docs/operations.md");
    for reason in sitelog::values::FailureReason::ALL {
        assert!(
            page.contains(&format!("| `{reason}` |")),
            "docs/operations.md lacks {reason}"
        );
    }
}

fn is_rust(path: &str) -> bool {
    Path::new(path)
        .extension()
        .is_some_and(|extension| extension == "rs")
}

#[test]
fn files_that_the_pages_name_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let is_path = |text: &str| {
        let top = text.split('/').next().unwrap_or_default();
        let is_plain = text
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "/._-".contains(letter));
        is_plain && is_rust(text) && matches!(top, "src" | "tests" | "benches")
    };
    let mut missing = Vec::new();
    for page in ["ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"] {
        let text = read(page);
        let named = text.split('`').skip(1).step_by(2).filter(|text| is_path(text));
        missing.extend(
            named
                .filter(|path| !root.join(path).exists())
                .map(|path| format!("{page}: {path}")),
        );
    }
    // ARCHITECTURE.md also names files by their path in src/.
    let text = read("ARCHITECTURE.md");
    for path in text.split('`').skip(1).step_by(2) {
        let is_module = path.contains('/') && is_rust(path) && !path.contains(['{', '*', ' ']);
        if is_module && !root.join("src").join(path).exists() && !root.join(path).exists() {
            missing.push(format!("ARCHITECTURE.md: {path}"));
        }
    }
    assert!(missing.is_empty(), "no such file: {missing:#?}");
}

#[test]
fn phrases_that_the_style_page_calls_bad_are_not_used() {
    let style = read("docs/style.md");
    let rows = style
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    let bad: Vec<&str> = rows.filter(|phrase| *phrase != "bad").collect();
    assert!(bad.len() > 10, "{bad:?}");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("src"), root.join("docs")];
    let mut files = vec![root.join("README.md"), root.join("ARCHITECTURE.md")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|ending| ending == "rs" || ending == "md")
                && !path.ends_with("style.md")
            {
                files.push(path);
            }
        }
    }
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        for phrase in &bad {
            assert!(
                !text.contains(phrase),
                "{}: '{phrase}', see docs/style.md",
                path.display()
            );
        }
    }
}

/// Examples in the sources would not be run (`doctest = false` in Cargo.toml); docs/snippets has those that are.
#[test]
fn doc_comments_contain_no_code_that_nobody_runs() {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if is_rust(path.to_str().unwrap()) {
                let text = fs::read_to_string(&path).unwrap();
                let comments = text.lines().filter_map(|line| {
                    let line = line.trim_start();
                    line.strip_prefix("///").or_else(|| line.strip_prefix("//!"))
                });
                let fences: Vec<&str> = comments.filter(|line| line.trim().starts_with("```")).collect();
                let is_text = |pair: &[&str]| pair[0].trim() == "```text";
                assert!(fences.chunks(2).all(is_text), "{}: {fences:?}", path.display());
            }
        }
    }
}

fn check(path: &str, said: &str) {
    let said = format!("{}\n", said.trim_end());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join(path), &said).unwrap();
    }
    let hint = "run UPDATE_DOCS=1 cargo test --test it docs::";
    assert!(read(path) == said, "{path} is stale; {hint}");
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap_or_default()
}

/// What `doctor` and `projections status` print in the examples of docs/operations.md.
#[test]
fn the_examples_for_operators_show_the_migrations_and_shapes_of_this_program() {
    let page = read("docs/operations.md");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let migrations = fs::read_dir(root.join("migrations")).unwrap().count();
    assert!(
        page.contains(&format!("\nmigrations    {migrations}\n")),
        "migrations {migrations}"
    );
    for name in ["jobs", "batch_jobs", "domains", "sitemaps"] {
        let shape = sitelog::projections::registry::find(name).unwrap().shape();
        let line = page
            .lines()
            .find(|line| line.split_whitespace().next() == Some(name));
        let shown = line.and_then(|line| line.split_whitespace().nth(1));
        assert_eq!(shown, Some(shape.to_string().as_str()), "{name}");
    }
}

/// Links to renamed headings are broken; this test finds them.
#[test]
fn links_between_the_pages_lead_to_a_file_and_a_heading() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let in_docs = fs::read_dir(root.join("docs"))
        .unwrap()
        .map(|file| file.unwrap().path());
    let pages = in_docs.filter(|path| path.extension().is_some_and(|ending| ending == "md"));
    let pages = pages.chain(["README.md", "CHANGELOG.md", "SECURITY.md"].map(|name| root.join(name)));
    let mut broken = Vec::new();
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1) {
            let link = link.split([')', ' ']).next().unwrap();
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            if file.contains(':') {
                continue;
            }
            let target = if file.is_empty() {
                page.clone()
            } else {
                page.parent().unwrap().join(file)
            };
            let is_there = match (heading, target.extension().and_then(|ending| ending.to_str())) {
                ("", _) => target.exists(),
                (_, Some("md")) => fs::read_to_string(&target)
                    .is_ok_and(|text| text.lines().any(|line| anchor(line).as_deref() == Some(heading))),
                _ => true,
            };
            if !is_there {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert_eq!(broken, [""; 0]);
}

/// The anchor of a heading, as GitHub makes it.
fn anchor(line: &str) -> Option<String> {
    let heading = line
        .strip_prefix('#')?
        .trim_start_matches('#')
        .strip_prefix(' ')?;
    let kept = heading
        .chars()
        .filter(|one| one.is_alphanumeric() || matches!(one, ' ' | '-' | '_'));
    Some(
        kept.map(|one| if one == ' ' { '-' } else { one })
            .flat_map(char::to_lowercase)
            .collect(),
    )
}
