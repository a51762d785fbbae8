//! A change as text for people: in feeds, chats, emails and pages.

use serde_json::Value;

/// What a field is called: as on the page of a domain.
pub fn field_words(name: &str) -> String {
    let label = match name {
        "status" => "Status of the scan",
        "sitemap_urls" => "URLs in the sitemaps",
        "favicon_url" | "icon" => "Icon",
        "logo_url" | "logo" => "Logo",
        "image_url" => "Image",
        "canonical_url" => "Canonical URL",
        "final_url" => "Home page",
        "is_wordpress" => "WordPress",
        "wordpress_version" => "WordPress version",
        "has_elementor" => "Elementor",
        "elementor_version" => "Elementor version",
        "email_addresses" => "Email addresses",
        "facebook_url" => "Facebook",
        "twitter_url" => "X (Twitter)",
        "linkedin_url" => "LinkedIn",
        "instagram_url" => "Instagram",
        "youtube_url" => "YouTube",
        "organization.name" => "Organization",
        "organization.legal_name" => "Legal name",
        "organization.address" => "Address",
        "organization.identifiers" => "Identifiers",
        "socials" => "Profiles",
        "email_provider" => "Email provider",
        "dns_host" => "DNS host",
        "cdn" => "CDN",
        "spf" => "SPF",
        "dmarc" => "DMARC",
        "certificate.valid_to" => "Certificate expires",
        "certificate.fault" => "Certificate error",
        "crawlers.refused" => "Disallowed crawlers",
        "security_txt.contact" => "security.txt: contact",
        "security_txt.expires" => "security.txt: expires",
        "security_txt.is_expired" => "security.txt: expired",
        "ads_txt.direct" => "ads.txt: direct sellers",
        "ads_txt.reseller" => "ads.txt: resellers",
        "ads_txt.owner_domain" => "ads.txt: owner",
        "humans_txt" => "humans.txt",
        "llms_txt.title" => "llms.txt: title",
        "dns.ns" => "Name servers",
        "dns.mx" => "Mail servers",
        "site_state" => "Site type",
        "tech_stack" => "Technologies by category",
        _ => return sentence(&name.replace(['_', '.'], " ")),
    };
    label.to_owned()
}

/// A code in words: `quota_reached` is "quota reached".
pub fn code_words(code: &str) -> String {
    code.replace('_', " ")
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

/// A value as text, with at most this many characters.
pub fn value_words(value: &Value, most: usize) -> String {
    let text = whole(value);
    if text.is_empty() {
        return "–".to_owned();
    }
    if text.chars().count() <= most {
        return text;
    }
    text.chars().take(most).chain(['…']).collect()
}

fn whole(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items = items.iter().map(|item| value_words(item, usize::MAX));
            items.collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_cut_and_no_value_is_a_dash() {
        let long = value_words(&Value::from("x".repeat(15)), 10);
        assert_eq!(long, format!("{}…", "x".repeat(10)));
        assert_eq!(value_words(&serde_json::json!(["a", null, 5]), 99), "a, –, 5");
        assert_eq!(field_words("phone_numbers"), "Phone numbers");
        assert_eq!(field_words("twitter_url"), "X (Twitter)");
        let internal = |name: &str| field_words(name).contains(['_']);
        assert!(
            !super::super::domain_change::field_names()
                .into_iter()
                .any(internal)
        );
    }
}
