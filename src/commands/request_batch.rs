//! Requests the scans of a list of domains.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::CommandContext;
use super::bus::{Attachments, CommandBus, CommandError};
use crate::aggregates::{BatchCommand, BatchError, BatchScan};
use crate::log::LogError;
use crate::values::carried::CarriedCells;
use crate::values::{BatchId, BatchList, BatchOptions, DomainName};

/// One scan of a batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum BatchItem {
    /// A domain to scan.
    Scan {
        /// Line of the input, from 1.
        line: u32,
        /// The domains to scan.
        domain: DomainName,
        /// Names of the columns alongside the domains: with the first that has cells, for the whole list.
        #[serde(default, skip_deserializing, skip_serializing_if = "Vec::is_empty")]
        columns: Vec<String>,
        /// The other columns of the line. Only exports read them (`list_of_batch`).
        #[serde(default, skip_deserializing, skip_serializing_if = "Option::is_none")]
        cells: Option<CarriedCells>,
    },
    /// An input that is not a domain and yet counts: it fails at once. Only the predecessor's clients get this.
    Refuse {
        /// Line of the input, from 1.
        line: u32,
        /// As sent.
        input: String,
        /// The problem.
        error: String,
    },
}

impl BatchItem {
    /// A domain without other columns.
    pub fn scan(line: u32, domain: DomainName) -> Self {
        Self::Scan {
            line,
            domain,
            columns: Vec::new(),
            cells: None,
        }
    }

    /// The accepted lines of a list, with their other columns.
    pub fn of_list(list: &mut BatchList) -> Vec<Self> {
        let mut names = std::mem::take(&mut list.columns);
        let cells = std::mem::take(&mut list.cells).into_iter();
        let cells = cells.chain(std::iter::repeat_with(|| None));
        let accepted = std::mem::take(&mut list.accepted).into_iter();
        let item = |((line, domain), cells): ((u32, DomainName), Option<CarriedCells>)| Self::Scan {
            line,
            domain,
            columns: cells
                .as_ref()
                .map(|_| std::mem::take(&mut names))
                .unwrap_or_default(),
            cells,
        };
        accepted.zip(cells).map(item).collect()
    }

    /// Keeps some items of a list, and with them the names of its columns.
    pub fn retain(items: &mut Vec<Self>, is_kept: impl FnMut(&Self) -> bool) {
        let names = items.iter_mut().find_map(|item| match item {
            Self::Scan { columns, .. } if !columns.is_empty() => Some(std::mem::take(columns)),
            _ => None,
        });
        items.retain(is_kept);
        let first = items.iter_mut().find_map(|item| match item {
            Self::Scan {
                columns,
                cells: Some(_),
                ..
            } => Some(columns),
            _ => None,
        });
        if let (Some(columns), Some(names)) = (first, names) {
            *columns = names;
        }
    }

    /// The domains to scan.
    pub fn domain(&self) -> Option<&str> {
        match self {
            Self::Scan { domain, .. } => Some(domain.as_str()),
            Self::Refuse { .. } => None,
        }
    }
}

/// A requested batch.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestedBatch {
    /// Its id.
    pub batch_id: BatchId,
    /// The log position of the request.
    pub position: i64,
    /// The first response, if this is a repetition.
    pub first_summary: Option<Value>,
}

/// Requests a batch; a repetition with the same idempotency key gets `summary`.
pub async fn request_batch(
    bus: &CommandBus,
    items: &[BatchItem],
    options: BatchOptions,
    summary: Value,
    context: &CommandContext,
) -> Result<RequestedBatch, CommandError<BatchError>> {
    let id = Uuid::new_v4();
    let total = u32::try_from(items.len()).unwrap_or(u32::MAX);
    // A new id has no salt yet, so it cannot have changed.
    let salt = bus.log().salt(context.tenant, &id.to_string()).await?;
    let (list, body) = salt.seal(&lines_of(items), u64::from(total));
    let command = BatchCommand::Request {
        total,
        options,
        items: list,
        monitor: None,
    };
    let result = json!({ "batch_id": id, "summary": summary });
    let attachments = Attachments {
        bodies: vec![body],
        result,
    };
    let done = bus.create::<BatchScan>(id, command, attachments, context).await?;
    let first = done
        .repeated
        .as_ref()
        .and_then(|result| result["batch_id"].as_str()?.parse().ok());
    Ok(RequestedBatch {
        batch_id: BatchId(first.unwrap_or(id)),
        position: done.position,
        first_summary: done.repeated.map(|mut result| result["summary"].take()),
    })
}

/// One JSON object per line.
pub(super) fn lines_of<T: Serialize>(items: &[T]) -> Vec<u8> {
    let mut content = Vec::new();
    for item in items {
        serde_json::to_writer(&mut content, item).expect("plain data into memory");
        content.push(b'\n');
    }
    content
}

/// Reads what `lines_of` wrote.
pub(super) fn parse_lines<T: for<'a> Deserialize<'a>>(content: &[u8]) -> Result<Vec<T>, LogError> {
    serde_json::Deserializer::from_slice(content)
        .into_iter()
        .collect::<Result<_, _>>()
        .map_err(|source| LogError::Unreadable {
            position: 0,
            event_type: "a batch's list".into(),
            version: "1".into(),
            source,
        })
}
