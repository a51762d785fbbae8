//! Reminds whoever changes the parser of its version.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use sitelog::scanner::PARSER_VERSION;

/// What decides what is read out of a file.
const SOURCES: [&str; 2] = ["src/scanner", "src/values/findings.rs"];

const RECORD: &str = "tests/fixtures/parser.sha256";

#[test]
fn the_version_of_the_parser_is_looked_at_when_its_sources_change() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut digest = Sha256::new();
    for source in SOURCES {
        for file in sources(&root.join(source)) {
            for line in fs::read_to_string(file).unwrap().lines() {
                if !line.trim_start().starts_with("//") {
                    digest.update(line);
                }
            }
        }
    }
    let record = format!("{PARSER_VERSION} {}\n", hex::encode(digest.finalize()));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(root.join(RECORD), &record).unwrap();
    }
    assert!(
        super::read(RECORD) == record,
        "The sources of the parser changed. If it reads something else out of the same file now, raise PARSER_VERSION \
         in src/scanner/revisit.rs. Then run UPDATE_DOCS=1 cargo test --test it docs:: to record the sources."
    );
}

/// The file itself, or all below a folder except tests, in an order that is always the same.
fn sources(path: &Path) -> Vec<PathBuf> {
    if !path.is_dir() {
        return vec![path.to_owned()];
    }
    let mut entries: Vec<PathBuf> = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap();
            !name.ends_with("tests") && !name.ends_with("cases")
        })
        .collect();
    entries.sort();
    entries.iter().flat_map(|entry| sources(entry)).collect()
}
