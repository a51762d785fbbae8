//! `domains`: the last known data of each domain, as one more scan, with its sitemaps.

use super::findings::{self, OldFindings};
use super::ledger::{self, Entry};
use super::row::{self, OldRow, Progress};
use super::sitemaps::{OldSitemaps, Sitemaps};
use super::{CHUNK, Import, ImportError, Unfinished, context, standard};
use crate::aggregates::scan::{BatchOrigin, ImportedOutcome, ImportedScan, ScanTotals};
use crate::commands::import::{ImportBodies, ImportUnit, append_imported, scan_unit};
use crate::values::{DomainName, FailureReason, ScanOptions, TenantId};

const TABLE: &str = "domains";

pub(super) async fn import(
    import: &mut Import<'_>,
    on_progress: &dyn Fn(&str, u64),
) -> Result<(), ImportError> {
    if !import.source.has(TABLE).await? {
        return Ok(());
    }
    let known = ledger::known(import.pool, TABLE).await?;
    let mut sitemaps = Sitemaps::learn(import).await?;
    // Of two rows for one site, the one that was scanned last counts.
    let order = import
        .source
        .order(TABLE, &["last_scan", "updated_at", "id"])
        .await?;
    import.source.begin(TABLE, &order).await?;
    let mut done = 0;
    loop {
        let rows = import.source.next(CHUNK).await?;
        if rows.is_empty() {
            return Ok(());
        }
        let new: Vec<&OldRow> = rows.iter().filter(|row| !known.contains(&row.id())).collect();
        let mut files = sitemaps.of_domains(import, &new).await?;
        let (mut units, mut entries) = (Vec::new(), Vec::new());
        for row in new {
            let files = files.remove(&row.id()).unwrap_or_default();
            let (own_units, own) = units_of(import, row, files, &mut sitemaps).await?;
            units.extend(own_units);
            entries.extend(own);
        }
        append_imported(import.bus, units).await?;
        merge_twins(import, &mut entries).await?;
        ledger::note(import.pool, &entries).await?;
        done += rows.len() as u64;
        on_progress(TABLE, done);
    }
}

async fn units_of(
    import: &mut Import<'_>,
    row: &OldRow,
    files: OldSitemaps,
    sitemaps: &mut Sitemaps,
) -> Result<(Vec<ImportUnit>, Vec<Entry>), ImportError> {
    let refused = |reason: &'static str, files: OldSitemaps| {
        let mut entries = vec![Entry::refused(TABLE, row.id(), reason)];
        entries.extend(files.refused("domain_refused"));
        Ok((Vec::new(), entries))
    };
    if !row.is_readable() {
        return refused("unreadable", files);
    }
    let Some(name) = row.text("domain").as_deref().and_then(standard) else {
        return refused("invalid_domain", files);
    };
    let mut notes = Vec::new();
    let tenant = row.tenant("tenant_id").unwrap_or_else(|| {
        notes.push("tenant_not_uuid");
        TenantId::DEFAULT
    });
    let found = findings::of_domain(row, &mut notes);
    let state = state(import, row, &found, &files, &mut notes);
    if state == State::Left {
        return refused("unfinished", files);
    }
    let batch = import.batch_of(row, tenant).unwrap_or_else(|note| {
        notes.push(note);
        None
    });
    let context = context(tenant);
    let mut bodies = ImportBodies::about(import.bus, &context, name.as_str()).await?;
    let sitemaps = sitemaps
        .seal(import, files, (tenant, name.as_str()), &mut bodies)
        .await?;
    let times = row.times("content_scrape_at", &["last_scan", "updated_at"], &mut notes);
    let whole = bodies.seal(&row.bytes(), 1);
    let scan = |outcome: ImportedOutcome| ImportedScan {
        domain: name.to_string(),
        origin: batch.map(|batch_id| BatchOrigin {
            batch_id,
            line: u32::MAX,
            max_concurrent: 50,
        }),
        options: ScanOptions::default(),
        table: TABLE.to_owned(),
        row_id: row.id(),
        job_type: None,
        status: row.text("status").unwrap_or_default(),
        row: whole.clone(),
        outcome,
        read: Vec::new(),
    };
    // The findings are from a scan before the one that failed.
    let knows_more = state == State::Failed && (found.any || !sitemaps.read.is_empty());
    let first = if knows_more { State::Scanned } else { state };
    let mut first = scan(outcome(first, row, &found, &sitemaps.totals, &mut bodies));
    first.read = sitemaps.read;
    let mut id = row::derived(TABLE, &row.id());
    let mut units = vec![scan_unit(id, first, times, bodies, &context).await];
    if knows_more {
        id = row::derived(TABLE, &format!("{} failed", row.id()));
        let mut bodies = ImportBodies::about(import.bus, &context, name.as_str()).await?;
        let failed = scan(outcome(state, row, &found, &sitemaps.totals, &mut bodies));
        units.push(scan_unit(id, failed, times, bodies, &context).await);
    }
    let mut entries = vec![imported(row, &name, tenant, id, notes)];
    entries.extend(sitemaps.entries.into_iter().map(|entry| Entry {
        tenant: Some(tenant),
        stream: entry.stream.or(Some(id)),
        domain: Some(name.to_string()),
        ..entry
    }));
    Ok((units, entries))
}

fn imported(
    row: &OldRow,
    name: &DomainName,
    tenant: TenantId,
    id: uuid::Uuid,
    notes: Vec<&'static str>,
) -> Entry {
    Entry {
        notes,
        tenant: Some(tenant),
        stream: Some(id),
        domain: Some(name.to_string()),
        ..Entry::imported(TABLE, row)
    }
}

/// What a row says about its last scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Scanned,
    Failed,
    /// It is only in the list.
    Never,
    /// Its scan was running or waiting.
    Unfinished,
    Open,
    Left,
}

fn state(
    import: &Import<'_>,
    row: &OldRow,
    found: &OldFindings,
    files: &OldSitemaps,
    notes: &mut Vec<&'static str>,
) -> State {
    let scraped = row.text("content_scrape_status").map(|word| row::progress(&word));
    let status = row.text("status").unwrap_or_default();
    let has_been_read = found.any || !files.is_empty() || scraped == Some(Progress::Completed);
    match row::progress(&status) {
        Progress::Failed => State::Failed,
        Progress::Completed => State::Scanned,
        _ if has_been_read => {
            if matches!(status.as_str(), "pending" | "processing") {
                notes.push("unfinished");
            }
            State::Scanned
        }
        Progress::Unfinished if status != "active" => match import.unfinished {
            Unfinished::Leave => State::Left,
            Unfinished::Rescan => {
                notes.push("unfinished");
                State::Open
            }
            Unfinished::Fail => {
                notes.push("unfinished");
                State::Unfinished
            }
        },
        Progress::Unknown => {
            notes.push("unknown_status");
            State::Never
        }
        _ => State::Never,
    }
}

fn outcome(
    state: State,
    row: &OldRow,
    found: &OldFindings,
    totals: &ScanTotals,
    bodies: &mut ImportBodies,
) -> ImportedOutcome {
    match state {
        State::Scanned => ImportedOutcome::Completed {
            findings: bodies.seal_object(&found.content.to_string()),
            totals: ScanTotals {
                pages: 1,
                emails: found.emails as u64,
                phones: found.phones as u64,
                ..*totals
            },
        },
        State::Failed => ImportedOutcome::Failed {
            reason: FailureReason::Imported,
            error: ["content_scrape_error", "last_error", "sitemap_analysis_error"]
                .into_iter()
                .find_map(|column| row.trimmed(column))
                .unwrap_or_else(|| "The predecessor noted no error".to_owned()),
        },
        State::Unfinished => ImportedOutcome::Failed {
            reason: FailureReason::Abandoned,
            error: format!(
                "The predecessor left it {}",
                row.text("status").unwrap_or_default()
            ),
        },
        State::Never => ImportedOutcome::Cancelled,
        State::Open | State::Left => ImportedOutcome::Open,
    }
}

/// Two rows for one site (`https://x` and `x`): both are in the log, and the later one is what is known. The earlier
/// one is reported as merged.
async fn merge_twins(import: &Import<'_>, entries: &mut [Entry]) -> Result<(), ImportError> {
    let mut last: std::collections::HashMap<(Option<TenantId>, Option<String>), usize> =
        std::collections::HashMap::new();
    let mut earlier = Vec::new();
    for (place, entry) in entries.iter().enumerate() {
        if entry.table == TABLE && entry.outcome == "imported" {
            earlier.extend(last.insert((entry.tenant, entry.domain.clone()), place));
        }
    }
    for place in earlier {
        entries[place].outcome = "merged";
        entries[place].reason = Some("same_site");
    }
    let (tenants, domains): (Vec<_>, Vec<_>) = last
        .into_keys()
        .map(|(tenant, domain)| (tenant.map(|tenant| tenant.0), domain))
        .unzip();
    let mut tx = import.pool.begin().await?;
    sqlx::query(
        "update legacy_row r set outcome = 'merged', reason = 'same_site' \
           from unnest($1::uuid[], $2::text[]) as n(tenant_id, domain) \
          where r.source_table = 'domains' and r.outcome = 'imported' and r.tenant_id = n.tenant_id and r.domain = n.domain",
    )
    .bind(&tenants)
    .bind(&domains)
    .execute(&mut *tx)
    .await?;
    // The later one's id is the domain's.
    sqlx::query(
        "delete from legacy_domain_id i using unnest($1::uuid[], $2::text[]) as n(tenant_id, domain) \
          where i.tenant_id = n.tenant_id and i.domain = n.domain",
    )
    .bind(&tenants)
    .bind(&domains)
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(())
}
