//! Cuts XML of any quality into tokens as it arrives.
//!
//! Nothing is an error here: a `<` that begins nothing is text, a tag without its `>` ends at the next `<`. Memory
//! holds one token; one that is too long is handed on in pieces (text) or dropped (everything else).

use memchr::{memchr, memchr3, memmem};

/// Longest text piece, tag or declaration that is kept.
const MAX_TOKEN: usize = 64 * 1024;

/// One token; references in text and attributes are not resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// Characters between tags.
    Text(&'a str),
    /// The inside of `<![CDATA[…]]>`.
    CData(&'a str),
    /// A start tag.
    Start(Tag<'a>),
    /// An end tag.
    End(Tag<'a>),
    /// `<!DOCTYPE …>` with its internal subset.
    Doctype(&'a str),
}

/// The inside of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    /// With its prefix.
    pub(super) name: &'a str,
    /// Attributes as written.
    pub(super) attributes: &'a str,
    /// `<a/>`.
    pub(super) empty: bool,
}

/// What the tokenizer is inside of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inside {
    Content,
    /// Until `-->`.
    Comment,
    /// Until `?>`.
    Instruction,
    /// Until `]]>`.
    CData,
}

/// The tokenizer; feed it text until there is no more.
#[derive(Debug)]
pub(super) struct Tokens {
    pending: String,
    inside: Inside,
    offset: u64,
}

/// What one look at the pending text came to.
enum Step<'a> {
    /// A token (or nothing worth one) of so many bytes.
    Took(usize, Option<Token<'a>>, Inside),
    /// More text is needed.
    Wait,
}

impl Tokens {
    pub(super) fn new() -> Self {
        Self {
            pending: String::new(),
            inside: Inside::Content,
            offset: 0,
        }
    }

    /// Takes text in and hands each token on with its offset; `last` ends the document.
    pub(super) fn feed(&mut self, text: &str, last: bool, sink: &mut dyn FnMut(Token<'_>, u64)) {
        let pending = if self.pending.is_empty() {
            None
        } else {
            self.pending.push_str(text);
            Some(std::mem::take(&mut self.pending))
        };
        let all = pending.as_deref().unwrap_or(text);
        let mut at = 0;
        while at < all.len() {
            match step(self.inside, &all[at..], last) {
                Step::Took(length, token, inside) => {
                    if let Some(token) = token {
                        sink(token, self.offset);
                    }
                    self.inside = inside;
                    self.offset += length as u64;
                    at += length;
                }
                Step::Wait => break,
            }
        }
        let rest = &all[at..];
        rest.clone_into(&mut self.pending);
    }
}

fn step(inside: Inside, text: &str, last: bool) -> Step<'_> {
    match inside {
        Inside::Content => content(text, last),
        Inside::Comment => until(text, "-->", last, inside),
        Inside::Instruction => until(text, "?>", last, inside),
        Inside::CData => until(text, "]]>", last, inside),
    }
}

/// Reads to a terminator; all but a terminator's length of what is there may go already.
fn until<'a>(text: &'a str, end: &str, last: bool, inside: Inside) -> Step<'a> {
    let keep = |piece: &'a str| (inside == Inside::CData && !piece.is_empty()).then_some(Token::CData(piece));
    if let Some(at) = memmem::find(text.as_bytes(), end.as_bytes()) {
        return Step::Took(at + end.len(), keep(&text[..at]), Inside::Content);
    }
    if last {
        return Step::Took(text.len(), keep(text), Inside::Content);
    }
    if text.len() < MAX_TOKEN && inside == Inside::CData {
        return Step::Wait;
    }
    let safe = floor_boundary(text, text.len().saturating_sub(end.len()));
    if safe == 0 {
        return Step::Wait;
    }
    Step::Took(safe, keep(&text[..safe]), inside)
}

fn content(text: &str, last: bool) -> Step<'_> {
    match memchr(b'<', text.as_bytes()) {
        Some(0) => markup(text, last),
        Some(at) => text_piece(text, at),
        None if last => text_piece(text, text.len()),
        None if text.len() >= MAX_TOKEN => text_piece(text, floor_boundary(text, MAX_TOKEN)),
        None => Step::Wait,
    }
}

fn text_piece(text: &str, length: usize) -> Step<'_> {
    Step::Took(length, Some(Token::Text(&text[..length])), Inside::Content)
}

/// What a `<` begins.
fn markup(text: &str, last: bool) -> Step<'_> {
    const OPENERS: &[(&str, Inside)] = &[
        ("<!--", Inside::Comment),
        ("<![CDATA[", Inside::CData),
        ("<?", Inside::Instruction),
    ];
    for (opener, inside) in OPENERS {
        if text.starts_with(opener) {
            return Step::Took(opener.len(), None, *inside);
        }
        if !last && text.len() < opener.len() && opener.starts_with(text) {
            return Step::Wait;
        }
    }
    match text.as_bytes().get(1) {
        None if !last => Step::Wait,
        Some(b'!') if text.as_bytes().get(2).is_none_or(u8::is_ascii_alphabetic) => declaration(text, last),
        Some(b'/') => tag(text, last),
        Some(byte) if byte.is_ascii_alphabetic() || matches!(byte, b'_' | b':') || !byte.is_ascii() => {
            tag(text, last)
        }
        _ => text_piece(text, 1),
    }
}

/// `<!DOCTYPE …>`: the `>` that counts is the one after the internal subset. One without end is dropped.
fn declaration(text: &str, last: bool) -> Step<'_> {
    let is_doctype = text
        .get(2..9)
        .is_some_and(|word| word.eq_ignore_ascii_case("doctype"));
    let mut in_subset = false;
    for (at, byte) in text.bytes().enumerate().take(MAX_TOKEN) {
        match byte {
            b'[' if is_doctype => in_subset = true,
            b']' => in_subset = false,
            b'>' if !in_subset => {
                let token = is_doctype.then_some(Token::Doctype(&text[2..at]));
                return Step::Took(at + 1, token, Inside::Content);
            }
            _ => {}
        }
    }
    if last || text.len() >= MAX_TOKEN {
        return Step::Took(
            floor_boundary(text, text.len().min(MAX_TOKEN)),
            None,
            Inside::Content,
        );
    }
    Step::Wait
}

fn tag(text: &str, last: bool) -> Step<'_> {
    let bytes = text.as_bytes();
    // Without an attribute there is no quote that could hide the end.
    if let Some(at) = memchr3(b'>', b'=', b'<', &bytes[1..])
        && bytes[at + 1] == b'>'
        && at < MAX_TOKEN
    {
        return Step::Took(at + 2, read_tag(&text[1..=at]), Inside::Content);
    }
    let mut quote = None;
    for (at, byte) in bytes.iter().enumerate().take(MAX_TOKEN).skip(1) {
        match (quote, byte) {
            (None, b'>') => return Step::Took(at + 1, read_tag(&text[1..at]), Inside::Content),
            (None, b'<') => return Step::Took(at, read_tag(&text[1..at]), Inside::Content),
            (None, b'"' | b'\'') if bytes[at - 1] == b'=' => quote = Some(*byte),
            (Some(open), byte) if open == *byte => quote = None,
            _ => {}
        }
    }
    if last || text.len() >= MAX_TOKEN {
        return text_piece(text, 1);
    }
    Step::Wait
}

fn read_tag(inner: &str) -> Option<Token<'_>> {
    let (inner, closing) = match inner.strip_prefix('/') {
        Some(rest) => (rest.trim_start(), true),
        None => (inner, false),
    };
    let (inner, empty) = match inner.strip_suffix('/') {
        Some(rest) => (rest, true),
        None => (inner, false),
    };
    let end = inner
        .bytes()
        .position(|byte| byte.is_ascii_whitespace() || byte == b'/')
        .unwrap_or(inner.len());
    let (name, attributes) = inner.split_at(end);
    let tag = Tag {
        name,
        attributes,
        empty,
    };
    (!name.is_empty()).then_some(if closing {
        Token::End(tag)
    } else {
        Token::Start(tag)
    })
}

impl<'a> Tag<'a> {
    /// Prefix (empty if none) and local name.
    pub(super) fn prefix_and_local(&self) -> (&'a str, &'a str) {
        match memchr(b':', self.name.as_bytes()) {
            Some(at) => (&self.name[..at], &self.name[at + 1..]),
            None => ("", self.name),
        }
    }

    /// The value of an attribute by its local name, references unresolved.
    pub(super) fn attribute(&self, wanted: &str) -> Option<&'a str> {
        let mut rest = self.attributes;
        while let Some((name, after)) = rest.split_once('=') {
            let name = name
                .trim()
                .rsplit([' ', '\t', '\n', '\r', ':'])
                .next()
                .unwrap_or_default();
            let after = after.trim_start();
            let (value, next) = match after.chars().next() {
                Some(quote @ ('"' | '\'')) => after[1..].split_once(quote).unwrap_or((&after[1..], "")),
                _ => after.split_once(char::is_whitespace).unwrap_or((after, "")),
            };
            if name.eq_ignore_ascii_case(wanted) {
                return Some(value);
            }
            rest = next;
        }
        None
    }
}

fn floor_boundary(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All tokens in a short notation, fed in steps of `step` characters.
    fn tokens(text: &str, step: usize) -> String {
        let (mut tokens, mut seen) = (Tokens::new(), String::new());
        let mut sink = |token: Token<'_>, _| {
            let token = match token {
                Token::Text(text) => text.to_owned(),
                Token::CData(text) => format!("[{text}]"),
                Token::Start(tag) => format!("({}{}", tag.name, if tag.empty { ")" } else { "" }),
                Token::End(tag) => format!("{})", tag.name),
                Token::Doctype(_) => "D".to_owned(),
            };
            seen.push_str(&token);
        };
        let characters: Vec<char> = text.chars().collect();
        for piece in characters.chunks(step) {
            tokens.feed(&piece.iter().collect::<String>(), false, &mut sink);
        }
        tokens.feed("", true, &mut sink);
        seen
    }

    fn same_at_any_step(text: &str, wanted: &str) {
        for step in [1, 2, 3, 7, 1000] {
            assert_eq!(tokens(text, step), wanted, "in steps of {step}");
        }
    }

    #[test]
    fn sound_markup_is_cut_the_same_however_it_arrives() {
        same_at_any_step(
            "<?xml v?><!DOCTYPE x [<!ENTITY a \"b>\">]><a b='>'><!-- <x> --><c/>é<![CDATA[<&]]></a>",
            "D(a(c)é[<&]a)",
        );
    }

    #[test]
    fn unsound_markup_is_text_or_ends_at_the_next_tag() {
        same_at_any_step("<a>1 < 2<b<c></c>", "(a1 < 2(b(cc)");
        same_at_any_step("<a><!-- never closed <b>", "(a");
        same_at_any_step("<a", "<a");
    }

    #[test]
    fn attributes_are_found_by_local_name() {
        let Some(Token::Start(tag)) = read_tag("x:link rel = \"alternate\" xml:lang='de' href=/a") else {
            panic!("not a start tag");
        };
        assert_eq!(tag.prefix_and_local(), ("x", "link"));
        assert_eq!(tag.attribute("rel"), Some("alternate"));
        assert_eq!(
            (tag.attribute("lang"), tag.attribute("href")),
            (Some("de"), Some("/a"))
        );
    }

    #[test]
    fn a_token_without_end_does_not_grow_in_memory() {
        let (mut tokens, piece) = (Tokens::new(), "a".repeat(100_000));
        for opener in ["<a b=\"", "<![CDATA[", "<!--", "<!DOCTYPE "] {
            tokens.feed(opener, false, &mut |_, _| {});
            for _ in 0..20 {
                tokens.feed(&piece, false, &mut |_, _| {});
                assert!(tokens.pending.len() <= MAX_TOKEN + piece.len());
            }
        }
    }
}
