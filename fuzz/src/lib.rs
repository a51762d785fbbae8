//! What must hold for any bytes whatever: nothing panics, nothing runs away, and what was read says the same when it
//! is read again. Each function is a target of `script/fuzz`; `cargo test` runs them over the kept inputs.

use sitelog::aggregates::{BatchEvent, ScanEvent};
use sitelog::fetch::Headers;
use sitelog::scanner::page::{RawPage, read_page};
use sitelog::scanner::robots::Robots;
use sitelog::scanner::sitemap::{SitemapReader, SitemapSettings};
use sitelog::values::spreadsheet::inert_cell;
use sitelog::values::{BatchList, DomainName};
use url::Url;

/// Takes whatever bytes there are.
pub type Target = fn(&[u8]);

/// Name and function of each target.
pub const ALL: [(&str, Target); 6] = [
    ("robots", robots),
    ("sitemap", sitemap),
    ("html", html),
    ("domain", domain),
    ("list", list),
    ("event", event),
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
    let page = RawPage {
        url: base(),
        headers: Headers::new([("content-type".to_owned(), "text/html".to_owned())]),
        bytes: data.to_vec(),
    };
    let facts = read_page(&page);
    let text = serde_json::to_string(&facts.findings).expect("findings are plain data");
    assert!(
        text.len() < 64 * 1024 + 64 * data.len(),
        "{} bytes out of {}",
        text.len(),
        data.len()
    );
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

/// A list of domains in each of its forms. The first byte says which.
pub fn list(data: &[u8]) {
    let Some((form, content)) = data.split_first() else {
        return;
    };
    let read = match form % 3 {
        0 => BatchList::from_csv(content),
        1 => BatchList::from_text(content),
        _ => BatchList::from_ndjson(content),
    };
    let Ok(list) = read else { return };
    let lines = content
        .iter()
        .filter(|byte| matches!(byte, b'\n' | b'\r'))
        .count()
        + 1;
    assert!(
        list.accepted.len() + list.rejected.len() + list.duplicates <= lines,
        "more than {lines} lines"
    );
    let mut seen = std::collections::HashSet::new();
    assert!(
        list.accepted
            .iter()
            .all(|(_, domain)| seen.insert(domain.clone())),
        "one domain twice"
    );
}

/// An event as it stands in the log: what can be read is written the same again.
pub fn event(data: &[u8]) {
    if let Ok(event) = serde_json::from_slice::<ScanEvent>(data) {
        let text = serde_json::to_vec(&event).expect("events are plain data");
        assert_eq!(
            serde_json::from_slice::<ScanEvent>(&text).ok().as_ref(),
            Some(&event)
        );
    }
    if let Ok(event) = serde_json::from_slice::<BatchEvent>(data) {
        let text = serde_json::to_vec(&event).expect("events are plain data");
        assert_eq!(
            serde_json::from_slice::<BatchEvent>(&text).ok().as_ref(),
            Some(&event)
        );
    }
}
