//! `sitelog extract`: the findings of one saved page. Nothing is fetched or recorded.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use url::Url;

use super::{input, print_line};
use crate::config::{Config, Sources};
use crate::fetch::Headers;
use crate::scanner::fingerprint_files;
use crate::scanner::page::{RawPage, Technologies, own_technologies, read_page_with};

/// Extracts the same data as a scan from a saved HTML page
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Has no effect: the output is always JSON
    #[arg(long)]
    json: bool,
    /// The HTML file; `-` for standard input
    file: PathBuf,
    /// The URL of the page, to resolve relative URLs
    #[arg(long, value_name = "URL", default_value = "https://localhost/")]
    url: Url,
    /// A file with the response headers, one `Name: value` per line
    #[arg(long, value_name = "FILE")]
    headers: Option<PathBuf>,
}

/// Prints one JSON object.
pub(super) fn run(args: &Args, sources: &Sources) -> anyhow::Result<ExitCode> {
    let headers = match &args.headers {
        Some(path) => read_headers(path)?,
        None => Headers::default(),
    };
    let page = RawPage {
        url: args.url.clone(),
        headers,
        bytes: input::read(&args.file)?,
    };
    let facts = read_page_with(&page, &*known_technologies(sources)?);
    print_line(&serde_json::to_string(&facts.findings)?)?;
    Ok(ExitCode::SUCCESS)
}

/// With those that were loaded into the data directory, if there is one.
fn known_technologies(sources: &Sources) -> anyhow::Result<Arc<Technologies>> {
    match Config::load(sources) {
        Ok(config) => Ok(fingerprint_files::technologies(&config.data_dir)?),
        Err(faults) if faults.is_only_no_data_dir() => Ok(Arc::clone(own_technologies())),
        Err(error) => Err(error.into()),
    }
}

fn read_headers(path: &Path) -> anyhow::Result<Headers> {
    let text = String::from_utf8_lossy(&input::read(path)?).into_owned();
    if text.trim_start().starts_with(['{', '[']) {
        return json_headers(&text).with_context(|| format!("{} contains no headers", path.display()));
    }
    Ok(line_headers(&text))
}

/// `Name: value` lines; a status line or an empty line is ignored.
fn line_headers(text: &str) -> Headers {
    let fields = text.lines().filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        Some((name.trim().to_owned(), value.trim().to_owned()))
    });
    Headers::new(fields)
}

/// An object of texts or lists of texts, or a list of pairs.
fn json_headers(text: &str) -> serde_json::Result<Headers> {
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum Fields {
        Object(serde_json::Map<String, serde_json::Value>),
        Pairs(Vec<(String, String)>),
    }
    let texts = |value: serde_json::Value| match value {
        serde_json::Value::Array(items) => items,
        one => vec![one],
    };
    let pairs = match serde_json::from_str(text)? {
        Fields::Pairs(pairs) => pairs,
        Fields::Object(object) => {
            let all = object
                .into_iter()
                .flat_map(|(name, value)| texts(value).into_iter().map(move |one| (name.clone(), one)));
            all.filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())))
                .collect()
        }
    };
    Ok(Headers::new(pairs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_as_lines_and_as_json() {
        let lines = line_headers("HTTP/1.1 200 OK\r\nServer: nginx/1.2\r\n\r\n");
        assert_eq!(lines.get("server"), Some("nginx/1.2"));
        for json in [
            r#"{"Server":"a"}"#,
            r#"{"Server":["a","b"]}"#,
            r#"[["Server","a"]]"#,
        ] {
            assert_eq!(json_headers(json).unwrap().get("server"), Some("a"));
        }
    }
}
