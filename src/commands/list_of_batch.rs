//! The other columns of a batch's list, which are returned with the results.

use std::collections::HashMap;
use std::ops::Range;

use serde::Deserialize;
use serde_json::Value;

use super::bus::CommandBus;
use crate::aggregates::BatchScan;
use crate::log::LogError;
use crate::values::carried::StoredCells;
use crate::values::{BatchId, DomainName};

/// The columns of a list. Lines stay JSON text until they are needed.
#[derive(Debug)]
pub struct CarriedColumns {
    /// Their names as sent, including the domain column.
    pub names: Vec<String>,
    content: Vec<u8>,
    by_line: HashMap<u32, Range<usize>>,
    by_domain: HashMap<String, u32>,
}

#[derive(Deserialize)]
struct StoredLine {
    line: u32,
    #[serde(default)]
    domain: Option<DomainName>,
    #[serde(default)]
    columns: Vec<String>,
}

#[derive(Deserialize)]
struct LineCells {
    cells: Option<StoredCells>,
}

/// The columns of a batch's list; `None` if it has no other columns, or there is no such list.
pub async fn carried_columns(bus: &CommandBus, batch: BatchId) -> Result<Option<CarriedColumns>, LogError> {
    let loaded = bus.load::<BatchScan>(batch.0).await?;
    let Some(items) = loaded.aggregate.items() else {
        return Ok(None);
    };
    let Some(content) = bus.log().body(items).await? else {
        return Ok(None);
    };
    CarriedColumns::read(content).map_err(|error| LogError::UnreadableBody {
        digest: items.digest.clone(),
        subject: format!("the batch {batch}"),
        bytes: items.bytes,
        error: error.to_string(),
    })
}

impl CarriedColumns {
    fn read(content: Vec<u8>) -> Result<Option<Self>, serde_json::Error> {
        // Most lists have no other columns; that is visible without reading them completely.
        if memchr::memmem::find(&content, b"\"cells\":").is_none() {
            return Ok(None);
        }
        let (mut names, mut by_line, mut by_domain) = (Vec::new(), HashMap::new(), HashMap::new());
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', &content) {
            let read: StoredLine = serde_json::from_slice(&content[start..end])?;
            if !read.columns.is_empty() {
                names = read.columns;
            }
            by_line.insert(read.line, start..end);
            by_domain.extend(read.domain.map(|domain| (String::from(domain), read.line)));
            start = end + 1;
        }
        let carried = Self {
            names,
            content,
            by_line,
            by_domain,
        };
        Ok(Some(carried).filter(|carried| !carried.names.is_empty()))
    }

    /// The cells of a line in the order of the names; null for empty cells.
    pub fn of_line(&self, line: u32) -> Vec<Value> {
        let stored = self.by_line.get(&line).and_then(|place| {
            let read = serde_json::from_slice::<LineCells>(&self.content[place.clone()]);
            read.ok()?.cells
        });
        let Some(mut cells) = stored else {
            return vec![Value::Null; self.names.len()];
        };
        let names = self.names.iter().enumerate();
        names.map(|(number, name)| cells.take(number, name)).collect()
    }

    /// The cells of the line with a domain.
    pub fn of_domain(&self, domain: &str) -> Vec<Value> {
        // Lines are counted from 1.
        self.of_line(self.by_domain.get(domain).copied().unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::request_batch::{BatchItem, lines_of, parse_lines};
    use crate::values::BatchList;
    use crate::values::batch_list::Source;

    fn list(content: &[u8]) -> BatchList {
        let source = Source {
            content,
            ..Source::default()
        };
        source.read().unwrap()
    }

    fn stored(mut list: BatchList) -> Vec<u8> {
        lines_of(&BatchItem::of_list(&mut list))
    }

    #[test]
    fn what_stood_beside_a_domain_comes_back_by_line_and_by_name() {
        let content = stored(list(b"name;domain;n\nAnna;a.com\n\"=B\"\"\";b.com;7\n"));
        let carried = CarriedColumns::read(content).unwrap().unwrap();
        assert_eq!(carried.names, ["name", "domain", "n"]);
        assert_eq!(
            carried.of_line(2),
            [Value::from("Anna"), "a.com".into(), Value::Null]
        );
        assert_eq!(
            carried.of_domain("b.com"),
            [Value::from("=B\""), "b.com".into(), "7".into()]
        );
        assert_eq!(
            carried.of_domain("c.com"),
            [Value::Null, Value::Null, Value::Null]
        );
    }

    #[test]
    fn names_of_columns_stay_when_the_first_line_is_left_out() {
        let mut list = list(b"name,domain\nAnna,a.com\nBob,b.com\n");
        let mut items = BatchItem::of_list(&mut list);
        BatchItem::retain(&mut items, |item| item.line() != 2);
        let carried = CarriedColumns::read(lines_of(&items)).unwrap().unwrap();
        assert_eq!(
            (carried.names.len(), carried.of_line(3)[0].clone()),
            (2, Value::from("Bob"))
        );
    }

    #[test]
    fn fields_of_objects_come_back_with_their_types() {
        let content = b"\"a.com\"\n{\"url\":\"b.com\",\"age\":5}\n";
        let carried = CarriedColumns::read(stored(list(content))).unwrap().unwrap();
        let place = carried.names.iter().position(|name| name == "age").unwrap();
        assert_eq!(carried.of_line(2)[place], 5);
        assert!(carried.of_line(1).iter().all(Value::is_null));
    }

    #[test]
    fn expanding_passes_over_what_is_carried_and_lists_of_earlier_releases_still_read() {
        let content = stored(list(b"name,domain\nAnna,a.com\n"));
        let items: Vec<BatchItem> = parse_lines(&content).unwrap();
        assert_eq!(items, [BatchItem::scan(2, DomainName::parse("a.com").unwrap())]);
        let earlier = b"{\"line\":1,\"domain\":\"a.com\"}\n{\"line\":2,\"input\":\"x\",\"error\":\"e\"}\n";
        assert_eq!(parse_lines::<BatchItem>(earlier).unwrap().len(), 2);
        assert!(CarriedColumns::read(earlier.to_vec()).unwrap().is_none());
        let plain = stored(list(b"a.com\n"));
        assert_eq!(plain, b"{\"line\":1,\"domain\":\"a.com\"}\n");
    }
}
