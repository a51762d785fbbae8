//! 50,000 URLs, plain and gzip: full extraction, compared with other tools on the same bytes.

use std::hint::black_box;
use std::process::Command;
use std::time::Duration;

use quick_xml::Reader;
use quick_xml::events::Event;
use sitelog::scanner::sitemap::{SitemapReader, SitemapSettings};
use url::Url;

use crate::{best_of, documents, milliseconds};

const URLS: usize = 50_000;
const RUNS: usize = 7;

pub fn run() -> anyhow::Result<()> {
    let plain = documents::sitemap(URLS);
    let packed = documents::gzip(&plain)?;
    println!(
        "sitemap of {URLS} URLs, {} bytes, {} as gzip",
        plain.len(),
        packed.len()
    );
    let (ours, entries) = best_of(RUNS, || extract(plain.as_bytes()));
    println!(
        "  sitelog, full extraction        {:>10}  {entries} entries",
        milliseconds(ours)
    );
    let (took, entries) = best_of(RUNS, || extract(&packed));
    println!(
        "  sitelog, the same from gzip     {:>10}  {entries} entries",
        milliseconds(took)
    );
    let (took, events) = best_of(RUNS, || event_loop(&plain));
    println!(
        "  quick-xml, bare event loop      {:>10}  {events} events; sitelog takes {:.2} of it",
        milliseconds(took),
        ours.as_secs_f64() / took.as_secs_f64()
    );
    let (took, urls) = best_of(RUNS, || locs_as_urls(&plain));
    println!(
        "  quick-xml, locs parsed as URLs  {:>10}  {urls} URLs",
        milliseconds(took)
    );
    let (took, length) = best_of(RUNS, || inflate(&packed));
    println!(
        "  flate2, inflating only          {:>10}  {length} bytes",
        milliseconds(took)
    );
    peers(&plain, ours)
}

/// Tools in Python on the same bytes, where `SITELOG_PEERS_PYTHON` names an interpreter that has them.
fn peers(plain: &str, ours: Duration) -> anyhow::Result<()> {
    let Ok(python) = std::env::var("SITELOG_PEERS_PYTHON") else {
        println!("  tools in Python are left out: SITELOG_PEERS_PYTHON names no interpreter");
        return Ok(());
    };
    let document = std::env::temp_dir().join(format!("sitelog-peers-{}.xml", std::process::id()));
    std::fs::write(&document, plain)?;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/scanner/peers.py");
    let output = Command::new(python).arg(script).arg(&document).output();
    std::fs::remove_file(&document)?;
    let output = output?;
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    anyhow::ensure!(output.status.success(), "{script} failed");
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let mut parts = line.split('\t');
        let (Some(name), Some(seconds), Some(entries)) = (parts.next(), parts.next(), parts.next()) else {
            anyhow::bail!("{script} said {line:?}");
        };
        let took = Duration::from_secs_f64(seconds.parse()?);
        println!(
            "  {name:<31} {:>10}  {entries} entries; {:.1} times what sitelog takes",
            milliseconds(took),
            took.as_secs_f64() / ours.as_secs_f64()
        );
    }
    Ok(())
}

fn extract(bytes: &[u8]) -> u64 {
    let base = Url::parse("https://www.shop.test/sitemap.xml").expect("a constant URL");
    let mut reader = SitemapReader::new(base, None, SitemapSettings::default());
    let mut wire = 0;
    for chunk in bytes.chunks(64 * 1024) {
        wire += chunk.len() as u64;
        reader.feed(chunk, wire, &mut |entry| {
            black_box(entry);
        });
    }
    let summary = reader.finish(&mut |entry| {
        black_box(entry);
    });
    summary.entries
}

fn event_loop(text: &str) -> usize {
    let mut reader = Reader::from_str(text);
    let mut events = 0;
    loop {
        match reader.read_event() {
            Ok(Event::Eof) | Err(_) => return events,
            Ok(event) => {
                black_box(event);
                events += 1;
            }
        }
    }
}

/// The minimum work: no lastmod, no duplicates, no problems.
fn locs_as_urls(text: &str) -> usize {
    let mut reader = Reader::from_str(text);
    let (mut urls, mut loc, mut is_loc) = (0, String::new(), false);
    loop {
        match reader.read_event() {
            Ok(Event::Eof) | Err(_) => return urls,
            Ok(Event::Start(tag)) => {
                is_loc = tag.name().as_ref() == "loc";
                loc.clear();
            }
            Ok(Event::Text(text)) if is_loc => loc.push_str(text.as_ref()),
            Ok(Event::GeneralRef(_)) if is_loc => loc.push('&'),
            Ok(Event::End(_)) if is_loc => {
                is_loc = false;
                urls += usize::from(Url::parse(black_box(&loc)).is_ok());
            }
            Ok(_) => {}
        }
    }
}

fn inflate(packed: &[u8]) -> u64 {
    let mut decoder = flate2::read::GzDecoder::new(packed);
    std::io::copy(&mut decoder, &mut std::io::sink()).unwrap_or_default()
}
