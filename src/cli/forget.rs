//! `sitelog forget`.

use std::io::{BufRead, IsTerminal};
use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::input::BadArgument;
use super::{note_line, output, print_line};
use crate::app::App;
use crate::commands::forget_domain::{ForgottenDomain, forget_domain};
use crate::commands::{CommandContext, CommandError};
use crate::config::Config;
use crate::database::Database;
use crate::projections::domains::Domains;
use crate::projections::jobs::Jobs;
use crate::projections::query::wait_for;
use crate::projections::sitemaps::Sitemaps;
use crate::values::amount::counted;
use crate::values::{DomainName, TenantId};

/// How long the read models may take to follow.
const WAIT_TIMEOUT: Duration = Duration::from_mins(1);

/// Erases what was found about a domain: findings, contacts, lists of URLs. The log keeps the name of the domain, and
/// when, for whom and with what result it was scanned.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The domain
    domain: String,
    /// The tenant. Default: the default tenant (550e8400-e29b-41d4-a716-446655440000)
    #[arg(long, value_name = "ID")]
    tenant: Option<TenantId>,
    /// Does not ask for confirmation
    #[arg(long)]
    yes: bool,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    let domain = DomainName::parse(&args.domain)
        .map_err(|error| BadArgument(format!("'{}' is not a valid domain: {error}", args.domain)))?;
    let tenant = args.tenant.unwrap_or(TenantId::DEFAULT);
    if !args.yes && !is_confirmed(&domain, tenant)? {
        note_line("Nothing was erased.");
        return Ok(ExitCode::FAILURE);
    }
    let database = Database::open(config).await?;
    let done = forget(&domain, tenant, config, &database).await;
    database.close().await;
    let Some((forgotten, followed)) = done? else {
        note_line(&format!("sitelog: tenant {tenant} has no scan of {domain}"));
        return Ok(ExitCode::FAILURE);
    };
    if args.json {
        let report = json!({
            "domain": domain.as_str(), "tenant_id": tenant, "scans": forgotten.scans,
            "bodies": forgotten.bodies, "position": forgotten.position, "read_models_followed": followed,
        });
        print_line(&report.to_string())?;
    } else {
        print_line(&format!(
            "Erased the findings of {} of {domain} ({}, log position {}).",
            counted(forgotten.scans, "scan"),
            counted(forgotten.bodies, "body"),
            forgotten.position
        ))?;
    }
    if !followed {
        note_line(&format!(
            "sitelog: the read models still show the data until they reach position {}",
            forgotten.position
        ));
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// Erases, and waits until the read models show it; `None` if the tenant has no such domain.
async fn forget(
    domain: &DomainName,
    tenant: TenantId,
    config: &Config,
    database: &Database,
) -> anyhow::Result<Option<(ForgottenDomain, bool)>> {
    let app = App::build(config, database.pools.clone()).await?;
    let context = CommandContext::internal(tenant, "cli");
    let forgotten = match forget_domain(&app.bus, domain, &context).await {
        Err(CommandError::NotFound(_)) => return Ok(None),
        done => done?,
    };
    let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
    app.spawn_projector(&tracker, &stop);
    let followed = wait_for::<Domains>(&app.models, forgotten.position, WAIT_TIMEOUT).await?
        && wait_for::<Jobs>(&app.models, forgotten.position, WAIT_TIMEOUT).await?
        && wait_for::<Sitemaps>(&app.models, forgotten.position, WAIT_TIMEOUT).await?;
    stop.cancel();
    tracker.close();
    tracker.wait().await;
    Ok(Some((forgotten, followed)))
}

/// Asks on a terminal only.
fn is_confirmed(domain: &DomainName, tenant: TenantId) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        return Err(BadArgument("this cannot be undone: confirm with --yes".to_owned()).into());
    }
    output::ask(&format!(
        "Erase everything found about {domain} for tenant {tenant}? This cannot be undone. [y/N]"
    ))?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
