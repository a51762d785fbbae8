//! Adds domains to the list of a monitor.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;

use super::CommandContext;
use super::bus::{Attachments, CommandBus, CommandError, MAX_CONFLICTS};
use super::request_batch::{BatchItem, lines_of, parse_lines};
use crate::aggregates::monitor::{Monitor, MonitorCommand, MonitorError};
use crate::log::LogError;
use crate::values::monitor::{MonitorChange, WatchedDomains};
use crate::values::{BodyRef, DomainName, MonitorId};

/// Why domains were not added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExtendError {
    /// The aggregate refused.
    #[error(transparent)]
    Monitor(#[from] MonitorError),
    /// It has no list.
    #[error(
        "the monitor watches the domains that match a filter; only a monitor with a list can be extended"
    )]
    HasNoList,
    /// The list would become too long.
    #[error("the list would have {domains} domains; a monitor can have {limit}")]
    TooLong {
        /// Domains in the longer list.
        domains: u64,
        /// Domains that a list may have.
        limit: u64,
    },
}

/// Domains that were added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extended {
    /// Number of new domains.
    pub added: usize,
    /// The position from which the longer list is visible; 0 if nothing was added.
    pub position: i64,
}

/// The fields that are read of a line.
#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    line: u32,
    #[serde(default)]
    domain: String,
}

/// Adds domains to the end of a monitor's list, `limit` in all at most; those that it has already stay as they are.
/// `now` is the time of the database's clock.
pub async fn extend_monitor(
    bus: &CommandBus,
    id: MonitorId,
    domains: &[DomainName],
    limit: u64,
    now: DateTime<Utc>,
    context: &CommandContext,
) -> Result<Extended, CommandError<ExtendError>> {
    if let Some(done) = bus.first_result::<Monitor, _>(context).await? {
        let added = done.repeated.as_ref().and_then(|first| first["added"].as_u64());
        return Ok(Extended {
            added: added.and_then(|added| usize::try_from(added).ok()).unwrap_or(0),
            position: done.position,
        });
    }
    // The list is read and written under the same state of the monitor, so that no concurrent change is lost.
    for _ in 0..MAX_CONFLICTS {
        let loaded = bus.load::<Monitor>(id.0).await?;
        let settings = loaded
            .aggregate
            .settings()
            .filter(|_| loaded.tenant == Some(context.tenant));
        let settings = settings.cloned().ok_or(CommandError::NotFound("monitor"))?;
        let Some(list) = &settings.list else {
            return Err(CommandError::Refused(ExtendError::HasNoList));
        };
        let (content, added) = longer(bus, list, domains).await?;
        if added == 0 {
            return Ok(Extended { added, position: 0 });
        }
        let items = list.items + added as u64;
        if items > limit {
            let error = ExtendError::TooLong {
                domains: items,
                limit,
            };
            return Err(CommandError::Refused(error));
        }
        let salt = bus.log().salt(context.tenant, &id.to_string()).await?;
        let (list, body) = salt.seal(&content, items);
        let change = MonitorChange {
            domains: Some(WatchedDomains::List(list)),
            ..MonitorChange::default()
        };
        let settings = change.of(&settings).expect("only the list is another one");
        let attachments = Attachments {
            bodies: vec![body],
            result: json!({ "added": added }),
        };
        let command = MonitorCommand::Change { settings, now };
        match bus.execute_on(loaded, id.0, command, attachments, context).await {
            Err(CommandError::Log(LogError::Conflict)) => {}
            Ok(done) => {
                return Ok(Extended {
                    added,
                    position: done.position,
                });
            }
            Err(CommandError::Refused(error)) => return Err(CommandError::Refused(error.into())),
            Err(CommandError::NotFound(what)) => return Err(CommandError::NotFound(what)),
            Err(CommandError::Log(error)) => return Err(error.into()),
        }
    }
    Err(LogError::Conflict.into())
}

/// The content of a list with the domains that it does not have yet, and how many these are. Its lines stay as they are,
/// with the columns beside them.
async fn longer(
    bus: &CommandBus,
    list: &BodyRef,
    domains: &[DomainName],
) -> Result<(Vec<u8>, usize), LogError> {
    let mut content = bus.log().body(list).await?.unwrap_or_default();
    let lines: Vec<Line> = parse_lines(&content)?;
    let mut known: HashSet<&str> = lines.iter().map(|line| line.domain.as_str()).collect();
    let mut last = lines.iter().map(|line| line.line).max().unwrap_or(0);
    let new: Vec<BatchItem> = domains
        .iter()
        .filter(|domain| known.insert(domain.as_str()))
        .map(|domain| {
            last = last.saturating_add(1);
            BatchItem::scan(last, domain.clone())
        })
        .collect();
    content.extend(lines_of(&new));
    Ok((content, new.len()))
}
