//! Cuts HTML into tags and text, in one pass and linear time whatever the page.
//!
//! There is no tree: nothing here needs one, and trees are what hostile nesting attacks. Attribute values and text
//! are slices of the page, references unresolved.

use memchr::{memchr, memmem};

/// Attributes kept of one tag; a tag may have any number.
const MAX_ATTRIBUTES: usize = 100;

/// Elements whose content is text up to their end tag.
const RAW_TEXT: &[&str] = &[
    "script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes",
];

/// A piece of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// A start tag.
    Start(StartTag<'a>),
    /// The name of an end tag, as written.
    End(&'a str),
    /// Characters.
    Text(&'a str),
    /// The content of a script, style, title …
    RawText(&'a str),
    /// The inside of a comment.
    Comment(&'a str),
}

/// A start tag and its attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StartTag<'a> {
    /// Lower case.
    pub(super) name: String,
    /// Between `<` and `>`.
    pub(super) source: &'a str,
    attributes: Vec<(&'a str, &'a str)>,
}

impl<'a> StartTag<'a> {
    /// Names as written and values with their references unresolved.
    pub(super) fn attributes(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.attributes.iter().copied()
    }

    /// The value of an attribute, references unresolved; empty if it has none.
    pub(super) fn raw(&self, name: &str) -> Option<&'a str> {
        let found = self
            .attributes
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| *value)
    }

    /// The value of an attribute, trimmed; `None` if it is missing or blank.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        let value = crate::scanner::references::resolve_html(self.raw(name)?);
        let value = value.trim();
        (!value.is_empty()).then(|| value.to_owned())
    }

    /// Whether a space-separated attribute (`class`, `rel`) holds a word.
    pub(super) fn has_word(&self, attribute: &str, word: &str) -> bool {
        self.raw(attribute).is_some_and(|words| {
            words
                .split_ascii_whitespace()
                .any(|known| known.eq_ignore_ascii_case(word))
        })
    }
}

/// Hands the pieces of a page on, in order.
pub(super) fn read<'a>(html: &'a str, sink: &mut dyn FnMut(Piece<'a>)) {
    let mut rest = html;
    let mut svg_depth = 0_u32;
    while !rest.is_empty() {
        let (piece, length) = next_piece(rest);
        rest = &rest[length..];
        let mut raw_text = None;
        match &piece {
            Piece::Start(tag) if tag.name == "svg" && !tag.source.ends_with('/') => svg_depth += 1,
            Piece::End(name) if name.eq_ignore_ascii_case("svg") => svg_depth = svg_depth.saturating_sub(1),
            // In SVG, `<title/>` is an empty element and `<title>` is not the page's.
            Piece::Start(tag) if svg_depth == 0 => {
                raw_text = RAW_TEXT.iter().find(|name| **name == tag.name);
            }
            _ => {}
        }
        sink(piece);
        if let Some(name) = raw_text {
            let end = raw_text_end(rest, name);
            sink(Piece::RawText(&rest[..end]));
            rest = &rest[end..];
        }
    }
}

fn next_piece(text: &str) -> (Piece<'_>, usize) {
    match memchr(b'<', text.as_bytes()) {
        None => (Piece::Text(text), text.len()),
        Some(0) => markup(text),
        Some(at) => (Piece::Text(&text[..at]), at),
    }
}

fn markup(text: &str) -> (Piece<'_>, usize) {
    let bytes = text.as_bytes();
    if let Some(comment) = text.strip_prefix("<!--") {
        let end = memmem::find(comment.as_bytes(), b"-->").unwrap_or(comment.len());
        return (Piece::Comment(&comment[..end]), (end + 7).min(text.len()));
    }
    match bytes.get(1) {
        Some(b'!' | b'?') => {
            let end = memchr(b'>', bytes).unwrap_or(text.len());
            (Piece::Comment(&text[2..end]), (end + 1).min(text.len()))
        }
        Some(b'/') => {
            let end = memchr(b'>', bytes).unwrap_or(text.len());
            let name = text[2..end]
                .split([' ', '\t', '\n', '\r', '\x0c', '/'])
                .next()
                .unwrap_or_default();
            (Piece::End(name), (end + 1).min(text.len()))
        }
        Some(byte) if byte.is_ascii_alphabetic() => start_tag(text),
        _ => (Piece::Text(&text[..1]), 1),
    }
}

/// The start tag that has this between `<` and `>`.
pub(super) fn tag(source: &str) -> StartTag<'_> {
    tag_before_end(source).0
}

fn start_tag(text: &str) -> (Piece<'_>, usize) {
    let (tag, length) = tag_before_end(&text[1..]);
    (Piece::Start(tag), (length + 2).min(text.len()))
}

/// The tag whose name begins a text, and how long it is up to its `>`.
fn tag_before_end(text: &str) -> (StartTag<'_>, usize) {
    let bytes = text.as_bytes();
    let name_end = bytes
        .iter()
        .position(|byte| is_space(*byte) || matches!(byte, b'>' | b'/'))
        .unwrap_or(bytes.len());
    let mut attributes = Vec::new();
    let mut at = name_end;
    loop {
        while at < bytes.len() && (is_space(bytes[at]) || bytes[at] == b'/') {
            at += 1;
        }
        if at >= bytes.len() || bytes[at] == b'>' {
            break;
        }
        let (name, value, next) = attribute(text, at);
        if attributes.len() < MAX_ATTRIBUTES {
            attributes.push((name, value));
        }
        at = next;
    }
    let tag = StartTag {
        name: text[..name_end].to_ascii_lowercase(),
        source: &text[..at],
        attributes,
    };
    (tag, at)
}

/// The attribute that begins at `start`: name, value, and where the next may begin.
fn attribute(text: &str, start: usize) -> (&str, &str, usize) {
    let bytes = text.as_bytes();
    let mut at = start + 1;
    while at < bytes.len() && !is_space(bytes[at]) && !matches!(bytes[at], b'>' | b'/' | b'=') {
        at += 1;
    }
    while !text.is_char_boundary(at) {
        at += 1;
    }
    let name = &text[start..at];
    let mut value_at = at;
    while value_at < bytes.len() && is_space(bytes[value_at]) {
        value_at += 1;
    }
    if bytes.get(value_at) != Some(&b'=') {
        return (name, "", at);
    }
    value_at += 1;
    while value_at < bytes.len() && is_space(bytes[value_at]) {
        value_at += 1;
    }
    if let Some(quote @ (b'"' | b'\'')) = bytes.get(value_at) {
        let from = value_at + 1;
        let end = memchr(*quote, &bytes[from..]).map_or(bytes.len(), |length| from + length);
        return (name, &text[from..end], (end + 1).min(bytes.len()));
    }
    let length = bytes[value_at..]
        .iter()
        .position(|byte| is_space(*byte) || *byte == b'>');
    let end = length.map_or(bytes.len(), |length| value_at + length);
    (name, &text[value_at..end], end)
}

/// Where the end tag of a raw text element begins.
fn raw_text_end(text: &str, name: &str) -> usize {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'<', bytes)
        .find(|at| {
            let rest = &bytes[at + 1..];
            rest.first() == Some(&b'/')
                && rest.len() > name.len()
                && rest[1..=name.len()].eq_ignore_ascii_case(name.as_bytes())
                && rest
                    .get(name.len() + 1)
                    .is_none_or(|byte| is_space(*byte) || matches!(byte, b'>' | b'/'))
        })
        .unwrap_or(text.len())
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0c')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(html: &str) -> String {
        let mut shown = String::new();
        read(html, &mut |piece| {
            let piece = match piece {
                Piece::Start(tag) => format!("({}", tag.name),
                Piece::End(name) => format!("{name})"),
                Piece::Text(text) => text.to_owned(),
                Piece::RawText(text) => format!("[{text}]"),
                Piece::Comment(text) => format!("{{{text}}}"),
            };
            shown.push_str(&piece);
        });
        shown
    }

    fn first_tag(html: &str) -> StartTag<'_> {
        match markup(html).0 {
            Piece::Start(tag) => tag,
            other => panic!("{other:?} is no start tag"),
        }
    }

    #[test]
    fn tags_text_and_comments_are_told_apart() {
        assert_eq!(
            shown("<!DOCTYPE html><P a=1>x<!-- <b> -->y</P>"),
            "{DOCTYPE html}(px{ <b> }yP)"
        );
        assert_eq!(shown("1 < 2 <3 <"), "1 < 2 <3 <");
        assert_eq!(shown("<a href=x"), "(a");
    }

    #[test]
    fn scripts_and_titles_are_text_up_to_their_end_tag() {
        assert_eq!(
            shown("<SCRIPT>if(a<b)'</scriptx>'</Script >x"),
            "(script[if(a<b)'</scriptx>']Script)x"
        );
        assert_eq!(
            shown("<svg><title/><path></svg><title>t</title>"),
            "(svg(title(pathsvg)(title[t]title)"
        );
    }

    #[test]
    fn attributes_are_read_in_every_notation() {
        let tag = first_tag("<a HREF = 'x y' b=\"1&amp;2\" c=d/e checked é=ü>");
        assert_eq!(tag.get("href").as_deref(), Some("x y"));
        assert_eq!(tag.get("b").as_deref(), Some("1&2"));
        assert_eq!(
            (tag.raw("c"), tag.raw("checked"), tag.raw("é")),
            (Some("d/e"), Some(""), Some("ü"))
        );
    }
}
