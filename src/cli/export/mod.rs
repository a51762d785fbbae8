//! `sitelog export`: the API's lists as files, without HTTP.

mod destination;
mod rows;
mod s3;
mod upload;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};

use self::destination::{Destination, ObjectAddress, Writing};
use self::rows::write_rows;
use self::s3::s3_object;
use self::upload::{Ended, NotesFile, PART, Upload, UploadError};
use super::input::BadArgument;
use super::local::Local;
use super::{note_line, output};
use crate::aggregates::ScanStatus;
use crate::api::ApiState;
use crate::api::export::{List, carried_by, rows_of};
use crate::api::problem::Problem;
use crate::api::v4::list_batch_domains::BatchDomains;
use crate::api::v4::list_changes::ChangeQuery;
use crate::api::v4::list_domain_urls::{DomainUrls, Url};
use crate::api::v4::list_domains::DomainQuery;
use crate::api::v4::list_scans::ScanQuery;
use crate::api::v4::views::{BatchDomain, Domain};
use crate::config::Config;
use crate::export::Format;
use crate::export::columns::Exported;
use crate::export::encoder::Encoder;
use crate::projections::batch_jobs::{self, BatchJobs};
use crate::projections::domains::Domains;
use crate::projections::jobs::Jobs;
use crate::projections::query::wait_for;
use crate::projections::sitemaps::Sitemaps;
use crate::values::amount::counted;
use crate::values::site_state::SiteStateKind;
use crate::values::{BatchId, DomainName, FailureReason, MonitorId, TenantId};

/// Pages of rows.
type Rows<T> = BoxStream<'static, Result<Vec<T>, Problem>>;

/// How long the read models may take to follow.
const WAIT_TIMEOUT: Duration = Duration::from_mins(1);

/// Writes results as CSV, NDJSON, Excel (.xlsx) or Parquet; the columns are in docs/api.md.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// domains: the results per domain; scans: one row per scan (alias: jobs); urls: the URLs in the sitemaps; changes:
    /// what changed in domains
    #[arg(value_name = "TABLE")]
    table: Table,
    /// The format. Default: from the file extension, otherwise csv
    #[arg(long, value_name = "FORMAT", value_parser = ["csv", "ndjson", "xlsx", "parquet"])]
    format: Option<String>,
    /// Only this batch, line by line, with the columns of its list
    #[arg(long, value_name = "ID")]
    batch: Option<BatchId>,
    /// The tenant. Default: the default tenant (550e8400-e29b-41d4-a716-446655440000)
    #[arg(long, value_name = "ID", default_value_t = TenantId::DEFAULT, hide_default_value = true)]
    tenant: TenantId,
    /// Domains and scans: only in this status; pending, running, completed, failed or cancelled
    #[arg(long, value_name = "STATUS")]
    status: Option<ScanStatus>,
    /// Only this domain
    #[arg(long, value_name = "DOMAIN", value_parser = crate::cli::parse_domain)]
    domain: Option<DomainName>,
    /// Only domains whose name contains this text; for domains and urls, also those whose title contains it
    #[arg(long, value_name = "TEXT", conflicts_with = "domain")]
    contains: Option<String>,
    /// Scans, and domains of a batch: only those that failed with this reason
    #[arg(long, value_name = "REASON")]
    reason: Option<FailureReason>,
    /// Domains: only those that run WordPress (true) or do not (false)
    #[arg(long, value_name = "true|false", conflicts_with = "batch")]
    wordpress: Option<bool>,
    /// Domains: only those with (true) or without (false) an email address
    #[arg(long, value_name = "true|false", conflicts_with = "batch")]
    has_email: Option<bool>,
    /// Domains: only those with (true) or without (false) a phone number
    #[arg(long, value_name = "true|false", conflicts_with = "batch")]
    has_phone: Option<bool>,
    /// Domains: only those in this language; de also matches de-AT
    #[arg(long, value_name = "TAG", conflicts_with = "batch")]
    language: Option<String>,
    /// Domains: only those that use this technology
    #[arg(long, value_name = "NAME", conflicts_with = "batch")]
    technology: Option<String>,
    /// Domains: only those whose home page is in this state, for example parked
    #[arg(long, value_name = "STATE", conflicts_with = "batch")]
    site_state: Option<SiteStateKind>,
    /// Domains: only those whose email is handled by this provider, for example "Google Workspace"
    #[arg(long, value_name = "NAME", conflicts_with = "batch")]
    email_provider: Option<String>,
    /// Domains: only those whose TLS certificate expires before this date or time
    #[arg(long, value_name = "TIME", conflicts_with = "batch")]
    tls_expires_before: Option<String>,
    /// Changes: only those that this monitor found in the fields that it reports
    #[arg(long, value_name = "ID")]
    monitor: Option<MonitorId>,
    /// Changes: only those after this log position or time
    #[arg(long, value_name = "POSITION|TIME")]
    since: Option<String>,
    /// Changes: only those to this field, for example title or status
    #[arg(long, value_name = "NAME")]
    field: Option<String>,
    /// The file to write, which appears only when it is complete. Default: standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[arg(long, value_name = "PLACE", conflicts_with = "output", help = TO)]
    to: Option<Destination>,
}

const TO: &str = "Where to write: s3://bucket/key (credentials from the AWS_… environment variables), file:///path or a path. \
                  The file appears only when it is complete; to continue after an interruption, repeat the command";

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Table {
    Domains,
    #[value(name = "scans", alias = "jobs")]
    Jobs,
    Urls,
    Changes,
}

pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    let format = args.checked_format()?;
    let destination = args.destination();
    if let Some(Destination::Object(address)) = &destination {
        // Before anything is read, so that missing settings are reported immediately.
        s3_object(address, config)?;
    }
    let local = Local::following(config).await?;
    let head = local.app.log.head().await?;
    let models = &local.app.models;
    let followed = wait_for::<Jobs>(models, head, WAIT_TIMEOUT).await?
        && wait_for::<BatchJobs>(models, head, WAIT_TIMEOUT).await?
        && wait_for::<Domains>(models, head, WAIT_TIMEOUT).await?
        && wait_for::<Sitemaps>(models, head, WAIT_TIMEOUT).await?;
    let written = args
        .write_to(&local.app.api_state(), format, destination.as_ref(), config)
        .await;
    local.finish().await;
    let written = written?;
    if let Some(destination) = &destination {
        note_line(&format!(
            "{} written to {destination}{}",
            counted(written.rows, "row"),
            kept(written.ended)
        ));
    }
    if followed {
        return Ok(ExitCode::SUCCESS);
    }
    note_line(&format!(
        "sitelog: the read models are behind the log: the export does not include all events up to position {head}"
    ));
    Ok(ExitCode::FAILURE)
}

impl Args {
    /// The format, if the other options fit the table.
    fn checked_format(&self) -> Result<Format, BadArgument> {
        let refuse = |text: &str| Err(BadArgument(text.to_owned()));
        if matches!(self.table, Table::Urls | Table::Changes) && self.status.is_some() {
            return refuse("--status applies to domains and scans only");
        }
        let takes_reason = match self.table {
            Table::Jobs => true,
            Table::Domains => self.batch.is_some(),
            Table::Urls | Table::Changes => false,
        };
        if self.reason.is_some() && !takes_reason {
            return refuse("--reason applies only to scans, and to domains with --batch");
        }
        if self.table == Table::Changes && self.contains.is_some() {
            return refuse("--contains applies to domains, scans and urls only; use --domain");
        }
        let of_changes = [
            ("--since", self.since.is_some()),
            ("--field", self.field.is_some()),
            ("--monitor", self.monitor.is_some()),
        ];
        let given = of_changes.into_iter().find(|(_, is_given)| *is_given);
        if let Some((name, _)) = given.filter(|_| self.table != Table::Changes) {
            return refuse(&format!("{name} applies to changes only"));
        }
        let of_domains = [
            ("--wordpress", self.wordpress.is_some()),
            ("--has-email", self.has_email.is_some()),
            ("--has-phone", self.has_phone.is_some()),
            ("--language", self.language.is_some()),
            ("--technology", self.technology.is_some()),
            ("--site-state", self.site_state.is_some()),
            ("--email-provider", self.email_provider.is_some()),
            ("--tls-expires-before", self.tls_expires_before.is_some()),
        ];
        let given = of_domains.into_iter().find(|(_, is_given)| *is_given);
        if let Some((name, _)) = given.filter(|_| self.table != Table::Domains) {
            return refuse(&format!("{name} applies to domains only"));
        }
        let destination = self.destination();
        let ending = destination.as_ref().and_then(Destination::ending);
        let named = self.format.as_deref().or(ending);
        let format = named.and_then(|name| name.parse().ok()).unwrap_or(Format::Csv);
        if format == Format::Xlsx && destination.is_none() && output::is_terminal() {
            return refuse("an Excel file cannot be shown on a terminal; use --output FILE.xlsx");
        }
        if format == Format::Parquet && destination.is_none() && output::is_terminal() {
            return refuse("Parquet cannot be shown on a terminal; use --output FILE.parquet");
        }
        Ok(format)
    }

    /// Where it goes; `None` for standard output.
    fn destination(&self) -> Option<Destination> {
        let file = self.output.clone().map(Destination::File);
        file.or_else(|| self.to.clone())
    }

    /// Writes all, and completes it.
    async fn write_to(
        &self,
        state: &ApiState,
        format: Format,
        destination: Option<&Destination>,
        config: &Config,
    ) -> anyhow::Result<Written> {
        match destination {
            None => {
                let written = self.complete(state, format, Writing::to_output()).await;
                written.map_err(at("standard output"))
            }
            Some(Destination::File(path)) => {
                let written = self.complete(state, format, Writing::to_file(path)?).await;
                written.map_err(|error| {
                    // A part of an export is of no use.
                    destination::remove_partial(path);
                    at(path.display())(error)
                })
            }
            Some(Destination::Object(address)) => {
                let written = self.upload(state, format, address, config).await;
                written.map_err(at(address))
            }
        }
    }

    /// Uploads to an object; continues an interrupted upload, and starts over if the store no longer has it.
    async fn upload(
        &self,
        state: &ApiState,
        format: Format,
        address: &ObjectAddress,
        config: &Config,
    ) -> anyhow::Result<Written> {
        let directory = config.data_dir.join("exports");
        let begin = |is_again: bool| -> anyhow::Result<Writing> {
            let notes = NotesFile::open(&directory, &address.to_string())?;
            if is_again {
                notes.remove()?;
            }
            let upload = Upload::new(Box::new(s3_object(address, config)?), PART, notes)?;
            if let Some(parts) = upload.continues() {
                note_line(&format!(
                    "continuing an upload to {address} that was interrupted after {parts} parts"
                ));
            }
            Ok(Writing::Object(Box::new(upload)))
        };
        match self.complete(state, format, begin(false)?).await {
            Err(error) if matches!(error.downcast_ref(), Some(UploadError::Gone)) => {
                note_line("the interrupted upload no longer exists; starting over");
                self.complete(state, format, begin(true)?).await
            }
            other => other,
        }
    }

    async fn complete(&self, state: &ApiState, format: Format, mut out: Writing) -> anyhow::Result<Written> {
        let rows = self.write(state, format, &mut out).await?;
        let ended = out.complete().await?;
        Ok(Written { rows, ended })
    }

    async fn write(&self, state: &ApiState, format: Format, out: &mut Writing) -> anyhow::Result<u64> {
        let (tenant, batch) = (self.tenant, self.batch);
        if let Some(batch) = batch
            && batch_jobs::query::find(&state.models, tenant, batch)
                .await?
                .is_none()
        {
            return Err(BadArgument(format!("tenant {tenant} has no batch {batch}")).into());
        }
        match (self.table, batch) {
            (Table::Domains, None) => self.put(state, format, out, self.domains(state)).await,
            (Table::Domains, Some(batch)) => {
                self.put(state, format, out, self.batch_domains(state, batch))
                    .await
            }
            (Table::Jobs, _) => {
                self.put(state, format, out, all_rows(state, tenant, self.scan_query()))
                    .await
            }
            (Table::Urls, _) => self.put(state, format, out, self.urls(state)).await,
            (Table::Changes, _) => {
                self.put(state, format, out, all_rows(state, tenant, self.change_query()))
                    .await
            }
        }
    }

    fn domains(&self, state: &ApiState) -> Rows<Domain> {
        let wanted = self.domain.as_ref().map(|domain| domain.as_str().to_owned());
        let query = DomainQuery {
            status: self.status.map(|status| status.to_string()),
            contains: self.contains.clone().or_else(|| wanted.clone()),
            is_wordpress: self.wordpress,
            has_email: self.has_email,
            has_phone: self.has_phone,
            language: self.language.clone(),
            technology: self.technology.clone(),
            email_provider: self.email_provider.clone(),
            tls_expires_before: self.tls_expires_before.clone(),
            site_state: self.site_state.map(|state| state.to_string()),
            ..DomainQuery::default()
        };
        let rows = all_rows(state, self.tenant, query).map_ok(move |mut rows| {
            rows.retain(|row| wanted.as_ref().is_none_or(|wanted| row.domain == *wanted));
            rows
        });
        rows.boxed()
    }

    fn batch_domains(&self, state: &ApiState, batch: BatchId) -> Rows<BatchDomain> {
        let query = self.scan_query();
        all_rows(state, self.tenant, BatchDomains { batch, query })
    }

    /// The URLs of the selected domains, domain by domain.
    fn urls(&self, state: &ApiState) -> Rows<Url> {
        let (state, tenant) = (state.clone(), self.tenant);
        let names: Rows<String> = match self.batch {
            Some(batch) => self
                .batch_domains(&state, batch)
                .map_ok(|rows| rows.iter().map(|row| row.domain().to_owned()).collect())
                .boxed(),
            None => self
                .domains(&state)
                .map_ok(|rows| rows.into_iter().map(|row| row.domain).collect())
                .boxed(),
        };
        let names = names
            .map_ok(|names| stream::iter(names.into_iter().map(Ok::<_, Problem>)))
            .try_flatten();
        let urls = names.map_ok(move |name| {
            // An input that is not a domain has no sitemaps.
            match DomainName::parse(&name) {
                Ok(domain) => all_rows(&state, tenant, DomainUrls(domain)),
                Err(_) => stream::empty().boxed(),
            }
        });
        urls.try_flatten().boxed()
    }

    fn change_query(&self) -> ChangeQuery {
        ChangeQuery {
            since: self.since.clone(),
            field: self.field.clone(),
            domain: self.domain.as_ref().map(|domain| domain.as_str().to_owned()),
            batch: self.batch.map(|batch| batch.to_string()),
            monitor: self.monitor.map(|monitor| monitor.to_string()),
            sort: None,
        }
    }

    fn scan_query(&self) -> ScanQuery {
        ScanQuery {
            status: self.status.map(|status| status.to_string()),
            reason: self.reason.map(|reason| reason.to_string()),
            domain: self.domain.as_ref().map(|domain| domain.as_str().to_owned()),
            contains: self.contains.clone(),
            batch: self.batch.map(|batch| batch.to_string()),
            ..ScanQuery::default()
        }
    }

    /// Writes rows; returns their number.
    async fn put<T: Exported>(
        &self,
        state: &ApiState,
        format: Format,
        out: &mut Writing,
        rows: Rows<T>,
    ) -> anyhow::Result<u64> {
        let carried = carried_by(state, self.tenant, self.batch)
            .await
            .map_err(error_of)?;
        write_rows(Encoder::<T>::new(carried), format, rows, out).await
    }
}

/// What became of an export.
struct Written {
    rows: u64,
    /// Of an object.
    ended: Option<Ended>,
}

/// What an upload did not need to send again.
fn kept(ended: Option<Ended>) -> String {
    match ended {
        Some(Ended { parts, kept }) if kept > 0 => {
            format!(" ({kept} of {parts} parts had been uploaded before)")
        }
        _ => String::new(),
    }
}

/// All rows of a list.
fn all_rows<L: List>(state: &ApiState, tenant: TenantId, list: L) -> Rows<L::Row> {
    rows_of(state.clone(), tenant, list, None, None).boxed()
}

/// A problem of the API as an error message for people.
fn error_of(problem: Problem) -> anyhow::Error {
    if problem.status < 500 {
        return BadArgument(problem.detail).into();
    }
    anyhow::anyhow!(problem.detail)
}

/// Says where writing failed; an argument that is refused has nothing to do with the place.
fn at(place: impl std::fmt::Display) -> impl FnOnce(anyhow::Error) -> anyhow::Error {
    move |error| {
        if error.is::<BadArgument>() {
            return error;
        }
        error.context(format!("cannot write to {place}"))
    }
}
