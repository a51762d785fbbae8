//! Real pages: everything that extraction finds, technologies included, against the bare parse into a tree.

use std::time::Duration;

use sitelog::fetch::Headers;
use sitelog::scanner::page::{RawPage, read_page};
use url::Url;

use crate::{best_of, documents};

pub fn run() -> anyhow::Result<()> {
    let Some(files) = documents::corpus("pages")? else {
        return Ok(());
    };
    let url = Url::parse("https://www.acme.test/")?;
    let page = |bytes| RawPage {
        url: url.clone(),
        headers: Headers::default(),
        bytes,
    };
    let pages: Vec<RawPage> = files.into_iter().map(|(_, bytes)| page(bytes)).collect();
    let bytes: usize = pages.iter().map(|page| page.bytes.len()).sum();
    println!(
        "{} pages, {} kB on average, one thread",
        pages.len(),
        bytes / pages.len().max(1) / 1000
    );
    let texts: Vec<String> = pages
        .iter()
        .map(|page| String::from_utf8_lossy(&page.bytes).into_owned())
        .collect();
    let (took, _) = best_of(3, || {
        pages
            .iter()
            .map(|page| read_page(page).findings.technologies.len())
            .sum::<usize>()
    });
    report("sitelog, extraction and technologies", pages.len(), took);
    let ours = took;
    let (took, _) = best_of(3, || {
        texts
            .iter()
            .map(|text| scraper::Html::parse_document(text).tree.values().count())
            .sum::<usize>()
    });
    report("html5ever, bare parse into a tree", pages.len(), took);
    println!("  ratio {:.2}", took.as_secs_f64() / ours.as_secs_f64());
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "pages a second in a report")]
fn report(name: &str, pages: usize, took: Duration) {
    println!("  {name:<38} {:>7.0} pages/s", pages as f64 / took.as_secs_f64());
}
