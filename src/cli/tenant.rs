//! `sitelog tenant`: what differs for a tenant from the settings of the service.

use std::num::NonZeroU32;
use std::process::ExitCode;

use serde_json::json;

use super::input::BadArgument;
use super::say;
use crate::access::{Access, TenantSettings};
use crate::commands::change_access::change_tenant_settings;
use crate::commands::{CommandBus, CommandContext};
use crate::config::Config;
use crate::database::Database;
use crate::fetch::Direct;
use crate::log::EventLog;
use crate::values::TenantId;

/// Sets and lists the quotas of tenants.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Sets the given quotas and keeps the others; 'none' restores the service's default
    Set(Set),
    /// Lists the tenants with quotas of their own
    List(List),
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
    /// Concurrent scans, over all batches and processes
    #[arg(long, value_name = "N|none")]
    max_concurrent_scans: Option<String>,
    /// Stored URLs of sitemaps; beyond this number, new scans are refused
    #[arg(long, value_name = "N|none")]
    max_stored_urls: Option<String>,
    /// Allow /api/v1 and /api/v2 for this tenant without a key, as the predecessor did
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
    let database = Database::open(config).await?;
    let access = Access::new(database.pools.work.clone(), &config.auth, &Direct::new(None)?);
    let bus = CommandBus::new(EventLog::open(database.pools.work.clone()));
    let done = execute(&args.command, &access, &bus).await;
    drop(bus);
    database.close().await;
    done?;
    Ok(ExitCode::SUCCESS)
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
    }
    Ok(())
}

fn show(tenant: TenantId, settings: &TenantSettings, as_json: bool) -> std::io::Result<()> {
    if !as_json {
        return say(&line_of(tenant, settings));
    }
    let mut shown = json!(settings);
    shown["tenant_id"] = tenant.to_string().into();
    say(&shown.to_string())
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
