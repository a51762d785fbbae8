//! `sitelog nats`, and the arguments that name the broker.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

use super::input::BadArgument;
use super::{print_line, settings};
use crate::config::{Config, Sources};
use crate::fleet::{
    Cell, NatsSettings, NatsUser, StreamLimits, check_broker, connect, prepare_broker, write_accounts,
};

/// Prepares and checks NATS for workers on other machines.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Writes a key for each user (admin, dispatcher, worker, follower), and accounts.conf for nats-server
    Accounts(AccountsArgs),
    /// Creates the streams, the consumer and the bucket that are missing, and checks the rest
    Init(InitArgs),
    /// Checks the streams, the consumer and the bucket
    Check(BrokerArgs),
}

#[derive(Debug, clap::Args)]
struct AccountsArgs {
    /// The directory for the files; files that exist are not replaced
    directory: PathBuf,
    /// The name of the cell, if several services share one NATS server
    #[arg(long, value_name = "NAME", value_parser = cell, default_value = Cell::DEFAULT)]
    cell: Cell,
}

#[derive(Debug, clap::Args)]
struct InitArgs {
    #[command(flatten)]
    broker: BrokerArgs,
    /// Nodes that keep a copy of each stream: 3 in a cluster, 1 on a single server
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=5))]
    replicas: u8,
    /// Megabytes of results that may wait to be recorded
    #[arg(long, value_name = "MB", default_value_t = 2048, value_parser = clap::value_parser!(u32).range(1..))]
    results_mb: u32,
    /// Maximum size of the log's copy in megabytes; beyond it the oldest events are dropped
    #[arg(long, value_name = "MB", default_value_t = 10240, value_parser = clap::value_parser!(u32).range(1..))]
    log_mb: u32,
}

/// Where the broker is.
#[derive(Debug, clap::Args)]
pub(super) struct BrokerArgs {
    /// The address of NATS, or several, separated by commas: `nats://127.0.0.1:4222`. Default: `SITELOG_NATS__URL`
    #[arg(long, value_name = "URL")]
    nats: Option<String>,
    /// NATS credentials: a .creds file, or a file with the seed of a key. Default: `SITELOG_NATS__CREDENTIALS`
    #[arg(long, value_name = "FILE")]
    creds: Option<PathBuf>,
    /// Certificates to trust in addition to the system's. Default: `SITELOG_NATS__CA`
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// The name of the cell, if several services share one NATS server. Default: `SITELOG_NATS__CELL`, otherwise main
    #[arg(long, value_name = "NAME")]
    cell: Option<String>,
}

impl BrokerArgs {
    /// The settings with these arguments, and the broker in them.
    pub(super) fn config(&self, sources: &Sources) -> anyhow::Result<(Config, NatsSettings)> {
        let path = |path: &PathBuf| path.display().to_string();
        let given = [
            ("nats.url", self.nats.clone()),
            ("nats.credentials", self.creds.as_ref().map(path)),
            ("nats.ca", self.ca.as_ref().map(path)),
            ("nats.cell", self.cell.clone()),
        ];
        let given = given
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)));
        let mut sources = sources.clone();
        sources.flags.extend(given);
        let config = settings(&sources)?;
        let broker = config.nats.clone();
        let missing = || {
            BadArgument("the address of NATS is missing: give --nats URL, or set SITELOG_NATS__URL".into())
        };
        Ok((config, broker.ok_or_else(missing)?))
    }
}

pub(super) async fn run(args: &Args, sources: &Sources) -> anyhow::Result<ExitCode> {
    match &args.action {
        Action::Accounts(args) => accounts(args),
        Action::Init(args) => init(args, sources).await,
        Action::Check(args) => check(args, sources).await,
    }
}

fn accounts(args: &AccountsArgs) -> anyhow::Result<ExitCode> {
    write_accounts(&args.directory, &args.cell)?;
    let directory = args.directory.display();
    print_line(&format!(
        "{directory}/accounts.conf is for nats-server: include it in nats-server's configuration, then start or reload nats-server"
    ))?;
    for user in NatsUser::ALL {
        let (name, purpose) = (user.name(), user.purpose());
        print_line(&format!("{directory}/{name}.nk is the key of {purpose}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn init(args: &InitArgs, sources: &Sources) -> anyhow::Result<ExitCode> {
    let (_, broker) = args.broker.config(sources)?;
    let client = connect(&broker, NatsUser::Admin).await?;
    let bytes = |megabytes: u32| i64::from(megabytes) * 1024 * 1024;
    let limits = StreamLimits {
        replicas: args.replicas.into(),
        results_bytes: bytes(args.results_mb),
        log_bytes: bytes(args.log_mb),
    };
    prepare_broker(&client, &broker.cell, limits).await?;
    print_line(&format!("NATS at {} is ready", broker.shown()))?;
    Ok(ExitCode::SUCCESS)
}

async fn check(args: &BrokerArgs, sources: &Sources) -> anyhow::Result<ExitCode> {
    let (_, broker) = args.config(sources)?;
    let client = connect(&broker, NatsUser::Admin).await?;
    check_broker(&client, &broker.cell).await?;
    print_line(&format!("NATS at {} is ready", broker.shown()))?;
    Ok(ExitCode::SUCCESS)
}

fn cell(name: &str) -> Result<Cell, String> {
    Cell::parse(name).ok_or_else(|| "it must be up to 32 letters, digits and hyphens".to_owned())
}
