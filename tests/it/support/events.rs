//! Server-sent events, as a browser reads them (WHATWG HTML, 9.2.6).

use serde_json::Value;

/// One event of a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamEvent {
    pub id: i64,
    pub event: String,
    pub data: Value,
}

/// The events that have come whole.
pub fn parse(text: &str) -> Vec<StreamEvent> {
    let blocks = text
        .split_inclusive("\n\n")
        .filter(|block| block.ends_with("\n\n"));
    blocks.filter_map(event_of).collect()
}

fn event_of(block: &str) -> Option<StreamEvent> {
    let field = |name: &str| {
        block
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    };
    Some(StreamEvent {
        id: field("id")?.parse().unwrap(),
        event: field("event")?.to_owned(),
        data: serde_json::from_str(field("data").unwrap()).unwrap(),
    })
}
