//! Splits XML of any quality into events as it arrives: quick-xml on batches of text.
//!
//! quick-xml needs its whole input at once, and stops at a syntax error. So text is collected into batches; the
//! unfinished end of a batch is carried over into the next one, up to a limit. After an error, reading continues by
//! one rule: no tag reaches past the next `<`, which XML forbids even in attribute values. From an error on, a batch
//! is read tag by tag, so each failing attempt is made only once: the time is linear for any input.

use std::ops::Range;

use memchr::{memchr, memchr2};
use quick_xml::Reader;
use quick_xml::events::{BytesCData, BytesEnd, BytesStart, BytesText, Event};

/// Text read at a time. Batches avoid repeated searches in markup whose end has not arrived.
const BATCH: usize = 64 * 1024;

/// Maximum length of a tag or declaration, and of any text that is carried over.
const MAX_UNFINISHED: usize = 64 * 1024;

/// Text that begins with `&` and is not longer than this may become a reference.
const MAX_REFERENCE: usize = 64;

const COMMENT: &str = "<!--";
const CDATA: &str = "<![CDATA[";
const INSTRUCTION: &str = "<?";
const DOCTYPE: &str = "<!DOCTYPE";

/// Receives text and emits events.
#[derive(Debug, Default)]
pub(super) struct Xml {
    pending: String,
    /// Bytes of the document before `pending`.
    offset: u64,
    /// Whether a DOCTYPE was read; further ones are ignored.
    doctype_came: bool,
}

/// How to continue at markup that quick-xml finds invalid or unfinished.
enum Recovery<'a> {
    /// Consume this many bytes as this event, or as nothing.
    Read(usize, Option<Event<'a>>),
    /// The end of the markup may still arrive.
    Unfinished,
}

impl Xml {
    /// Receives text; `last` ends the document.
    pub(super) fn feed(&mut self, text: &str, last: bool, sink: &mut impl FnMut(&Event<'_>, u64)) {
        self.pending.push_str(text);
        if self.pending.len() < BATCH && !last {
            return;
        }
        let mut batch = std::mem::take(&mut self.pending);
        let read = self.read(&batch, last, sink);
        self.offset += read as u64;
        batch.drain(..read);
        self.pending = batch;
        if self.pending.len() >= MAX_UNFINISHED {
            self.shorten(sink);
        }
    }

    /// Reads a batch; returns how much of it was processed.
    fn read(&mut self, batch: &str, last: bool, sink: &mut impl FnMut(&Event<'_>, u64)) -> usize {
        let (mut at, mut by_event) = (0, false);
        while at < batch.len() {
            // quick-xml would treat it as a byte order mark, and drop it.
            if batch[at..].starts_with('\u{feff}') {
                sink(&text("\u{feff}"), self.offset + at as u64);
                at += '\u{feff}'.len_utf8();
                continue;
            }
            let end = if by_event && !self.may_hold_tags(&batch[at..]) {
                next_tag(batch, at)
            } else {
                batch.len()
            };
            match self.read_events(batch, at..end, by_event, last, sink) {
                Ok(read_to) => at = read_to,
                Err(fault) => {
                    at = fault;
                    by_event = true;
                    match self.recover(&batch[at..], last) {
                        Recovery::Read(length, event) => {
                            if let Some(event) = event {
                                sink(&event, self.offset + at as u64);
                            }
                            at += length;
                        }
                        Recovery::Unfinished => return at,
                    }
                }
            }
        }
        at
    }

    /// Emits the events of a part of a batch, or only its first one. Returns the position that it reached; as an error
    /// if what follows needs recovery.
    fn read_events(
        &mut self,
        batch: &str,
        part: Range<usize>,
        only_one: bool,
        last: bool,
        sink: &mut impl FnMut(&Event<'_>, u64),
    ) -> Result<usize, usize> {
        let mut reader = Reader::from_str(&batch[part.clone()]);
        let config = reader.config_mut();
        config.allow_dangling_amp = true;
        config.allow_unmatched_ends = true;
        config.check_end_names = false;
        let mut start = part.start;
        loop {
            let Ok(event) = reader.read_event() else {
                return Err(start);
            };
            let end = part.end - reader.get_ref().len();
            let is_sound = match &event {
                Event::Eof => return Ok(part.end),
                Event::Start(_) | Event::Empty(_) | Event::End(_) => is_tag(&batch.as_bytes()[start..end]),
                Event::DocType(_) => {
                    !self.doctype_came && end - start <= MAX_UNFINISHED && !is_left_open(&batch[start..end])
                }
                Event::Text(text) => {
                    end < batch.len() || last || !text.starts_with('&') || text.len() >= MAX_REFERENCE
                }
                _ => true,
            };
            if !is_sound {
                return Err(start);
            }
            self.doctype_came |= matches!(event, Event::DocType(_));
            sink(&event, self.offset + start as u64);
            if only_one {
                return Ok(end);
            }
            start = end;
        }
    }

    /// Whether a text begins with markup that may contain a `<`.
    fn may_hold_tags(&self, text: &str) -> bool {
        verbatim(text).is_some() || !self.doctype_came && starts_with_doctype(text)
    }

    fn recover<'a>(&mut self, rest: &'a str, last: bool) -> Recovery<'a> {
        if begins_nothing(rest.as_bytes()) {
            return Recovery::Read(1, Some(text("<")));
        }
        let may_come = !last && rest.len() < MAX_UNFINISHED;
        if rest.starts_with('&') {
            return Recovery::Unfinished;
        }
        if let Some(opener) = verbatim(rest) {
            return match &rest[opener.len()..] {
                // quick-xml requires content between the question marks.
                content if opener == INSTRUCTION && content.starts_with('>') => Recovery::Read(3, None),
                _ if !last => Recovery::Unfinished,
                content if opener == CDATA => Recovery::Read(rest.len(), Some(cdata(content))),
                _ => Recovery::Read(rest.len(), None),
            };
        }
        let is_doctype = !self.doctype_came && starts_with_doctype(rest);
        if is_doctype && may_come && !is_left_open(rest) {
            return Recovery::Unfinished;
        }
        let next = next_tag(rest, 0);
        if next == rest.len() && may_come {
            return Recovery::Unfinished;
        }
        let longest = floor_boundary(rest, next.min(MAX_UNFINISHED));
        let closed = memchr(b'>', &rest.as_bytes()[..longest]);
        if rest.starts_with("<!") {
            self.doctype_came |= is_doctype;
            return Recovery::Read(closed.map_or(longest, |at| at + 1), None);
        }
        match closed {
            Some(at) => Recovery::Read(at + 1, Some(tag(&rest[1..at]))),
            None if longest < rest.len() && longest == next => {
                Recovery::Read(next, Some(tag(&rest[1..next])))
            }
            None => Recovery::Read(1, Some(text("<"))),
        }
    }

    /// Keeps only the part of unfinished markup that is needed to find its end.
    fn shorten(&mut self, sink: &mut impl FnMut(&Event<'_>, u64)) {
        let Some(opener) = verbatim(&self.pending) else {
            return;
        };
        let rest = std::mem::take(&mut self.pending);
        let content = &rest[opener.len()..];
        // The last two characters may be the beginning of the end marker.
        let (gone, kept) = content.split_at(floor_boundary(content, content.len().saturating_sub(2)));
        if opener == CDATA {
            sink(&cdata(gone), self.offset);
        }
        // The instruction must not look empty.
        let filler = if opener == INSTRUCTION { " " } else { "" };
        self.offset += (gone.len() - filler.len()) as u64;
        self.pending = [opener, filler, kept].concat();
    }
}

fn text(text: &str) -> Event<'_> {
    Event::Text(BytesText::from_escaped(text))
}

fn cdata(content: &str) -> Event<'_> {
    Event::CData(BytesCData::new(content))
}

/// The tag with this text between its brackets.
fn tag(inner: &str) -> Event<'_> {
    if let Some(name) = inner.strip_prefix('/') {
        return Event::End(BytesEnd::new(name));
    }
    let (inner, is_empty) = match inner.strip_suffix('/') {
        Some(rest) => (rest, true),
        None => (inner, false),
    };
    let name = inner.bytes().position(|byte| byte.is_ascii_whitespace());
    let tag = BytesStart::from_content(inner, name.unwrap_or(inner.len()));
    if is_empty {
        Event::Empty(tag)
    } else {
        Event::Start(tag)
    }
}

/// The opener of a text that begins with markup whose content is not parsed.
fn verbatim(text: &str) -> Option<&'static str> {
    [COMMENT, CDATA, INSTRUCTION]
        .into_iter()
        .find(|opener| text.starts_with(opener))
}

/// The position of the next `<` after the byte at `at`.
fn next_tag(text: &str, at: usize) -> usize {
    memchr(b'<', &text.as_bytes()[at + 1..]).map_or(text.len(), |found| at + 1 + found)
}

/// Whether a text that quick-xml reads as a tag is really one.
fn is_tag(raw: &[u8]) -> bool {
    !begins_nothing(raw) && !raw[1..].contains(&b'<') && raw.len() <= MAX_UNFINISHED
}

/// Whether a text begins with a `<` that is not markup: `1 < 2`.
fn begins_nothing(text: &[u8]) -> bool {
    match text {
        [b'<', byte, ..] => {
            byte.is_ascii()
                && !byte.is_ascii_alphabetic()
                && !matches!(byte, b'/' | b'!' | b'?' | b'_' | b':')
        }
        _ => false,
    }
}

fn starts_with_doctype(text: &str) -> bool {
    text.get(..DOCTYPE.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(DOCTYPE))
}

/// Whether a quote in a DOCTYPE is not closed: there is a `<` before its internal subset.
fn is_left_open(doctype: &str) -> bool {
    let head = &doctype[1..];
    memchr2(b'<', b'[', head.as_bytes()).is_some_and(|at| head.as_bytes()[at] == b'<')
}

/// The nearest position up to `at` where a text may be cut.
pub(super) fn floor_boundary(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All events in a short notation, fed in steps of this many characters.
    fn events(text: &str, step: usize) -> String {
        let (mut xml, mut seen) = (Xml::default(), String::new());
        let mut sink = |event: &Event<'_>, _| {
            let event_text = match event {
                Event::Text(text) => text.to_string(),
                Event::GeneralRef(name) => ["&", name, ";"].concat(),
                Event::CData(text) => ["[", text, "]"].concat(),
                Event::Start(tag) => ["(", tag.name().as_ref()].concat(),
                Event::Empty(tag) => ["(", tag.name().as_ref(), ")"].concat(),
                Event::End(tag) => [tag.name().as_ref(), ")"].concat(),
                Event::DocType(_) => "D".to_owned(),
                _ => String::new(),
            };
            seen.push_str(&event_text);
        };
        let characters: Vec<char> = text.chars().collect();
        for piece in characters.chunks(step) {
            xml.feed(&piece.iter().collect::<String>(), false, &mut sink);
        }
        xml.feed("", true, &mut sink);
        seen
    }

    #[test]
    fn sound_markup_is_quick_xmls() {
        let text =
            "<?xml v?><!DOCTYPE x [<!ENTITY a \"b>\">]><a b='>'><!-- <x> --><c/>é&amp;<![CDATA[<&]]></a>";
        assert_eq!(events(text, 1000), "D(a(c)é&amp;[<&]a)");
    }

    #[test]
    fn after_a_fault_reading_goes_on_at_the_next_tag() {
        for (text, wanted) in [
            ("<a>1 < 2<b<c></c>", "(a1 < 2(b(cc)"),
            ("<a>1 <2> <3<b/>", "(a1 <2> <3(b)"),
            ("<a><!-- never closed <b>", "(a"),
            ("<a><![CDATA[never closed <b>", "(a[never closed <b>]"),
            ("<a", "<a"),
            ("<a b=\"c>d</a><e>", "(ada)(e"),
            ("<a b='c<d>", "(a(d"),
            ("<a></b</c>", "(ab)c)"),
            ("a & b &c; &", "a & b &c; &"),
            ("<!x y><a><!><b>", "(a(b"),
            ("<?><a><!-->--><b>", "(a(b"),
            ("<!DOCTYPE a \"b><c d=\"e\">", "(c"),
            ("<!DOCTYPE><a>", "(a"),
            ("<!doctype a><!DOCTYPE '><b>", "D(b"),
            ("\u{feff}<a>\u{feff}\u{feff}b", "\u{feff}(a\u{feff}\u{feff}b"),
        ] {
            assert_eq!(events(text, 1000), wanted, "{text}");
        }
    }

    #[test]
    fn faults_do_not_depend_on_how_a_document_arrives() {
        let faults = "<a 'b<c>d & e</a><!-- f --><g h=\">\"><![CDATA[i]]><j k='l>m<n &o; <? p ?>< q";
        let text = faults.repeat(3 * BATCH / faults.len());
        let whole = events(&text, text.len());
        for step in [1000, BATCH - 1, BATCH, BATCH + 1] {
            assert!(events(&text, step) == whole, "in steps of {step}");
        }
    }

    #[test]
    fn what_has_no_end_does_not_grow_in_memory_and_what_is_long_comes_whole() {
        let piece = "a".repeat(100_000);
        for opener in [
            "<a b=\"",
            "<a ",
            "<![CDATA[",
            "<!--",
            "<!DOCTYPE ",
            "<!DOCTYPE a [",
            "<?",
            "&",
            "<!a",
            "b",
        ] {
            let mut xml = Xml::default();
            xml.feed(opener, false, &mut |_, _| {});
            for _ in 0..20 {
                xml.feed(&piece, false, &mut |_, _| {});
                assert!(xml.pending.len() < MAX_UNFINISHED, "{opener}");
            }
        }
        for (opener, end, wanted) in [
            ("<!--", "-->", 0),
            ("<?", "?>", 0),
            ("<![CDATA[", "]]>", 20 * 100_000),
        ] {
            for cut in 0..=end.len() {
                let (mut xml, mut length, mut tags) = (Xml::default(), 0, 0);
                let mut sink = |event: &Event<'_>, _| match event {
                    Event::CData(text) => length += text.len(),
                    Event::Text(text) => panic!("{}", &**text),
                    Event::Empty(_) => tags += 1,
                    _ => {}
                };
                xml.feed(opener, false, &mut sink);
                for _ in 0..20 {
                    xml.feed(&piece, false, &mut sink);
                }
                let (first, second) = end.split_at(cut);
                xml.feed(&(piece.clone() + first), false, &mut sink);
                xml.feed(&(second.to_owned() + "<a/>"), true, &mut sink);
                assert_eq!(
                    (length, tags),
                    (wanted + if wanted > 0 { piece.len() } else { 0 }, 1),
                    "{opener} cut at {cut}"
                );
            }
        }
    }

    #[test]
    fn offsets_are_those_in_the_document() {
        let text = format!(
            "<!--{}--><x/><?{}?><x/><a 'b<x/>",
            "é".repeat(200_000),
            "b".repeat(200_000)
        );
        for step in [700, text.len()] {
            let (mut xml, mut found) = (Xml::default(), Vec::new());
            let mut sink = |event: &Event<'_>, at| {
                if let Event::Empty(_) = event {
                    found.push(at);
                }
            };
            let characters: Vec<char> = text.chars().collect();
            for piece in characters.chunks(step) {
                xml.feed(&piece.iter().collect::<String>(), false, &mut sink);
            }
            xml.feed("", true, &mut sink);
            let wanted: Vec<u64> = text.match_indices("<x/>").map(|(at, _)| at as u64).collect();
            assert_eq!(found, wanted);
        }
    }
}
