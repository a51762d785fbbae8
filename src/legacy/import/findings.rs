//! Converts the predecessor's results to findings. Values that have no equivalent remain in the row, which is stored
//! completely.

use serde_json::{Value, json};

use super::row::OldRow;
use crate::values::Findings;
use crate::values::findings::{ContactInfo, SocialLinks, TechStack};

/// For months the predecessor stored made-up pages over real data; their titles end so.
const FABRICATED: &str = " - Temporary Bypass";

/// Findings to seal, and the values that were repaired.
#[derive(Debug)]
pub(super) struct OldFindings {
    pub(super) content: Value,
    pub(super) emails: usize,
    pub(super) phones: usize,
    /// Whether there was anything.
    pub(super) any: bool,
}

/// From the columns of a domain.
pub(super) fn of_domain(row: &OldRow, notes: &mut Vec<&'static str>) -> OldFindings {
    let found = if is_fabricated(row.text("title").as_deref()) {
        notes.push("fabricated_metadata");
        Findings::default()
    } else {
        Findings {
            title: row.text("title"),
            description: row.text("description"),
            language: row.text("language"),
            is_wordpress: row.boolean("is_wordpress"),
            wordpress_version: row.text("wordpress_version"),
            has_elementor: row.boolean("has_elementor"),
            favicon_url: row.text("favicon_url"),
            logo_url: row.text("logo_url"),
            contact_info: ContactInfo {
                email: row.texts("email_addresses"),
                phone: row.texts("phone_numbers"),
            },
            social_links: SocialLinks {
                facebook: row.text("facebook_url"),
                twitter: row.text("twitter_url"),
                linkedin: row.text("linkedin_url"),
                instagram: row.text("instagram_url"),
                youtube: row.text("youtube_url"),
            },
            tech_stack: categories(row.value("tech_stack")),
            ..Findings::default()
        }
    };
    sealed(&found)
}

/// From the result of a job: `site_data` of the later generations, or the metadata itself.
pub(super) fn of_job(row: &OldRow, notes: &mut Vec<&'static str>) -> OldFindings {
    let result = [row.value("result_data"), row.value("result")]
        .into_iter()
        .find(|result| result.is_object())
        .unwrap_or(&Value::Null);
    let site = [
        &result["site_data"]["metadata"],
        &result["site_data"],
        &result["metadata"],
        result,
    ]
    .into_iter()
    .find(|site| site.get("title").is_some() || site.get("contact_info").is_some());
    let mut found = Findings::default();
    if let Some(site) = site {
        if is_fabricated(site["title"].as_str()) {
            notes.push("fabricated_metadata");
        } else {
            found = of_metadata(site);
        }
    }
    sealed(&found)
}

/// The twelve keys, each taken if it is what it should be.
fn of_metadata(site: &Value) -> Findings {
    let text = |key: &str| site[key].as_str().map(str::to_owned);
    let flag = |key: &str| site[key].as_bool().unwrap_or_default();
    let texts = |value: &Value| {
        let items = value.as_array().into_iter().flatten().filter_map(Value::as_str);
        items.map(|item| item.trim().to_owned()).collect::<Vec<_>>()
    };
    let link = |network: &str| site["social_links"][network].as_str().map(str::to_owned);
    Findings {
        title: text("title"),
        description: text("description"),
        language: text("language"),
        is_wordpress: flag("is_wordpress"),
        wordpress_version: text("wordpress_version"),
        has_elementor: flag("has_elementor"),
        favicon_url: text("favicon_url"),
        logo_url: text("logo_url"),
        contact_info: ContactInfo {
            email: texts(&site["contact_info"]["email"]),
            phone: texts(&site["contact_info"]["phone"]),
        },
        social_links: SocialLinks {
            facebook: link("facebook"),
            twitter: link("twitter"),
            linkedin: link("linkedin"),
            instagram: link("instagram"),
            youtube: link("youtube"),
        },
        tech_stack: categories(&site["tech_stack"]),
        performance: serde_json::from_value(site["performance"].clone()).unwrap_or_default(),
        ..Findings::default()
    }
}

fn categories(stack: &Value) -> TechStack {
    let category = |name: &str| {
        let items = stack[name].as_array().into_iter().flatten();
        items.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    TechStack {
        cms: category("cms"),
        frameworks: category("frameworks"),
        analytics: category("analytics"),
        widgets: category("widgets"),
    }
}

fn sealed(found: &Findings) -> OldFindings {
    OldFindings {
        content: json!(found),
        emails: found.contact_info.email.len(),
        phones: found.contact_info.phone.len(),
        any: *found != Findings::default(),
    }
}

fn is_fabricated(title: Option<&str>) -> bool {
    title.is_some_and(|title| title.trim_end().ends_with(FABRICATED))
}
