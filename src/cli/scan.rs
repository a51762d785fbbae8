//! `sitelog scan`.

use std::process::ExitCode;
use std::time::Duration;

use serde_json::Value;

use super::local::Local;
use super::say;
use crate::aggregates::ScanStatus;
use crate::api::v4::views::Scan;
use crate::commands::CommandContext;
use crate::commands::request_scan::request_scan;
use crate::config::Config;
use crate::projections::jobs::{self, JobRow};
use crate::values::{DomainName, ScanId, ScanOptions, TenantId};

/// Scans domains to the end and tells what was found.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Domains, or URLs that are cut down to their domain
    #[arg(required = true, value_name = "DOMAIN", value_parser = parse_domain)]
    domains: Vec<DomainName>,
    /// HTML pages read per domain at most, 1 to 100
    #[arg(long, value_name = "N")]
    max_pages: Option<i64>,
    /// One JSON object per domain
    #[arg(long)]
    json: bool,
}

/// How often a scan's row is looked at.
const POLL: Duration = Duration::from_millis(50);

fn parse_domain(text: &str) -> Result<DomainName, String> {
    DomainName::parse(text).map_err(|error| error.to_string())
}

pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    let local = Local::start(config).await?;
    let context = CommandContext::internal(TenantId::DEFAULT, "cli");
    let mut scans = Vec::new();
    for domain in &args.domains {
        let options = ScanOptions::with_max_pages(args.max_pages);
        scans.push(
            request_scan(&local.app.bus, domain.clone(), options, &context)
                .await?
                .scan_id,
        );
    }
    let mut all_well = true;
    for scan in scans {
        let row = wait_for_end(&local, scan).await?;
        all_well &= row.status == ScanStatus::Completed;
        if args.json {
            say(&serde_json::to_string(&Scan::from(row))?)?;
        } else {
            report(&row)?;
        }
    }
    local.finish().await;
    Ok(if all_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn wait_for_end(local: &Local, scan: ScanId) -> anyhow::Result<JobRow> {
    loop {
        let row = jobs::query::find(&local.app.models, TenantId::DEFAULT, scan).await?;
        if let Some(row) = row.filter(|row| row.status.is_ended()) {
            return Ok(row);
        }
        tokio::time::sleep(POLL).await;
    }
}

/// What a person wants to know, a line each; what was not found is left out.
fn report(row: &JobRow) -> anyhow::Result<()> {
    let name = DomainName::parse(&row.domain).map_or_else(|_| row.domain.clone(), |domain| domain.readable());
    say(&format!("{name}: {}", row.status))?;
    if let Some(error) = &row.error {
        let reason = row.reason.map(|reason| reason.to_string()).unwrap_or_default();
        say(&format!("  {reason}: {error}"))?;
    }
    let Some(found) = &row.result_data else {
        return Ok(());
    };
    let text = |pointer: &str| {
        found
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    line("title", &text("/title"))?;
    line("description", &text("/description"))?;
    line("language", &text("/language"))?;
    line("at", &text("/final_url"))?;
    line("logo", &text("/logo_url"))?;
    line("technologies", &technologies(found))?;
    line("e-mail", &joined(found, "/emails", "value"))?;
    line("phone", &joined(found, "/phones", "value"))?;
    line("profiles", &joined(found, "/socials", "url"))?;
    line("sitemaps", &sitemaps(found))?;
    for problem in found
        .pointer("/problems")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        line(
            "note",
            problem.get("detail").and_then(Value::as_str).unwrap_or_default(),
        )?;
    }
    Ok(())
}

fn line(name: &str, value: &str) -> anyhow::Result<()> {
    if !value.is_empty() {
        say(&format!("  {name:<13} {value}"))?;
    }
    Ok(())
}

fn items<'a>(found: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    found
        .pointer(pointer)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn joined(found: &Value, pointer: &str, field: &str) -> String {
    let values: Vec<&str> = items(found, pointer)
        .filter_map(|item| item.get(field)?.as_str())
        .collect();
    values.join(", ")
}

fn technologies(found: &Value) -> String {
    let named: Vec<String> = items(found, "/technologies")
        .filter_map(|technology| {
            let name = technology.get("name")?.as_str()?;
            let version = technology.get("version").and_then(Value::as_str);
            Some(version.map_or_else(|| name.to_owned(), |version| format!("{name} {version}")))
        })
        .collect();
    named.join(", ")
}

fn sitemaps(found: &Value) -> String {
    let listing = |sitemap: &&Value| sitemap.get("kind").and_then(Value::as_str) != Some("index");
    let files = items(found, "/sitemaps").filter(listing);
    let entries: Vec<u64> = files
        .filter_map(|sitemap| sitemap.get("entries").and_then(Value::as_u64))
        .collect();
    if entries.is_empty() {
        return String::new();
    }
    format!("{} with {} URLs", entries.len(), entries.iter().sum::<u64>())
}
