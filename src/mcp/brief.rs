//! Shortens responses of the API to what a model needs and its context can hold.

use serde_json::{Map, Value, json};

/// Elements of a list in a record.
const MAX_ELEMENTS: usize = 20;
/// Characters of a text.
const MAX_TEXT: usize = 300;
/// Bytes of an answer: some thousand tokens.
pub(super) const MAX_BYTES: usize = 24 * 1024;

/// Fields of a record that say who runs a site and how to reach them, in the order of their weight.
const OF_DOMAIN: [(&str, &str); 23] = [
    ("domain", "/domain"),
    ("status", "/status"),
    ("error", "/last_error"),
    ("title", "/title"),
    ("site_state", "/meta_json/site_state/state"),
    ("organization", "/meta_json/organization"),
    ("email_addresses", "/email_addresses"),
    ("phone_numbers", "/phone_numbers"),
    ("facebook", "/facebook_url"),
    ("twitter", "/twitter_url"),
    ("linkedin", "/linkedin_url"),
    ("instagram", "/instagram_url"),
    ("youtube", "/youtube_url"),
    ("description", "/description"),
    ("language", "/language"),
    ("technologies", "/meta_json/technologies"),
    ("email_provider", "/meta_json/email_provider/name"),
    ("hosting", "/meta_json/hosting/name"),
    ("cdn", "/meta_json/cdn/name"),
    ("url", "/final_url"),
    ("last_scan", "/last_scan"),
    ("sitemap_urls", "/sitemap_urls"),
    ("stale_fields", "/stale_fields"),
];

/// Further fields that `get_domain` shows.
const BESIDES: [(&str, &str); 13] = [
    ("site_name", "/meta_json/site_name"),
    ("logo", "/logo_url"),
    ("feeds", "/meta_json/feeds"),
    ("dns_host", "/meta_json/dns_host/name"),
    ("spf", "/meta_json/spf/policy"),
    ("dmarc", "/meta_json/dmarc/policy"),
    ("certificate_issuer", "/meta_json/certificate/issuer_organization"),
    ("certificate_expires", "/meta_json/certificate/valid_to"),
    ("certificate_fault", "/meta_json/certificate/fault"),
    ("refused_crawlers", "/meta_json/crawlers/refused"),
    ("security_contact", "/meta_json/security_txt/contact"),
    ("problems", "/meta_json/problems"),
    ("first_scan", "/first_scan"),
];

/// A domain as one item of several.
pub(super) fn domain(found: &Value) -> Value {
    Value::Object(fields(found, &OF_DOMAIN))
}

/// One domain.
pub(super) fn domain_in_full(found: &Value) -> Value {
    let mut shown = fields(found, &OF_DOMAIN);
    shown.extend(fields(found, &BESIDES));
    if let Some(name) = found["domain"].as_str() {
        shown.insert(
            "everything".to_owned(),
            format!("{}{name}", super::DOMAIN_URI).into(),
        );
    }
    Value::Object(shown)
}

fn fields(found: &Value, wanted: &[(&str, &str)]) -> Map<String, Value> {
    let known = wanted.iter().filter_map(|(name, pointer)| {
        let value = short(found.pointer(pointer)?);
        let says_something =
            !matches!(&value, Value::Null) && value != json!([]) && value != json!({}) && value != json!("");
        says_something.then(|| ((*name).to_owned(), value))
    });
    known.collect()
}

/// A value without what a model has no use for: texts are cut, technologies are names.
fn short(value: &Value) -> Value {
    match value {
        Value::String(text) => cut(text).into(),
        Value::Array(elements) => {
            let mut shown: Vec<Value> = elements.iter().take(MAX_ELEMENTS).map(element).collect();
            if elements.len() > MAX_ELEMENTS {
                shown.push(format!("… and {} more", elements.len() - MAX_ELEMENTS).into());
            }
            shown.into()
        }
        Value::Object(fields) => {
            let said = fields
                .iter()
                .filter(|(_, value)| !value.is_null() && **value != json!([]));
            said.map(|(name, value)| (name.clone(), short(value)))
                .collect::<Map<_, _>>()
                .into()
        }
        other => other.clone(),
    }
}

fn element(value: &Value) -> Value {
    match (value["name"].as_str(), value["version"].as_str()) {
        (Some(name), Some(version)) => format!("{name} {version}").into(),
        (Some(name), None) => name.into(),
        _ => short(value),
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A page of a list, with the place of the next one.
pub(super) fn page(page: &Value, name: &str, item: impl Fn(&Value) -> Value) -> Value {
    let items: Vec<Value> = page["items"].as_array().into_iter().flatten().map(item).collect();
    let mut shown = Map::new();
    shown.insert("count".to_owned(), items.len().into());
    shown.insert(name.to_owned(), items.into());
    if !page["next"].is_null() {
        shown.insert("next".to_owned(), page["next"].clone());
    }
    Value::Object(shown)
}

/// An item without its links, which a model cannot use.
pub(super) fn without_links(item: &Value) -> Value {
    let mut item = short(item);
    if let Some(fields) = item.as_object_mut() {
        fields.remove("links");
        fields.remove("domain_unicode");
    }
    item
}

/// A URL of a sitemap.
pub(super) fn url(item: &Value) -> Value {
    let mut shown = Map::new();
    for name in ["url", "lastmod"] {
        if !item[name].is_null() {
            shown.insert(name.to_owned(), item[name].clone());
        }
    }
    Value::Object(shown)
}

/// How a list was read.
pub(super) fn batch_accepted(accepted: &Value) -> Value {
    let mut shown = json!({ "batch_id": accepted["batch_id"], "accepted": accepted["accepted"] });
    for name in ["duplicates", "skipped"] {
        if accepted[name].as_u64() != Some(0) {
            shown[name] = accepted[name].clone();
        }
    }
    for name in ["rejected", "skipped_domains"] {
        if accepted[name].as_array().is_some_and(|list| !list.is_empty()) {
            shown[name] = short(&accepted[name]);
        }
    }
    let step = if accepted["batch_id"].is_null() {
        "All domains have a recent scan: read them with get_domain or search_domains."
    } else {
        "Call batch_status with wait_seconds until it has ended, then search_domains with batch_id."
    };
    shown["next_step"] = step.into();
    shown
}

/// Whether a batch has ended.
pub(super) fn has_ended(batch: &Value) -> bool {
    !matches!(batch["status"].as_str(), Some("pending" | "running"))
}

/// How far a batch is.
pub(super) fn batch(batch: &Value) -> Value {
    let names = [
        "batch_id",
        "status",
        "total",
        "completed",
        "failed",
        "cancelled",
        "progress",
        "failures",
        "completed_at",
    ];
    let mut shown: Map<String, Value> = names
        .iter()
        .map(|name| ((*name).to_owned(), batch[*name].clone()))
        .collect();
    if has_ended(batch) {
        let step = "The batch has ended: search_domains with batch_id has the results; with status failed it lists the domains \
                    that failed.";
        shown.insert("next_step".to_owned(), step.into());
    }
    Value::Object(shown)
}

/// Limits the size of a result: if it is too long, its list is cut, and the result says so.
pub(super) fn fitting(mut answer: Value) -> Value {
    let mut left_out = 0;
    while answer.to_string().len() > MAX_BYTES {
        let lists = answer.as_object_mut().into_iter().flatten();
        let longest = lists
            .filter_map(|(_, value)| value.as_array_mut())
            .max_by_key(|list| list.len());
        let Some(list) = longest.filter(|list| list.len() > 1) else {
            break;
        };
        let keep = list.len() - list.len().div_ceil(8);
        left_out += list.len() - keep;
        list.truncate(keep);
    }
    if left_out > 0 {
        // Where the next page begins is no longer true.
        if let Some(fields) = answer.as_object_mut() {
            fields.remove("next");
        }
        answer["left_out"] = left_out.into();
        answer["hint"] =
            "The result was too long, so items were left out. Call the tool again with a smaller limit or more filters.".into();
    }
    answer
}
