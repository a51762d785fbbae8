//! The lines of robots.txt, with the spellings and mistakes that Google's parser accepts.

/// What a line says.
pub(super) enum Line<'a> {
    UserAgent(&'a str),
    Rule { allow: bool, path: &'a str },
    CrawlDelay(&'a str),
    Sitemap(&'a str),
}

/// Drops a byte order mark, whole or in part.
pub(super) fn without_bom(bytes: &[u8]) -> &[u8] {
    let present = bytes
        .iter()
        .zip([0xef, 0xbb, 0xbf])
        .take_while(|(byte, mark)| **byte == *mark)
        .count();
    &bytes[present..]
}

/// Reads one line; `None` if its key is unknown.
pub(super) fn read_line(line: &str) -> Option<Line<'_>> {
    let line = line.split('#').next().unwrap_or_default().trim_matches(is_blank);
    let (key, value) = match line.split_once(':') {
        Some(parts) => parts,
        None => pair_without_colon(line)?,
    };
    let (key, value) = (key.trim_matches(is_blank), value.trim_matches(is_blank));
    let is = |names: &[&str]| names.iter().any(|name| starts_with_ignoring_case(key, name));
    if is(&["user-agent", "useragent", "user agent"]) {
        Some(Line::UserAgent(value))
    } else if is(&["allow"]) {
        Some(Line::Rule {
            allow: true,
            path: value,
        })
    } else if is(&[
        "disallow",
        "dissallow",
        "dissalow",
        "disalow",
        "diasllow",
        "disallaw",
    ]) {
        Some(Line::Rule {
            allow: false,
            path: value,
        })
    } else if is(&["sitemap", "site-map"]) {
        Some(Line::Sitemap(value))
    } else if is(&["crawl-delay", "crawldelay"]) {
        Some(Line::CrawlDelay(value))
    } else {
        None
    }
}

/// `disallow /x`: the colon may be missing if there are two words and no more.
fn pair_without_colon(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.split_once(is_blank)?;
    let value = value.trim_matches(is_blank);
    (!value.contains(is_blank)).then_some((key, value))
}

pub(super) fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\u{b}' | '\u{c}' | '\0')
}

fn starts_with_ignoring_case(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}
