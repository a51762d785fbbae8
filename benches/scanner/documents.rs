//! Documents made for measuring, and the pages of a corpus.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::path::PathBuf;

use anyhow::Context;

/// A sitemap of as many URLs, about 250 bytes each.
pub fn sitemap(urls: usize) -> String {
    let mut text = String::with_capacity(urls * 260);
    text.push_str(HEAD);
    for number in 0..urls {
        entry(&mut text, number);
    }
    text.push_str("</urlset>\n");
    text
}

pub const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n";

/// Appends one `<url>`.
pub fn entry(text: &mut String, number: usize) {
    let _never_fails = writeln!(
        text,
        "  <url>\n    <loc>https://www.shop.test/products/category-{}/a-rather-long-product-name-number-{number}?colour=red&amp;size=xl&amp;ref=sitemap</loc>\n    <lastmod>2026-{:02}-{:02}T10:20:30+00:00</lastmod>\n    <changefreq>weekly</changefreq>\n    <priority>0.{}</priority>\n  </url>",
        number % 97,
        number % 12 + 1,
        number % 28 + 1,
        number % 10,
    );
}

/// The same bytes as gzip.
pub fn gzip(text: &str) -> anyhow::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes())?;
    Ok(encoder.finish()?)
}

/// A document with its file's name.
pub type Named = (String, Vec<u8>);

/// The files of one folder of the corpus, unpacked; `None`, loudly, where there is no corpus.
pub fn corpus(folder: &str) -> anyhow::Result<Option<Vec<Named>>> {
    let Some(corpus) = std::env::var_os("SITELOG_CORPUS").map(PathBuf::from) else {
        println!("SKIPPED: SITELOG_CORPUS names no folder with {folder}/");
        return Ok(None);
    };
    let folder = corpus.join(folder);
    let entries =
        std::fs::read_dir(&folder).with_context(|| format!("{} cannot be read", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if !path.is_file() {
            continue;
        }
        let mut bytes = std::fs::read(&path)?;
        let is_packed_page = path.to_string_lossy().ends_with(".html.gz");
        if is_packed_page {
            let mut plain = Vec::new();
            flate2::read::MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut plain)?;
            bytes = plain;
        }
        files.push((
            path.file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            bytes,
        ));
    }
    files.sort();
    Ok(Some(files))
}
