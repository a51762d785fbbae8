//! The scored fields: for each, the right values, when two values are equal, and sitelog's result.

use serde_json::Value;
use sitelog::values::Findings;
use url::Url;

use crate::corpus::Page;
use crate::tools::names_known_to_all;

/// One scored field.
pub struct Field {
    pub name: &'static str,
    /// Whether the wanted values are alternatives, of which one answer is enough.
    pub one_of: bool,
    /// The expected values of a page; `None` if unknown.
    pub wanted: fn(&Page) -> Option<Vec<String>>,
    pub same: fn(&str, &str) -> bool,
    pub ours: fn(&Findings) -> Vec<String>,
}

const fn one(
    name: &'static str,
    wanted: fn(&Page) -> Option<Vec<String>>,
    same: fn(&str, &str) -> bool,
    ours: fn(&Findings) -> Vec<String>,
) -> Field {
    let one_of = true;
    Field {
        name,
        one_of,
        wanted,
        same,
        ours,
    }
}

const fn many(
    name: &'static str,
    wanted: fn(&Page) -> Option<Vec<String>>,
    same: fn(&str, &str) -> bool,
    ours: fn(&Findings) -> Vec<String>,
) -> Field {
    let one_of = false;
    Field {
        name,
        one_of,
        wanted,
        same,
        ours,
    }
}

/// All fields. `asserted`: by the project that the page is from; `stated`: by the page itself.
pub const FIELDS: &[Field] = &[
    one(
        "title asserted",
        |page| asserted(page, &["title"]),
        same_text,
        |found| list(found.title.as_ref()),
    ),
    one(
        "headline asserted",
        |page| asserted(page, &["title"]),
        same_text,
        |found| list(found.headline.as_ref()),
    ),
    one(
        "title either",
        |page| {
            known(
                [
                    asserted(page, &["title"]),
                    stated(page, &["html_title", "og_title"]),
                ]
                .into_iter()
                .flatten()
                .flatten()
                .collect(),
            )
        },
        same_text,
        |found| list(found.title.as_ref()),
    ),
    one(
        "title stated",
        |page| stated(page, &["html_title", "og_title"]),
        same_text,
        |found| list(found.title.as_ref()),
    ),
    one(
        "description asserted",
        |page| asserted(page, &["description", "excerpt", "meta_description"]),
        same_description,
        |found| list(found.description.as_ref()),
    ),
    one(
        "description stated",
        |page| {
            stated(
                page,
                &["meta_description", "og_description", "twitter_description"],
            )
        },
        same_description,
        |found| list(found.description.as_ref()),
    ),
    one(
        "site name",
        |page| asserted(page, &["siteName", "publisher", "meta_site_name"]),
        same_text,
        |found| list(found.site_name.as_ref()),
    ),
    one("language", languages, same_language, |found| {
        list(found.language.as_ref())
    }),
    one("favicon", favicons, same_url, |found| {
        list(found.favicon_url.as_ref())
    }),
    one("logo", logos, same_url, |found| list(found.logo_url.as_ref())),
    one("image", images, same_url, |found| list(found.image_url.as_ref())),
    one(
        "canonical",
        |page| Some(texts(&page.facts["canonical"])),
        same_url,
        |found| list(found.canonical_url.as_ref()),
    ),
    many(
        "feeds",
        |page| Some(texts(&page.facts["feeds"])),
        same_url,
        |found| found.feeds.clone(),
    ),
    many("email", emails, same_email, |found| {
        found.contact_info.email.clone()
    }),
    many("phone", phones, same_phone, |found| {
        found.phones.iter().map(|phone| phone.raw.clone()).collect()
    }),
    many("phone, marked", phones, same_phone, |found| {
        let marked = found.phones.iter().filter(|phone| phone.source != "text");
        marked.map(|phone| phone.raw.clone()).collect()
    }),
    many("socials", socials, same_profile, |found| {
        let listed = found
            .socials
            .iter()
            .filter(|social| NETWORKS.contains(&social.network.as_str()));
        listed.map(|social| social.url.clone()).collect()
    }),
    many("technologies", technologies, same_name, |found| {
        let names = found.technologies.iter().map(|technology| &technology.name);
        names.filter(|name| names_known_to_all(name)).cloned().collect()
    }),
    one(
        "wordpress",
        |page| Some(runs_wordpress(page)),
        same_text,
        |found| truth(found.is_wordpress),
    ),
    one("wordpress version", wordpress_versions, same_text, |found| {
        list(found.wordpress_version.as_ref())
    }),
    one(
        "elementor",
        |page| Some(runs_elementor(page)),
        same_text,
        |found| truth(found.has_elementor),
    ),
    one("elementor version", elementor_versions, same_text, |found| {
        let elementor = found
            .technologies
            .iter()
            .find(|technology| technology.name == "Elementor");
        list(elementor.and_then(|technology| technology.version.as_ref()))
    }),
];

fn list(value: Option<&String>) -> Vec<String> {
    value.cloned().into_iter().collect()
}

fn truth(value: bool) -> Vec<String> {
    if value { vec!["yes".to_owned()] } else { Vec::new() }
}

/// The texts of a value, be it one or a list.
pub fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

fn known(values: Vec<String>) -> Option<Vec<String>> {
    (!values.is_empty()).then_some(values)
}

/// What any of the source projects asserts under one of the keys.
fn asserted(page: &Page, keys: &[&str]) -> Option<Vec<String>> {
    let projects = page
        .expected
        .as_object()
        .into_iter()
        .flat_map(|projects| projects.values());
    known(
        projects
            .flat_map(|project| keys.iter().flat_map(|key| texts(&project[*key])))
            .collect(),
    )
}

fn stated(page: &Page, keys: &[&str]) -> Option<Vec<String>> {
    known(keys.iter().flat_map(|key| texts(&page.facts[*key])).collect())
}

fn languages(page: &Page) -> Option<Vec<String>> {
    asserted(page, &["lang", "language", "meta_lang"]).or_else(|| stated(page, &["html_lang"]))
}

fn favicons(page: &Page) -> Option<Vec<String>> {
    let mut found: Vec<String> = page.facts["icons"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|icon| {
            icon["rel"]
                .as_str()
                .is_some_and(|rel| rel.contains("icon") && !rel.contains("mask"))
        })
        .flat_map(|icon| texts(&icon["abs"]))
        .collect();
    found.extend(asserted(page, &["favicon", "meta_favicon"]).unwrap_or_default());
    let best = page.expected["besticon"]["best_icons"]
        .as_array()
        .into_iter()
        .flatten();
    found.extend(best.flat_map(|icon| texts(&icon["url"])));
    known(found)
}

/// The logos of organizations, except names of other nodes (`#logo`), which are not pictures.
fn logos(page: &Page) -> Option<Vec<String>> {
    let organizations = page.facts["jsonld_orgs"].as_array().into_iter().flatten();
    let mut found: Vec<String> = organizations
        .flat_map(|organization| texts(&organization["logo"]))
        .filter_map(|logo| page.raw.url.join(&logo).ok())
        .filter(|logo| logo.fragment().is_none())
        .map(String::from)
        .collect();
    found.extend(asserted(page, &["logo", "logo_any_of"]).unwrap_or_default());
    known(found)
}

fn images(page: &Page) -> Option<Vec<String>> {
    let mut found = stated(page, &["og_image"]).unwrap_or_default();
    found.extend(asserted(page, &["image", "top_image"]).unwrap_or_default());
    known(found)
}

fn emails(page: &Page) -> Option<Vec<String>> {
    let mut found = stated(page, &["mailto", "cfemail"])?;
    found.retain(|address| address.contains('@'));
    known(found)
}

/// Links to telephone numbers, except addresses and fax numbers.
fn phones(page: &Page) -> Option<Vec<String>> {
    let html = String::from_utf8_lossy(&page.raw.bytes);
    let mut found = stated(page, &["tel"])?;
    found.retain(|number| !number.contains('@'));
    found.retain(|number| {
        let shown = html.match_indices(number.as_str());
        let mut labels = shown.map(|(at, _)| &html[html.floor_char_boundary(at.saturating_sub(12))..at]);
        !labels.any(|label| label.to_lowercase().contains("fax"))
    });
    known(found)
}

/// The networks whose links the corpus lists.
const NETWORKS: &[&str] = &[
    "facebook",
    "twitter",
    "linkedin",
    "instagram",
    "youtube",
    "tiktok",
    "pinterest",
    "github",
    "xing",
    "vimeo",
    "threads",
    "bluesky",
    "telegram",
];

/// Links to networks, except share buttons, posts and the networks' own pages.
fn socials(page: &Page) -> Option<Vec<String>> {
    let mut found: Vec<String> = Vec::new();
    for network in NETWORKS {
        for link in texts(&page.facts["social_links"][*network]) {
            if is_profile(&link) && !found.iter().any(|known| same_profile(known, &link)) {
                found.push(link);
            }
        }
    }
    known(found)
}

fn is_profile(link: &str) -> bool {
    const NEVER: &[&str] = &[
        "share",
        "sharer",
        "sharer.php",
        "share.php",
        "intent",
        "dialog",
        "sharearticle",
        "cws",
        "sharing",
        "pin",
        "hashtag",
        "search",
        "home",
        "plugins",
        "watch",
        "embed",
        "results",
        "playlist",
        "p",
        "reel",
        "status",
        "statuses",
        "posts",
        "photos",
        "videos",
        "events",
        "story.php",
        "permalink.php",
        "photo.php",
        "shorts",
        "i",
        "explore",
        "login",
        "tr",
        "feed",
        "v",
        "video",
        "photo",
        "help",
        "policies",
        "privacy",
        "legal",
        "about",
        "home.php",
        "login.php",
        "l.php",
        "tos",
        "t",
        "live",
        "pulse",
        "jobs",
        "redir",
        "company-beta",
        "uas",
        // The networks' own pages.
        "upload",
        "settings",
        "psettings",
        "preferences",
        "messages",
        "messaging",
        "account",
        "accounts",
        "signup",
        "premium",
        "games",
        "creators",
        "ads",
        "yt",
        "inbox",
        "upgrade-plan",
        "subscription_center",
        "spi",
    ];
    let Ok(url) = Url::parse(link) else { return false };
    let mut segments = url
        .path()
        .split('/')
        .filter(|segment| !segment.is_empty())
        .peekable();
    let host_is_short = url
        .host_str()
        .is_some_and(|host| matches!(host, "youtu.be" | "pin.it" | "lnkd.in" | "t.co"));
    segments.peek().is_some()
        && !host_is_short
        && segments.all(|segment| !NEVER.contains(&segment.to_ascii_lowercase().as_str()))
}

fn technologies(page: &Page) -> Option<Vec<String>> {
    let names = texts(&page.oracle["wappalyzergo_2026-08-16"]);
    known(
        names
            .iter()
            .filter_map(|name| name.split(':').next().map(str::to_owned))
            .collect(),
    )
}

fn runs_wordpress(page: &Page) -> Vec<String> {
    let markers = &page.facts["wp_markers"];
    let says = texts(&page.facts["generators"])
        .iter()
        .any(|name| name.starts_with("WordPress"));
    truth(says || markers["wp_includes"].as_u64() > Some(0) || page.facts["wp_theme"].is_string())
}

fn runs_elementor(page: &Page) -> Vec<String> {
    let markers = &page.facts["wp_markers"];
    let says = texts(&page.facts["generators"])
        .iter()
        .any(|name| name.starts_with("Elementor"));
    truth(says || markers["elementor_plugin"].as_u64() > Some(0))
}

fn wordpress_versions(page: &Page) -> Option<Vec<String>> {
    let generators = texts(&page.facts["generators"]);
    let versions = generators
        .iter()
        .filter_map(|name| name.strip_prefix("WordPress "));
    known(
        versions
            .filter(|version| version.starts_with(|first: char| first.is_ascii_digit()))
            .map(str::to_owned)
            .collect(),
    )
}

/// What the page states. Asset URLs do not: the first of them has the version of the icons that come with it.
fn elementor_versions(page: &Page) -> Option<Vec<String>> {
    let mut versions = stated(page, &["elementor_config_ver"]).unwrap_or_default();
    let generators = texts(&page.facts["generators"]);
    let named = generators
        .iter()
        .filter_map(|name| name.strip_prefix("Elementor "));
    versions.extend(named.filter_map(|rest| rest.split([' ', ';']).next().map(str::to_owned)));
    known(versions)
}

fn same_text(one: &str, other: &str) -> bool {
    plain(one) == plain(other)
}

/// Removes tags and references from a description.
fn same_description(one: &str, other: &str) -> bool {
    let text = |html: &str| {
        scraper::Html::parse_fragment(html)
            .root_element()
            .text()
            .collect::<String>()
    };
    same_text(&text(one), &text(other))
}

/// Normalises typographic characters.
fn plain(text: &str) -> String {
    let text: String = text
        .to_lowercase()
        .chars()
        .map(|character| match character {
            '’' | '‘' | '`' => '\'',
            '“' | '”' | '„' | '«' | '»' => '"',
            '–' | '—' => '-',
            other => other,
        })
        .filter(|character| !matches!(character, '\u{ad}' | '\u{200b}'))
        .collect();
    let text = text.replace('…', "...");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn same_language(one: &str, other: &str) -> bool {
    let primary = |tag: &str| tag.split(['-', '_']).next().map(str::to_ascii_lowercase);
    primary(one) == primary(other)
}

/// Scheme, `www.` in front and a slash at the end make no other URL here.
fn same_url(one: &str, other: &str) -> bool {
    let bare = |url: &str| {
        let url = Url::parse(url.trim()).map_or_else(|_| url.to_owned(), String::from);
        // Where the page's place is not known, paths are compared.
        let url = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
        let url = url
            .strip_prefix("localhost")
            .or_else(|| url.strip_prefix("//"))
            .unwrap_or(url);
        url.trim_end_matches('/').to_owned()
    };
    bare(one) == bare(other)
}

fn same_email(one: &str, other: &str) -> bool {
    one.trim().eq_ignore_ascii_case(other.trim())
}

/// The same digits, ignoring the country prefix.
fn same_phone(one: &str, other: &str) -> bool {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let (one, other) = (digits(one), digits(other));
    let tail = |text: &str| text.chars().rev().take(8).collect::<String>();
    one.len() >= 6 && other.len() >= 6 && tail(&one) == tail(&other)
}

/// The same network and name.
fn same_profile(one: &str, other: &str) -> bool {
    let bare = |url: &str| {
        let Ok(url) = Url::parse(url.trim()) else {
            return url.to_owned();
        };
        let host = url
            .host_str()
            .unwrap_or_default()
            .to_ascii_lowercase()
            .replace("x.com", "twitter.com");
        let mut labels: Vec<&str> = host.rsplit('.').take(2).collect();
        labels.reverse();
        let id = url
            .query_pairs()
            .find(|(name, _)| name == "id")
            .map(|(_, id)| id.into_owned());
        let id = id
            .filter(|_| url.path().contains("profile.php"))
            .unwrap_or_default();
        let path = url
            .path()
            .trim_matches('/')
            .trim_start_matches('@')
            .to_ascii_lowercase();
        let kept: Vec<&str> = path
            .split('/')
            .take(if host.contains("linkedin") || host.contains("youtube") {
                2
            } else {
                3
            })
            .collect();
        format!("{}/{}{id}", labels.join("."), kept.join("/"))
    };
    let (one, other) = (bare(one), bare(other));
    // What follows the name (`/about`, `/videos`) is a part of the profile.
    one == other || one.starts_with(&format!("{other}/")) || other.starts_with(&format!("{one}/"))
}

/// Names differ in case and signs from set to set.
pub fn same_name(one: &str, other: &str) -> bool {
    let bare = |name: &str| -> String {
        name.chars()
            .filter(|character| character.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect()
    };
    bare(one) == bare(other)
}
