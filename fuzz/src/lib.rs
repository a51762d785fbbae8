//! What must hold for any bytes whatever: nothing panics, nothing runs away, and what was read says the same when it
//! is read again. Each function is a target of `script/fuzz`; `cargo test` runs them over the kept inputs.

use std::fmt::Debug;

use serde::Serialize;
use serde_json::Value;
use sitelog::aggregates::{BatchEvent, ScanEvent};
use sitelog::fetch::Headers;
use sitelog::scanner::page::{RawPage, Technologies, read_page, read_page_with};
use sitelog::scanner::robots::Robots;
use sitelog::scanner::sitemap::{SitemapReader, SitemapSettings};
use sitelog::values::DomainName;
use sitelog::values::batch_list::{Form, Source};
use sitelog::values::spreadsheet::inert_cell;
use sitelog::values::versioned::{VersionedEvent, decode, decode_text};
use url::Url;

/// Takes whatever bytes there are.
pub type Target = fn(&[u8]);

/// Name and function of each target.
pub const ALL: [(&str, Target); 7] = [
    ("robots", robots),
    ("sitemap", sitemap),
    ("html", html),
    ("domain", domain),
    ("list", list),
    ("event", event),
    ("technologies", technologies),
];

fn base() -> Url {
    Url::parse("https://fuzz.test/dir/file?query").expect("it is one")
}

/// A robots.txt; the first line is the path that is asked for.
pub fn robots(data: &[u8]) {
    let split = data.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (path, file) = data.split_at(split);
    let robots = Robots::parse(file);
    let url = format!("https://fuzz.test/{}", String::from_utf8_lossy(path));
    for agent in ["sitelog", "sitelog/0.1 (+https://a.test)", "", "*", "Googlebot"] {
        let decision = robots.decide(agent, &url);
        assert!(
            decision.allowed || decision.rule.is_some(),
            "forbidden by no rule"
        );
        assert!(robots.crawl_delay(agent).is_none_or(|delay| delay >= 0.0));
    }
    assert_eq!(robots, Robots::parse(file));
}

/// A sitemap, whole and in pieces: how it is cut must not matter. The first byte says how.
pub fn sitemap(data: &[u8]) {
    let Some((cut, file)) = data.split_first() else {
        return;
    };
    let whole = read_sitemap(file, usize::MAX);
    let pieces = read_sitemap(file, usize::from(*cut).max(1));
    assert_eq!(whole, pieces, "cut every {cut} bytes");
}

fn read_sitemap(file: &[u8], piece: usize) -> (String, Vec<String>) {
    let mut entries = Vec::new();
    let mut reader = SitemapReader::new(base(), None, SitemapSettings::default());
    let mut wire = 0;
    for piece in file.chunks(piece.min(file.len().max(1))) {
        wire += piece.len() as u64;
        if !reader.feed(piece, wire, &mut |entry| entries.push(format!("{entry:?}"))) {
            break;
        }
    }
    let summary = reader.finish(&mut |entry| entries.push(format!("{entry:?}")));
    (format!("{:?} {}", summary.kind, summary.entries), entries)
}

/// A page; what is found can be kept as JSON.
pub fn html(data: &[u8]) {
    let facts = read_page(&page(data));
    let text = serde_json::to_string(&facts.findings).expect("findings are plain data");
    assert!(
        text.len() < 64 * 1024 + 64 * data.len(),
        "{} bytes out of {}",
        text.len(),
        data.len()
    );
}

fn page(bytes: &[u8]) -> RawPage {
    let headers = [
        ("content-type".to_owned(), "text/html".to_owned()),
        ("set-cookie".to_owned(), "session=1; path=/".to_owned()),
        ("server".to_owned(), "fuzz/1.0".to_owned()),
    ];
    RawPage {
        url: base(),
        headers: Headers::new(headers),
        bytes: bytes.to_vec(),
    }
}

/// A domain; what was read is read the same again, and lies in a spreadsheet as a text.
pub fn domain(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(domain) = DomainName::parse(&text) {
        assert_eq!(DomainName::parse(domain.as_str()).as_ref(), Ok(&domain));
        assert!(domain.as_str().len() <= 253 && domain.as_str().is_ascii());
    }
    let cell = inert_cell(&text);
    assert!(cell.ends_with(text.as_ref()) && cell.len() <= text.len() + 1);
}

/// A list of domains in each of its forms, with and without a chosen column. The first byte says which.
pub fn list(data: &[u8]) {
    let Some((choice, content)) = data.split_first() else {
        return;
    };
    let source = Source {
        content,
        form: [Form::Table, Form::Ndjson, Form::Unknown][usize::from(choice % 3)],
        charset: [None, Some("windows-1252"), Some("utf-16le")][usize::from(choice / 3 % 3)],
        column: [None, None, Some("2")][usize::from(choice / 9 % 3)],
    };
    let list = match source.read() {
        Ok(list) => list,
        Err(error) => {
            assert!(error.line() != Some(0) && !error.to_string().is_empty());
            return;
        }
    };
    assert!(list.cells.len() <= list.accepted.len(), "cells of no domain");
    let lines = content.len() + 1;
    let accepted = list.accepted.iter().map(|(line, _)| line);
    assert!(
        accepted
            .chain(list.rejected.iter().map(|rejected| &rejected.line))
            .all(|line| (1..=lines).contains(&(*line as usize))),
        "a line that is not there"
    );
    let mut seen = std::collections::HashSet::new();
    assert!(
        list.accepted
            .iter()
            .all(|(_, domain)| seen.insert(domain.clone())),
        "one domain twice"
    );
}

/// An event as it stands in the log: the first line is its version, the rest its payload. Each way of reading comes to
/// the same, and what was read is written and read the same again.
pub fn event(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (version, payload) = text.split_once('\n').unwrap_or(("1", text));
    read_event::<ScanEvent>(version, payload);
    read_event::<BatchEvent>(version, payload);
}

fn read_event<E: VersionedEvent + Serialize + PartialEq + Debug>(version: &str, payload: &str) {
    let value: Option<Value> = serde_json::from_str(payload).ok();
    let named = value
        .as_ref()
        .and_then(Value::as_object)
        .and_then(|object| object.keys().next());
    let Some(name) = named else { return };
    let from_text = decode_text::<E>(name, version, payload);
    let from_value = decode::<E>(name, version, value.as_ref().expect("it has a name"));
    // A text may name a field twice, which a value cannot: then the text alone is refused.
    if let Ok(event) = from_text {
        assert_eq!(from_value.ok().as_ref(), Some(&event));
        let current = E::version_of(name).expect("it was read").to_string();
        let written = serde_json::to_string(&event).expect("events are plain data");
        assert_eq!(
            decode_text::<E>(name, &current, &written).ok().as_ref(),
            Some(&event)
        );
    }
}

/// A set of fingerprints, and up to the first zero byte a page that it is compared with.
pub fn technologies(data: &[u8]) {
    let split = data.iter().position(|byte| *byte == 0).unwrap_or(0);
    let (html, set) = data.split_at(split);
    let set = String::from_utf8_lossy(set.strip_prefix(&[0]).unwrap_or(set));
    let Ok(known) = Technologies::of(&[&set]) else {
        return;
    };
    let joint = Technologies::combine(&[set.into_owned()]).expect("it is a set");
    let again = Technologies::of(&[&joint]).expect("it is one still");
    assert_eq!(format!("{:?}", known.list()), format!("{:?}", again.list()));
    let page = page(html);
    assert_eq!(read_page_with(&page, &known), read_page_with(&page, &again));
}
