//! A page as a tree, as browsers parse it: html5ever's parser, scraper's tree.
//!
//! Where html5ever takes more than linear time, limits apply to every page: attributes of one tag ([`long_tag`]), open
//! elements and the size of the tree ([`bounds`]).

mod bounds;
mod long_tag;
mod sink;

use html5ever::TokenizerResult;
use html5ever::buffer_queue::BufferQueue;
use html5ever::tokenizer::{Tokenizer, TokenizerOpts};
use scraper::node::Element;
use scraper::{Html, StrTendril};

use self::bounds::Bounded;
pub(super) use self::bounds::MAX_NODES;
use self::long_tag::LongTag;

/// Bytes that the tokenizer gets at a time. If a tag is longer, its attributes are counted.
const CHUNK: usize = 2048;

/// A page's tree, and the data that is kept outside it.
#[derive(Debug)]
pub(super) struct Parsed {
    /// Without comments.
    pub(super) html: Html,
    /// In document order.
    pub(super) comments: Vec<StrTendril>,
    /// Whether the page has more nodes than are kept.
    pub(super) is_cut: bool,
}

/// Parses a page, with time and memory proportional to its size.
pub(super) fn parse(html: &str) -> Parsed {
    let source = StrTendril::from(html);
    let input = BufferQueue::default();
    let mut tokenizer = Tokenizer::new(Bounded::new(html, &input), TokenizerOpts::default());
    let mut long_tag: Option<LongTag> = None;
    let mut at = 0;
    while at < html.len() && !tokenizer.sink.is_full() {
        let end = html.ceil_char_boundary(at + CHUNK);
        if let Some(cut) = long_tag.as_mut().and_then(|tag| tag.follow(html, end)) {
            // The tokenizer compares each attribute with all others of the tag. So a new tokenizer starts after this
            // tag, which keeps the attributes before the cut.
            tokenizer = Tokenizer::new(tokenizer.sink, TokenizerOpts::default());
            let start = tokenizer.sink.end_of_last_token();
            at = cut.end_of_tag;
            long_tag = None;
            tokenizer.sink.begin_chunk(at);
            input.push_back(part(&source, start, cut.after_attributes));
            input.push_back(StrTendril::from(">"));
            feed(&tokenizer, &input);
            continue;
        }
        tokenizer.sink.begin_chunk(end);
        input.push_back(part(&source, at, end));
        feed(&tokenizer, &input);
        at = end;
        if tokenizer.sink.has_seen_token() {
            long_tag = None;
        } else if long_tag.is_none() {
            long_tag = LongTag::at(html, tokenizer.sink.end_of_last_token());
        }
    }
    tokenizer.end();
    tokenizer.sink.finish()
}

fn feed(tokenizer: &Tokenizer<Bounded<'_>>, input: &BufferQueue) {
    // Scripts are not run and the text is already decoded, so neither is a reason to stop.
    while !matches!(tokenizer.feed(input), TokenizerResult::Done) {}
}

fn part(source: &StrTendril, start: usize, end: usize) -> StrTendril {
    let offset = |at| u32::try_from(at).expect("a page is smaller than a tendril may be");
    source.subtendril(offset(start), offset(end - start))
}

/// The value of an attribute, as written.
pub(super) fn raw<'e>(element: &'e Element, name: &str) -> Option<&'e str> {
    let mut attributes = element.attrs();
    attributes
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value)
}

/// The value of an attribute, trimmed; `None` if it is missing or blank.
pub(super) fn attribute<'e>(element: &'e Element, name: &str) -> Option<&'e str> {
    raw(element, name)
        .map(str::trim)
        .filter(|value| !value.is_empty())
}

/// Whether a space-separated attribute (`class`, `rel`) holds a word, in any case.
pub(super) fn has_word(element: &Element, attribute: &str, word: &str) -> bool {
    raw(element, attribute).is_some_and(|words| {
        words
            .split_ascii_whitespace()
            .any(|known| known.eq_ignore_ascii_case(word))
    })
}

/// An element's start tag without its brackets, attributes sorted by name.
pub(super) fn shown(element: &Element) -> String {
    let mut shown = element.name().to_owned();
    for (name, value) in element.attrs() {
        shown.push(' ');
        shown.push_str(name);
        if !value.is_empty() {
            shown.push_str("=\"");
            shown.push_str(value);
            shown.push('"');
        }
    }
    shown
}

#[cfg(test)]
mod tests;
