//! Checks whether a response is a text file. Also reads humans.txt and llms.txt, which are simple text files.

use super::{MAX_VALUE, MAX_VALUES};
use crate::values::printable::Printable;
use crate::values::site_files::{HumansTxt, LlmsTxt};

/// Maximum lines of humans.txt that are kept.
const FIRST_LINES: usize = 8;

/// Whether a response is a text file, and not the page that many servers return for every URL, with any media type.
pub(super) fn is_text(media_type: Option<&str>, bytes: &[u8]) -> bool {
    let is_text_type = match media_type {
        Some("text/html" | "text/xml" | "text/css" | "text/javascript") => false,
        Some(known) => known.starts_with("text/") || known == "application/octet-stream",
        None => true,
    };
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(1024)]);
    let start = head.trim_start_matches('\u{feff}').trim_start();
    // A file of these formats begins with a word, a comment or a dash; HTML and JSON objects do not.
    is_text_type && !start.starts_with(['<', '{']) && !head.contains('\0')
}

/// A value as it is stored: of limited length, on one line, and without control characters.
pub(super) fn kept(value: &str) -> String {
    let short: String = value.chars().take(MAX_VALUE).collect();
    Printable(short.trim())
        .to_string()
        .chars()
        .take(MAX_VALUE)
        .collect()
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// `None` for an empty file.
pub(super) fn humans_txt(text: &str, url: String) -> Option<HumansTxt> {
    let first_lines: Vec<String> = lines(text).take(FIRST_LINES).map(kept).collect();
    (!first_lines.is_empty()).then_some(HumansTxt { url, first_lines })
}

/// `None` for a text with neither a heading nor a link: it is not an llms.txt.
pub(super) fn llms_txt(text: &str, url: String, is_cut: bool) -> Option<LlmsTxt> {
    let title = lines(text).find_map(|line| line.strip_prefix("# "));
    let mut after = lines(text)
        .skip_while(|line| title.is_some() && !line.starts_with("# "))
        .skip(usize::from(title.is_some()))
        .take(MAX_VALUES);
    let mut summary: Vec<&str> = Vec::new();
    // The summary is a quotation before the first section.
    let mut quoted = after.by_ref().take_while(|line| !line.starts_with('#'));
    if let Some(first) = quoted.find_map(|line| line.strip_prefix('>')) {
        summary.push(first.trim());
        summary.extend(quoted.map_while(|line| line.strip_prefix('>')).map(str::trim));
    }
    let links = text
        .match_indices("](")
        .filter(|(at, _)| text[at + 2..].starts_with(['h', '/', '.']))
        .count() as u64;
    (title.is_some() || links > 0).then(|| LlmsTxt {
        url,
        title: title.map(kept),
        summary: (!summary.is_empty()).then(|| kept(&summary.join(" "))),
        links,
        is_cut,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_and_data_are_no_text_files_whatever_their_type() {
        assert!(is_text(Some("text/plain"), b"Contact: x"));
        assert!(is_text(None, b"\xef\xbb\xbf# Site"));
        assert!(is_text(Some("text/markdown"), b"# Site"));
        for (media_type, bytes) in [
            (Some("text/html"), &b"Contact: x"[..]),
            (Some("text/plain"), b"\n <!doctype html><title>404"),
            (Some("text/plain"), b"{\"error\": 404}"),
            (Some("application/json"), b"x"),
            (Some("image/png"), b"x"),
            (Some("text/plain"), b"PK\0\0"),
        ] {
            assert!(!is_text(media_type, bytes), "{media_type:?} {bytes:?}");
        }
    }

    #[test]
    fn humans_are_the_first_lines_without_what_acts_on_a_terminal() {
        let found = humans_txt("\n/* TEAM */\n\n  Anna \u{1b}[31m\n", "u".into()).unwrap();
        assert_eq!(found.first_lines, ["/* TEAM */", "Anna \\u001b[31m"]);
        assert_eq!(humans_txt(" \n\n", "u".into()), None);
        let long = humans_txt(&"x\n".repeat(9_000), "u".into()).unwrap();
        assert_eq!(long.first_lines.len(), FIRST_LINES);
    }

    #[test]
    fn title_and_summary_of_a_site_for_models_are_heading_and_quotation() {
        let text = "# Acme\n\n> Anvils for\n> everybody.\n\nMore.\n\n## Docs\n\n- [Guide](https://a.test/g.md): all\n- [API](/api.md)\n> no\n";
        let found = llms_txt(text, "u".into(), false).unwrap();
        assert_eq!(found.title.as_deref(), Some("Acme"));
        assert_eq!(found.summary.as_deref(), Some("Anvils for everybody."));
        assert_eq!(found.links, 2);
        let bare = llms_txt("# Acme\n## Docs\n> not of the site", "u".into(), false).unwrap();
        assert_eq!((bare.summary, bare.links), (None, 0));
        let untitled = llms_txt("> S\n[a](https://a.test/)", "u".into(), false).unwrap();
        assert_eq!((untitled.title, untitled.summary.as_deref()), (None, Some("S")));
        for text in ["", "Not found", "404: NOT_FOUND"] {
            assert_eq!(llms_txt(text, "u".into(), false), None, "{text}");
        }
    }
}
