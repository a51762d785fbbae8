//! `sitelog migrate`.

use std::process::ExitCode;

use serde_json::json;

use super::print_line;
use crate::config::Config;
use crate::database::Database;
use crate::projections::row_security::ensure_reader;
use crate::projections::status::ensure_all;

/// Creates or updates the database's tables.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    let database = Database::open(config).await?;
    // The role must exist before the tables to which it gets access.
    ensure_reader(&database.pools.work).await?;
    ensure_all(&database.pools.work).await?;
    database.close().await;
    print_line(&if args.json {
        json!({ "up_to_date": true, "migrations": sqlx::migrate!().migrations.len() }).to_string()
    } else {
        "The database is up to date.".to_owned()
    })?;
    Ok(ExitCode::SUCCESS)
}
