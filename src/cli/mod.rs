//! The command line: one file per command.

mod backup;
mod batch;
mod completions;
mod config;
mod doctor;
mod events;
mod export;
mod extra_files;
mod extract;
mod follow;
mod forget;
mod input;
mod key;
mod legacy;
mod local;
mod log;
mod man;
mod mcp;
mod migrate;
mod monitor;
mod nats;
mod openapi;
mod output;
mod progress;
mod projections;
mod reference;
mod restore;
mod robots;
mod scan;
mod serve;
mod sitemap;
mod sitemap_audit;
mod style;
mod technologies;
mod tenant;
mod webhook;
mod worker;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use reference::reference;

use crate::config::{Config, ConfigFaults, Sources};
use crate::values::DomainName;
use output::{note_line, note_lines, print_line, print_lines};

/// Event-sourced web scanning: finds owner, contacts and technologies of each domain in a list.
#[derive(Debug, Parser)]
#[command(name = "sitelog", version, about, arg_required_else_help = true, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// The settings file. Default: sitelog.toml in the working directory, otherwise /etc/sitelog/sitelog.toml
    #[arg(
        long,
        global = true,
        env = "SITELOG_CONFIG",
        hide_env_values = true,
        value_name = "FILE"
    )]
    config: Option<PathBuf>,
    /// Overrides a setting, by its name in the file: worker.concurrency=8
    #[arg(long, global = true, value_name = "NAME=VALUE", value_parser = name_and_value)]
    set: Vec<(String, String)>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the service
    Serve(serve::Args),
    /// Runs scans for a server on another machine, over NATS; needs no database
    Worker(worker::Args),
    /// Scans domains and prints the results
    Scan(scan::Args),
    /// Scans a list of domains: CSV, Excel, plain text or NDJSON
    Batch(batch::Args),
    /// Exports results as CSV, NDJSON, Excel (.xlsx) or Parquet
    Export(Box<export::Args>),
    /// Reads a sitemap from a file or a URL, without a database
    Sitemap(sitemap::Args),
    /// Extracts the same data as a scan from a saved HTML page, without a database
    Extract(extract::Args),
    /// Checks which URLs a saved robots.txt allows, without a database
    Robots(robots::Args),
    /// Loads, lists and removes fingerprint sets
    Technologies(technologies::Args),
    /// Prints events of the log from the database; --follow keeps printing
    Events(events::Args),
    /// Streams events from the copy of the log on NATS, as JSON lines; needs no database
    Follow(follow::Args),
    /// Prepares and checks NATS for workers on other machines
    Nats(nats::Args),
    /// Imports the data of the predecessor (a Python backend), and compares it with sitelog's
    Legacy(legacy::Args),
    /// Verifies, proves, seals and exports the log
    Log(log::Args),
    /// Erases what was found about a domain
    Forget(forget::Args),
    /// Creates, lists and revokes API keys
    Key(key::Args),
    /// Creates, lists, pauses, runs and deletes monitors; a running server runs them
    Monitor(monitor::Args),
    /// Creates, lists, tests and deletes webhooks; a running server sends the events
    Webhook(webhook::Args),
    /// Sets and lists the quotas of tenants, and moves a tenant to another database
    Tenant(tenant::Args),
    /// Shows, rebuilds, rolls back, verifies and repairs read models
    Projections(projections::Args),
    /// Writes everything in the database into one file
    Backup(backup::Args),
    /// Restores a backup into an empty database and verifies it
    Restore(restore::Args),
    /// Serves sitelog's tools to an agent on standard input and output (Model Context Protocol)
    Mcp(mcp::Args),
    /// Shows the effective settings, and checks a settings file
    Config(config::Args),
    /// Creates or updates the database's tables
    Migrate(migrate::Args),
    /// Checks the installation and says how to fix problems
    Doctor(doctor::Args),
    /// Prints the description of the HTTP API, as served at /openapi.json
    Openapi,
    /// Prints a shell completion script
    Completions(completions::Args),
    /// Writes a manual page for each command
    Man(man::Args),
    /// Prints docs/cli.md
    #[command(hide = true)]
    Reference,
}

/// What holds for every command.
const AFTER_HELP: &str = "\
Settings come from a file, from the environment and from --set; each overrides the ones before it. The file is the
one given by --config, otherwise sitelog.toml in the working directory, otherwise /etc/sitelog/sitelog.toml:
  SITELOG_CONFIG               the same as --config
  DATABASE_URL                 your PostgreSQL; without it, sitelog runs a private one in the data directory
  SITELOG_DATA_DIR             the data directory; default /var/lib/sitelog as root, otherwise ~/.local/share/sitelog
  SITELOG_BIND                 the address 'serve' listens on; default 127.0.0.1:8080
  SITELOG_AUTH__MODE           'required' (each request needs a key or token) or 'off' (loopback addresses only)
  SITELOG_AUTH__...            which tokens are accepted; see docs/operations.md
  SITELOG_DATABASE__CONNECTIONS  maximum connections of this process; default 32, or half of the server's maximum if that is less
  SITELOG_WORKER__CONCURRENCY  concurrent scans of this process; default 64
  SITELOG_FETCH__...           how sites are fetched; see docs/operations.md
  RUST_LOG                     the log level; logs go to stderr

Exit codes: 0 success; 1 some of the work failed; 2 invalid arguments, or a file that cannot be read; 3 a problem
with the environment (no database, port in use, invalid setting); 'doctor' also exits with 3 if work is stuck. Errors
go to stderr.";

/// An argument is not what it should be.
const USAGE: u8 = 2;
/// An error of the environment: no database, port in use, invalid setting.
const ENVIRONMENT: u8 = 3;

/// Runs the command the process was started with.
///
/// Exit codes: 0 success; 1 it ran and some of the work failed; 2 wrong arguments; 3 the environment.
pub fn run() -> ExitCode {
    std::panic::set_hook(Box::new(print_panic));
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => {
            // It repeats the argument, which may come from a list.
            let text = error.render().to_string();
            let text = text.strip_prefix("error: ").unwrap_or(&text);
            note_lines(&format!("sitelog: {text}"));
            return ExitCode::from(USAGE);
        }
        Err(help) => help.exit(),
    };
    let quiet = if matches!(cli.command, Command::Serve(_) | Command::Worker(_)) {
        "info,sqlx=warn,async_nats=warn"
    } else {
        "error"
    };
    crate::telemetry::init_logs(quiet);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&anyhow::Error::new(error).context("cannot start the runtime")),
    };
    let sources = Sources {
        // An empty variable names no file.
        file: cli.config.filter(|file| !file.as_os_str().is_empty()),
        flags: cli.set,
        without_environment: false,
    };
    let code = match runtime.block_on(execute(cli.command, &sources)) {
        Ok(code) => code,
        Err(error) => fail(&error),
    };
    // A blocking call that still waits must not keep the process running.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    code
}

async fn execute(command: Command, sources: &Sources) -> anyhow::Result<ExitCode> {
    let config = || settings(sources);
    match command {
        Command::Serve(args) => serve::run(&args, config()?).await,
        Command::Worker(args) => worker::run(&args, sources).await,
        Command::Follow(args) => follow::run(&args, sources).await,
        Command::Nats(args) => nats::run(&args, sources).await,
        Command::Scan(args) => scan::run(&args, &config()?).await,
        Command::Batch(args) => batch::run(&args, &config()?).await,
        Command::Export(args) => export::run(&args, &config()?).await,
        Command::Sitemap(args) => sitemap::run(&args, config()?.fetch).await,
        Command::Extract(args) => extract::run(&args, sources),
        Command::Technologies(args) => technologies::run(&args, &config()?),
        Command::Robots(args) => robots::run(&args),
        Command::Events(args) => events::run(&args, &config()?).await,
        Command::Legacy(args) => legacy::run(&args, &config()?).await,
        Command::Log(args) => log::run(&args, &config()?).await,
        Command::Forget(args) => forget::run(&args, &config()?).await,
        Command::Key(args) => key::run(&args, &config()?).await,
        Command::Monitor(args) => monitor::run(&args, &config()?).await,
        Command::Webhook(args) => webhook::run(&args, &config()?).await,
        Command::Tenant(args) => tenant::run(&args, &config()?).await,
        Command::Projections(args) => projections::run(&args, &config()?).await,
        Command::Backup(args) => backup::run(&args, &config()?).await,
        Command::Restore(args) => restore::run(&args, &config()?).await,
        Command::Mcp(args) => mcp::run(&args, sources).await,
        Command::Config(args) => config::run(&args, sources),
        Command::Migrate(args) => migrate::run(&args, &config()?).await,
        Command::Doctor(args) => doctor::run(&args, sources).await,
        Command::Openapi => openapi::run(),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
        Command::Reference => reference::run(),
    }
}

fn settings(sources: &Sources) -> Result<Config, ConfigFaults> {
    Config::load(sources)
}

/// A setting that was given as an argument.
fn name_and_value(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or("it must be NAME=VALUE, such as worker.concurrency=8")?;
    Ok((name.trim().to_owned(), value.to_owned()))
}

/// The cause chain in one line on stderr; the messages say what to do.
fn fail(error: &anyhow::Error) -> ExitCode {
    let kind = error
        .chain()
        .find_map(|cause| cause.downcast_ref::<std::io::Error>())
        .map(std::io::Error::kind);
    if kind == Some(std::io::ErrorKind::BrokenPipe) {
        return ExitCode::SUCCESS;
    }
    note_lines(&format!("sitelog: {}", output::chain(error)));
    let is_argument = error.is::<input::BadArgument>();
    ExitCode::from(if is_argument { USAGE } else { ENVIRONMENT })
}

/// Prints the message of a panic, which may contain text of a site or a user.
fn print_panic(panic: &std::panic::PanicHookInfo<'_>) {
    note_lines(&panic.to_string());
    let trace = std::backtrace::Backtrace::capture();
    if trace.status() == std::backtrace::BacktraceStatus::Captured {
        note_lines(&trace.to_string());
    }
}

/// A domain that was given as an argument.
fn parse_domain(text: &str) -> Result<DomainName, String> {
    DomainName::parse(text).map_err(|error| error.to_string())
}
