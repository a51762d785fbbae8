//! Memory by the number of URLs in one file: the peak of a separate process for each number.

use std::hint::black_box;
use std::process::Command;

use anyhow::Context;
use sitelog::scanner::sitemap::{SitemapReader, SitemapSettings};
use url::Url;

use crate::documents;

const COUNTS: [usize; 4] = [50_000, 500_000, 2_000_000, 5_000_000];

pub fn run() -> anyhow::Result<()> {
    println!("peak memory by URLs in one sitemap");
    let mut peaks = Vec::new();
    for count in COUNTS {
        let child = Command::new(std::env::current_exe()?)
            .args(["memory-of", &count.to_string()])
            .output()?;
        let printed = String::from_utf8_lossy(&child.stdout);
        let peak: u64 = printed
            .trim()
            .parse()
            .with_context(|| format!("the child said {printed}"))?;
        println!("  {count:>9} URLs  {:>8.1} MB", megabytes(peak));
        peaks.push(peak);
    }
    let grown = peaks.last().unwrap_or(&0).saturating_sub(peaks[0]);
    let urls = COUNTS.last().unwrap_or(&0) - COUNTS[0];
    #[expect(clippy::cast_precision_loss, reason = "megabytes in a report")]
    let each = grown as f64 / urls as f64;
    println!("  growth: {each:.1} bytes a URL");
    Ok(())
}

/// Reads a sitemap that is made while it is read, and prints this process's peak in bytes.
pub fn of(count: usize) -> anyhow::Result<()> {
    let base = Url::parse("https://www.shop.test/sitemap.xml")?;
    let mut reader = SitemapReader::new(base, None, SitemapSettings::default());
    let mut chunk = documents::HEAD.to_owned();
    let mut wire = 0;
    let mut sink = |entry| {
        black_box(entry);
    };
    for number in 0..count {
        documents::entry(&mut chunk, number);
        if chunk.len() > 64 * 1024 {
            wire += chunk.len() as u64;
            reader.feed(chunk.as_bytes(), wire, &mut sink);
            chunk.clear();
        }
    }
    reader.feed(chunk.as_bytes(), wire + chunk.len() as u64, &mut sink);
    let summary = reader.finish(&mut sink);
    anyhow::ensure!(
        summary.entries == count as u64,
        "{} of {count} URLs were read",
        summary.entries
    );
    println!("{}", of_this_process("VmHWM:")?);
    Ok(())
}

/// Bytes that this process holds now.
pub fn resident() -> anyhow::Result<u64> {
    of_this_process("VmRSS:")
}

/// A size in bytes from this process's status.
pub fn of_this_process(line: &str) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let size = status.lines().find_map(|known| known.strip_prefix(line));
    let size = size.with_context(|| format!("no {line}"))?;
    let kilobytes: u64 = size.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kilobytes * 1024)
}

#[expect(clippy::cast_precision_loss, reason = "megabytes in a report")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1_048_576.0
}
