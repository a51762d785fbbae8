//! The results of other tools for the same pages, from the corpus.

use serde_json::Value;

use crate::corpus::Page;
use crate::fields::texts;

/// Another tool: its name and its answer for a field, `None` if it has none for this field.
pub struct Tool {
    pub name: &'static str,
    pub answer: fn(&Page, &str) -> Option<Vec<String>>,
}

/// The tools whose answers lie in the corpus.
pub const TOOLS: &[Tool] = &[
    Tool {
        name: "metascraper",
        answer: |page, field| {
            let key = match field {
                "headline asserted" | "title asserted" | "title either" | "title stated" => "title",
                "description asserted" | "description stated" => "description",
                "site name" => "publisher",
                "language" => "lang",
                "logo" => "logo",
                "image" => "image",
                "canonical" => "url",
                _ => return None,
            };
            Some(texts(&page.oracle["metascraper_5.49.24"][key]))
        },
    },
    Tool {
        name: "ogs",
        answer: |page, field| {
            let key = match field {
                "headline asserted" | "title asserted" | "title either" | "title stated" => "ogTitle",
                "description asserted" | "description stated" => "ogDescription",
                "site name" => "ogSiteName",
                "language" => "ogLocale",
                "image" => "ogImage",
                "favicon" => "favicon",
                _ => return None,
            };
            let found = texts(&page.oracle["open_graph_scraper"][key]);
            let is_url = matches!(field, "image" | "favicon");
            let joined = |url: String| page.raw.url.join(&url).map_or(url, String::from);
            Some(if is_url {
                found.into_iter().map(joined).collect()
            } else {
                found
            })
        },
    },
    Tool {
        name: "trafilatura",
        answer: |page, field| {
            let key = match field {
                "headline asserted" | "title asserted" | "title either" | "title stated" => "title",
                "description asserted" | "description stated" => "description",
                "site name" => "sitename",
                "image" => "image",
                "canonical" => "url",
                _ => return None,
            };
            Some(texts(&page.oracle["trafilatura_2.3.1"][key]))
        },
    },
    Tool {
        name: "crawlee",
        answer: |page, field| {
            let keys: &[&str] = match field {
                "email" => &["emails"],
                "phone" | "phone, marked" => &["phones"],
                "socials" => &[
                    "twitters",
                    "facebooks",
                    "instagrams",
                    "linkedIns",
                    "youtubes",
                    "tiktoks",
                    "pinterests",
                ],
                _ => return None,
            };
            let found = &page.oracle["crawlee_utils_3.18.1_social"];
            Some(keys.iter().flat_map(|key| texts(&found[*key])).collect())
        },
    },
    Tool {
        name: "predecessor",
        answer: |page, field| {
            let found = &page.oracle["scrapersky_python"];
            let of = |value: &Value| Some(texts(value));
            let truth = |value: &Value| {
                Some(
                    value
                        .as_bool()
                        .filter(|yes| *yes)
                        .map(|_| "yes".to_owned())
                        .into_iter()
                        .collect(),
                )
            };
            match field {
                "headline asserted" | "title asserted" | "title either" | "title stated" => {
                    of(&found["title"])
                }
                "description asserted" | "description stated" => of(&found["description"]),
                "language" => of(&found["language"]),
                "favicon" => of(&found["favicon_url"]),
                "logo" => of(&found["logo_url"]),
                "email" => of(&found["contact_info"]["email"]),
                "phone" | "phone, marked" => of(&found["contact_info"]["phone"]),
                "socials" => Some(
                    found["social_links"]
                        .as_object()
                        .into_iter()
                        .flatten()
                        .flat_map(|(_, url)| texts(url))
                        .collect(),
                ),
                "wordpress" => truth(&found["is_wordpress"]),
                "wordpress version" => of(&found["wordpress_version"]),
                "elementor" => truth(&found["has_elementor"]),
                _ => None,
            }
        },
    },
];

/// Whether a name is one that the sets compared have a sign for on plain pages; the rest (servers, hosting) would
/// count as wrong for want of header fields in the other tool's input.
pub fn names_known_to_all(name: &str) -> bool {
    const ONLY_IN_HEADERS: &[&str] = &[
        "nginx",
        "openresty",
        "apache http server",
        "litespeed",
        "iis",
        "caddy",
        "varnish",
    ];
    !ONLY_IN_HEADERS.contains(&name.to_ascii_lowercase().as_str())
}
