//! Files that a page loads from its own site: what stands on another site's hosts says nothing about this one.

use std::borrow::Cow;

use html5ever::local_name;
use scraper::node::Element;
use url::Url;

use crate::scanner::page::head::canonical;
use crate::scanner::page::outline::Outline;
use crate::scanner::site::registrable;

/// Files of a page that are looked at, and the longest URL that is one.
const MAX_FILES: usize = 5_000;
const MAX_URL: usize = 2_000;

/// Paths with their queries, of scripts, styles, pictures, frames and what `<link>` names; not of links to follow.
pub(super) fn own(page: &Outline) -> Vec<Cow<'_, str>> {
    let site = site(page);
    let base_is_own = page.base.host() == page.url.host() || host_site(&page.base) == site;
    let urls = page.elements().flat_map(loaded);
    let paths = urls.filter_map(|url| own_path(url, site.as_deref(), base_is_own));
    paths
        .filter(|path| path.len() <= MAX_URL)
        .take(MAX_FILES)
        .collect()
}

/// The registrable domain of the site. A page that was saved may have no address but the one that it states.
fn site(page: &Outline) -> Option<String> {
    host_site(&page.url).or_else(|| host_site(&Url::parse(&canonical(page)?).ok()?))
}

fn host_site(url: &Url) -> Option<String> {
    let host = url.domain().filter(|host| host.contains('.'))?;
    Some(registrable(host).to_owned())
}

/// What an element loads, as written; of a set of pictures the first.
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

/// The path of a URL if it is on one of the site's hosts.
fn own_path<'u>(url: &'u str, site: Option<&str>, base_is_own: bool) -> Option<Cow<'u, str>> {
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
    (site == Some(registrable(&host))).then_some(Cow::Borrowed(path))
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
            "<link rel=canonical href=https://www.site.test/x><img src=https://cdn.site.test/a.png><img src=//other.test/b>",
            &Url::parse("http://localhost/").unwrap(),
        );
        assert_eq!(own(&page), ["/x", "/a.png"]);
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
