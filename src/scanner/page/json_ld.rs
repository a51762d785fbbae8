//! JSON-LD blocks, read although they are often not quite JSON, as a flat list of nodes.

use std::collections::HashMap;

use serde_json::{Map, Value};

/// Nodes kept of one page.
const MAX_NODES: usize = 5_000;

/// Nodes that stand for whoever runs the site.
const ORGANIZATIONS: &[&str] = &[
    "organization",
    "corporation",
    "localbusiness",
    "ngo",
    "governmentorganization",
    "educationalorganization",
    "onlinestore",
    "onlinebusiness",
    "newsmediaorganization",
    "store",
    "restaurant",
    "hotel",
    "professionalservice",
    "medicalorganization",
    "legalservice",
    "dentist",
    "collegeoruniversity",
    "sportsorganization",
    "airline",
    "autodealer",
    "financialservice",
    "foodestablishment",
    "homeandconstructionbusiness",
    "lodgingbusiness",
    "realestateagent",
    "travelagency",
    "brand",
];

/// One object of the graph.
pub(super) type Node = Map<String, Value>;

/// All objects of all blocks, outer before inner. An object that only names another (`{"@id": …}`) stands for that.
pub(super) fn nodes<T: AsRef<str>>(blocks: &[T]) -> Vec<Node> {
    let mut found = Vec::new();
    for block in blocks {
        if let Some(value) = parse(block.as_ref()) {
            collect(value, &mut found);
        }
    }
    follow_names(&mut found);
    found
}

/// Puts what is named in the place of the name, where it is said on the page; only one step, so that circles end.
fn follow_names(nodes: &mut [Node]) {
    let named: HashMap<String, Value> = nodes
        .iter()
        .filter(|node| node.len() > 1)
        .filter_map(|node| Some((node.get("@id")?.as_str()?.to_owned(), without_objects(node))))
        .collect();
    for value in nodes.iter_mut().flat_map(Map::values_mut) {
        let inner = match value {
            Value::Array(items) => items.as_mut_slice(),
            value => std::slice::from_mut(value),
        };
        for value in inner {
            let id = value
                .as_object()
                .filter(|object| object.len() == 1)
                .and_then(|object| object.get("@id")?.as_str());
            if let Some(known) = id.and_then(|id| named.get(id)) {
                *value = known.clone();
            }
        }
    }
}

/// A node's own texts and numbers, and lists of them.
fn without_objects(node: &Node) -> Value {
    let is_plain = |value: &Value| match value {
        Value::Object(_) => false,
        Value::Array(items) => items.iter().all(|item| !item.is_object() && !item.is_array()),
        _ => true,
    };
    let plain = node.iter().filter(|(_, value)| is_plain(value));
    Value::Object(plain.map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// Whether a node is an organization of any kind.
pub(super) fn is_organization(node: &Node) -> bool {
    ORGANIZATIONS.iter().any(|known| has_type(node, known))
}

/// Whether a node is of a type of schema.org.
pub(super) fn has_type(node: &Node, wanted: &str) -> bool {
    types(node).any(|kind| {
        let kind = kind.rsplit(['/', ':', '#']).next().unwrap_or_default();
        kind.eq_ignore_ascii_case(wanted)
    })
}

/// The texts of a property, be it one, a list, or an object with `url`, `contentUrl` or `name`.
pub(super) fn texts(node: &Node, property: &str) -> Vec<String> {
    let mut found = Vec::new();
    match node.get(property) {
        Some(Value::Array(items)) => items
            .iter()
            .take(100)
            .for_each(|item| found.extend(text_of(item))),
        Some(value) => found.extend(text_of(value)),
        None => {}
    }
    found
}

fn text_of(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Object(object) => ["url", "contentUrl", "@value", "name"]
            .iter()
            .find_map(|key| object.get(*key)?.as_str())?
            .to_owned(),
        _ => return None,
    };
    let text = crate::scanner::references::resolve_html(text.trim()).into_owned();
    (!text.is_empty()).then_some(text)
}

fn types(node: &Node) -> impl Iterator<Item = &str> {
    let (one, many) = match node.get("@type") {
        Some(Value::Array(items)) => (None, items.as_slice()),
        Some(value) => (value.as_str(), [].as_slice()),
        None => (None, [].as_slice()),
    };
    one.into_iter().chain(many.iter().filter_map(Value::as_str))
}

fn parse(block: &str) -> Option<Value> {
    let block = block.trim().trim_end_matches(';').trim();
    if let Ok(value) = serde_json::from_str(block) {
        return Some(value);
    }
    let inner = block
        .trim_start_matches("<!--")
        .trim_start_matches("//")
        .trim_start_matches("/*")
        .trim_start()
        .trim_start_matches("<![CDATA[")
        .trim_start_matches("*/");
    let inner = inner.trim_end_matches("-->").trim_end().trim_end_matches("]]>");
    let start = inner.find(['{', '['])?;
    let end = inner.rfind(if inner[start..].starts_with('{') { '}' } else { ']' })?;
    // Line breaks inside strings are what breaks most of the rest.
    let cleaned: String = inner
        .get(start..=end)?
        .chars()
        .map(|character| if character.is_control() { ' ' } else { character })
        .collect();
    serde_json::from_str(&cleaned).ok()
}

/// Walks without recursion, so that depth costs nothing.
fn collect(value: Value, found: &mut Vec<Node>) {
    let mut waiting = std::collections::VecDeque::from([value]);
    while let Some(value) = waiting.pop_front() {
        match value {
            Value::Array(items) => waiting.extend(items),
            Value::Object(node) => {
                if found.len() >= MAX_NODES {
                    return;
                }
                waiting.extend(
                    node.values()
                        .filter(|inner| inner.is_object() || inner.is_array())
                        .cloned(),
                );
                found.push(node);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(block: &str) -> Vec<Node> {
        nodes(&[block.to_owned()])
    }

    #[test]
    fn graphs_are_flat_and_organizations_are_known() {
        let nodes = found(
            r#"{"@graph":[{"@type":["Thing","https://schema.org/LocalBusiness"],"name":"A &amp; B"}]}"#,
        );
        let organization = nodes.iter().find(|node| is_organization(node)).unwrap();
        assert_eq!(texts(organization, "name"), ["A & B"]);
    }

    #[test]
    fn a_name_stands_for_the_node_that_has_it() {
        let nodes = found(
            r##"{"@graph":[{"@type":"Organization","logo":{"@id":"#l"},"image":{"@id":"#other"}},
                {"@id":"#l","@type":"ImageObject","url":"/l.png"}]}"##,
        );
        let organization = nodes.iter().find(|node| is_organization(node)).unwrap();
        assert_eq!(texts(organization, "logo"), ["/l.png"]);
        assert!(texts(organization, "image").is_empty());
    }

    #[test]
    fn blocks_that_are_not_quite_json_are_read() {
        for block in [
            "<![CDATA[{\"a\":\"x\"}]]>",
            "//<![CDATA[\n{\"a\":\"x\"}\n//]]>",
            "{\"a\":\"x\",\"b\":\"1\n2\"}",
            "{\"a\":\"x\"};",
        ] {
            assert_eq!(texts(&found(block)[0], "a"), ["x"], "{block}");
        }
    }
}
