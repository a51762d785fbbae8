//! The known findings of a domain as a list of fields, under the names that the API, the history and changes use.

use serde_json::{Value, json};

use super::Findings;

/// A field by its name, with its value.
pub type DomainField = (&'static str, Value);

/// The type of a column in formats with types (Parquet, workbooks); any value may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// A text.
    Text,
    /// A list of texts.
    TextList,
    /// A whole number.
    Integer,
    /// Any number.
    Float,
    /// True or false.
    Boolean,
    /// A moment: RFC 3339.
    Time,
}

/// A finding that is a plain value and needs nothing special: a row of [`PLAIN_FINDINGS`] is all that changes, the
/// history, the card of a domain and exports have to know of it.
#[derive(Clone, Copy, Debug)]
pub struct PlainFinding {
    /// Its field in [`Findings`], and its column in exports.
    pub name: &'static str,
    /// Where it is in the API's domain (RFC 6901).
    pub pointer: &'static str,
    /// The type of its column.
    pub kind: ColumnType,
    value: fn(&Findings) -> Value,
}

macro_rules! plain_findings {
    ($($name:ident $kind:ident)+) => {
        /// The plain findings. New ones come at the end: columns of exports keep their order.
        pub const PLAIN_FINDINGS: &[PlainFinding] = &[$(PlainFinding {
            name: stringify!($name),
            pointer: concat!("/meta_json/", stringify!($name)),
            kind: ColumnType::$kind,
            value: |known| json!(known.$name),
        },)+];
    };
}

// The field in `Findings`, and the type of its column.
plain_findings! {
    headline Text
}

/// The plain findings with their values.
pub fn plain_fields(known: &Findings) -> Vec<DomainField> {
    let fields = PLAIN_FINDINGS
        .iter()
        .map(|plain| (plain.name, (plain.value)(known)));
    fields.collect()
}

/// The fields that are columns of the read model `domains` as well.
pub fn read_model_columns(known: &Findings) -> Vec<DomainField> {
    vec![
        ("title", json!(known.title)),
        ("description", json!(known.description)),
        ("language", json!(known.language)),
        ("favicon_url", json!(known.favicon_url)),
        ("logo_url", json!(known.logo_url)),
        ("image_url", json!(known.image_url)),
        ("canonical_url", json!(known.canonical_url)),
        ("final_url", json!(known.final_url)),
        ("is_wordpress", json!(known.is_wordpress)),
        ("wordpress_version", json!(known.wordpress_version)),
        ("has_elementor", json!(known.has_elementor)),
        ("email_addresses", json!(known.contact_info.email)),
        ("phone_numbers", json!(known.contact_info.phone)),
        ("facebook_url", json!(known.social_links.facebook)),
        ("twitter_url", json!(known.social_links.twitter)),
        ("linkedin_url", json!(known.social_links.linkedin)),
        ("instagram_url", json!(known.social_links.instagram)),
        ("youtube_url", json!(known.social_links.youtube)),
    ]
}

/// The fields that are not columns of the read model: the plain findings and the parts of others.
pub fn other_fields(known: &Findings) -> Vec<DomainField> {
    let organization = known.organization.clone().unwrap_or_default();
    let dns = known.dns.clone().unwrap_or_default();
    let certificate = known.certificate.clone().unwrap_or_default();
    let security = known.security_txt.clone().unwrap_or_default();
    let ads = known.ads_txt.clone().unwrap_or_default();
    // Which checks found something. How often changes with each page that a site gets.
    let faults = known.sitemap_audit.iter().flat_map(|audit| &audit.faults);
    let faults: Vec<_> = faults.map(|fault| &fault.check).collect();
    let refused = known.crawlers.iter().flat_map(|crawlers| &crawlers.refused);
    let refused: Vec<&str> = refused.map(|crawler| crawler.name.as_str()).collect();
    let socials: Vec<&str> = known.socials.iter().map(|social| social.url.as_str()).collect();
    let technologies: Vec<String> = known
        .technologies
        .iter()
        .map(|technology| match &technology.version {
            Some(version) => format!("{} {version}", technology.name),
            None => technology.name.clone(),
        })
        .collect();
    let mut fields = vec![
        ("site_name", json!(known.site_name)),
        ("organization.name", json!(organization.name)),
        ("organization.legal_name", json!(organization.legal_name)),
        ("organization.address", json!(organization.address)),
        ("organization.identifiers", json!(organization.identifiers)),
        ("technologies", json!(technologies)),
        ("socials", json!(socials)),
        ("feeds", json!(known.feeds)),
        (
            "email_provider",
            json!(known.email_provider.as_ref().map(|found| &found.name)),
        ),
        (
            "dns_host",
            json!(known.dns_host.as_ref().map(|found| &found.name)),
        ),
        ("cdn", json!(known.cdn.as_ref().map(|found| &found.name))),
        ("hosting", json!(known.hosting.as_ref().map(|found| &found.name))),
        ("spf", json!(known.spf.as_ref().map(|found| &found.policy))),
        ("dmarc", json!(known.dmarc.as_ref().map(|found| &found.policy))),
        (
            "certificate.issuer",
            json!(certificate.issuer_organization.or(certificate.issuer)),
        ),
        ("certificate.valid_to", json!(certificate.valid_to)),
        ("certificate.fault", json!(certificate.fault)),
        ("crawlers.refused", json!(refused)),
        ("security_txt.contact", json!(security.contact)),
        ("security_txt.expires", json!(security.expires)),
        ("security_txt.is_expired", json!(security.is_expired)),
        ("ads_txt.direct", json!(ads.direct)),
        ("ads_txt.reseller", json!(ads.reseller)),
        ("ads_txt.owner_domain", json!(ads.owner_domain)),
        (
            "humans_txt",
            json!(known.humans_txt.as_ref().map(|file| &file.first_lines)),
        ),
        (
            "llms_txt.title",
            json!(known.llms_txt.as_ref().and_then(|file| file.title.as_ref())),
        ),
        ("sitemap_audit", json!(faults)),
        ("dns.ns", json!(dns.ns)),
        ("dns.mx", json!(dns.mx)),
        (
            "site_state",
            json!(known.site_state.as_ref().map(|found| found.state)),
        ),
    ];
    fields.extend(plain_fields(known));
    fields
}

/// Whether a value is empty: what a field holds before anything was found.
pub fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.iter().all(is_nothing),
        Value::Object(fields) => fields.values().all(is_nothing),
    }
}
