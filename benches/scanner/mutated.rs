//! Broken documents: every file of the corpus as it is and 10,000 mutated copies. None may panic; what comes out
//! must stay within bounds.

use std::time::{Duration, Instant};

use anyhow::ensure;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sitelog::fetch::Headers;
use sitelog::scanner::page::{RawPage, read_page};
use sitelog::scanner::robots::Robots;
use sitelog::scanner::sitemap::{SitemapReader, SitemapSettings};
use url::Url;

use crate::documents;

const MUTATED: u64 = 10_000;

/// Mutated documents are cut to this, so that ten thousand take about a minute.
const LONGEST: usize = 48 * 1024;

/// A time after which a document counts as hanging; documents of the corpus may have megabytes.
const HANGS: Duration = Duration::from_secs(10);

/// Megabytes by which memory may differ between the first and the last mutated file.
const MAX_GROWTH: u64 = 64;

/// What parsers trip over.
const PIECES: &[&[u8]] = &[
    b"<",
    b">",
    b"</",
    b"<!--",
    b"-->",
    b"<![CDATA[",
    b"]]>",
    b"&",
    b"&#x110000;",
    b"&#0;",
    b"\"",
    b"'",
    b"=",
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\x1f\x8b\x08",
    b"<script",
    b"</script",
    b"<svg",
    b"<title",
    b"<loc>",
    b"<url>",
    b"<!DOCTYPE x [",
    b"<!ENTITY a \"b\">",
    b"\xe2\x80",
    b"@",
    b"[at]",
    b"+43 316 ",
    b"{",
    b"[",
    b"\\u0000",
    b"Sitemap:",
    b"Disallow: /*",
    b"$",
    b"%",
    b"\r",
    b"mailto:",
    b"data-cfemail='",
    b"xmlns:a='",
];

pub fn run() -> anyhow::Result<()> {
    let mut files = Vec::new();
    for folder in ["pages", "sitemaps", "sitemap_cases", "robots/crawler-commons"] {
        files.extend(documents::corpus(folder)?.unwrap_or_default());
    }
    if files.is_empty() {
        return Ok(());
    }
    for (name, bytes) in &files {
        read(name, bytes)?;
    }
    println!("{} files read as they are", files.len());
    let before = crate::memory::resident()?;
    for seed in 0..MUTATED {
        let mut random = StdRng::seed_from_u64(seed);
        let (name, bytes) = &files[random.random_range(0..files.len())];
        let (_, other) = &files[random.random_range(0..files.len())];
        read(
            &format!("{name}, mutated by seed {seed}"),
            &mutate(bytes, other, &mut random),
        )?;
    }
    let grown = crate::memory::resident()?.saturating_sub(before) / 1_048_576;
    println!("{MUTATED} mutated files read; memory grew by {grown} MB");
    ensure!(grown <= MAX_GROWTH, "memory grew by {grown} MB");
    Ok(())
}

fn mutate(bytes: &[u8], other: &[u8], random: &mut StdRng) -> Vec<u8> {
    let start = random.random_range(0..=bytes.len().saturating_sub(LONGEST));
    let mut mutated = bytes[start..bytes.len().min(start + LONGEST)].to_vec();
    for _ in 0..random.random_range(1..12) {
        let at = random.random_range(0..=mutated.len());
        let end = mutated.len().min(at + random.random_range(0..200));
        match random.random_range(0..7) {
            0 => mutated.truncate(at.max(1)),
            1 => drop(mutated.drain(at..end)),
            2 => drop(mutated.splice(
                at..at,
                PIECES[random.random_range(0..PIECES.len())].iter().copied(),
            )),
            3 => mutated[at..end]
                .iter_mut()
                .for_each(|byte| *byte ^= random.random::<u8>() & 0x41),
            4 => {
                let piece = PIECES[random.random_range(0..PIECES.len())].repeat(random.random_range(1..2000));
                drop(mutated.splice(at..at, piece));
            }
            5 => {
                let from = random.random_range(0..=other.len());
                let piece = &other[from..other.len().min(from + 2000)];
                drop(mutated.splice(at..end, piece.iter().copied()));
            }
            _ => {
                let piece = mutated[at..end].repeat(random.random_range(1..50));
                drop(mutated.splice(at..at, piece));
            }
        }
    }
    mutated
}

/// Reads bytes as every kind of document.
fn read(name: &str, bytes: &[u8]) -> anyhow::Result<()> {
    let start = Instant::now();
    let url = Url::parse("https://www.acme.test/")?;
    let page = RawPage {
        url: url.clone(),
        headers: Headers::default(),
        bytes: bytes.to_vec(),
    };
    let found = std::panic::catch_unwind(|| read_page(&page));
    let found = found.map_err(|_| anyhow::anyhow!("the page reader panicked on {name}"))?;
    let written = serde_json::to_vec(&found.findings)?.len();
    ensure!(
        written <= 1_000_000 + 40 * bytes.len(),
        "{written} bytes are returned for the {} of {name}",
        bytes.len()
    );
    let entries = std::panic::catch_unwind(|| sitemap(url, bytes));
    let entries = entries.map_err(|_| anyhow::anyhow!("the sitemap reader panicked on {name}"))?;
    ensure!(
        entries <= 100 + 250 * bytes.len(),
        "{entries} entries in {} bytes of {name}",
        bytes.len()
    );
    let robots =
        std::panic::catch_unwind(|| Robots::parse(bytes).decide("sitelog", "https://www.acme.test/a?b"));
    robots.map_err(|_| anyhow::anyhow!("the robots reader panicked on {name}"))?;
    ensure!(start.elapsed() < HANGS, "{name} took {:?}", start.elapsed());
    Ok(())
}

fn sitemap(url: Url, bytes: &[u8]) -> usize {
    let settings = SitemapSettings {
        max_bytes: 64 * 1024 * 1024,
        ..SitemapSettings::default()
    };
    let mut reader = SitemapReader::new(url, None, settings);
    let mut entries = 0;
    let mut sink = |_| entries += 1;
    for (number, chunk) in bytes.chunks(4096).enumerate() {
        if !reader.feed(chunk, (number * 4096 + chunk.len()) as u64, &mut sink) {
            break;
        }
    }
    reader.finish(&mut sink);
    entries
}
