//! Sitemap files as a tree, according to the indexes that list them.

use std::collections::{BTreeMap, HashSet};

use maud::{Markup, html};

use super::parts::{counted, outward};
use crate::values::findings::SitemapSummary;

/// Maximum number of files shown per index.
const SHOWN: usize = 50;

/// The files, each under the index that names it.
pub(super) fn tree(files: &[SitemapSummary]) -> Markup {
    let known: HashSet<&str> = files.iter().map(|file| file.url.as_str()).collect();
    let mut children: BTreeMap<&str, Vec<&SitemapSummary>> = BTreeMap::new();
    let mut roots = Vec::new();
    for file in files {
        match file
            .parent
            .as_deref()
            .filter(|parent| known.contains(parent) && *parent != file.url)
        {
            Some(parent) => children.entry(parent).or_default().push(file),
            None => roots.push(file),
        }
    }
    let mut seen = HashSet::new();
    html! { ul.tree { (branch(&roots, &children, &mut seen)) } }
}

/// Each file is shown once, so that indexes that refer to each other do not repeat.
fn branch<'a>(
    files: &[&'a SitemapSummary],
    children: &BTreeMap<&'a str, Vec<&'a SitemapSummary>>,
    seen: &mut HashSet<&'a str>,
) -> Markup {
    let fresh: Vec<&SitemapSummary> = files
        .iter()
        .copied()
        .filter(|file| seen.insert(&file.url))
        .collect();
    html! {
        @for file in fresh.iter().take(SHOWN) {
            @let below = children.get(file.url.as_str());
            li {
                (entry(file))
                @if let Some(below) = below {
                    details open[below.len() <= SHOWN] {
                        summary.small { (counted(i64::try_from(below.len()).unwrap_or(0), "file")) " read" }
                        ul { (branch(below, children, seen)) }
                    }
                }
            }
        }
        @if fresh.len() > SHOWN { li.muted { "… and " (fresh.len() - SHOWN) " more" } }
    }
}

fn entry(file: &SitemapSummary) -> Markup {
    let codes: Vec<&str> = file
        .problems
        .iter()
        .map(|problem| problem.code.as_str())
        .collect();
    html! {
        (outward(&file.url)) " "
        span.small.muted { (file.kind.as_str()) ", " (counted(file.entries, "entry"))
            @if file.not_modified { ", unchanged" } }
        @if !codes.is_empty() { " " span.small.failed { (codes.join(", ")) } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::sitemap::SitemapKind;

    fn file(url: &str, parent: Option<&str>) -> SitemapSummary {
        SitemapSummary {
            url: url.to_owned(),
            parent: parent.map(str::to_owned),
            kind: SitemapKind::Urlset,
            entries: 1,
            not_modified: false,
            problems: Vec::new(),
        }
    }

    #[test]
    fn files_stand_under_the_index_that_names_them_and_each_once() {
        let files = [
            file("https://a.test/i", None),
            file("https://a.test/1", Some("https://a.test/i")),
            file("https://a.test/2", Some("https://a.test/i")),
            file("https://a.test/lost", Some("https://a.test/unread")),
            file("https://a.test/x", Some("https://a.test/y")),
            file("https://a.test/y", Some("https://a.test/x")),
        ];
        let page = tree(&files[..4]).into_string();
        assert_eq!(page.matches("<li>").count(), 4);
        let (index, lost) = (
            page.find(">https://a.test/i<").unwrap(),
            page.find("lost<").unwrap(),
        );
        let inner = page.find("2 files read").unwrap();
        assert!(index < inner && inner < page.find(">https://a.test/2<").unwrap() && inner < lost);
        // Files that refer to each other belong to no tree, so there are no cycles.
        assert!(!tree(&files).into_string().contains("https://a.test/x"));
    }
}
