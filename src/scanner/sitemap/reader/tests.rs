use serde::Deserialize;

use super::*;

fn read(text: &str) -> (SitemapSummary, Vec<SitemapEntry>) {
    read_bytes(text.as_bytes(), "https://example.com/sitemap.xml", None, 1 << 20)
}

fn read_bytes(
    bytes: &[u8],
    base: &str,
    charset: Option<&str>,
    step: usize,
) -> (SitemapSummary, Vec<SitemapEntry>) {
    let mut reader = SitemapReader::new(
        Url::parse(base).unwrap(),
        charset.map(str::to_owned),
        SitemapSettings::default(),
    );
    let mut entries = Vec::new();
    let mut wire = 0;
    for piece in bytes.chunks(step) {
        wire += piece.len() as u64;
        reader.feed(piece, wire, &mut |entry| entries.push(entry));
    }
    let summary = reader.finish(&mut |entry| entries.push(entry));
    (summary, entries)
}

fn loc(entry: &SitemapEntry) -> &str {
    match entry {
        SitemapEntry::Page(page) => &page.loc,
        SitemapEntry::Child(child) => &child.sitemap,
    }
}

#[derive(Deserialize)]
struct Case {
    id: String,
    file: String,
    path: String,
    content_type: Option<String>,
    content_encoding: Option<String>,
    status: u16,
    want: Want,
}

#[derive(Deserialize)]
struct Want {
    kind: SitemapKind,
    n: usize,
    first: Vec<String>,
    #[serde(default)]
    truncated: bool,
    images: Option<Vec<String>>,
    news: Option<usize>,
    cross_host: Option<usize>,
    lastmods: Option<Vec<Option<String>>>,
}

fn cases() -> Vec<(Case, Vec<u8>)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sitemap_cases");
    let cases: Vec<Case> =
        serde_json::from_slice(&std::fs::read(folder.join("cases.json")).unwrap()).unwrap();
    let with_bytes = |case: Case| {
        let bytes = std::fs::read(folder.join(&case.file)).unwrap();
        (case, bytes)
    };
    cases
        .into_iter()
        .map(with_bytes)
        .filter(|(case, _)| case.status == 200)
        .collect()
}

#[test]
fn every_case_yields_what_it_should_however_it_arrives() {
    for (case, bytes) in cases() {
        let (id, want) = (&case.id, &case.want);
        let base = format!("https://example.com{}", case.path);
        let content_type = case.content_type.map(|value| ("content-type".to_owned(), value));
        let headers = crate::fetch::Headers::new(content_type);
        for step in [1 << 20, 1000, 1] {
            if step == 1 && bytes.len() > 10_000 {
                continue;
            }
            // The cases sent with a content coding are gzipped twice; the reader finds both by content.
            let _ = &case.content_encoding;
            let (summary, entries) = read_bytes(&bytes, &base, headers.charset(), step);
            assert_eq!(summary.kind, want.kind, "{id} in steps of {step}");
            assert_eq!(entries.len(), want.n, "{id}: {entries:?}");
            let first: Vec<&str> = entries.iter().map(loc).take(want.first.len()).collect();
            let wanted: Vec<String> = want
                .first
                .iter()
                .map(|url| Url::parse(url).unwrap().into())
                .collect();
            assert_eq!(first, wanted, "{id}");
            let has = |code: &str| summary.problems.iter().any(|problem| problem.code == code);
            assert_eq!(has("truncated"), want.truncated, "{id}: {:?}", summary.problems);
            assert_eq!(
                has("cross_host"),
                want.cross_host.is_some() || id == "unicode-loc",
                "{id}"
            );
        }
    }
}

#[test]
fn the_extensions_and_dates_of_the_cases_are_read() {
    for (case, bytes) in cases() {
        let (_, entries) = read_bytes(
            &bytes,
            &format!("https://example.com{}", case.path),
            None,
            1 << 20,
        );
        let pages = || {
            entries.iter().filter_map(|entry| match entry {
                SitemapEntry::Page(page) => Some(page),
                SitemapEntry::Child(_) => None,
            })
        };
        if let Some(images) = case.want.images {
            assert_eq!(pages().next().unwrap().images, images);
        }
        if let Some(news) = case.want.news {
            assert_eq!(pages().map(|page| page.news.len()).sum::<usize>(), news);
        }
        if let Some(lastmods) = case.want.lastmods {
            let found: Vec<Option<String>> = pages().map(|page| page.lastmod.clone()).collect();
            assert_eq!(found, lastmods);
        }
    }
}

#[test]
fn missing_end_tags_do_not_swallow_the_next_entry() {
    let (_, entries) = read("<urlset><url><loc>/a<lastmod>2020-01-01<url><loc>/b</loc></urlset>");
    assert_eq!(
        entries.iter().map(loc).collect::<Vec<_>>(),
        ["https://example.com/a", "https://example.com/b"]
    );
}

#[test]
fn a_warning_before_the_root_is_passed_over() {
    let (summary, _) =
        read("<br />\n<b>Warning</b>: mysql in <b>/x.php</b>\n<urlset><url><loc>/a</loc></url></urlset>");
    assert_eq!((summary.kind, summary.entries), (SitemapKind::Urlset, 1));
}

#[test]
fn html_that_mentions_a_root_is_no_sitemap() {
    let (summary, _) = read("<html><body><urlset><url><loc>/a</loc></url></urlset></body></html>");
    assert_eq!((summary.kind, summary.entries), (SitemapKind::Invalid, 0));
}

#[test]
fn pages_of_other_schemes_are_problems_with_their_place() {
    let (summary, entries) =
        read("<urlset><url><loc>javascript:1</loc></url><url><loc>ftp://x/</loc></url></urlset>");
    assert!(entries.is_empty());
    let problem = &summary.problems[0];
    assert_eq!((problem.code.as_str(), problem.offset), ("bad_loc", Some(8)));
    assert!(problem.detail.contains("the first of 2"), "{}", problem.detail);
}

#[test]
fn a_nested_entity_makes_the_document_invalid() {
    let (summary, _) =
        read("<!DOCTYPE u [<!ENTITY a 'x'><!ENTITY b '&a;&a;'>]><urlset><url><loc>/&b;</loc></url></urlset>");
    assert_eq!((summary.kind, summary.entries), (SitemapKind::Invalid, 0));
}

#[test]
fn what_inflates_beyond_measure_is_too_large() {
    use std::io::Write;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(b"<urlset>").unwrap();
    gzip.write_all(&vec![0; 32 << 20]).unwrap();
    let (summary, _) = read_bytes(
        &gzip.finish().unwrap(),
        "https://example.com/s.xml.gz",
        None,
        4096,
    );
    assert_eq!(summary.kind, SitemapKind::TooLarge);
    assert!(summary.bytes < 12 << 20);
}

#[test]
fn rss_guids_and_rdf_abouts_stand_in_for_links() {
    let (summary, entries) = read(
        "<rss><channel><link>/</link><item><guid>https://example.com/g</guid></item>\
         <item><guid isPermaLink='false'>https://example.com/no</guid><link>/l</link></item></channel></rss>",
    );
    assert_eq!(
        (summary.kind, loc(&entries[0]), loc(&entries[1])),
        (SitemapKind::Rss, "https://example.com/g", "https://example.com/l",)
    );
    let (_, entries) = read("<rdf:RDF><channel/><item rdf:about='/a'><title>x</title></item></rdf:RDF>");
    assert_eq!(loc(&entries[0]), "https://example.com/a");
}

fn kind_and_locs(text: &str) -> (SitemapKind, Vec<String>) {
    let (summary, entries) = read(text);
    (
        summary.kind,
        entries.iter().map(|entry| loc(entry).to_owned()).collect(),
    )
}

#[test]
fn what_a_document_lists_counts_more_than_what_its_root_is_called() {
    use SitemapKind::{Index, Urlset};
    let is_page = |entry: &SitemapEntry| matches!(entry, SitemapEntry::Page(_));
    for (text, kind, pages) in [
        (
            "<urlset><sitemap><loc>/a.xml</loc></sitemap><sitemap><loc>/b</loc></sitemap></urlset>",
            Index,
            0,
        ),
        (
            "<sitemapindex><url><loc>/a</loc></url><url><loc>/b.html</loc></url></sitemapindex>",
            Urlset,
            2,
        ),
        (
            "<sitemapindex><url><loc>/a.xml</loc></url><url><loc>/sitemap?p=2</loc></url></sitemapindex>",
            Index,
            0,
        ),
        (
            "<sitemap><loc>/a.xml</loc></sitemap><sitemap><loc>/b.xml</loc></sitemap>",
            Index,
            0,
        ),
        (
            "<urlset><url><loc>/a</loc></url><sitemap><loc>/b.xml</loc></sitemap></urlset>",
            Urlset,
            1,
        ),
        (
            "<sitemapindex><url><loc>/a</loc></url><sitemap><loc>/b.xml</loc></sitemap></sitemapindex>",
            Index,
            1,
        ),
        (
            "<sitemapindex><loc>/a</loc><loc>/b</loc></sitemapindex>",
            Index,
            0,
        ),
    ] {
        let (summary, entries) = read(text);
        assert_eq!(summary.kind, kind, "{text}");
        let found = entries.iter().filter(|entry| is_page(entry)).count();
        assert_eq!((found, entries.len()), (pages, 2), "{text}");
        assert_eq!(
            (summary.entries, summary.children),
            (pages as u64, 2 - pages as u64),
            "{text}"
        );
    }
}

#[test]
fn invisible_characters_are_no_part_of_a_loc() {
    let locs = "<urlset><url><loc>\u{feff}https://example.com/a</loc><lastmod>\u{200b}2024-05-08\u{a0}</lastmod></url>\
                <url><loc>https://example.com/\u{200b}b\u{feff}</loc></url><url><loc>&#8203;/c&#xFEFF;</loc></url></urlset>";
    let (_, entries) = read(locs);
    let found: Vec<&str> = entries.iter().map(loc).collect();
    assert_eq!(
        found,
        [
            "https://example.com/a",
            "https://example.com/b",
            "https://example.com/c"
        ]
    );
    let SitemapEntry::Page(page) = &entries[0] else {
        panic!("not a page");
    };
    assert_eq!(page.lastmod.as_deref(), Some("2024-05-08"));
    let list = "\u{feff}https://example.com/a\u{200b}\r\u{feff}https://example.com/b\r";
    let both = ["https://example.com/a", "https://example.com/b"]
        .map(str::to_owned)
        .to_vec();
    assert_eq!(kind_and_locs(list), (SitemapKind::Text, both));
}

#[test]
fn locs_without_a_scheme_take_the_one_of_their_document_or_https() {
    let urlset = "<urlset><url><loc>//cdn.example.com/a</loc></url></urlset>";
    let list = "//cdn.example.com/a\n";
    for base in ["https://example.com/s.xml", "file:///tmp/s.xml"] {
        for text in [urlset, list] {
            let (_, entries) = read_bytes(text.as_bytes(), base, None, 1 << 20);
            assert_eq!(
                entries.iter().map(loc).collect::<Vec<_>>(),
                ["https://cdn.example.com/a"],
                "{base}"
            );
        }
    }
    let (_, entries) = read_bytes(urlset.as_bytes(), "http://example.com/s.xml", None, 1 << 20);
    assert_eq!(loc(&entries[0]), "http://cdn.example.com/a");
}

#[test]
fn the_texts_of_one_entry_are_bounded_and_what_is_left_out_is_counted() {
    let image = format!(
        "<image:image><image:loc>/{}</image:loc></image:image>",
        "a".repeat(8_000)
    );
    let link = format!("<xhtml:link hreflang='{0}' href='/{0}'/>", "a".repeat(8_000));
    for part in [image, link] {
        let (summary, entries) = read(&format!(
            "<urlset><url><loc>/a</loc>{}</url><url><loc>/b</loc></url></urlset>",
            part.repeat(900)
        ));
        let size = serde_json::to_string(&entries).unwrap().len();
        assert!(size < 600_000 && entries.len() == 2, "{size}");
        let problem = summary
            .problems
            .iter()
            .find(|problem| problem.code == "long_entry")
            .unwrap();
        assert!(problem.detail.contains(" texts "), "{}", problem.detail);
    }
}
