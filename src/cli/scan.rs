//! `sitelog scan`.

use std::process::ExitCode;
use std::time::Duration;

use super::local::Local;
use super::{print_line, style};
use crate::aggregates::ScanStatus;
use crate::api::v4::views::Scan;
use crate::commands::CommandContext;
use crate::commands::request_scan::request_scan;
use crate::config::Config;
use crate::projections::RawJson;
use crate::projections::jobs::{self, JobRow};
use crate::values::amount::counted;
use crate::values::{DomainName, Findings, ScanId, ScanOptions, TenantId};

/// Scans domains and prints the results.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Domains, or URLs, of which only the domain is used
    #[arg(required = true, value_name = "DOMAIN", value_parser = super::parse_domain)]
    domains: Vec<DomainName>,
    /// Maximum number of HTML pages per domain, 1 to 100
    #[arg(long, value_name = "N")]
    max_pages: Option<i64>,
    #[command(flatten)]
    extra_files: super::extra_files::ExtraFiles,
    /// Prints one JSON object per domain
    #[arg(long)]
    json: bool,
}

/// How often a scan's row is polled.
const POLL: Duration = Duration::from_millis(50);

pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    let local = Local::start(config).await?;
    let context = CommandContext::internal(TenantId::DEFAULT, "cli");
    let mut scans = Vec::new();
    for domain in &args.domains {
        let options = ScanOptions::wanted(args.extra_files.with(args.max_pages));
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
            print_line(&serde_json::to_string(&Scan::from(row))?)?;
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
    print_line([format!("{name}: ").into(), style::status(row.status.as_str())])?;
    if let Some(error) = &row.error {
        let reason = row.reason.map(|reason| reason.to_string()).unwrap_or_default();
        print_line(["  ".into(), style::bad(&reason), format!(": {error}").into()])?;
    }
    let Some(found) = row.result_data.as_ref().and_then(RawJson::read::<Findings>) else {
        return Ok(());
    };
    line(
        "site type",
        found.site_state.as_ref().map(|found| found.state.as_str()),
    )?;
    line("title", found.title.as_deref())?;
    line("description", found.description.as_deref())?;
    line("language", found.language.as_deref())?;
    line("final URL", found.final_url.as_deref())?;
    line("logo", found.logo_url.as_deref())?;
    list(
        "technologies",
        found
            .technologies
            .iter()
            .map(|technology| match &technology.version {
                Some(version) => format!("{} {version}", technology.name),
                None => technology.name.clone(),
            }),
    )?;
    list("email", found.emails.into_iter().map(|email| email.value))?;
    list("phone", found.phones.into_iter().map(|phone| phone.value))?;
    list("profiles", found.socials.into_iter().map(|social| social.url))?;
    let files: Vec<u64> = found
        .sitemaps
        .iter()
        .filter(|file| file.kind.lists_pages())
        .map(|file| file.entries)
        .collect();
    if !files.is_empty() {
        line(
            "sitemaps",
            Some(&format!(
                "{} with {}",
                counted(files.len(), "file"),
                counted(files.iter().sum::<u64>(), "URL")
            )),
        )?;
    }
    for problem in &found.problems {
        line("note", Some(&problem.detail))?;
    }
    Ok(())
}

fn line(name: &str, value: Option<&str>) -> anyhow::Result<()> {
    if let Some(value) = value.filter(|value| !value.is_empty()) {
        print_line(&format!("  {name:<13} {}", in_one_line(value)))?;
    }
    Ok(())
}

fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn list(name: &str, values: impl Iterator<Item = String>) -> anyhow::Result<()> {
    line(name, Some(&values.collect::<Vec<_>>().join(", ")))
}
