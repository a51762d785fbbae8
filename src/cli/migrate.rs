//! `sitelog migrate`.

use std::process::ExitCode;

use super::say;
use crate::app::Database;
use crate::config::Config;
use crate::projections::status::ensure_all;

pub(super) async fn run(config: &Config) -> anyhow::Result<ExitCode> {
    let database = Database::open(config).await?;
    ensure_all(&database.pool).await?;
    database.close().await;
    say("The database is up to date.")?;
    Ok(ExitCode::SUCCESS)
}
