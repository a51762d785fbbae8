//! Aggregates and readers read events of earlier versions as current ones; later versions are a separate error.

use cqrs_es::event_sink::EventSink;
use cqrs_es::{Aggregate, DomainEvent};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sitelog::aggregates::{DomainScan, ScanEvent};
use sitelog::commands::CommandBus;
use sitelog::log::read::EventFilter;
use sitelog::log::{EventLog, LogError};
use sitelog::values::VersionedEvent;
use sitelog::values::versioned::Upcaster;
use uuid::Uuid;

use super::{event, log, unit};

/// A counter. Version 1 of its event always added one and said nothing; version 2 says by how many.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Counter {
    total: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum CounterEvent {
    Counted { by: u64 },
}

impl VersionedEvent for CounterEvent {
    const UPCASTERS: &'static [Upcaster] = &[Upcaster {
        event_type: "Counted",
        from: 1,
        upcast: by_one,
    }];

    fn version_of(event_type: &str) -> Option<u32> {
        (event_type == "Counted").then_some(2)
    }
}

fn by_one(mut fields: Map<String, Value>) -> Map<String, Value> {
    fields.insert("by".into(), json!(1));
    fields
}

impl DomainEvent for CounterEvent {
    fn event_type(&self) -> String {
        "Counted".into()
    }

    fn event_version(&self) -> String {
        "2".into()
    }
}

#[derive(Clone, Debug)]
struct Count(u64);

impl Aggregate for Counter {
    const TYPE: &'static str = "test";
    type Command = Count;
    type Event = CounterEvent;
    type Error = std::convert::Infallible;
    type Services = ();

    async fn handle(&mut self, command: Count, (): &(), sink: &EventSink<Self>) -> Result<(), Self::Error> {
        sink.write(CounterEvent::Counted { by: command.0 }, self).await;
        Ok(())
    }

    fn apply(&mut self, event: CounterEvent) {
        let CounterEvent::Counted { by } = event;
        self.total += by;
    }
}

async fn store(log: &EventLog, id: Uuid, sequence: i64, version: &str, data: &Value) {
    let mut unit = unit(&id.to_string(), sequence, 0);
    let mut counted = event(data);
    counted.event_type = "Counted".into();
    counted.event_version = version.into();
    counted.payload = json!({ "Counted": data });
    unit.streams[0].events.push(counted);
    log.append(unit).await.unwrap();
}

#[tokio::test]
async fn an_aggregate_and_a_reader_see_earlier_versions_in_the_present_shape() {
    let (log, _database) = log().await;
    let id = Uuid::new_v4();
    store(&log, id, 0, "1", &json!({})).await;
    store(&log, id, 1, "2", &json!({ "by": 40 })).await;
    store(&log, id, 2, "1", &json!({})).await;
    let bus = CommandBus::new(log.clone());
    let loaded = bus.load::<Counter>(id).await.unwrap();
    assert_eq!((loaded.aggregate.total, loaded.sequence), (42, 3));
    // A command on it is decided on that state and written in the present version.
    let context = sitelog::commands::CommandContext::internal(sitelog::values::TenantId::DEFAULT, "test");
    let done = bus.execute::<Counter>(
        id,
        Count(8),
        sitelog::commands::bus::Attachments::default(),
        &context,
    );
    assert_eq!(done.await.unwrap().loaded.aggregate.total, 50);
    let events = log
        .events(&EventFilter {
            limit: 10,
            ..EventFilter::default()
        })
        .await
        .unwrap();
    let read: Vec<CounterEvent> = events.iter().map(|event| event.decode().unwrap()).collect();
    assert_eq!(read, [1, 40, 1, 8].map(|by| CounterEvent::Counted { by }));
    // What is stored, and shown, is what was written then.
    let stored: Vec<_> = events
        .iter()
        .map(|event| (event.event_version.as_str(), event.data()))
        .collect();
    assert_eq!(stored[0], ("1", json!({})));
    assert_eq!(stored[3], ("2", json!({ "by": 8 })));
}

#[tokio::test]
async fn an_event_of_a_later_release_asks_for_an_upgrade_and_says_where_it_stands() {
    let (log, _database) = log().await;
    let id = Uuid::new_v4();
    log.append(unit("other", 0, 3)).await.unwrap();
    store(&log, id, 0, "1", &json!({})).await;
    store(&log, id, 1, "3", &json!({ "by": 1, "why": "later" })).await;
    let error = CommandBus::new(log.clone())
        .load::<Counter>(id)
        .await
        .unwrap_err();
    let said = "event 5 of type Counted version 3 was written by a later release: upgrade needed";
    assert!(
        matches!(error, LogError::UnknownVersion { position: 5, .. }),
        "{error:?}"
    );
    assert_eq!(error.to_string(), said);
    let events = log
        .events(&EventFilter {
            after: 4,
            limit: 1,
            ..EventFilter::default()
        })
        .await
        .unwrap();
    assert_eq!(events[0].decode::<CounterEvent>().unwrap_err().to_string(), said);
    // So does a type that this release does not know.
    let unknown = events[0].decode::<ScanEvent>().unwrap_err();
    assert!(matches!(unknown, LogError::UnknownVersion { .. }), "{unknown}");
}

#[tokio::test]
async fn a_broken_event_is_no_later_one() {
    let (log, _database) = log().await;
    let id = Uuid::new_v4();
    let mut broken = unit(&id.to_string(), 0, 0);
    broken.streams[0].aggregate_type = "domain_scan";
    let mut requested = event(&json!(null));
    requested.event_type = "ScanRequested".into();
    requested.payload = json!({ "ScanRequested": { "domain": 7 } });
    broken.streams[0].events.push(requested);
    log.append(broken).await.unwrap();
    let error = CommandBus::new(log).load::<DomainScan>(id).await.unwrap_err();
    assert!(
        matches!(error, LogError::Unreadable { position: 1, .. }),
        "{error:?}"
    );
}
