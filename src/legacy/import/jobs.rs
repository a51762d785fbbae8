//! `jobs`: each row a scan under its own id.

use futures::{StreamExt, TryStreamExt};
use uuid::Uuid;

use super::findings;
use super::ledger::{self, Entry};
use super::row::{self, OldRow, Progress};
use super::{CHUNK, Import, ImportError, Unfinished, has_table, rows_of, standard};
use crate::aggregates::scan::{BatchOrigin, ImportedOutcome, ImportedScan, ScanTotals};
use crate::commands::import::{ImportBodies, ImportUnit, append_imported, scan_unit};
use crate::values::{FailureReason, ScanOptions, TenantId};

const TABLE: &str = "jobs";
/// Where a job whose domain is gone may still name it.
const NAMED_IN: [&str; 4] = ["job_metadata", "metadata", "result_data", "result"];

pub(super) async fn import(import: &Import<'_>, told: &dyn Fn(&str, u64)) -> Result<(), ImportError> {
    if !has_table(import.source, TABLE).await? {
        return Ok(());
    }
    let known = ledger::known(import.pool, TABLE).await?;
    let sql = "select to_jsonb(t) from jobs t order by created_at, id";
    let chunks = rows_of(import.source, sql).try_chunks(CHUNK);
    let mut chunks = std::pin::pin!(chunks);
    let mut done = 0;
    while let Some(rows) = chunks.next().await {
        let rows = rows.map_err(|error| error.1)?;
        let (mut units, mut entries) = (Vec::new(), Vec::new());
        for row in rows.iter().filter(|row| !known.contains(&row.id())) {
            let (unit, entry) = unit_of(import, row).await?;
            units.extend(unit);
            entries.push(entry);
        }
        append_imported(import.bus, units).await?;
        ledger::note(import.pool, &entries).await?;
        done += rows.len() as u64;
        told(TABLE, done);
    }
    Ok(())
}

async fn unit_of(import: &Import<'_>, row: &OldRow) -> Result<(Option<ImportUnit>, Entry), ImportError> {
    let mut notes = Vec::new();
    let Some(text) = domain_of(import, row) else {
        return Ok((None, Entry::refused(TABLE, row.id(), "no_domain")));
    };
    let status = row.text("status").unwrap_or_default();
    let name = standard(&text);
    let outcome = match (row::progress(&status), &name) {
        (Progress::Unknown, _) => return Ok((None, Entry::refused(TABLE, row.id(), "unknown_status"))),
        (Progress::Unfinished, _) if import.unfinished == Unfinished::Leave => {
            return Ok((None, Entry::refused(TABLE, row.id(), "unfinished")));
        }
        // What is no domain cannot have been read, whatever the row says.
        (Progress::Completed, None) => return Ok((None, Entry::refused(TABLE, row.id(), "invalid_domain"))),
        (progress, None) => {
            if progress == Progress::Unfinished {
                notes.push("unfinished");
            }
            Progress::Failed
        }
        (progress, Some(_)) => progress,
    };
    let tenant = tenant_of(import, row, &mut notes);
    let id = job_id(row, &mut notes);
    let batch = import.batch_of(row, tenant).unwrap_or_else(|note| {
        notes.push(note);
        None
    });
    let domain = name.as_ref().map_or_else(|| text.clone(), ToString::to_string);
    let context = import.context(tenant);
    let mut bodies = ImportBodies::about(import.bus, &context, &domain).await?;
    let outcome = match outcome {
        Progress::Completed => {
            let found = findings::of_job(row, &mut notes);
            ImportedOutcome::Completed {
                findings: bodies.seal(found.content.to_string().as_bytes(), 1),
                totals: ScanTotals {
                    pages: 1,
                    emails: found.emails as u64,
                    phones: found.phones as u64,
                    ..ScanTotals::default()
                },
            }
        }
        Progress::Cancelled => ImportedOutcome::Cancelled,
        Progress::Unfinished if import.unfinished == Unfinished::Rescan => ImportedOutcome::Open,
        Progress::Unfinished => {
            notes.push("unfinished");
            ImportedOutcome::Failed {
                reason: FailureReason::Abandoned,
                error: format!("The predecessor left it {status}"),
            }
        }
        Progress::Failed | Progress::Unknown => ImportedOutcome::Failed {
            reason: if name.is_none() {
                FailureReason::InvalidDomain
            } else {
                FailureReason::Imported
            },
            error: row
                .trimmed("error")
                .unwrap_or_else(|| "The predecessor noted no error".to_owned()),
        },
    };
    let times = row.times("started_at", &["completed_at", "updated_at"], &mut notes);
    let scan = ImportedScan {
        domain: domain.clone(),
        origin: batch.map(|batch_id| BatchOrigin {
            batch_id,
            line: u32::try_from(row.count("id")).unwrap_or(u32::MAX),
            max_concurrent: 50,
        }),
        options: ScanOptions::with_max_pages(row.value("job_metadata")["max_pages"].as_i64()),
        table: TABLE.to_owned(),
        row_id: row.id(),
        job_type: row.trimmed("job_type"),
        status,
        row: bodies.seal(&row.bytes(), 1),
        read: Vec::new(),
        outcome,
    };
    let unit = scan_unit(id, scan, times, bodies, &context).await;
    let entry = Entry {
        notes,
        tenant: Some(tenant),
        stream: Some(id),
        domain: name.map(|name| name.to_string()),
        ..Entry::new(TABLE, row.id(), "imported", None)
    };
    Ok((Some(unit), entry))
}

fn domain_of(import: &Import<'_>, row: &OldRow) -> Option<String> {
    let by_id = row.text("domain_id").and_then(|id| import.domains.get(&id));
    if let Some(known) = by_id {
        return Some(known.text.clone());
    }
    let named = |column: &&str| {
        let value = row.value(column);
        let keys = ["domain", "base_url", "url"];
        keys.iter().find_map(|key| value[key].as_str().map(str::to_owned))
    };
    NAMED_IN
        .iter()
        .find_map(|column| named(&column))
        .filter(|text| !text.trim().is_empty())
}

fn tenant_of(import: &Import<'_>, row: &OldRow, notes: &mut Vec<&'static str>) -> TenantId {
    if let Some(tenant) = row.tenant("tenant_id_uuid").or_else(|| row.tenant("tenant_id")) {
        return tenant;
    }
    notes.push("tenant_not_uuid");
    let by_domain = row
        .text("domain_id")
        .and_then(|id| import.domains.get(&id)?.tenant);
    by_domain.unwrap_or(TenantId::DEFAULT)
}

fn job_id(row: &OldRow, notes: &mut Vec<&'static str>) -> Uuid {
    let text = row.text("job_id").unwrap_or_default();
    let bare = text.trim().strip_prefix("scan_").unwrap_or(text.trim());
    Uuid::try_parse(bare).unwrap_or_else(|_| {
        notes.push("job_id_not_uuid");
        row::derived(TABLE, &row.id())
    })
}
