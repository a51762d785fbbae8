//! Compares what a scan found with what was known of the domain. Only this file decides what counts as a change.
//!
//! These differences do not count: another order, other white space, and parameters of a URL that track visitors or
//! name a build (`?ver=`). A value that a scan did not find again is not a change either: it stays known
//! (`merge_findings`).

use std::borrow::Cow;
use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;
use utoipa::ToSchema;

use super::domain_fields::{DomainField, is_nothing, other_fields, read_model_columns};
use super::nearest::{did_you_mean, nearest};
use super::{Findings, Problem};
use crate::values::sitemap::SitemapKind;

/// The name of the field that says how a domain's latest scan ended.
pub const STATUS: &str = "status";
/// The name under which added and removed URLs of the sitemaps are filtered.
pub const SITEMAP_URLS: &str = "sitemap_urls";
/// Characters of an unknown name that are shown.
const MAX_SHOWN: usize = 200;

/// A field with its values before and after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FieldDifference {
    /// The field of the domain, or of its `meta_json`.
    #[schema(example = "phone_numbers")]
    pub field: String,
    /// The value before; null if nothing was known.
    pub before: Value,
    /// The value after; null if it no longer has one.
    pub after: Value,
}

/// The differences, field by field, in the order of the documentation.
pub fn differences(known: &Findings, now: &Findings) -> Vec<FieldDifference> {
    let fields = |of: &Findings| [read_model_columns(of), other_fields(of)].concat();
    let pairs = fields(known).into_iter().zip(fields(now));
    pairs
        .filter(|((name, before), (_, after))| {
            is_comparable(name, known, now) && differs(name, before, after)
        })
        .map(
            |((name, before), (_, after)): (DomainField, DomainField)| FieldDifference {
                field: name.to_owned(),
                before,
                after,
            },
        )
        .collect()
}

/// The names of all fields that can change.
pub fn field_names() -> Vec<&'static str> {
    let nothing = Findings::default();
    let fields = read_model_columns(&nothing)
        .into_iter()
        .chain(other_fields(&nothing));
    [STATUS, SITEMAP_URLS]
        .into_iter()
        .chain(fields.map(|(name, _)| name))
        .collect()
}

/// A name that is not a field that can change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("fields: '{name}' is not a field that can change{suggestion}; /docs lists the fields under GET /api/v4/changes, parameter field", suggestion = did_you_mean(*.nearest))]
pub struct UnknownField {
    name: String,
    nearest: Option<&'static str>,
}

/// Refuses names that are not fields that can change.
pub fn require_fields(given: &[String]) -> Result<(), UnknownField> {
    let known = field_names();
    match given.iter().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(UnknownField {
            name: name.chars().take(MAX_SHOWN).collect(),
            nearest: nearest(name, known),
        }),
        None => Ok(()),
    }
}

/// Whether both scans requested the field. Otherwise a comparison says nothing.
fn is_comparable(name: &str, known: &Findings, now: &Findings) -> bool {
    match name {
        "email_provider" | "dns_host" | "spf" | "dmarc" | "dns.ns" | "dns.mx" => {
            known.dns.is_some() && now.dns.is_some()
        }
        "certificate.issuer" | "certificate.valid_to" | "certificate.fault" => {
            known.certificate.is_some() && now.certificate.is_some()
        }
        "cdn" => known.cdn.is_some() && now.cdn.is_some(),
        "hosting" => known.hosting.is_some() && now.hosting.is_some(),
        "security_txt.contact" | "security_txt.expires" | "security_txt.is_expired" => {
            known.security_txt.is_some() && now.security_txt.is_some()
        }
        "ads_txt.direct" | "ads_txt.reseller" | "ads_txt.owner_domain" => {
            known.ads_txt.is_some() && now.ads_txt.is_some()
        }
        "humans_txt" => known.humans_txt.is_some() && now.humans_txt.is_some(),
        "llms_txt.title" => known.llms_txt.is_some() && now.llms_txt.is_some(),
        "sitemap_audit" => known.sitemap_audit.is_some() && now.sitemap_audit.is_some(),
        "crawlers.refused" => known.crawlers.is_some() && now.crawlers.is_some(),
        _ => true,
    }
}

fn differs(name: &str, before: &Value, after: &Value) -> bool {
    if is_nothing(before) && is_nothing(after) {
        return false;
    }
    let is_url = name.ends_with("_url") || matches!(name, "feeds" | "socials");
    essence(before, is_url) != essence(after, is_url)
}

/// A value without its noise: of a list, what is in it, in any order.
fn essence(value: &Value, is_url: bool) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::String(text) if is_url => url_essence(text).into_owned(),
        // The log does not keep U+0000.
        Value::String(text) => {
            let text = text.replace('\0', "");
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    };
    let mut parts: Vec<String> = match value {
        Value::Array(items) => items.iter().map(text).collect(),
        other if is_nothing(other) => Vec::new(),
        other => vec![text(other)],
    };
    parts.sort_unstable();
    parts.dedup();
    parts
}

/// A URL without what tracks visitors or names a build, its other parameters in one order.
fn url_essence(text: &str) -> Cow<'_, str> {
    if !text.contains('?') {
        return Cow::Borrowed(text);
    }
    let Ok(mut url) = Url::parse(text) else {
        return Cow::Borrowed(text);
    };
    let mut kept: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(name, _)| !is_noise(name))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    kept.sort_unstable();
    url.set_query(None);
    if !kept.is_empty() {
        url.query_pairs_mut().extend_pairs(kept);
    }
    Cow::Owned(url.into())
}

/// Parameters that track visitors, or name the build of a file.
fn is_noise(parameter: &str) -> bool {
    let name = parameter.to_ascii_lowercase();
    name.starts_with("utm_")
        || matches!(
            name.as_str(),
            "ver"
                | "fbclid"
                | "gclid"
                | "gbraid"
                | "wbraid"
                | "dclid"
                | "msclkid"
                | "yclid"
                | "twclid"
                | "ttclid"
                | "li_fat_id"
                | "igshid"
                | "igsh"
                | "mc_cid"
                | "mc_eid"
                | "_ga"
                | "_gl"
        )
}

/// URLs that sitemaps name now and did not before, and the other way round.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UrlDifference {
    /// New ones, in the order of the sitemaps.
    pub added: Vec<String>,
    /// Those that are gone, in the order of the earlier sitemaps.
    pub removed: Vec<String>,
}

/// Compares the URLs of files that differ. `same` are those of files that do not.
pub fn url_difference(before: &[String], now: &[&str], same: &[&str]) -> UrlDifference {
    let unchanged: HashSet<Cow<'_, str>> = same.iter().map(|url| url_essence(url)).collect();
    let news: HashSet<Cow<'_, str>> = now.iter().map(|url| url_essence(url)).collect();
    let olds: HashSet<Cow<'_, str>> = before.iter().map(|url| url_essence(url)).collect();
    let mut listed = HashSet::new();
    let mut difference = UrlDifference::default();
    for url in now {
        let essence = url_essence(url);
        if !olds.contains(&essence) && !unchanged.contains(&essence) && listed.insert(essence) {
            difference.added.push((*url).to_owned());
        }
    }
    for url in before {
        let essence = url_essence(url);
        if !news.contains(&essence) && !unchanged.contains(&essence) && listed.insert(essence) {
            difference.removed.push(url.clone());
        }
    }
    difference
}

/// Whether a scan read a sitemap to its end, so that what it does not name is not there.
pub fn is_whole(kind: SitemapKind, problems: &[Problem]) -> bool {
    let is_read = kind.lists_pages() || matches!(kind, SitemapKind::Index | SitemapKind::NotFound);
    let is_cut = |code: &str| matches!(code, "too_large" | "truncated" | "gzip" | "many_urls");
    is_read && are_all_read(problems) && !problems.iter().any(|problem| is_cut(&problem.code))
}

/// Whether none of the problems is that a scan left out sitemaps.
pub fn are_all_read(problems: &[Problem]) -> bool {
    !problems.iter().any(|problem| {
        let code = problem.code.as_str();
        let is_limit = matches!(
            code,
            "sitemap_limit" | "url_limit" | "timeout" | "deadline" | "internal"
        );
        is_limit || code.starts_with("budget_")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(fields: Value) -> Findings {
        serde_json::from_value(fields).unwrap()
    }

    fn changed(known: Value, now: Value) -> Vec<String> {
        let found = differences(&of(known), &of(now));
        found.into_iter().map(|difference| difference.field).collect()
    }

    #[test]
    fn a_value_that_differs_is_told_with_what_was_before() {
        let known = of(json!({ "contact_info": { "phone": ["+491"] }, "title": "A" }));
        let now = of(json!({ "contact_info": { "phone": ["+492"] }, "title": "A" }));
        let wanted = FieldDifference {
            field: "phone_numbers".to_owned(),
            before: json!(["+491"]),
            after: json!(["+492"]),
        };
        assert_eq!(differences(&known, &now), [wanted]);
    }

    #[test]
    fn order_white_space_tracking_and_builds_are_noise() {
        let known = json!({
            "title": "A  shop", "contact_info": { "email": ["a@a.test", "b@a.test"] },
            "logo_url": "https://a.test/logo.png?ver=6.1", "feeds": ["https://a.test/feed?b=1&a=2&utm_source=x"],
            "technologies": [{ "name": "PHP" }, { "name": "nginx" }],
        });
        let now = json!({
            "title": "A shop\n", "contact_info": { "email": ["b@a.test", "a@a.test"] },
            "logo_url": "https://a.test/logo.png?ver=6.2", "feeds": ["https://a.test/feed?a=2&b=1&fbclid=y"],
            "technologies": [{ "name": "nginx" }, { "name": "PHP" }],
        });
        assert_eq!(changed(known, now), [""; 0]);
        let other = |logo: &str| json!({ "logo_url": logo });
        assert_eq!(
            changed(
                other("https://a.test/l.png?size=1"),
                other("https://a.test/l.png?size=2")
            ),
            ["logo_url"]
        );
    }

    #[test]
    fn what_only_one_of_the_scans_asked_for_is_no_change() {
        let dns = json!({ "dns": { "name": "a.test", "mx": ["10 mx.a.test"] }, "spf": { "policy": "fail" } });
        assert_eq!(changed(json!({}), dns.clone()), [""; 0]);
        let moved =
            json!({ "dns": { "name": "a.test", "mx": ["10 mx.b.test"] }, "spf": { "policy": "fail" } });
        assert_eq!(changed(dns, moved), ["dns.mx"]);
    }

    #[test]
    fn each_field_that_can_differ_has_one_name() {
        let names = field_names();
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
        assert!(names.contains(&"technologies") && names.contains(&STATUS));
    }

    #[test]
    fn a_url_that_moved_to_another_file_is_neither_added_nor_removed() {
        let before = ["https://a.test/1", "https://a.test/2", "https://a.test/3?ver=1"].map(String::from);
        let now = ["https://a.test/3?ver=2", "https://a.test/4", "https://a.test/4"];
        let found = url_difference(&before, &now, &["https://a.test/1"]);
        assert_eq!(found.added, ["https://a.test/4"]);
        assert_eq!(found.removed, ["https://a.test/2"]);
    }

    #[test]
    fn what_was_cut_off_says_nothing_of_the_rest() {
        let problem = |code: &str| [Problem::new(code, "")];
        assert!(is_whole(SitemapKind::Urlset, &problem("invalid_lastmod")));
        assert!(!is_whole(SitemapKind::Urlset, &problem("url_limit")));
        assert!(!is_whole(SitemapKind::Error, &[]));
        assert!(!is_whole(SitemapKind::Urlset, &problem("truncated")));
        assert!(!are_all_read(&problem("budget_bytes")));
        assert!(are_all_read(&problem("too_large")), "a page");
    }
}
