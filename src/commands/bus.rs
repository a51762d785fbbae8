//! Runs a command: loads the aggregate, lets it decide, appends the events, and repeats this after a conflict.

use std::collections::HashMap;

use cqrs_es::event_sink::EventSink;
use cqrs_es::persist::SerializedEvent;
use cqrs_es::{Aggregate, DomainEvent};
use serde_json::Value;
use uuid::Uuid;

use super::CommandContext;
use crate::log::body::Body;
use crate::log::event::undecodable;
use crate::log::{AppendUnit, Appended, EventLog, LogError, LogEvent, NewEvent, StreamAppend};
use crate::values::{TenantId, VersionedEvent, versioned};

/// Number of consecutive conflicts after which a command fails; normally there are far fewer.
pub(super) const MAX_CONFLICTS: u32 = 16;

/// Aggregates that are loaded together when a command is for many.
const AT_ONCE: usize = 48;

/// Executes commands on aggregates.
#[derive(Clone)]
pub struct CommandBus {
    log: EventLog,
}

/// The bodies and the result that are stored with a command's events.
#[derive(Clone, Debug, Default)]
pub struct Attachments {
    /// Bodies that the events refer to.
    pub bodies: Vec<Body>,
    /// The result for repetitions with the same idempotency key.
    pub result: Value,
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError<E: std::error::Error + 'static> {
    /// The aggregate refused it.
    #[error(transparent)]
    Refused(E),
    /// The tenant has no such thing.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// It could not be read or written.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// An aggregate, loaded from the log.
#[derive(Clone, Debug)]
pub struct Loaded<A> {
    /// Its state.
    pub aggregate: A,
    /// Sequence of its last event; 0 if there is none.
    pub sequence: i64,
    /// Its tenant; `None` if there is no such stream.
    pub tenant: Option<TenantId>,
}

/// The result of a command.
#[derive(Clone, Debug)]
pub struct Done<A> {
    /// The aggregate after it.
    pub loaded: Loaded<A>,
    /// The position of the last written event, or of the stream's last event if nothing was written.
    pub position: i64,
    /// The result of the first use of the same idempotency key.
    pub repeated: Option<Value>,
}

/// How one of many aggregates is to change.
struct Decided<A: Aggregate> {
    id: Uuid,
    command: A::Command,
    stream: StreamAppend,
}

impl CommandBus {
    /// A bus over a log.
    pub fn new(log: EventLog) -> Self {
        Self { log }
    }

    /// The log it writes to.
    pub fn log(&self) -> &EventLog {
        &self.log
    }

    /// Reads a stream.
    pub async fn load<A: Aggregate<Event: VersionedEvent>>(&self, id: Uuid) -> Result<Loaded<A>, LogError> {
        let id = id.to_string();
        match fold(self.log.stream::<A>(&id).await?) {
            Err(error) => Err(self.log.locate(A::TYPE, &id, error).await?),
            loaded => loaded,
        }
    }

    /// Executes a command on an aggregate of the context's tenant.
    pub async fn execute<A>(
        &self,
        id: Uuid,
        command: A::Command,
        attachments: Attachments,
        context: &CommandContext,
    ) -> Result<Done<A>, CommandError<A::Error>>
    where
        A: Aggregate<Services = (), Event: VersionedEvent>,
        A::Command: Clone,
        A::Error: 'static,
    {
        if let Some(done) = self.first_result(context).await? {
            return Ok(done);
        }
        let mut conflicts = 0;
        loop {
            let loaded = self.load::<A>(id).await?;
            if loaded.tenant.is_some_and(|tenant| tenant != context.tenant) {
                return Err(CommandError::NotFound(A::TYPE));
            }
            match self
                .execute_on(loaded, id, command.clone(), attachments.clone(), context)
                .await
            {
                Err(CommandError::Log(LogError::Conflict)) if conflicts < MAX_CONFLICTS => conflicts += 1,
                other => return other,
            }
        }
    }

    /// Executes a command on each of many aggregates of the context's tenant, some at a time: while the events of some
    /// are appended, the next ones are loaded. An aggregate that refuses, or is another tenant's, is left as it is.
    pub async fn execute_all<A>(
        &self,
        commands: impl IntoIterator<Item = (Uuid, A::Command)>,
        context: &CommandContext,
    ) -> Result<(), LogError>
    where
        A: Aggregate<Services = (), Event: VersionedEvent>,
        A::Command: Clone,
        A::Error: 'static,
    {
        let mut commands = commands.into_iter();
        let mut decided = Vec::new();
        loop {
            let next: Vec<_> = commands.by_ref().take(AT_ONCE).collect();
            if next.is_empty() && decided.is_empty() {
                return Ok(());
            }
            (decided, ()) = tokio::try_join!(
                self.decide_all::<A>(next, context),
                self.append_decided::<A>(decided, context)
            )?;
        }
    }

    /// The aggregates that are to change: by which command, and how.
    async fn decide_all<A>(
        &self,
        commands: Vec<(Uuid, A::Command)>,
        context: &CommandContext,
    ) -> Result<Vec<Decided<A>>, LogError>
    where
        A: Aggregate<Services = (), Event: VersionedEvent>,
        A::Command: Clone,
        A::Error: 'static,
    {
        if commands.is_empty() {
            return Ok(Vec::new());
        }
        let ids = commands.iter().map(|(id, _)| id.to_string()).collect();
        let mut streams: HashMap<String, Vec<LogEvent>> = HashMap::new();
        for event in self.log.streams(A::TYPE, ids).await? {
            streams.entry(event.aggregate_id.clone()).or_default().push(event);
        }
        let mut decided = Vec::new();
        for (id, command) in commands {
            let loaded = fold_events::<A>(streams.remove(&id.to_string()).unwrap_or_default())?;
            if loaded.tenant.is_some_and(|tenant| tenant != context.tenant) {
                continue;
            }
            match decide(loaded, id, command.clone(), context).await {
                Ok((stream, _)) if !stream.events.is_empty() => decided.push(Decided { id, command, stream }),
                _ => {}
            }
        }
        Ok(decided)
    }

    async fn append_decided<A>(
        &self,
        decided: Vec<Decided<A>>,
        context: &CommandContext,
    ) -> Result<(), LogError>
    where
        A: Aggregate<Services = (), Event: VersionedEvent>,
        A::Command: Clone,
        A::Error: 'static,
    {
        let (commands, units): (Vec<_>, Vec<_>) = decided
            .into_iter()
            .map(|Decided { id, command, stream }| {
                let unit = AppendUnit {
                    tenant: context.tenant,
                    streams: vec![stream],
                    bodies: Vec::new(),
                    key: None,
                };
                ((id, command), unit)
            })
            .unzip();
        for ((id, command), outcome) in commands.into_iter().zip(self.log.append_all(units).await) {
            match outcome {
                Ok(_) => {}
                Err(LogError::Conflict) => {
                    let again = self
                        .execute::<A>(id, command, Attachments::default(), context)
                        .await;
                    if let Err(CommandError::Log(error)) = again {
                        return Err(error);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Executes the command that begins a stream. Its id is new, so the only conflict there can be is a request with
    /// the same idempotency key at the same moment: the second one gets the first one's result.
    pub async fn create<A>(
        &self,
        id: Uuid,
        command: A::Command,
        attachments: Attachments,
        context: &CommandContext,
    ) -> Result<Done<A>, CommandError<A::Error>>
    where
        A: Aggregate<Services = (), Event: VersionedEvent>,
        A::Command: Clone,
        A::Error: 'static,
    {
        let mut conflicts = 0;
        loop {
            match self
                .execute_on(fresh::<A>(), id, command.clone(), attachments.clone(), context)
                .await
            {
                Err(CommandError::Log(LogError::Conflict)) if conflicts < MAX_CONFLICTS => conflicts += 1,
                other => return other,
            }
        }
    }

    /// Executes a command on an aggregate that was loaded before; the caller handles a conflict.
    pub async fn execute_on<A>(
        &self,
        loaded: Loaded<A>,
        id: Uuid,
        command: A::Command,
        attachments: Attachments,
        context: &CommandContext,
    ) -> Result<Done<A>, CommandError<A::Error>>
    where
        A: Aggregate<Services = (), Event: VersionedEvent>,
        A::Error: 'static,
    {
        let (stream, loaded) = decide(loaded, id, command, context)
            .await
            .map_err(CommandError::Refused)?;
        let key = context.key_with(attachments.result);
        if stream.events.is_empty() && key.is_none() {
            let position = self
                .log
                .stream_position(context.tenant, A::TYPE, &id.to_string())
                .await?;
            return Ok(Done {
                loaded,
                position: position.unwrap_or_default(),
                repeated: None,
            });
        }
        let unit = AppendUnit {
            tenant: context.tenant,
            streams: vec![stream],
            bodies: attachments.bodies,
            key,
        };
        self.append(unit, loaded, A::TYPE, id, context).await
    }

    /// What the first use of the context's idempotency key led to, if there was one: asked before anything is decided,
    /// as the state of things may no longer allow what was done then.
    pub(super) async fn first_result<A: Default, E: std::error::Error + 'static>(
        &self,
        context: &CommandContext,
    ) -> Result<Option<Done<A>>, CommandError<E>> {
        let Some(key) = &context.key else { return Ok(None) };
        let first = self
            .log
            .first_use(context.tenant, &key.route, &key.key, &key.body_hash)
            .await?;
        Ok(first.map(|(result, position)| Done {
            loaded: fresh(),
            position,
            repeated: Some(result),
        }))
    }

    /// Appends a decided unit and returns its outcome.
    pub(super) async fn append<A, E: std::error::Error + 'static>(
        &self,
        unit: AppendUnit,
        loaded: Loaded<A>,
        aggregate_type: &'static str,
        id: Uuid,
        context: &CommandContext,
    ) -> Result<Done<A>, CommandError<E>> {
        match self.log.append(unit).await? {
            Appended::Committed(Some(position)) => Ok(Done {
                loaded,
                position,
                repeated: None,
            }),
            Appended::Committed(None) => {
                let position = self
                    .log
                    .stream_position(context.tenant, aggregate_type, &id.to_string())
                    .await?;
                Ok(Done {
                    loaded,
                    position: position.unwrap_or_default(),
                    repeated: None,
                })
            }
            Appended::Repeated { result, position } => Ok(Done {
                loaded,
                position,
                repeated: Some(result),
            }),
        }
    }
}

/// Lets an aggregate decide; returns its new events as an append and the aggregate after them.
pub(super) async fn decide<A>(
    mut loaded: Loaded<A>,
    id: Uuid,
    command: A::Command,
    context: &CommandContext,
) -> Result<(StreamAppend, Loaded<A>), A::Error>
where
    A: Aggregate<Services = (), Event: VersionedEvent>,
{
    let sink = EventSink::default();
    loaded.aggregate.handle(command, &(), &sink).await?;
    let metadata = context.metadata();
    let events: Vec<NewEvent> = sink
        .collect()
        .await
        .iter()
        .map(|event| new_event(event, &metadata))
        .collect();
    let expected = loaded.sequence;
    loaded.sequence += i64::try_from(events.len()).unwrap_or(i64::MAX);
    loaded.tenant = Some(context.tenant);
    let stream = StreamAppend {
        aggregate_type: A::TYPE,
        aggregate_id: id.to_string(),
        expected,
        events,
    };
    Ok((stream, loaded))
}

/// An aggregate that has no stream yet.
pub(super) fn fresh<A: Default>() -> Loaded<A> {
    Loaded {
        aggregate: A::default(),
        sequence: 0,
        tenant: None,
    }
}

fn new_event<E: DomainEvent>(event: &E, metadata: &Value) -> NewEvent {
    NewEvent {
        event_id: Uuid::now_v7(),
        event_type: event.event_type(),
        event_version: event.event_version(),
        payload: serde_json::to_value(event).expect("events are plain data"),
        metadata: metadata.clone(),
    }
}

/// The aggregate that a stream's events make; an error names the event by its place in the stream.
pub(super) fn fold<A: Aggregate<Event: VersionedEvent>>(
    events: impl IntoIterator<Item = SerializedEvent>,
) -> Result<Loaded<A>, LogError> {
    let mut loaded = fresh::<A>();
    for event in events {
        let sequence = i64::try_from(event.sequence).unwrap_or(i64::MAX);
        loaded.tenant = loaded
            .tenant
            .or_else(|| event.metadata.get("tenant_id")?.as_str()?.parse().ok());
        let decoded = versioned::decode(&event.event_type, &event.event_version, &event.payload);
        let decoded =
            decoded.map_err(|error| undecodable(sequence, &event.event_type, &event.event_version, error))?;
        loaded.aggregate.apply(decoded);
        loaded.sequence = sequence;
    }
    Ok(loaded)
}

/// The same from events as readers of the log have them.
fn fold_events<A: Aggregate<Event: VersionedEvent>>(events: Vec<LogEvent>) -> Result<Loaded<A>, LogError> {
    let mut loaded = fresh::<A>();
    for event in events {
        loaded.tenant = loaded.tenant.or(Some(event.tenant_id));
        loaded.aggregate.apply(event.decode()?);
        loaded.sequence = event.sequence;
    }
    Ok(loaded)
}
