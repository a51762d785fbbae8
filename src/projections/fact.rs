//! An event as projections see it: decoded, with the content of its body.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::RawJson;
use super::quarantine::StreamName;
use crate::aggregates::{BatchEvent, ScanEvent};
use crate::log::body::Bodies;
use crate::log::{LogError, LogEvent};
use crate::values::{BatchId, BodyRef, ScanId, TenantId};

/// A decoded event with its circumstances.
#[derive(Clone, Debug)]
pub struct Fact {
    /// Its position in the log.
    pub position: i64,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// The tenant.
    pub tenant: TenantId,
    /// The actor.
    pub actor: Option<String>,
    /// The event and its subject.
    pub happened: Happened,
    /// What a completed scan found, if the projection reads it; `None` also if it was erased.
    pub findings: Option<RawJson>,
}

/// The event and its subject.
#[derive(Clone, Debug)]
pub enum Happened {
    /// To a scan.
    Scan(ScanId, ScanEvent),
    /// To a batch.
    Batch(BatchId, BatchEvent),
}

impl Fact {
    /// Decodes an event; `None` if it belongs to a stream of another kind.
    pub fn decode(event: &LogEvent) -> Result<Option<Self>, LogError> {
        let Ok(id) = event.aggregate_id.parse::<Uuid>() else {
            return Ok(None);
        };
        let happened = match event.aggregate_type.as_str() {
            "domain_scan" => Happened::Scan(ScanId(id), event.decode()?),
            "batch_scan" => Happened::Batch(BatchId(id), event.decode()?),
            _ => return Ok(None),
        };
        let (actor, at) = event.circumstances();
        Ok(Some(Self {
            position: event.position,
            at,
            tenant: event.tenant_id,
            actor,
            happened,
            findings: None,
        }))
    }

    /// The scan it happened to.
    pub fn scan(&self) -> Option<(ScanId, &ScanEvent)> {
        match &self.happened {
            Happened::Scan(id, event) => Some((*id, event)),
            Happened::Batch(..) => None,
        }
    }

    /// The stream it is in.
    pub(super) fn stream(&self) -> StreamName {
        let (kind, id) = match &self.happened {
            Happened::Scan(id, _) => ("domain_scan", id.0),
            Happened::Batch(id, _) => ("batch_scan", id.0),
        };
        StreamName {
            kind: kind.to_owned(),
            id: id.to_string(),
        }
    }

    /// The body with the findings it refers to.
    pub(super) fn findings_ref(&self) -> Option<&BodyRef> {
        match &self.happened {
            Happened::Scan(_, ScanEvent::ScanCompleted { findings, .. }) => Some(findings),
            _ => None,
        }
    }

    /// Takes what a completed scan found from the bodies; nothing if it was erased.
    pub(super) fn attach_findings(&mut self, bodies: &Bodies) -> Result<(), LogError> {
        if let Some(reference) = self.findings_ref() {
            let content = bodies.get(reference)?;
            let findings = content.map(RawJson::parse).transpose();
            self.findings = findings.map_err(|error| bodies.unreadable(reference, error))?;
        }
        Ok(())
    }
}
