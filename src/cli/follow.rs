//! `sitelog follow`.

use std::process::ExitCode;

use super::nats::BrokerArgs;
use super::print_line;
use crate::config::Sources;
use crate::fleet::{NatsUser, connect, follow};

/// Streams events from the copy of the log on NATS, as JSON lines; needs no database.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    broker: BrokerArgs,
    /// Only events after this position
    #[arg(long, value_name = "POSITION", default_value_t = 0, value_parser = clap::value_parser!(i64).range(0..))]
    after: i64,
    /// Exits after the last event, instead of waiting for new ones
    #[arg(long)]
    no_wait: bool,
}

pub(super) async fn run(args: &Args, sources: &Sources) -> anyhow::Result<ExitCode> {
    let (_, broker) = args.broker.config(sources)?;
    let client = connect(&broker, NatsUser::Follower).await?;
    let following = follow(&client, &broker.cell, args.after, !args.no_wait, |event| {
        print_line(event).map_err(std::io::Error::other)
    });
    tokio::select! {
        followed = following => followed?,
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(ExitCode::SUCCESS)
}
