//! What the head of a page says: title, description, canonical URL, picture, feeds, sitemaps.

mod page_words;
mod placeholders;
mod site_name;

use std::sync::LazyLock;

use regex::Regex;
use url::Url;

use self::placeholders::{is_no_description, without_separators};
pub(super) use self::site_name::{
    host_names, is_in_host, is_of_another_site, is_site, letters, own_jobs, shown_by, site_name,
};
use super::json_ld::Graph;
use super::outline::Outline;
use crate::scanner::references::resolve_html;
use crate::scanner::site::registrable;
use crate::values::Findings;

/// Maximum characters kept of a description.
const MAX_DESCRIPTION: usize = 5_000;

/// Characters that separate the page's title from the site's name.
const SEPARATORS: &[char] = &[
    '|', '｜', '-', '–', '—', '·', '•', '»', '«', ':', '：', '/', '\\', '›', '~', '@',
];

/// Adds what the head says to the findings of a page.
pub(super) fn add(findings: &mut Findings, page: &Outline, graph: &Graph) {
    findings.title = title(page, graph);
    findings.headline = headline(page, graph);
    findings.site_name = site_name(page, graph);
    findings.description = description(page, graph);
    findings.canonical_url = canonical(page);
    findings.image_url = image(page, graph);
    findings.feeds = feeds(page);
}

/// The title as the page states it: for a home page its `<title>`, for an inner page its title for sharing
/// (`og:title`), which more often lacks the site's name.
fn title(page: &Outline, graph: &Graph) -> Option<String> {
    let shared = meta(page, &["og:title", "twitter:title"]);
    let (first, second) = if is_home(page, graph) || is_shared_as_home(page) {
        (page.title.clone(), shared)
    } else {
        (shared, page.title.clone())
    };
    first
        .or(second)
        .or_else(|| stated_headline(graph))
        .or_else(|| page.headings.first().cloned())
}

/// The title without the site's name: the part of `<title>` that the title for sharing, the JSON-LD or a heading
/// repeats; otherwise the title for sharing or `<title>`, with the site's name removed.
fn headline(page: &Outline, graph: &Graph) -> Option<String> {
    let Some(whole) = page.title.clone() else {
        return title(page, graph);
    };
    let shared = meta(page, &["og:title", "twitter:title"]).filter(|_| !is_shared_as_home(page));
    let site = site_name(page, graph);
    let bare = |text: String| without_site(&text, site.as_deref(), page.url.host_str().unwrap_or_default());
    let stated = shared
        .clone()
        .into_iter()
        .chain(stated_headline(graph))
        .chain(page.headings.iter().cloned());
    // A heading that is the site's name is on all pages of the site.
    let is_site = |text: &String| is_site(text, site.as_deref(), page.url.host_str().unwrap_or_default());
    let part = stated
        .filter(|text| !is_site(text))
        .map(bare)
        .find(|text| is_part(text, &whole));
    let headline = part.or(shared.map(bare)).unwrap_or_else(|| bare(whole));
    Some(without_separators(&headline).to_owned()).filter(|headline| !headline.is_empty())
}

/// Whether this is the home page: at the root path, and not marked as an article. A page whose URL is not known may be
/// either.
fn is_home(page: &Outline, graph: &Graph) -> bool {
    const ARTICLES: &[&str] = &["Article", "NewsArticle", "BlogPosting", "ReportageNewsArticle"];
    let is_article = meta(page, &["og:type"]).is_some_and(|kind| kind.eq_ignore_ascii_case("article"))
        || graph
            .nodes()
            .any(|node| ARTICLES.iter().any(|kind| node.has_type(kind)));
    page.url.path().trim_matches('/').is_empty() && !is_article
}

/// Whether an inner page has copied its data for sharing from the home page: its `og:url` is the home page.
fn is_shared_as_home(page: &Outline) -> bool {
    let shared = meta(page, &["og:url"]).and_then(|url| page.base.join(&url).ok());
    let is_start =
        |url: &Url| url.path().trim_matches('/').is_empty() && url.query().is_none_or(str::is_empty);
    shared.is_some_and(|shared| {
        shared.fragment().is_none()
            && shared.host_str().map(registrable) == page.url.host_str().map(registrable)
            && is_start(&shared)
            && !is_start(&page.url)
    })
}

fn stated_headline(graph: &Graph) -> Option<String> {
    graph.texts("headline").next()
}

/// Whether a title begins or ends with a text, and a separator follows or precedes it.
fn is_part(text: &str, whole: &str) -> bool {
    const SHORTEST: usize = 4;
    let (text, whole) = (folded(text), folded(whole));
    if text.chars().count() < SHORTEST {
        return false;
    }
    let is_apart = |rest: &str| {
        rest.is_empty() || rest.trim().starts_with(SEPARATORS) || rest.trim().ends_with(SEPARATORS)
    };
    whole.strip_prefix(&text).is_some_and(is_apart) || whole.strip_suffix(&text).is_some_and(is_apart)
}

/// Unifies case, quotes, dashes and whitespace: a page may write the same title in several ways.
fn folded(text: &str) -> String {
    let one_kind = |character| match character {
        '’' | '‘' | '`' | '´' => '\'',
        '“' | '”' | '„' | '«' | '»' => '"',
        '–' | '—' => '-',
        other => other,
    };
    let text: String = text.to_lowercase().chars().map(one_kind).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A title without the site's name before or after a separator. The name is the one that the page states, or the
/// host's.
fn without_site(title: &str, site: Option<&str>, host: &str) -> String {
    let is_site = |part: &str| is_site(part, site, host);
    // `… - Acme Blog`.
    let begins_with_site = |part: &str| {
        const SHORTEST: usize = 4;
        let name = site.map(letters).unwrap_or_default();
        name.len() >= SHORTEST && letters(part).starts_with(&name)
    };
    for (at, separator) in title
        .char_indices()
        .filter(|(_, character)| SEPARATORS.contains(character))
    {
        let (before, after) = (title[..at].trim(), title[at + separator.len_utf8()..].trim());
        // A dash within a word is not a separator.
        let stands_apart = title[..at].ends_with(' ') || matches!(separator, ':' | '|' | '｜' | '：');
        if !stands_apart || before.is_empty() || after.is_empty() {
            continue;
        }
        if is_site(after) || begins_with_site(after) {
            return before.to_owned();
        }
        if is_site(before) {
            return after.to_owned();
        }
    }
    title.to_owned()
}

/// The page's description: for a home page its `<meta name=description>`, for an inner page its `og:description`;
/// otherwise the other one, then those of other vocabularies, then that of the JSON-LD.
fn description(page: &Outline, graph: &Graph) -> Option<String> {
    const OTHERS: [&str; 4] = [
        "twitter:description",
        "dcterms.description",
        "dc.description",
        "sailthru.description",
    ];
    let first = if is_home(page, graph) || is_shared_as_home(page) {
        ["description", "og:description"]
    } else {
        ["og:description", "description"]
    };
    let metas = first.iter().chain(&OTHERS).filter_map(|name| meta(page, &[name]));
    let texts = metas.chain(graph.texts("description").take(1));
    let mut texts = texts.map(|text| plain(&text).chars().take(MAX_DESCRIPTION).collect::<String>());
    texts.find(|text| !text.is_empty() && !is_no_description(text))
}

/// Removes tags and resolves character references, which some systems leave in descriptions.
fn plain(text: &str) -> String {
    static TAG: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"</?[a-zA-Z][^<>]*>").expect("the pattern is constant"));
    let resolved = resolve_html(text);
    let without_tags = TAG.replace_all(&resolved, " ");
    if without_tags == text {
        return text.to_owned();
    }
    without_tags.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `<link rel=canonical>`, absolute.
pub(super) fn canonical(page: &Outline) -> Option<String> {
    let link = page.links.iter().find(|link| has_word(&link.rel, "canonical"))?;
    absolute(page, &link.href)
}

/// The absolute URL of the page's picture for sharing, otherwise of the first picture in its JSON-LD.
fn image(page: &Outline, graph: &Graph) -> Option<String> {
    let names = [
        "og:image:secure_url",
        "og:image",
        "og:image:url",
        "twitter:image",
        "twitter:image:src",
        "image",
    ];
    let shared = meta(page, &names).and_then(|url| absolute(page, &url));
    let shared = shared.or_else(|| {
        let link = page.links.iter().find(|link| has_word(&link.rel, "image_src"))?;
        absolute(page, &link.href)
    });
    let of_nodes = || {
        graph
            .nodes()
            .flat_map(|node| [node.texts("image"), node.texts("thumbnailUrl")].concat())
    };
    shared.or_else(|| {
        of_nodes()
            .filter(|url| !url.starts_with('#'))
            .find_map(|url| absolute(page, &url))
    })
}

/// RSS, Atom and JSON feeds, absolute.
fn feeds(page: &Outline) -> Vec<String> {
    const TYPES: &[&str] = &[
        "application/rss+xml",
        "application/atom+xml",
        "application/feed+json",
        "application/rdf+xml",
    ];
    // Blogger links its Atom feed with the relation for posting to it.
    const FEED_RELATIONS: &[&str] = &["alternate", "feed", "service.post"];
    let is_feed = |media_type: &str| TYPES.iter().any(|known| media_type.starts_with(known));
    let links = page.links.iter().filter(|link| {
        FEED_RELATIONS.iter().any(|rel| has_word(&link.rel, rel)) && is_feed(&link.media_type)
    });
    distinct(links.filter_map(|link| absolute(page, &link.href)))
}

/// `<link rel=sitemap>`, absolute.
pub(super) fn sitemaps(page: &Outline) -> Vec<Url> {
    let links = page.links.iter().filter(|link| has_word(&link.rel, "sitemap"));
    links.filter_map(|link| page.base.join(&link.href).ok()).collect()
}

/// The first non-empty content among the `<meta>` elements with these names, in the order of the names.
pub(super) fn meta(page: &Outline, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| {
        let (_, content) = page.metas.iter().find(|(known, _)| known == name)?;
        let text = content.split_whitespace().collect::<Vec<_>>().join(" ");
        (!text.is_empty()).then_some(text)
    })
}

/// The absolute URL, if it is http(s).
pub(super) fn absolute(page: &Outline, url: &str) -> Option<String> {
    // A remaining `&amp;` was escaped twice; URLs do not contain it otherwise.
    let url = url.trim().replace("&amp;", "&");
    let url = page.base.join(&url).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.host().is_some()).then(|| url.into())
}

pub(super) fn has_word(words: &str, word: &str) -> bool {
    words.split_ascii_whitespace().any(|known| known == word)
}

/// Distinct items, in the order of their first occurrence.
pub(super) fn distinct(items: impl Iterator<Item = String>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for item in items.take(1_000) {
        if !found.contains(&item) {
            found.push(item);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::json_ld::graph;
    use super::super::outline::outline;
    use super::*;

    fn title_and_site(url: &str, html: &str) -> (Option<String>, Option<String>) {
        let page = outline(html, &Url::parse(url).unwrap());
        let graph = graph(&page.json_ld);
        (title(&page, &graph), headline(&page, &graph))
    }

    #[test]
    fn a_home_page_has_its_title_and_an_inner_page_what_it_is_shared_as() {
        let html = "<title>Acme - Home</title><meta property=og:title content=Acme><h1>Acme</h1>";
        assert_eq!(
            title_and_site("https://acme.test/", html).0.as_deref(),
            Some("Acme - Home")
        );
        assert_eq!(
            title_and_site("https://acme.test/a", html).0.as_deref(),
            Some("Acme")
        );
        assert_eq!(
            title_and_site("https://acme.test/a", "<title>A - B</title>")
                .0
                .as_deref(),
            Some("A - B")
        );
        assert_eq!(
            title_and_site("https://acme.test/a", "<h1>A <b>dog</b> bites</h1>")
                .0
                .as_deref(),
            Some("A dog bites")
        );
    }

    #[test]
    fn what_was_copied_from_the_home_page_says_nothing_of_an_inner_page() {
        for (shared, wanted) in [
            ("https://www.acme.test/", "Contact"),
            ("/", "Contact"),
            ("https://acme.test/contact", "Acme"),
            ("https://acme.test/?p=2", "Acme"),
            ("https://other.test/", "Acme"),
            ("", "Acme"),
        ] {
            let html = format!(
                "<title>Contact</title><meta property=og:title content=Acme><meta property=og:url content='{shared}'>
                 <meta name=description content=Contact><meta property=og:description content=Acme>"
            );
            let url = "https://www.acme.test/contact";
            let (title, headline) = title_and_site(url, &html);
            let page = outline(&html, &Url::parse(url).unwrap());
            let description = description(&page, &graph(&page.json_ld));
            for found in [title, headline, description] {
                assert_eq!(found.as_deref(), Some(wanted), "{shared}");
            }
        }
    }

    #[test]
    fn the_site_is_told_apart_from_the_headline_where_the_page_shows_it() {
        for (html, wanted) in [
            (
                "<title>A dog bites | The Acme Times</title><meta property=og:title content='A dog bites'>",
                "A dog bites",
            ),
            ("<title>A dog bites – Acme</title>", "A dog bites"),
            (
                "<title>The Times: A dog bites</title><meta property=og:site_name content='The Times'>",
                "A dog bites",
            ),
            (
                "<title>A dog bites - News - Daily</title><h1>A dog bites</h1>",
                "A dog bites",
            ),
            (
                "<title>A dog-bite - what now</title><h1>Now</h1>",
                "A dog-bite - what now",
            ),
            ("<title>Home</title><h1>Hom</h1>", "Home"),
            ("<title>犬が人を噛む｜Acme</title>", "犬が人を噛む"),
            (
                "<title>犬が人を噛む：アクメ新聞</title><meta property=og:site_name content=アクメ新聞>",
                "犬が人を噛む",
            ),
            ("<title>A dog bites – Acme</title><h1>Acme</h1>", "A dog bites"),
        ] {
            assert_eq!(
                title_and_site("https://www.acme.test/news/dog", html)
                    .1
                    .as_deref(),
                Some(wanted),
                "{html}"
            );
        }
    }

    #[test]
    fn a_part_of_the_title_that_is_the_hosts_name_is_the_sites() {
        let name = |url: &str, html: &str| {
            let page = outline(html, &Url::parse(url).unwrap());
            site_name(&page, &graph(&page.json_ld))
        };
        for (url, title, wanted) in [
            ("https://acme.test/", "Acme – Tables", "Acme"),
            ("https://www.acme-moebel.at/", "Tische | Acme Möbel", "Acme Möbel"),
            ("https://acmemobel.se/", "Acme Möbel: bord", "Acme Möbel"),
            ("https://lodz.test/", "Start ｜ Łódź", "Łódź"),
        ] {
            let html = format!("<title>{title}</title>");
            assert_eq!(name(url, &html).as_deref(), Some(wanted), "{url}");
        }
    }

    #[test]
    fn placeholders_are_no_descriptions() {
        for (content, wanted) in [
            ("Just another WordPress site", "Tables"),
            ("Ein weiterer WordPress-Blog", "Tables"),
            ("{{ page.description }}", "Tables"),
            ("%%excerpt%%", "Tables"),
            ("undefined", "Tables"),
            ("Just another day in Graz", "Just another day in Graz"),
            ("WordPress sites from Graz", "WordPress sites from Graz"),
            ("100% wool, 0% plastic", "100% wool, 0% plastic"),
        ] {
            let html = format!(
                "<meta name=description content='{content}'><meta name=og:description content=Tables>"
            );
            let page = outline(&html, &Url::parse("https://acme.test/").unwrap());
            let given = description(&page, &graph(&page.json_ld));
            assert_eq!(given.as_deref(), Some(wanted), "{content}");
        }
    }

    #[test]
    fn descriptions_are_text() {
        let title_and_site = |content: &str| {
            let html = format!("<meta name=description content=\"{content}\">");
            let page = outline(&html, &Url::parse("https://acme.test/").unwrap());
            description(&page, &graph(&page.json_ld))
        };
        for (content, wanted) in [
            ("Tables &amp;amp; chairs", "Tables & chairs"),
            (
                "&lt;p&gt;Tables &lt;b&gt;and&lt;/b&gt; chairs&lt;/p&gt;",
                "Tables and chairs",
            ),
            ("&amp;lt;p&amp;gt;Tables&amp;lt;/p&amp;gt;", "Tables"),
            ("1 &lt; 2 and 3 &gt; 2", "1 < 2 and 3 > 2"),
        ] {
            assert_eq!(title_and_site(content).as_deref(), Some(wanted), "{content}");
        }
    }
}
