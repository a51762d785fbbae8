//! `sitelog technologies`: the fingerprint sets.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use serde_json::json;

use super::input::BadArgument;
use super::output::chain;
use super::{note_line, print_line};
use crate::config::Config;
use crate::scanner::fingerprint_files::{self, FingerprintFilesError};
use crate::values::amount::counted;

/// Loads, lists and removes fingerprint sets
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Loads a set in Wappalyzer format in addition to the built-in one
    ///
    /// It is stored in the data directory under the name of the file or folder; loading that name again replaces it. A
    /// running server uses it after a restart. Patterns that cannot be searched in linear time are reported and
    /// skipped, as are technologies that need a browser.
    Load {
        /// A JSON file, or a folder of JSON files that belong together
        source: PathBuf,
        /// Prints one JSON object, with each skipped pattern
        #[arg(long)]
        json: bool,
    },
    /// Removes a loaded set
    Unload {
        /// The name of the set, as `load` printed it
        name: String,
        /// Prints one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Lists the known technologies
    List {
        /// Prints one JSON object per technology
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command.
pub fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    match &args.command {
        Command::Load { source, json: true } => {
            let loaded = fingerprint_files::load(&config.data_dir, source).map_err(as_argument)?;
            let skipped = loaded.skipped.iter().map(|skipped| {
                json!({
                    "technology": skipped.technology, "pattern": skipped.pattern, "reason": skipped.reason,
                })
            });
            let report = json!({
                "name": loaded.name, "technologies": loaded.technologies, "signs": loaded.signs,
                "skipped": skipped.collect::<Vec<_>>(), "not_evaluated": loaded.not_evaluated,
            });
            print_line(&report.to_string())?;
        }
        Command::Load { source, json: false } => {
            let loaded = fingerprint_files::load(&config.data_dir, source).map_err(as_argument)?;
            for skipped in loaded.skipped.iter().take(20) {
                note_line(&format!(
                    "skipped: {}: {} ({})",
                    skipped.technology, skipped.pattern, skipped.reason
                ));
            }
            let more = loaded.skipped.len().saturating_sub(20);
            if more > 0 {
                note_line(&format!("skipped: {}", counted(more, "more pattern")));
            }
            print_line(&format!(
                "{}: {} with {}; {} skipped; {} not evaluated (a browser or further requests are needed)",
                loaded.name,
                counted(loaded.technologies, "technology"),
                counted(loaded.signs, "rule"),
                counted(loaded.skipped.len(), "pattern"),
                counted(loaded.not_evaluated, "technology")
            ))?;
        }
        Command::Unload { name, json } => {
            if !fingerprint_files::unload(&config.data_dir, name)? {
                return Err(BadArgument(format!("no set named {name} is loaded")).into());
            }
            print_line(&if *json {
                json!({ "name": name, "unloaded": true }).to_string()
            } else {
                format!("{name} was removed")
            })?;
        }
        Command::List { json } => list(config, *json)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn list(config: &Config, as_json: bool) -> anyhow::Result<()> {
    let set = fingerprint_files::technologies(&config.data_dir)?;
    let mut of_category: BTreeMap<&str, usize> = BTreeMap::new();
    for known in set.list() {
        for category in &known.categories {
            *of_category.entry(category).or_default() += 1;
        }
        let origin = match (known.is_own, known.is_loaded) {
            (true, false) => "built in",
            (true, true) => "built in and loaded",
            _ => "loaded",
        };
        if as_json {
            let line = json!({
                "name": known.name, "categories": known.categories, "website": known.website, "signs": known.signs,
                "origin": origin,
            });
            print_line(&line.to_string())?;
        } else {
            print_line(&format!(
                "{}\t{}\t{}\t{origin}",
                known.name,
                known.categories.join(", "),
                counted(known.signs, "rule")
            ))?;
        }
    }
    if !as_json {
        let count = set.list().len();
        note_line(&format!(
            "{} in {}, {}",
            counted(count, "technology"),
            counted(of_category.len(), "category"),
            counted(set.signs(), "rule")
        ));
    }
    Ok(())
}

/// What is wrong with the file that was given is wrong with the argument.
fn as_argument(error: FingerprintFilesError) -> anyhow::Error {
    let text = chain(&anyhow::Error::new(error));
    BadArgument(text).into()
}
