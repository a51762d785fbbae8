//! Counts the attributes of a very long tag, as the tokenizer reads them (HTML, 13.2.5.32 to 39).

use super::bounds::MAX_ATTRIBUTES;

/// An incomplete tag in the tokenizer, followed from its `<`.
pub(super) struct LongTag {
    state: State,
    attributes: usize,
    /// The offset up to which it was followed.
    at: usize,
}

#[derive(Clone, Copy)]
enum State {
    TagName,
    BeforeName,
    Name,
    AfterName,
    BeforeValue,
    Value,
    Quoted(u8),
}

/// Where a tag with too many attributes is cut.
pub(super) struct Cut {
    /// The offset after the last attribute that is kept.
    pub(super) after_attributes: usize,
    /// The offset after the `>`, or the end of the page.
    pub(super) end_of_tag: usize,
}

impl LongTag {
    /// The tag that begins here, if it is one: it may be a comment.
    pub(super) fn at(html: &str, start: usize) -> Option<Self> {
        let name = html.get(start..)?.strip_prefix('<')?;
        let name = name.strip_prefix('/').unwrap_or(name);
        name.starts_with(|first: char| first.is_ascii_alphabetic())
            .then_some(Self {
                state: State::TagName,
                attributes: 0,
                at: html.len() - name.len(),
            })
    }

    /// Follows the tag up to an offset. Returns where to cut if there are too many attributes before it.
    pub(super) fn follow(&mut self, html: &str, end: usize) -> Option<Cut> {
        while self.at < end {
            if self.step(html.as_bytes()[self.at]) {
                // The rest of the page is text.
                self.at = end;
                return None;
            }
            if self.attributes > MAX_ATTRIBUTES {
                return Some(Cut {
                    after_attributes: self.at,
                    end_of_tag: self.end_of_tag(html),
                });
            }
            self.at += 1;
        }
        None
    }

    fn end_of_tag(&mut self, html: &str) -> usize {
        let rest = &html.as_bytes()[self.at + 1..];
        let length = rest.iter().position(|byte| self.step(*byte));
        length.map_or(html.len(), |length| self.at + length + 2)
    }

    /// Reads a byte; returns whether it ends the tag.
    fn step(&mut self, byte: u8) -> bool {
        use State::{AfterName, BeforeName, BeforeValue, Name, Quoted, TagName, Value};
        let is_space = matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0c');
        self.state = match self.state {
            Quoted(quote) if byte == quote => BeforeName,
            Quoted(_) => self.state,
            _ if byte == b'>' => return true,
            BeforeValue if matches!(byte, b'"' | b'\'') => Quoted(byte),
            BeforeValue if !is_space => Value,
            Value if is_space => BeforeName,
            BeforeValue | Value => self.state,
            _ if byte == b'/' => BeforeName,
            Name | AfterName if byte == b'=' => BeforeValue,
            Name | AfterName if is_space => AfterName,
            TagName | BeforeName if is_space => BeforeName,
            TagName | Name => self.state,
            BeforeName | AfterName => {
                self.attributes += 1;
                Name
            }
        };
        false
    }
}
