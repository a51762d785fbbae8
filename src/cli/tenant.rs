//! `sitelog tenant`: the quotas of tenants, and moving a tenant.

use std::fs::File;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use serde_json::json;
use sqlx::PgPool;

use super::input::{BadArgument, require_readable};
use super::print_line;
use crate::access::{Access, TenantSettings};
use crate::commands::change_access::change_tenant_settings;
use crate::commands::import_tenant::{TenantImport, import_tenant};
use crate::commands::{CommandBus, CommandContext};
use crate::config::Config;
use crate::database::Database;
use crate::fetch::Direct;
use crate::log::EventLog;
use crate::log::tenant_file::{TenantFile, read_tenant_file};
use crate::policies;
use crate::values::TenantId;
use crate::values::amount::counted;

/// Sets and lists the quotas of tenants, and moves a tenant to another database.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Sets the given quotas and keeps the others; 'none' restores the service's default
    Set(Set),
    /// Lists the tenants that have their own quotas
    List(List),
    /// Exports all streams of a tenant to a file, with proofs, to move them to another database
    Export(Export),
    /// Imports a file written by 'tenant export'; can be run again, and resumes where it was interrupted
    Import(Import),
}

#[derive(Debug, clap::Args)]
struct Export {
    /// The tenant
    #[arg(value_name = "ID")]
    tenant: TenantId,
    /// The file to write; it must not exist yet
    file: PathBuf,
}

#[derive(Debug, clap::Args)]
struct Import {
    /// The file written by 'sitelog tenant export'
    file: PathBuf,
    /// Only checks the file
    #[arg(long)]
    check: bool,
}

#[derive(Debug, clap::Args)]
struct Set {
    /// The tenant
    #[arg(value_name = "ID")]
    tenant: TenantId,
    /// HTTP requests per minute and process
    #[arg(long, value_name = "N|none")]
    requests_per_minute: Option<String>,
    /// Domains per batch
    #[arg(long, value_name = "N|none")]
    max_batch_domains: Option<String>,
    /// Concurrent scans, across all batches and processes
    #[arg(long, value_name = "N|none")]
    max_concurrent_scans: Option<String>,
    /// Stored URLs of sitemaps; beyond this number, new scans are refused
    #[arg(long, value_name = "N|none")]
    max_stored_urls: Option<String>,
    /// Allows /api/v1 and /api/v2 for this tenant without a key, as the predecessor did
    #[arg(long, value_name = "true|false")]
    open_v1: Option<bool>,
    /// Prints one JSON object with all quotas of the tenant
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct List {
    /// Prints one JSON object per tenant
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    if let Command::Set(set) = &args.command {
        set.apply_to(&mut TenantSettings::default())?;
    }
    if let Command::Import(Import { file, check: true }) = &args.command {
        return checked(file);
    }
    let database = Database::open(config).await?;
    let access = Access::new(database.pools.work.clone(), &config.auth, &Direct::new(None)?);
    let bus = CommandBus::new(EventLog::open(database.pools.work.clone()));
    let done = match &args.command {
        Command::Export(args) => export(args, bus.log()).await,
        Command::Import(args) => import(args, &bus, &database.pools.work).await,
        command => execute(command, &access, &bus).await,
    };
    drop(bus);
    database.close().await;
    done?;
    Ok(ExitCode::SUCCESS)
}

async fn export(args: &Export, log: &EventLog) -> anyhow::Result<()> {
    let shown = args.file.display();
    if args.file.exists() {
        return Err(BadArgument(format!("{shown} exists; choose another file")).into());
    }
    // Under its name only when it is whole.
    let directory = args.file.parent().filter(|parent| !parent.as_os_str().is_empty());
    let written = tempfile::NamedTempFile::new_in(directory.unwrap_or(Path::new(".")));
    let written = written.with_context(|| format!("cannot create a file in the directory of {shown}"))?;
    let (header, footer) = log.export_tenant(args.tenant, written.as_file()).await?;
    written.as_file().sync_all()?;
    written
        .persist_noclobber(&args.file)
        .with_context(|| format!("cannot write {shown}"))?;
    print_line(&format!(
        "exported {} and {} of tenant {} from {} (head: {}, root {})",
        counted(footer.events, "event"),
        counted(footer.bodies, "body"),
        header.tenant,
        header.origin,
        counted(header.size, "event"),
        header.root
    ))?;
    Ok(())
}

fn read(file: &Path) -> anyhow::Result<TenantFile> {
    require_readable(file)?;
    let opened = File::open(file)?;
    read_tenant_file(opened).with_context(|| format!("cannot import {}", file.display()))
}

fn checked(file: &Path) -> anyhow::Result<ExitCode> {
    let file = read(file)?;
    print_line(&format!(
        "the file is complete: {} and {} of tenant {} from {} (head: {}, root {})",
        counted(file.events.len(), "event"),
        counted(file.bodies.len(), "body"),
        file.header.tenant,
        file.header.origin,
        counted(file.header.size, "event"),
        file.header.root
    ))?;
    Ok(ExitCode::SUCCESS)
}

async fn import(args: &Import, bus: &CommandBus, pool: &PgPool) -> anyhow::Result<()> {
    let file = read(&args.file)?;
    let tenant = file.header.tenant;
    // A server on this database must not process a scan or batch that is imported only partly.
    let paused = policies::pause(pool).await?;
    let imported = import_tenant(bus, file).await;
    paused.resume().await?;
    let TenantImport { added, known } = imported?;
    print_line(&format!(
        "imported {} of tenant {tenant}; {known} were already here",
        counted(added, "event")
    ))?;
    Ok(())
}

async fn execute(command: &Command, access: &Access, bus: &CommandBus) -> anyhow::Result<()> {
    match command {
        Command::Set(set) => {
            let mut settings = access.tenants().read(set.tenant).await?;
            set.apply_to(&mut settings)?;
            let context = CommandContext::internal(set.tenant, "cli");
            change_tenant_settings(bus, access.tenants(), &settings, &context).await?;
            show(set.tenant, &settings, set.json)?;
        }
        Command::List(list) => {
            for (tenant, settings) in access.tenants().list().await? {
                show(tenant, &settings, list.json)?;
            }
        }
        Command::Export(_) | Command::Import(_) => {}
    }
    Ok(())
}

fn show(tenant: TenantId, settings: &TenantSettings, as_json: bool) -> std::io::Result<()> {
    if !as_json {
        return print_line(&line_of(tenant, settings));
    }
    let mut shown = json!(settings);
    shown["tenant_id"] = tenant.to_string().into();
    print_line(&shown.to_string())
}

impl Set {
    fn apply_to(&self, settings: &mut TenantSettings) -> Result<(), BadArgument> {
        change(
            &mut settings.requests_per_minute,
            "--requests-per-minute",
            self.requests_per_minute.as_deref(),
        )?;
        let positive = |number: Option<NonZeroU32>| number.map(NonZeroU32::get);
        for (setting, name, given) in [
            (
                &mut settings.max_batch_domains,
                "--max-batch-domains",
                &self.max_batch_domains,
            ),
            (
                &mut settings.max_concurrent_scans,
                "--max-concurrent-scans",
                &self.max_concurrent_scans,
            ),
        ] {
            let mut number = setting.and_then(NonZeroU32::new);
            change(&mut number, name, given.as_deref())?;
            *setting = positive(number);
        }
        change(
            &mut settings.max_stored_urls,
            "--max-stored-urls",
            self.max_stored_urls.as_deref(),
        )?;
        settings.open_v1 = self.open_v1.unwrap_or(settings.open_v1);
        Ok(())
    }
}

fn change<T: std::str::FromStr>(
    setting: &mut Option<T>,
    name: &str,
    given: Option<&str>,
) -> Result<(), BadArgument> {
    *setting = match given {
        None => return Ok(()),
        Some("none") => None,
        Some(text) => {
            let number = text.parse();
            let refused = |_| BadArgument(format!("{name} is '{text}'; it must be a number or 'none'"));
            Some(number.map_err(refused)?)
        }
    };
    Ok(())
}

fn line_of(tenant: TenantId, settings: &TenantSettings) -> String {
    let shown = |value: Option<u64>| value.map_or_else(|| "-".to_owned(), |number| number.to_string());
    format!(
        "{tenant}  requests/min {}  batch {}  concurrent scans {}  stored URLs {}  open v1/v2 {}",
        shown(settings.requests_per_minute.map(|number| number.get().into())),
        shown(settings.max_batch_domains.map(u64::from)),
        shown(settings.max_concurrent_scans.map(u64::from)),
        shown(settings.max_stored_urls),
        settings.open_v1
    )
}
