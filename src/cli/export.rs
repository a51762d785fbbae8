//! `sitelog export`: the API's lists as files, without HTTP.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::input::BadArgument;
use super::local::Local;
use crate::aggregates::ScanStatus;
use crate::api::ApiState;
use crate::api::export::{carried_by, rows_of};
use crate::api::problem::Problem;
use crate::api::request::Paging;
use crate::api::v4::list_domain_urls::Url;
use crate::api::v4::list_domains::DomainQuery;
use crate::api::v4::list_scans::ScanQuery;
use crate::api::v4::views::{BatchDomain, Domain, Page, Scan};
use crate::api::v4::{list_batch_domains, list_domain_urls, list_domains, list_scans};
use crate::config::Config;
use crate::export::Format;
use crate::export::columns::Exported;
use crate::export::encoder::Encoder;
use crate::export::workbook;
use crate::projections::batch_jobs::{self, BatchJobs};
use crate::projections::domains::{self, Domains};
use crate::projections::jobs::Jobs;
use crate::projections::query::wait_for;
use crate::projections::sitemaps::Sitemaps;
use crate::values::{BatchId, DomainName, TenantId};

/// Pages of rows.
type Rows<'a, T> = BoxStream<'a, Result<Vec<T>, Problem>>;

/// How long the read models may take to follow.
const PATIENCE: Duration = Duration::from_mins(1);

/// Writes results as CSV, NDJSON or a workbook; the columns are in docs/api.md.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// domains: what is known of each; jobs: each scan; urls: what the sitemaps name
    #[arg(value_name = "TABLE")]
    table: Table,
    /// The form; without it as the file's ending says, else csv
    #[arg(long, value_name = "FORMAT", value_parser = ["csv", "ndjson", "xlsx"])]
    format: Option<String>,
    /// Only of this batch, line by line, with the columns that its list had
    #[arg(long, value_name = "ID")]
    batch: Option<BatchId>,
    /// Whose; by default the tenant of requests that name none
    #[arg(long, value_name = "ID", default_value_t = TenantId::DEFAULT, hide_default_value = true)]
    tenant: TenantId,
    /// Domains and jobs: only in this status; pending, running, completed, failed or cancelled
    #[arg(long, value_name = "STATUS")]
    status: Option<ScanStatus>,
    /// Only of this domain
    #[arg(long, value_name = "DOMAIN", value_parser = super::parse_domain)]
    domain: Option<DomainName>,
    /// Domains and urls: only of domains whose name holds this
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["domain", "batch"])]
    contains: Option<String>,
    /// Domains: only those that run WordPress, or do not
    #[arg(long, value_name = "true|false", conflicts_with = "batch")]
    wordpress: Option<bool>,
    /// Into this file, which is there only when it is whole; without it, standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Table {
    Domains,
    #[value(alias = "scans")]
    Jobs,
    Urls,
}

pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    let format = args.checked_format()?;
    let local = Local::following(config).await?;
    let head = local.app.log.head().await?;
    let models = &local.app.models;
    let followed = wait_for::<Jobs>(models, head, PATIENCE).await?
        && wait_for::<BatchJobs>(models, head, PATIENCE).await?
        && wait_for::<Domains>(models, head, PATIENCE).await?
        && wait_for::<Sitemaps>(models, head, PATIENCE).await?;
    let written = args.write(&local.app.api_state(), format).await;
    local.finish().await;
    let rows = written?;
    if let Some(file) = &args.output {
        eprintln!("{rows} rows in {}", file.display());
    }
    if followed {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("sitelog: the read models are behind the log: what was written is older than position {head}");
    Ok(ExitCode::FAILURE)
}

impl Args {
    /// The form that is meant, if the rest fits the table.
    fn checked_format(&self) -> Result<Format, BadArgument> {
        let refuse = |text: &str| Err(BadArgument(text.to_owned()));
        if self.table == Table::Urls && self.status.is_some() {
            return refuse("--status is for domains and jobs");
        }
        if self.table == Table::Jobs && self.contains.is_some() {
            return refuse("--contains is for domains and urls; --domain is for jobs");
        }
        if self.table != Table::Domains && self.wordpress.is_some() {
            return refuse("--wordpress is for domains");
        }
        let ending = self.output.as_deref().and_then(Path::extension);
        let ending = ending.and_then(|ending| ending.to_str());
        let named = self.format.as_deref().or(ending);
        let format = named.and_then(|name| name.parse().ok()).unwrap_or(Format::Csv);
        if format == Format::Xlsx && self.output.is_none() && io::stdout().is_terminal() {
            return refuse("a workbook is nothing for a terminal: say --output FILE.xlsx");
        }
        Ok(format)
    }

    async fn write(&self, state: &ApiState, format: Format) -> anyhow::Result<u64> {
        let (tenant, batch) = (self.tenant, self.batch);
        if let Some(batch) = batch
            && batch_jobs::query::find(&state.models, tenant, batch)
                .await?
                .is_none()
        {
            return Err(BadArgument(format!("tenant {tenant} has no batch {batch}")).into());
        }
        match (self.table, batch) {
            (Table::Domains, None) => self.put(state, format, self.domains(state)?).await,
            (Table::Domains, Some(batch)) => self.put(state, format, self.batch_domains(state, batch)?).await,
            (Table::Jobs, _) => self.put(state, format, self.jobs(state)?).await,
            (Table::Urls, _) => self.put(state, format, self.urls(state)?).await,
        }
    }

    fn domains<'a>(&self, state: &'a ApiState) -> anyhow::Result<Rows<'a, Domain>> {
        let tenant = self.tenant;
        if let Some(domain) = self.domain.clone() {
            let (status, is_wordpress) = (self.status, self.wordpress);
            let one = async move {
                let row = domains::query::find(&state.models, tenant, &domain).await?;
                let row = row.filter(|row| status.is_none_or(|status| row.status == status));
                let row = row.filter(|row| is_wordpress.is_none_or(|wanted| row.is_wordpress == wanted));
                Ok(row.map(Domain::from).into_iter().collect())
            };
            return Ok(stream::once(one).boxed());
        }
        let query: DomainQuery = query_of(json!({
            "status": self.status.map(ScanStatus::as_str), "contains": self.contains, "is_wordpress": self.wordpress,
        }))?;
        let read = move |paging| {
            let query = query.clone();
            async move { list_domains::page(state, tenant, query, &paging).await }
        };
        Ok(all_rows(read))
    }

    fn batch_domains<'a>(
        &self,
        state: &'a ApiState,
        batch: BatchId,
    ) -> anyhow::Result<Rows<'a, BatchDomain>> {
        let (tenant, query) = (self.tenant, self.scan_query()?);
        let read = move |paging| {
            let query = query.clone();
            async move { list_batch_domains::page(state, tenant, batch, &query, &paging).await }
        };
        Ok(all_rows(read))
    }

    fn jobs<'a>(&self, state: &'a ApiState) -> anyhow::Result<Rows<'a, Scan>> {
        let (tenant, batch, query) = (self.tenant, self.batch, self.scan_query()?);
        let read = move |paging| {
            let query = query.clone();
            async move { list_scans::page(state, tenant, batch, &query, &paging).await }
        };
        Ok(all_rows(read))
    }

    /// The URLs of each of the domains that are meant, domain by domain.
    fn urls<'a>(&self, state: &'a ApiState) -> anyhow::Result<Rows<'a, Url>> {
        let tenant = self.tenant;
        let names: Rows<'a, String> = match self.batch {
            Some(batch) => self
                .batch_domains(state, batch)?
                .map_ok(|rows| rows.iter().map(|row| row.domain().to_owned()).collect())
                .boxed(),
            None => self
                .domains(state)?
                .map_ok(|rows| rows.into_iter().map(|row| row.domain).collect())
                .boxed(),
        };
        let names = names
            .map_ok(|names| stream::iter(names.into_iter().map(Ok::<_, Problem>)))
            .try_flatten();
        let urls = names.map_ok(move |name| {
            // An input that is no domain has no sitemaps.
            match DomainName::parse(&name) {
                Ok(domain) => urls_of(state, tenant, domain),
                Err(_) => stream::empty().boxed(),
            }
        });
        Ok(urls.try_flatten().boxed())
    }

    fn scan_query(&self) -> anyhow::Result<ScanQuery> {
        query_of(json!({
            "status": self.status.map(ScanStatus::as_str), "domain": self.domain.as_ref().map(DomainName::as_str),
        }))
    }

    /// Writes the rows where they are wanted; tells how many there were.
    async fn put<T: Exported>(
        &self,
        state: &ApiState,
        format: Format,
        rows: Rows<'_, T>,
    ) -> anyhow::Result<u64> {
        let carried = carried_by(state, self.tenant, self.batch).await.map_err(told)?;
        let encoder = Encoder::<T>::new(carried);
        let Some(path) = &self.output else {
            let out = BufWriter::new(io::stdout().lock());
            return write_rows(&encoder, format, rows, out)
                .await
                .context("standard output");
        };
        let mut partial = path.clone().into_os_string();
        partial.push(".part");
        let partial = PathBuf::from(partial);
        let written = async {
            let out = BufWriter::new(File::create(&partial)?);
            let rows = write_rows(&encoder, format, rows, out).await?;
            std::fs::rename(&partial, path)?;
            Ok(rows)
        };
        written.await.map_err(|error: anyhow::Error| {
            // What is only a part is of no use; where it could not be made there is nothing to take away.
            let _ = std::fs::remove_file(&partial);
            error.context(format!("{} cannot be written", path.display()))
        })
    }
}

fn urls_of(state: &ApiState, tenant: TenantId, domain: DomainName) -> Rows<'_, Url> {
    let read = move |paging| {
        let domain = domain.clone();
        async move { list_domain_urls::page(state, tenant, &domain, &paging).await }
    };
    all_rows(read)
}

/// All rows of a list.
fn all_rows<'a, T, F, R>(read: F) -> Rows<'a, T>
where
    T: Send + 'a,
    F: Fn(Paging) -> R + Send + 'a,
    R: Future<Output = Result<Page<T>, Problem>> + Send + 'a,
{
    rows_of(None, None, read).boxed()
}

async fn write_rows<T: Exported>(
    encoder: &Encoder<T>,
    format: Format,
    rows: Rows<'_, T>,
    mut out: impl Write,
) -> anyhow::Result<u64> {
    let mut count = 0;
    let mut rows = rows.inspect_ok(|rows| count += u64::try_from(rows.len()).unwrap_or(0));
    match format {
        Format::Xlsx => {
            let mut file = workbook::build(encoder, rows).await.map_err(told)?;
            io::copy(&mut file, &mut out)?;
        }
        Format::Csv => {
            out.write_all(&encoder.csv_header())?;
            while let Some(rows) = rows.try_next().await.map_err(told)? {
                out.write_all(&encoder.csv(&rows)?)?;
            }
        }
        Format::Ndjson => {
            while let Some(rows) = rows.try_next().await.map_err(told)? {
                out.write_all(&encoder.ndjson(&rows)?)?;
            }
        }
    }
    out.flush()?;
    Ok(count)
}

/// The same query as of HTTP.
fn query_of<T: DeserializeOwned>(query: Value) -> anyhow::Result<T> {
    Ok(serde_json::from_value(query)?)
}

/// What a request would be answered, for people.
fn told(problem: Problem) -> anyhow::Error {
    anyhow::anyhow!(problem.detail)
}
