//! `batch_jobs`: each row becomes a batch with the predecessor's counts.

use super::ledger::{self, Entry};
use super::row::{self, OldRow, Progress};
use super::{CHUNK, Import, ImportError, Unfinished, context};
use crate::aggregates::batch::ImportedBatch;
use crate::commands::import::{ImportBodies, ImportUnit, append_imported, batch_unit};
use crate::values::{BatchId, BatchOptions, TenantId};

const TABLE: &str = "batch_jobs";

pub(super) async fn import(
    import: &mut Import<'_>,
    on_progress: &dyn Fn(&str, u64),
) -> Result<(), ImportError> {
    if !import.source.has(TABLE).await? {
        return Ok(());
    }
    let known = ledger::known(import.pool, TABLE).await?;
    let order = import.source.order(TABLE, &["id"]).await?;
    import.source.begin(TABLE, &order).await?;
    let mut done = 0;
    loop {
        let rows = import.source.next(CHUNK).await?;
        if rows.is_empty() {
            return Ok(());
        }
        let (mut units, mut entries) = (Vec::new(), Vec::new());
        for row in &rows {
            // Its id is learnt in any case: jobs name it.
            let (entry, batch, tenant) = identify(import, row);
            if known.contains(&entry.id) || entry.outcome == "refused" {
                entries.extend((!known.contains(&entry.id)).then_some(entry));
                continue;
            }
            let (unit, notes) = unit_of(import, row, batch, tenant).await?;
            units.push(unit);
            entries.push(Entry {
                notes: [entry.notes.clone(), notes].concat(),
                ..entry
            });
        }
        append_imported(import.bus, units).await?;
        ledger::note(import.pool, &entries).await?;
        done += rows.len() as u64;
        on_progress(TABLE, done);
    }
}

fn identify(import: &mut Import<'_>, row: &OldRow) -> (Entry, BatchId, TenantId) {
    let mut entry = Entry::imported(TABLE, row);
    let tenant = row.tenant("tenant_id").unwrap_or_else(|| {
        entry.notes.push("tenant_not_uuid");
        TenantId::DEFAULT
    });
    let key = row.trimmed("batch_id").map(|id| row::batch_key(&id));
    let own = key.as_ref().and_then(|key| uuid::Uuid::try_parse(key).ok());
    let taken = key.as_ref().is_some_and(|key| import.batches.contains_key(key));
    let id = match own {
        Some(id) if !taken => id,
        Some(_) => {
            entry.notes.push("batch_id_taken");
            row::derived(TABLE, &entry.id)
        }
        None => {
            entry.notes.push(if key.is_some() {
                "batch_id_not_uuid"
            } else {
                "batch_id_missing"
            });
            row.uuid("id_uuid")
                .unwrap_or_else(|| row::derived(TABLE, &entry.id))
        }
    };
    if let Some(key) = key.filter(|_| !taken) {
        import.batches.insert(key, (BatchId(id), tenant));
    }
    entry.tenant = Some(tenant);
    entry.stream = Some(id);
    let status = row.text("status").unwrap_or_default();
    match row::progress(&status) {
        _ if !row.is_readable() => refuse(&mut entry, "unreadable"),
        Progress::Unknown => refuse(&mut entry, "unknown_status"),
        Progress::Unfinished if import.unfinished == Unfinished::Leave => refuse(&mut entry, "unfinished"),
        Progress::Unfinished => entry.notes.push("unfinished"),
        _ => {}
    }
    if entry.outcome == "refused" {
        import.batches.retain(|_, (batch, _)| batch.0 != id);
    }
    (entry, BatchId(id), tenant)
}

fn refuse(entry: &mut Entry, reason: &'static str) {
    entry.outcome = "refused";
    entry.reason = Some(reason);
    entry.stream = None;
    entry.content = None;
}

async fn unit_of(
    import: &Import<'_>,
    row: &OldRow,
    batch: BatchId,
    tenant: TenantId,
) -> Result<(ImportUnit, Vec<&'static str>), ImportError> {
    let mut notes = Vec::new();
    let times = row.times("start_time", &["end_time", "updated_at"], &mut notes);
    let status = row.text("status").unwrap_or_default();
    let count = |column: &str| u32::try_from(row.count(column)).unwrap_or(u32::MAX);
    let (total, completed, failed) = (
        count("total_domains"),
        count("completed_domains"),
        count("failed_domains"),
    );
    if u64::from(completed) + u64::from(failed) > u64::from(total) {
        notes.push("counts_exceed_total");
    }
    // A batch that counted nothing did not come to its end, whatever it says.
    let broken_off =
        !matches!(row::progress(&status), Progress::Completed | Progress::Failed) || completed + failed == 0;
    let context = context(tenant);
    let mut bodies = ImportBodies::about(import.bus, &context, &batch.to_string()).await?;
    let imported = ImportedBatch {
        total,
        options: BatchOptions::new(
            row.value("options")["max_pages"].as_i64(),
            row.value("options")["max_concurrent"].as_i64(),
        ),
        items: bodies.seal(b"", 0),
        row_id: row.id(),
        status,
        completed,
        failed,
        error: row.text("error"),
        row: bodies.seal(&row.bytes(), 1),
        broken_off,
    };
    Ok((
        batch_unit(batch.0, imported, times, bodies, &context).await,
        notes,
    ))
}
