//! A scan of the predecessor: requested, imported and ended in one append.

use super::{Decision, DomainScan, ImportedOutcome, ImportedScan, ScanEvent, requested};

impl DomainScan {
    pub(super) fn import(&self, scan: ImportedScan) -> Decision {
        if self.status.is_some() {
            return self.repeated_request(&scan.domain);
        }
        let (domain, attempt) = (scan.domain, 0);
        let batch_id = scan.origin.map(|origin| origin.batch_id);
        let mut events = vec![
            requested(domain.clone(), scan.origin, scan.options),
            ScanEvent::ScanImported {
                domain: domain.clone(),
                batch_id,
                table: scan.table,
                row_id: scan.row_id,
                job_type: scan.job_type,
                status: scan.status,
                row: scan.row,
            },
        ];
        let reader = Self {
            domain: domain.clone(),
            ..Self::default()
        };
        events.extend(scan.read.into_iter().map(|fact| reader.read_event(fact)));
        events.extend(match scan.outcome {
            ImportedOutcome::Completed { findings, totals } => Some(ScanEvent::ScanCompleted {
                domain,
                batch_id,
                attempt,
                findings,
                revisit: None,
                totals,
            }),
            ImportedOutcome::Failed { reason, error } => Some(ScanEvent::ScanFailed {
                domain,
                batch_id,
                attempt,
                reason,
                error,
            }),
            ImportedOutcome::Cancelled => Some(ScanEvent::ScanCancelled {
                domain,
                batch_id,
                attempt,
            }),
            ImportedOutcome::Open => None,
        });
        Ok(events)
    }
}
