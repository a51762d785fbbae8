//! Reads the corpus: `pages.json` and the compressed pages.

use std::io::Read;
use std::path::Path;

use anyhow::Context;
use serde_json::Value;
use sitelog::fetch::Headers;
use sitelog::scanner::page::RawPage;
use url::Url;

/// A saved page and what is known about it.
pub struct Page {
    pub id: String,
    pub raw: RawPage,
    /// What the source project asserts, an object of objects.
    pub expected: Value,
    /// What the page states.
    pub facts: Value,
    /// The results of other tools.
    pub oracle: Value,
}

/// All pages of a folder.
pub fn load(folder: &Path) -> anyhow::Result<Vec<Page>> {
    let list = folder.join("pages.json");
    let text = std::fs::read_to_string(&list).with_context(|| format!("cannot read {}", list.display()))?;
    let entries: Vec<Value> = serde_json::from_str(&text)?;
    entries.into_iter().map(|entry| page(folder, &entry)).collect()
}

fn page(folder: &Path, entry: &Value) -> anyhow::Result<Page> {
    let file = entry["file"].as_str().context("an entry without a file")?;
    let packed = std::fs::read(folder.join(file)).with_context(|| format!("cannot read {file}"))?;
    let mut bytes = Vec::new();
    flate2::read::MultiGzDecoder::new(packed.as_slice()).read_to_end(&mut bytes)?;
    let url = entry["url"]
        .as_str()
        .filter(|url| url.starts_with("http"))
        .unwrap_or("http://localhost/");
    let fields = entry["http"].as_object().into_iter().flatten();
    let headers = fields
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect::<Vec<_>>();
    Ok(Page {
        id: entry["id"].as_str().unwrap_or(file).to_owned(),
        raw: RawPage {
            url: Url::parse(url).with_context(|| format!("{url} of {file}"))?,
            headers: Headers::new(headers),
            bytes,
        },
        expected: entry["expected"].clone(),
        facts: entry["facts"].clone(),
        oracle: entry["oracle"].clone(),
    })
}
