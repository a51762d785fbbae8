//! Where a value of a domain was found: the evidence in each part of its record that contains the value.

use serde_json::{Value, json};

use super::brief::MAX_BYTES;

/// Fields by which a part of a record is what it is.
const NAMES: [&str; 5] = ["value", "name", "url", "state", "policy"];
/// Parts shown at most.
const MAX_EVIDENCE: usize = 10;

/// The parts of a record that contain a value, case-insensitive.
pub(super) fn explain(record: &Value, value: &str) -> Result<Value, String> {
    let wanted = plain(value);
    let (mut found, mut mentioned, mut known) = (Vec::new(), Vec::new(), Vec::new());
    let mut see = |seen: Seen| match seen {
        Seen::Evidence(part) => found.push(part),
        Seen::Mention(part) => mentioned.push(part),
        Seen::Known(name) => known.push(name),
    };
    search(&record["meta_json"], "", &wanted, &mut see);
    for (field, content) in record
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(field, _)| *field != "meta_json")
    {
        let has = |content: &Value| content.as_str().is_some_and(|text| plain(text) == wanted);
        if has(content) || content.as_array().is_some_and(|list| list.iter().any(has)) {
            let stale = &record["stale"][field];
            found.push(json!({ "field": field, "stale": stale }));
        }
    }
    // Without evidence, at least the place of the value is given.
    if found.iter().all(|part| part.get("evidence").is_none()) {
        found.append(&mut mentioned);
    }
    if found.is_empty() {
        known.sort_unstable();
        known.dedup();
        known.truncate(40);
        return Err(format!(
            "No scan of {} found the value {value}. Known values are, for example: {}",
            record["domain"].as_str().unwrap_or("the domain"),
            known.join(", ")
        ));
    }
    found.truncate(MAX_EVIDENCE);
    Ok(json!({
        "domain": record["domain"],
        "value": value,
        "found": found,
        "last_scan": record["last_successful_scan"],
        "scan_id": record["last_scan_id"],
    }))
}

/// What comes up in a record.
enum Seen {
    /// A part that is about the value.
    Evidence(Value),
    /// A text that is the value, with nothing beside it.
    Mention(Value),
    /// A value that there is evidence of.
    Known(String),
}

/// Searches a part of a record for a value, and reports what it finds.
fn search(part: &Value, field: &str, wanted: &str, see: &mut impl FnMut(Seen)) {
    match part {
        Value::Array(elements) => {
            for element in elements {
                search(element, field, wanted, see);
            }
        }
        Value::Object(fields) => {
            let mut names = NAMES.iter().filter_map(|name| part[*name].as_str());
            let has_evidence = part.get("evidence").is_some() || part.get("source").is_some();
            if has_evidence && let Some(name) = names.clone().next() {
                see(Seen::Known(name.to_owned()));
            }
            if names.any(|name| plain(name) == wanted) && part.to_string().len() < MAX_BYTES / MAX_EVIDENCE {
                return see(Seen::Evidence(json!({ "field": field, "evidence": part })));
            }
            for (name, content) in fields {
                let field = if field.is_empty() {
                    name.clone()
                } else {
                    format!("{field}.{name}")
                };
                search(content, &field, wanted, see);
            }
        }
        Value::String(text) if plain(text) == wanted => {
            see(Seen::Mention(json!({ "field": field, "evidence": text })));
        }
        _ => {}
    }
}

/// A text by what matters of it: `https://X.com/` is `x.com`, `Vue 3.1` stays.
fn plain(text: &str) -> String {
    let text = text.trim().to_lowercase();
    let text = text
        .strip_prefix("https://")
        .or(text.strip_prefix("http://"))
        .unwrap_or(&text);
    text.trim_end_matches('/').to_owned()
}
