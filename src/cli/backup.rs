//! `sitelog backup`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use serde_json::json;

use super::{print_line, progress};
use crate::backup::{Saved, back_up};
use crate::config::Config;
use crate::database::Database;
use crate::log::EventLog;
use crate::values::amount::counted;

/// Writes everything into one file: the log, bodies, read models, the queue, keys and settings of tenants.
///
/// The service may run meanwhile: the file is a consistent snapshot. It is written as FILE.partial and renamed when it
/// is complete; an earlier FILE stays until then. It contains personal data and hashes of keys; only its owner may read
/// it.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The file to write; an existing file is replaced
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    let database = Database::connect(config).await?;
    let done = save(args, config, &database).await;
    database.close().await;
    let saved = done?;
    report(args, &saved)?;
    Ok(ExitCode::SUCCESS)
}

async fn save(args: &Args, config: &Config, database: &Database) -> anyhow::Result<Saved> {
    let url = database.reading_url(config).context("no database found")?;
    let log = EventLog::open(database.pools.work.clone());
    let bar = progress::of_unknown_length("saved")?;
    let saved = back_up(&url, &log, &args.file, |bytes| bar.set_position(bytes)).await?;
    bar.finish_and_clear();
    Ok(saved)
}

fn report(args: &Args, saved: &Saved) -> anyhow::Result<()> {
    let (manifest, file) = (&saved.manifest, args.file.display());
    if args.json {
        let summary = json!({ "file": args.file, "bytes": saved.bytes, "manifest": manifest });
        return Ok(print_line(&summary.to_string())?);
    }
    print_line(&format!(
        "{file} has {}, in {}; restore it with: sitelog restore {file}",
        counted(manifest.events, "event"),
        counted(saved.bytes, "byte")
    ))?;
    Ok(print_line(&format!(
        "tree head {} over {} leaves",
        manifest.root, manifest.events
    ))?)
}
