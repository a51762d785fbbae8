//! Files that a page loads from its own site. Files on other sites' hosts are not signs of this site's software.
//! Neither are pictures on another host of the site, which may belong to another system.

use std::borrow::Cow;

use html5ever::local_name;
use scraper::node::Element;
use url::Url;

use crate::scanner::page::head::canonical;
use crate::scanner::page::outline::Outline;
use crate::scanner::site::registrable;

/// Limits for the number of files of a page that are examined, and for the length of their URLs.
const MAX_FILES: usize = 5_000;
const MAX_URL: usize = 2_000;

/// Paths with queries of scripts, styles, pictures, frames and `<link>` targets; not of links to other pages.
pub(super) fn own(page: &Outline) -> Vec<Cow<'_, str>> {
    let host = host(page);
    let site = host.as_deref().map(registrable);
    let base_is_own = page.base.host() == page.url.host() || page.base.domain().map(registrable) == site;
    let urls = page.elements().flat_map(loaded).chain(replaced(page));
    let paths = urls.filter_map(|url| own_path(url, host.as_deref(), base_is_own));
    paths
        .filter(|path| path.len() <= MAX_URL)
        .take(MAX_FILES)
        .collect()
}

/// The host of the page. A saved page may have no address except the one that it states.
fn host(page: &Outline) -> Option<String> {
    let of = |url: &Url| {
        url.domain()
            .filter(|host| host.contains('.'))
            .map(str::to_ascii_lowercase)
    };
    of(&page.url).or_else(|| of(&Url::parse(&canonical(page)?).ok()?))
}

/// What an element loads, as written; from a set of pictures only the first.
fn loaded(element: &Element) -> impl Iterator<Item = &str> {
    let is_link = element.name.local == local_name!("link");
    element
        .attrs
        .iter()
        .filter_map(move |(name, value)| match name.local {
            local_name!("src") | local_name!("poster") => Some(value.trim()),
            local_name!("href") if is_link => Some(value.trim()),
            local_name!("srcset") | local_name!("imagesrcset") => value.split_ascii_whitespace().next(),
            ref other if other.starts_with("data-") => match &**other {
                "data-src" | "data-lazy-src" => Some(value.trim()),
                "data-srcset" => value.split_ascii_whitespace().next(),
                _ => None,
            },
            _ => None,
        })
}

/// Style sheets that WP Fastest Cache serves as one file: it keeps the links to the originals as comments.
fn replaced(page: &Outline) -> impl Iterator<Item = &str> {
    let is_cached = page.assets.iter().any(|url| url.contains("/wpfc-minified/"));
    let comments = page.comments.iter().filter(move |_| is_cached);
    comments.filter_map(|comment| {
        let tag = comment.trim().strip_prefix("<link ")?;
        let (_, href) = tag.split_once("href='")?;
        href.split_once('\'').map(|(href, _)| href)
    })
}

/// The path of a URL if it is on the page's host, or if it is not a picture and is on another host of the site.
fn own_path<'u>(url: &'u str, page_host: Option<&str>, base_is_own: bool) -> Option<Cow<'u, str>> {
    let (scheme, rest) = url.split_once("//").unwrap_or(("", ""));
    if scheme.is_empty() && !url.starts_with("//") || !scheme.is_empty() && !scheme.ends_with(':') {
        let is_relative = !url
            .split(['/', '?', '#'])
            .next()
            .unwrap_or_default()
            .contains(':');
        return (base_is_own && is_relative && !url.is_empty()).then(|| {
            if url.starts_with('/') {
                Cow::Borrowed(url)
            } else {
                Cow::Owned(format!("/{url}"))
            }
        });
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    let host = host.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let page_host = page_host?;
    let is_own =
        bare(&host) == bare(page_host) || registrable(&host) == registrable(page_host) && !is_picture(path);
    is_own.then_some(Cow::Borrowed(path))
}

fn bare(host: &str) -> &str {
    host.strip_prefix("www.").unwrap_or(host)
}

fn is_picture(path: &str) -> bool {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let extension = path.rsplit('.').next().unwrap_or_default();
    ["avif", "gif", "ico", "jpeg", "jpg", "png", "svg", "webp"]
        .iter()
        .any(|known| extension.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scanner::page::outline::outline;

    #[test]
    fn files_of_the_site_are_told_from_those_of_others_and_from_links() {
        let page = outline(
            "<link rel=stylesheet href='//cdn.site.test/a.css?v=1'><script src=b/c.js></script>
             <img src='https://www.site.test/d.png' srcset='/e.png 2x, /f.png 3x' data-src=data:image/png,g>
             <img src=https://other.test/h.png><iframe src='https://mysite.test/i'></iframe><a href=/j.pdf></a>",
            &Url::parse("https://www.site.test/x/").unwrap(),
        );
        let mut files = own(&page);
        files.sort();
        assert_eq!(files, ["/a.css?v=1", "/b/c.js", "/d.png", "/e.png"]);
    }

    #[test]
    fn a_saved_page_is_of_the_site_that_it_states() {
        let page = outline(
            "<link rel=canonical href=https://www.site.test/x><script src=https://cdn.site.test/a.js></script><img src=//other.test/b>",
            &Url::parse("http://localhost/").unwrap(),
        );
        assert_eq!(own(&page), ["/x", "/a.js"]);
    }

    #[test]
    fn pictures_on_another_host_of_the_site_may_be_of_another_system() {
        let page = outline(
            "<img src=https://content.site.test/wp-content/uploads/a.JPG?w=640>
             <img src=https://site.test/wp-content/uploads/b.jpg><script src=https://cdn.site.test/wp-includes/c.js></script>",
            &Url::parse("https://www.site.test/x/").unwrap(),
        );
        assert_eq!(own(&page), ["/wp-content/uploads/b.jpg", "/wp-includes/c.js"]);
    }

    #[test]
    fn the_originals_of_cached_styles_are_files_too() {
        let files = |style: &str| {
            let html = format!(
                "<link rel=stylesheet href='{style}'><!-- <link rel='stylesheet' href='/wp-content/themes/a/b.css' /> -->
                 <!-- a link: href='/c.css' -->"
            );
            own(&outline(&html, &Url::parse("https://www.site.test/").unwrap())).len()
        };
        assert_eq!(files("/wp-content/cache/wpfc-minified/a/b.css"), 2);
        assert_eq!(files("/a.css"), 1);
    }

    #[test]
    fn relative_urls_are_those_of_the_base() {
        let page = outline(
            "<base href=https://other.test/><img src=/a.png>",
            &Url::parse("https://www.site.test/").unwrap(),
        );
        assert!(own(&page).is_empty());
    }
}
