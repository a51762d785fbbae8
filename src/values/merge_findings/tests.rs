//! Whatever a scan finds, what was known is replaced, kept or dropped as its field says.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::values::Problem;
use crate::values::site_state::{SiteState, SiteStateKind};

/// What a scan says of itself.
const OF_THE_SCAN: [&str; 9] = [
    "sitemap_audit",
    "files",
    "performance",
    "site_state",
    "sitemaps",
    "pages_read",
    "crawlers",
    "robots",
    "problems",
];

/// What a resolver or a server answers is so, even if it is nothing; and a certificate is one statement.
const ANSWERED: [&str; 14] = [
    "cdn",
    "hosting",
    "certificate",
    "dns",
    "email_provider",
    "dns_host",
    "spf",
    "dmarc",
    "security_txt",
    "ads_txt",
    "humans_txt",
    "llms_txt",
    "icon",
    "logo",
];

/// A site of which everything is known.
fn all() -> Findings {
    let technology = |name: &str| json!({ "name": name, "version": "1", "categories": ["CMS"], "confidence": 100, "evidence": "meta" });
    let all = json!({
        "contact_info": { "email": ["a@a.de"], "phone": ["+49"] },
        "social_links": { "facebook": "f", "twitter": "t", "linkedin": "l", "instagram": "i", "youtube": "y" },
        "tech_stack": { "cms": ["WordPress"], "frameworks": ["a"], "analytics": ["b"], "widgets": ["c"] },
        "technologies": [technology("WordPress"), technology("Elementor"), technology("PHP")],
        "emails": [{ "value": "a@a.de", "source": "text", "page": "p" }],
        "phones": [{ "value": "+49", "raw": "49", "source": "text", "page": "p" }],
        "socials": [{ "network": "tiktok", "url": "u", "handle": "h", "source": "link" }],
        "organization": { "name": "n", "legal_name": "l", "address": "a", "identifiers": ["i"] },
        "dns": { "name": "a.de", "mx": ["10 mx.a.de"], "ns": ["ns.a.de"], "txt": ["v=spf1 -all"] },
        "certificate": { "host": "a.de", "issuer": "i" },
        "email_provider": { "name": "e", "evidence": "MX" }, "dns_host": { "name": "d", "evidence": "NS" },
        "cdn": { "name": "c", "evidence": "header" }, "hosting": { "name": "h", "evidence": "CNAME" },
        "spf": { "policy": "fail", "is_strict": true, "evidence": "TXT" },
        "dmarc": { "policy": "reject", "is_strict": true, "evidence": "TXT" },
        "security_txt": { "url": "s", "contact": ["mailto:a@a.de"] }, "ads_txt": { "url": "a", "direct": 1 },
        "sitemap_sample": [{ "url": "u", "status": 404 }],
        "humans_txt": { "url": "h", "first_lines": ["Anna"] }, "llms_txt": { "url": "l", "title": "A" },
        "icon": { "url": "i" }, "logo": { "url": "l" },
    });
    let mut site = serde_json::to_value(Findings::default()).unwrap();
    for (name, value) in all.as_object().unwrap() {
        site[name] = value.clone();
    }
    // Fields of the plain types need no value above.
    for (name, value) in site.as_object_mut().unwrap() {
        if says_nothing(value) && !OF_THE_SCAN.contains(&name.as_str()) {
            *value = match value {
                Value::Array(_) => json!(["x"]),
                Value::Bool(_) => json!(true),
                _ => json!("x"),
            };
        }
    }
    serde_json::from_value(site).expect("a field that is not a plain type needs a value in `all`")
}

/// The names of a profile's fields, those of its parts too.
fn fields(value: &Value) -> Vec<Vec<String>> {
    let Value::Object(members) = value else {
        return vec![Vec::new()];
    };
    let named = members.iter().flat_map(|(name, value)| {
        // Its four lists are one statement: which of the technologies is in which of them.
        let value = if name == "tech_stack" { &Value::Null } else { value };
        fields(value).into_iter().map(move |mut path| {
            path.insert(0, name.clone());
            path
        })
    });
    named
        .filter(|path| !OF_THE_SCAN.contains(&path[0].as_str()) && !ANSWERED.contains(&path[0].as_str()))
        .collect()
}

fn blank(value: &mut Value, path: &[String]) {
    let pointer = format!("/{}", path.join("/"));
    let Some(field) = value.pointer_mut(&pointer) else {
        return;
    };
    *field = match field {
        Value::Array(_) => json!([]),
        Value::Bool(_) => json!(false),
        Value::Object(_) => json!({}),
        _ => Value::Null,
    };
}

fn says_nothing(value: &Value) -> bool {
    *value == Value::Null || *value == json!([]) || *value == json!(false)
}

#[test]
fn the_site_of_these_tests_has_a_value_in_each_field() {
    let all = serde_json::to_value(all()).unwrap();
    for path in fields(&all) {
        let value = all.pointer(&format!("/{}", path.join("/"))).unwrap();
        assert!(!says_nothing(value), "{path:?} has no value: give it one above");
    }
}

#[test]
fn what_is_found_replaces_what_was_known() {
    let mut found = all();
    found.title = Some("new".into());
    found.feeds = vec!["new".into()];
    assert_eq!(merge(all(), found.clone()), (found, Vec::new()));
    assert_eq!(merge(Findings::default(), all()), (all(), Vec::new()));
}

#[test]
fn what_is_not_found_again_stays_and_is_named() {
    let (merged, kept) = merge(all(), Findings::default());
    assert_eq!(merged, all());
    for name in [
        "title",
        "email_addresses",
        "facebook_url",
        "socials.tiktok",
        "technologies",
        "organization.legal_name",
        "is_wordpress",
    ] {
        assert!(
            kept.iter().any(|kept| kept == name),
            "{name} is not among {kept:?}"
        );
    }
}

#[test]
fn a_technology_that_is_gone_is_gone_and_an_untold_version_is_not() {
    let mut found = all();
    found.is_wordpress = false;
    found.wordpress_version = None;
    found.technologies.remove(0);
    found.technologies[0].version = None;
    let (merged, kept) = merge(all(), found);
    assert!(!merged.is_wordpress && merged.wordpress_version.is_none());
    assert_eq!(version_of(&merged.technologies, "WordPress"), None);
    assert_eq!(
        version_of(&merged.technologies, "Elementor").as_deref(),
        Some("1")
    );
    assert_eq!(kept, ["elementor_version"]);
}

#[test]
fn records_that_are_gone_are_gone_and_those_that_nobody_answered_stay() {
    let mut found = all();
    let (failed, gone) = (DnsRecords::default(), DnsRecords::default());
    found.dns = Some(DnsRecords {
        failures: [("mx".to_owned(), "no answer in time".to_owned())].into(),
        ..failed
    });
    (found.email_provider, found.dns_host) = (None, None);
    let (merged, kept) = merge(all(), found);
    let dns = merged.dns.unwrap();
    assert_eq!((&dns.mx[..], dns.ns.len()), (&["10 mx.a.de".to_owned()][..], 0));
    assert!(merged.email_provider.is_some() && merged.dns_host.is_none());
    assert_eq!(kept, ["email_provider", "dns.mx"]);
    let mut found = all();
    (found.dns, found.email_provider) = (Some(gone), None);
    let (merged, kept) = merge(all(), found);
    assert!(merged.email_provider.is_none() && kept.is_empty());
}

#[test]
fn a_file_that_is_gone_is_gone_and_one_that_nobody_knows_of_stays() {
    let with = |is_there: Option<bool>| Findings {
        files: SiteFile::ALL
            .iter()
            .map(|file| FileAnswer {
                file: *file,
                is_there,
                url: "u".to_owned(),
                why: "w".to_owned(),
            })
            .collect(),
        ..Findings::default()
    };
    let values = |found: &Findings| {
        [
            found.security_txt.is_some(),
            found.ads_txt.is_some(),
            found.humans_txt.is_some(),
            found.llms_txt.is_some(),
            found.icon.is_some(),
            found.logo.is_some(),
        ]
    };
    let names = [
        "security_txt",
        "ads_txt",
        "humans_txt",
        "llms_txt",
        "icon",
        "logo",
    ];
    let (merged, kept) = merge(all(), with(Some(false)));
    assert_eq!(values(&merged), [false; 6]);
    assert!(
        !names.iter().any(|name| kept.iter().any(|kept| kept == name)),
        "{kept:?}"
    );
    // Not answered, and not asked for.
    for found in [with(None), Findings::default()] {
        let (merged, kept) = merge(all(), found);
        assert_eq!(values(&merged), [true; 6]);
        assert!(
            names.iter().all(|name| kept.iter().any(|kept| kept == name)),
            "{kept:?}"
        );
    }
}

#[test]
fn a_service_that_is_not_seen_any_more_is_gone_if_dns_was_asked_too() {
    let answered = Findings {
        dns: Some(DnsRecords::default()),
        ..Findings::default()
    };
    let (merged, _) = merge(all(), answered);
    assert_eq!((merged.cdn, merged.hosting), (None, None));
    let (merged, kept) = merge(all(), Findings::default());
    assert!(merged.cdn.is_some() && merged.hosting.is_some());
    assert!(kept.contains(&"cdn".to_owned()) && kept.contains(&"hosting".to_owned()));
}

#[test]
fn what_a_scan_says_of_itself_is_its_own() {
    let mut known = all();
    known.problems = vec![Problem::new("old", "old")];
    known.site_state = Some(SiteState {
        state: SiteStateKind::Parked,
        evidence: String::new(),
        page: String::new(),
    });
    assert_eq!(merge(known, all()).0, all());
}

proptest! {
    /// A scan that does not find a field never clears it, in any part.
    #[test]
    fn a_scan_blanks_nothing(missed in proptest::collection::vec(any::<bool>(), fields(&serde_json::to_value(all()).unwrap()).len())) {
        let whole = serde_json::to_value(all()).unwrap();
        let mut found = whole.clone();
        for (path, missed) in fields(&whole).iter().zip(missed) {
            if missed {
                blank(&mut found, path);
            }
        }
        let found: Findings = serde_json::from_value(found).unwrap();
        // Its other technologies, if there are any, show whether a site still runs WordPress.
        let says_technologies = !found.technologies.is_empty() || found.tech_stack != TechStack::default();
        let (merged, _) = merge(all(), found);
        let merged = serde_json::to_value(merged).unwrap();
        let of_technologies = ["is_wordpress", "wordpress_version", "has_elementor"];
        let fields_of = |value: &Value| -> Map<String, Value> {
            let mut members = value.as_object().unwrap().clone();
            members.retain(|name, _| !(says_technologies && of_technologies.contains(&name.as_str())));
            members
        };
        prop_assert_eq!(fields_of(&merged), fields_of(&whole));
    }
}
