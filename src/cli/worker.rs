//! `sitelog worker`.

use std::process::ExitCode;

use tokio_util::sync::CancellationToken;

use super::nats::BrokerArgs;
use super::note_line;
use super::serve::{stop_on_signal, warn_without_contact};
use crate::app;
use crate::config::Sources;

/// Runs scans for a server on another machine, over NATS; needs no database.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    broker: BrokerArgs,
    /// Concurrent scans. Default: `SITELOG_WORKER__CONCURRENCY`, otherwise 64
    #[arg(long, value_name = "N")]
    concurrency: Option<u32>,
}

pub(super) async fn run(args: &Args, sources: &Sources) -> anyhow::Result<ExitCode> {
    let mut sources = sources.clone();
    if let Some(concurrency) = args.concurrency {
        sources
            .flags
            .push(("worker.concurrency".to_owned(), concurrency.to_string()));
    }
    let (config, broker) = args.broker.config(&sources)?;
    let stop = CancellationToken::new();
    tokio::spawn(stop_on_signal(stop.clone()));
    warn_without_contact(&config);
    app::work_over_nats(&config, &broker, stop, |name| {
        note_line(&format!(
            "sitelog scans as {name} for the service on NATS at {}",
            broker.shown()
        ));
    })
    .await?;
    Ok(ExitCode::SUCCESS)
}
