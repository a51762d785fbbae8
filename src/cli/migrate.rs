//! `sitelog migrate`.

use std::process::ExitCode;

use super::say;
use crate::app::Database;
use crate::config::Config;
use crate::projections::ReadModels;

pub(super) async fn run(config: &Config) -> anyhow::Result<ExitCode> {
    let database = Database::open(config).await?;
    ReadModels::ensure(database.pool.clone()).await?;
    database.close().await;
    say("The database is up to date.")?;
    Ok(ExitCode::SUCCESS)
}
