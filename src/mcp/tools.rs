//! The tools: their names, descriptions and arguments.

use std::sync::Arc;

use rmcp::model::ToolAnnotations;
use serde_json::{Map, Value, json};

use crate::values::nearest::{did_you_mean, nearest};

/// One tool.
pub(super) struct Tool {
    pub(super) name: &'static str,
    title: &'static str,
    description: &'static str,
    /// Whether it requests scans; the others only read.
    writes: bool,
    pub(super) arguments: &'static [Argument],
}

/// One argument of a tool.
pub(super) struct Argument {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) is_required: bool,
    description: &'static str,
}

/// The type of an argument.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Text,
    Truth,
    /// A whole number within bounds.
    Whole(u64, u64),
    /// Any number from 0 on.
    Number,
    /// A list of up to this many texts.
    Texts(usize),
}

const fn required(name: &'static str, kind: Kind, description: &'static str) -> Argument {
    Argument {
        name,
        kind,
        is_required: true,
        description,
    }
}

const fn optional(name: &'static str, kind: Kind, description: &'static str) -> Argument {
    Argument {
        name,
        kind,
        is_required: false,
        description,
    }
}

/// Maximum number of domains of a batch; for longer lists use `sitelog batch` or the pages.
const MAX_DOMAINS: usize = 1000;
/// Maximum number of rows of a result.
pub(super) const MAX_ROWS: u64 = 50;
/// Maximum number of URLs of a result.
pub(super) const MAX_URLS: u64 = 200;
/// Maximum seconds of a call: clients stop waiting after a minute.
pub(super) const LONGEST_WAIT: u64 = 50;

const DOMAIN: Argument = required("domain", Kind::Text, "A domain or URL, for example example.com");
const CURSOR: Argument = optional(
    "cursor",
    Kind::Text,
    "The value `next` of the previous result, to get the page after it",
);
const LIMIT: Argument = optional(
    "limit",
    Kind::Whole(1, MAX_ROWS),
    "Maximum number of items, by default 20",
);

#[rustfmt::skip]
pub(super) const TOOLS: [Tool; 9] = [
    Tool {
        name: "scan_domain", title: "Scan a domain", writes: true,
        description: "Scans a website now and returns who runs it, contacts, profiles and technologies. Takes a few seconds. If it does not end in time, the result has the status pending: call get_domain later.",
        arguments: &[
            DOMAIN,
            optional("max_age_days", Kind::Number, "Reuse a completed scan from the last N days, if there is one"),
            optional("max_pages", Kind::Whole(1, 100), "Maximum number of pages to read, by default 4"),
            optional("wait_seconds", Kind::Whole(0, LONGEST_WAIT), "How long to wait for the result, by default 45"),
        ],
    },
    Tool {
        name: "scan_batch", title: "Scan several domains", writes: true,
        description: "Requests scans of up to 1,000 domains and returns a batch_id at once. Then call batch_status.",
        arguments: &[
            required("domains", Kind::Texts(MAX_DOMAINS), "Domains or URLs"),
            optional("max_age_days", Kind::Number, "Skip domains with a completed scan from the last N days"),
        ],
    },
    Tool {
        name: "batch_status", title: "Progress of a batch", writes: false,
        description: "Returns how many scans of a batch have completed or failed, and why they failed. With wait_seconds it waits for the end of the batch.",
        arguments: &[
            required("batch_id", Kind::Text, "From scan_batch"),
            optional("wait_seconds", Kind::Whole(0, LONGEST_WAIT), "How long to wait for the end, by default 0"),
        ],
    },
    Tool {
        name: "get_domain", title: "What is known about a domain", writes: false,
        description: "Returns what earlier scans found: organization, contacts, profiles, technologies, email and DNS, certificate. Does not scan.",
        arguments: &[DOMAIN],
    },
    Tool {
        name: "search_domains", title: "Find domains", writes: false,
        description: "Lists known domains that match all filters, each with owner, contacts and technologies.",
        arguments: &[
            optional("contains", Kind::Text, "Text in the domain's name or title"),
            optional("batch_id", Kind::Text, "Only domains of this batch"),
            optional("status", Kind::Text, "completed, failed, pending, running or cancelled"),
            optional("technology", Kind::Text, "Name of a technology, for example Shopify"),
            optional("language", Kind::Text, "Language tag, for example de"),
            optional("has_email", Kind::Truth, "With (true) or without (false) an email address"),
            optional("has_phone", Kind::Truth, "With (true) or without (false) a phone number"),
            optional("is_wordpress", Kind::Truth, "Runs WordPress or not"),
            optional("site_state", Kind::Text, "For example parked or under_construction"),
            optional("email_provider", Kind::Text, "For example Google Workspace"),
            optional("tls_expires_before", Kind::Text, "A date: certificates that expire before it"),
            LIMIT,
            CURSOR,
        ],
    },
    Tool {
        name: "domain_history", title: "History of a domain", writes: false,
        description: "Lists what the latest scans of a domain changed, newest first: field, value before and after, time.",
        arguments: &[DOMAIN, optional("field", Kind::Text, "Only this field, for example title"), LIMIT, CURSOR],
    },
    Tool {
        name: "list_changes", title: "Recent changes", writes: false,
        description: "Lists what scans changed in all domains, newest first.",
        arguments: &[
            optional("since", Kind::Text, "Only changes after this time (RFC 3339) or log position"),
            optional("field", Kind::Text, "Only changes of this field, for example email_addresses"),
            optional("domain", Kind::Text, "Only this domain"),
            optional("batch_id", Kind::Text, "Only scans of this batch"),
            LIMIT,
            CURSOR,
        ],
    },
    Tool {
        name: "read_sitemap", title: "URLs of a site", writes: false,
        description: "Lists the URLs in the sitemaps of a scanned domain, with their dates.",
        arguments: &[DOMAIN, optional("limit", Kind::Whole(1, MAX_URLS), "Maximum number of URLs, by default 50"), CURSOR],
    },
    Tool {
        name: "explain_value", title: "Where a value was found", writes: false,
        description: "Shows the evidence of a value that is known about a domain: the page, the text or element, and the scan. The value may be an email address, a phone number, a profile, a technology, or a name such as an email provider.",
        arguments: &[DOMAIN, required("value", Kind::Text, "The value as it was returned, for example info@example.com or Shopify")],
    },
];

impl Tool {
    /// As the protocol describes it.
    pub(super) fn described(&self) -> rmcp::model::Tool {
        let properties: Map<String, Value> = self
            .arguments
            .iter()
            .map(|argument| (argument.name.to_owned(), argument.schema()))
            .collect();
        let needed: Vec<&str> = self
            .arguments
            .iter()
            .filter(|argument| argument.is_required)
            .map(|argument| argument.name)
            .collect();
        let mut schema = Map::new();
        schema.insert("type".to_owned(), "object".into());
        schema.insert("properties".to_owned(), properties.into());
        schema.insert("required".to_owned(), needed.into());
        schema.insert("additionalProperties".to_owned(), false.into());
        let hints = ToolAnnotations::with_title(self.title)
            .read_only(!self.writes)
            .destructive(false)
            .open_world(self.writes);
        rmcp::model::Tool::new(self.name, self.description, Arc::new(schema))
            .with_title(self.title)
            .with_annotations(hints)
    }
}

impl Argument {
    fn schema(&self) -> Value {
        let mut schema = match self.kind {
            Kind::Text => json!({ "type": "string" }),
            Kind::Truth => json!({ "type": "boolean" }),
            Kind::Whole(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
            Kind::Number => json!({ "type": "number", "minimum": 0 }),
            Kind::Texts(most) => {
                json!({ "type": "array", "items": { "type": "string" }, "minItems": 1, "maxItems": most })
            }
        };
        schema["description"] = self.description.into();
        schema
    }
}

/// The error for an unknown tool.
pub(super) fn unknown(name: &str) -> String {
    let nearest = nearest(name, TOOLS.iter().map(|tool| tool.name));
    format!("There is no tool '{name}'{}.", did_you_mean(nearest))
}
