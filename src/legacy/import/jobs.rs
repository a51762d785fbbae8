//! `jobs`: each row becomes a scan with its own id.

use uuid::Uuid;

use super::findings;
use super::ledger::{self, Entry};
use super::row::{self, OldRow, Progress};
use super::{CHUNK, Import, ImportError, Unfinished, context, standard};
use crate::aggregates::scan::{BatchOrigin, ImportedOutcome, ImportedScan, ScanTotals};
use crate::commands::import::{ImportBodies, ImportUnit, append_imported, scan_unit};
use crate::values::{FailureReason, ScanOptions, TenantId};

const TABLE: &str = "jobs";
/// Kinds of work that have nothing to do with scans of a domain.
const OTHER_WORK: [&str; 1] = ["places_search"];
/// Where a job whose domain is gone may still name it.
const NAMED_IN: [&str; 4] = ["job_metadata", "metadata", "result_data", "result"];

pub(super) async fn import(
    import: &mut Import<'_>,
    on_progress: &dyn Fn(&str, u64),
) -> Result<(), ImportError> {
    if !import.source.has(TABLE).await? {
        return Ok(());
    }
    let known = ledger::known(import.pool, TABLE).await?;
    import
        .jobs
        .extend(ledger::known_streams(import.pool, TABLE).await?);
    let order = import.source.order(TABLE, &["created_at", "id"]).await?;
    import.source.begin(TABLE, &order).await?;
    let mut done = 0;
    loop {
        let rows = import.source.next(CHUNK).await?;
        if rows.is_empty() {
            return Ok(());
        }
        let (mut units, mut entries) = (Vec::new(), Vec::new());
        for row in rows.iter().filter(|row| !known.contains(&row.id())) {
            let (unit, entry) = unit_of(import, row).await?;
            units.extend(unit);
            entries.push(entry);
        }
        append_imported(import.bus, units).await?;
        ledger::note(import.pool, &entries).await?;
        done += rows.len() as u64;
        on_progress(TABLE, done);
    }
}

async fn unit_of(import: &mut Import<'_>, row: &OldRow) -> Result<(Option<ImportUnit>, Entry), ImportError> {
    let refused = |reason: &'static str| Ok((None, Entry::refused(TABLE, row.id(), reason)));
    if !row.is_readable() {
        return refused("unreadable");
    }
    if row
        .trimmed("job_type")
        .is_some_and(|kind| OTHER_WORK.contains(&kind.as_str()))
    {
        return refused("other_work");
    }
    let mut notes = Vec::new();
    let Some(text) = domain_of(import, row) else {
        return refused("no_domain");
    };
    let status = row.text("status").unwrap_or_default();
    let name = standard(&text);
    let outcome = match (row::progress(&status), &name) {
        (Progress::Unknown, _) => return refused("unknown_status"),
        (Progress::Unfinished, _) if import.unfinished == Unfinished::Leave => {
            return refused("unfinished");
        }
        // What is not a domain cannot have been read, whatever the row says.
        (Progress::Completed, None) => return refused("invalid_domain"),
        (progress, None) => {
            if progress == Progress::Unfinished {
                notes.push("unfinished");
            }
            Progress::Failed
        }
        (progress, Some(_)) => progress,
    };
    let tenant = tenant_of(import, row, &mut notes);
    let id = job_id(import, row, &mut notes);
    let batch = import.batch_of(row, tenant).unwrap_or_else(|note| {
        notes.push(note);
        None
    });
    let domain = name.as_ref().map_or_else(|| text.clone(), ToString::to_string);
    let context = context(tenant);
    let mut bodies = ImportBodies::about(import.bus, &context, &domain).await?;
    let outcome = ended(import, row, (outcome, name.is_some()), &mut bodies, &mut notes);
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
        ..Entry::imported(TABLE, row)
    };
    Ok((Some(unit), entry))
}

/// How a job ended that was so far, and whose text is a domain or none.
fn ended(
    import: &Import<'_>,
    row: &OldRow,
    (progress, is_domain): (Progress, bool),
    bodies: &mut ImportBodies,
    notes: &mut Vec<&'static str>,
) -> ImportedOutcome {
    match progress {
        Progress::Completed => {
            let found = findings::of_job(row, notes);
            ImportedOutcome::Completed {
                findings: bodies.seal_object(&found.content.to_string()),
                totals: ScanTotals {
                    pages: 1,
                    emails: found.emails as u64,
                    phones: found.phones as u64,
                    ..ScanTotals::default()
                },
            }
        }
        Progress::Cancelled => ImportedOutcome::Cancelled,
        Progress::Unfinished if import.unfinished == Unfinished::Rescan => {
            notes.push("unfinished");
            ImportedOutcome::Open
        }
        Progress::Unfinished => {
            notes.push("unfinished");
            ImportedOutcome::Failed {
                reason: FailureReason::Abandoned,
                error: format!(
                    "The predecessor left it {}",
                    row.text("status").unwrap_or_default()
                ),
            }
        }
        Progress::Failed | Progress::Unknown => ImportedOutcome::Failed {
            reason: if is_domain {
                FailureReason::Imported
            } else {
                FailureReason::InvalidDomain
            },
            error: row
                .trimmed("error")
                .unwrap_or_else(|| "The predecessor noted no error".to_owned()),
        },
    }
}

fn domain_of(import: &Import<'_>, row: &OldRow) -> Option<String> {
    let by_id = row.text("domain_id").and_then(|id| import.domains.get(&id));
    if let Some(known) = by_id {
        return Some(known.text.clone());
    }
    let named = |column: &str| {
        let value = row.value(column);
        let keys = ["domain", "base_url", "url"];
        keys.iter().find_map(|key| value[key].as_str().map(str::to_owned))
    };
    NAMED_IN
        .iter()
        .find_map(|column| named(column))
        .filter(|text| !text.trim().is_empty())
}

fn tenant_of(import: &Import<'_>, row: &OldRow, notes: &mut Vec<&'static str>) -> TenantId {
    let named = row.tenant("tenant_id_uuid").or_else(|| row.tenant("tenant_id"));
    let known = row.text("domain_id").and_then(|id| import.domains.get(&id));
    let of_domain = known.and_then(|known| known.tenant);
    let Some(tenant) = named else {
        notes.push("tenant_not_uuid");
        return of_domain.unwrap_or(TenantId::DEFAULT);
    };
    // The later scan of another tenant took the domain's row over.
    if of_domain.is_some_and(|of| of != tenant) {
        notes.push("domain_of_other_tenant");
    }
    tenant
}

/// The job's own id, for the first row that has it.
fn job_id(import: &mut Import<'_>, row: &OldRow, notes: &mut Vec<&'static str>) -> Uuid {
    let text = row.text("job_id").unwrap_or_default();
    let bare = text.trim().strip_prefix("scan_").unwrap_or(text.trim());
    let Ok(id) = Uuid::try_parse(bare) else {
        notes.push("job_id_not_uuid");
        return row::derived(TABLE, &row.id());
    };
    let owner = import.jobs.entry(id).or_insert_with(|| row.id());
    if *owner == row.id() {
        return id;
    }
    notes.push("job_id_taken");
    row::derived(TABLE, &row.id())
}
