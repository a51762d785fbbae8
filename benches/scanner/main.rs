//! How fast the reader is, beside the bare crates it could be built on, and that it survives broken documents.
//!
//! `cargo bench --bench scanner -- [sitemaps|memory|linear|hostile|pages|mutated]`; all but the last two of these words'
//! benches run without a corpus, `pages` and `mutated` want its folder in `SITELOG_CORPUS`. Each figure is the best
//! of a few runs in this process.

mod documents;
mod hostile;
mod linear;
mod memory;
mod mutated;
mod pages;
mod sitemaps;

use std::time::{Duration, Instant};

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let wanted = |name: &str| arguments.is_empty() || arguments.iter().any(|argument| argument == name);
    if let Some(("memory-of", count)) = arguments
        .first()
        .zip(arguments.get(1))
        .map(|(name, count)| (name.as_str(), count))
    {
        return memory::of(count.parse()?);
    }
    if let [name, shape, address] = arguments.as_slice()
        && name == "hostile-of"
    {
        return hostile::of(shape, address);
    }
    if let Some(("write", path)) = arguments
        .first()
        .zip(arguments.get(1))
        .map(|(name, path)| (name.as_str(), path))
    {
        // For the peers in other languages, which read the same document.
        return Ok(std::fs::write(path, documents::sitemap(50_000))?);
    }
    if wanted("sitemaps") {
        sitemaps::run()?;
    }
    if wanted("memory") {
        memory::run()?;
    }
    if wanted("linear") {
        linear::run();
    }
    if wanted("hostile") {
        hostile::run()?;
    }
    if wanted("pages") {
        pages::run()?;
    }
    if wanted("mutated") {
        mutated::run()?;
    }
    Ok(())
}

/// The shortest of some runs.
fn best_of<T>(runs: usize, mut run: impl FnMut() -> T) -> (Duration, T) {
    let mut best: Option<(Duration, T)> = None;
    for _ in 0..runs {
        let start = Instant::now();
        let result = std::hint::black_box(run());
        let took = start.elapsed();
        if best.as_ref().is_none_or(|(shortest, _)| took < *shortest) {
            best = Some((took, result));
        }
    }
    best.expect("there is at least one run")
}

fn milliseconds(took: Duration) -> String {
    format!("{:.1} ms", took.as_secs_f64() * 1000.0)
}
