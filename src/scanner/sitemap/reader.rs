//! Converts the bytes of a document to its entries, its kind and its problems, with constant memory.

use encoding_rs::Decoder;
use url::Url;

use super::charset::sniff;
use super::document::{Document, Root};
use super::entry::SitemapEntry;
use super::format::{is_challenge, is_url_list};
use super::inflate::Inflate;
use super::judge::Judge;
use super::text::Lines;
use super::xml::Xml;
use crate::values::Problem;
use crate::values::revisit::Repeated;
use crate::values::sitemap::SitemapKind;

/// Number of bytes that are examined before the format is decided.
const HEAD: usize = 64 * 1024;

/// The inflation ratio is checked after this many decoded bytes.
const INFLATION_FREE: u64 = 10 * 1024 * 1024;

/// Maximum decoded bytes per wire byte; no legitimate document reaches this.
const MAX_INFLATION: u64 = 200;

/// sitemaps.org: entries per file.
const MAX_PROTOCOL_ENTRIES: u64 = 50_000;

/// Limits of one document.
#[derive(Clone, Copy, Debug)]
pub struct SitemapSettings {
    /// Decoded bytes.
    pub max_bytes: u64,
    /// Distinct URLs remembered to find duplicates, about 16 bytes each.
    pub max_distinct: usize,
}

impl Default for SitemapSettings {
    fn default() -> Self {
        Self {
            max_bytes: 4 * 1024 * 1024 * 1024,
            max_distinct: 7_000_000,
        }
    }
}

/// The result of reading a document.
#[derive(Clone, Debug, PartialEq)]
pub struct SitemapSummary {
    /// Its type.
    pub kind: SitemapKind,
    /// Distinct pages it names.
    pub entries: u64,
    /// Distinct sitemaps it names.
    pub children: u64,
    /// Decoded bytes read.
    pub bytes: u64,
    /// Entries that it names more than once.
    pub repeated: Repeated,
    /// Its problems.
    pub problems: Vec<Problem>,
}

/// Reads one document: call [`feed`](Self::feed) for each piece, then [`finish`](Self::finish).
#[derive(Debug)]
pub struct SitemapReader {
    inflate: Inflate,
    content: Content,
}

/// Reading stopped because the document is too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct TooLarge;

/// The stages after decompression.
#[derive(Debug)]
struct Content {
    http_charset: Option<String>,
    settings: SitemapSettings,
    wire: u64,
    bytes: u64,
    phase: Phase,
    too_large: bool,
    judge: Judge,
}

#[derive(Debug)]
enum Phase {
    Head(Vec<u8>),
    Body(Box<BodyPhase>),
}

#[derive(Debug)]
struct BodyPhase {
    decoder: Decoder,
    format: Format,
    is_challenge: bool,
}

#[derive(Debug)]
enum Format {
    Xml(Xml, Box<Document>),
    Lines(Lines),
}

impl SitemapReader {
    /// A reader for the document at `base`, with the charset in its `Content-Type`, if any.
    pub fn new(base: Url, http_charset: Option<String>, settings: SitemapSettings) -> Self {
        Self {
            inflate: Inflate::new(),
            content: Content {
                http_charset,
                settings,
                wire: 0,
                bytes: 0,
                phase: Phase::Head(Vec::new()),
                too_large: false,
                judge: Judge::new(base, settings.max_distinct),
            },
        }
    }

    /// Receives bytes (`wire` is the number of wire bytes of the document so far) and emits entries. Returns whether
    /// more bytes are wanted.
    pub fn feed(&mut self, bytes: &[u8], wire: u64, sink: &mut dyn FnMut(SitemapEntry)) -> bool {
        let content = &mut self.content;
        content.wire = wire;
        let fed = self.inflate.feed(bytes, &mut |piece| content.take(piece, sink));
        content.too_large |= fed.is_err();
        !content.too_large && !content.judge.refused
    }

    /// Records that the document is incomplete, for example after a broken connection.
    pub fn note(&mut self, code: &str, detail: String) {
        self.content.judge.problems.note(code, None, || detail);
    }

    /// Ends the document.
    pub fn finish(mut self, sink: &mut dyn FnMut(SitemapEntry)) -> SitemapSummary {
        let mut content = self.content;
        if !content.too_large {
            let ended = self.inflate.finish(&mut |piece| content.take(piece, sink));
            content.too_large |= ended.is_err();
        }
        if let Some(fault) = self.inflate.fault() {
            content.judge.problems.note("gzip", None, || fault.to_owned());
        }
        content.finish(sink)
    }
}

impl Content {
    fn take(&mut self, piece: &[u8], sink: &mut dyn FnMut(SitemapEntry)) -> Result<(), TooLarge> {
        self.bytes += piece.len() as u64;
        let inflated = self.bytes > INFLATION_FREE && self.bytes > MAX_INFLATION.saturating_mul(self.wire);
        if inflated || self.bytes > self.settings.max_bytes {
            let (bytes, wire) = (self.bytes, self.wire);
            let detail = || format!("reading stopped after {bytes} decoded bytes ({wire} transferred)");
            self.judge.problems.note("too_large", Some(bytes), detail);
            return Err(TooLarge);
        }
        match &mut self.phase {
            Phase::Head(head) => {
                head.extend_from_slice(piece);
                if head.len() >= HEAD {
                    self.open(false, sink);
                }
            }
            Phase::Body(body) => body.decode(piece, false, &mut self.judge, sink),
        }
        Ok(())
    }

    /// Detects charset and format from the available bytes, then reads them.
    fn open(&mut self, last: bool, sink: &mut dyn FnMut(SitemapEntry)) {
        let Phase::Head(head) = &mut self.phase else {
            return;
        };
        let head = std::mem::take(head);
        // Only this part is used. Otherwise the result would depend on how the document arrives.
        let start = &head[..head.len().min(HEAD)];
        let encoding = sniff(start, self.http_charset.as_deref());
        let text = encoding.decode(start).0;
        let mut body = BodyPhase {
            decoder: encoding.new_decoder(),
            format: if is_url_list(&text) {
                Format::Lines(Lines::default())
            } else {
                Format::Xml(Xml::default(), Box::default())
            },
            is_challenge: is_challenge(&text),
        };
        body.decode(&head, last, &mut self.judge, sink);
        self.phase = Phase::Body(Box::new(body));
    }

    fn finish(mut self, sink: &mut dyn FnMut(SitemapEntry)) -> SitemapSummary {
        if matches!(self.phase, Phase::Head(_)) {
            self.open(true, sink);
        } else if let Phase::Body(body) = &mut self.phase {
            body.decode(&[], true, &mut self.judge, sink);
        }
        let kind = self.kind();
        let judge = self.judge;
        let mut problems = judge.problems;
        if judge.entries.max(judge.children) > MAX_PROTOCOL_ENTRIES {
            let count = judge.entries.max(judge.children);
            problems.note("too_many_entries", None, || {
                format!("{count} entries; the protocol allows {MAX_PROTOCOL_ENTRIES} in a file")
            });
        }
        let is_sitemap = kind.lists_pages() || matches!(kind, SitemapKind::Index | SitemapKind::TooLarge);
        SitemapSummary {
            kind,
            entries: if is_sitemap { judge.entries } else { 0 },
            children: if is_sitemap { judge.children } else { 0 },
            bytes: self.bytes,
            repeated: if is_sitemap {
                judge.repeated
            } else {
                Repeated::default()
            },
            problems: problems.into_list(),
        }
    }

    fn kind(&mut self) -> SitemapKind {
        let Phase::Body(body) = &self.phase else {
            return SitemapKind::Invalid;
        };
        let problems = &mut self.judge.problems;
        if self.judge.refused {
            problems.note("entity", None, || {
                "a loc uses an external or nested entity".to_owned()
            });
            return SitemapKind::Invalid;
        }
        if self.too_large {
            return SitemapKind::TooLarge;
        }
        match &body.format {
            Format::Lines(_) => SitemapKind::Text,
            Format::Xml(_, document) => {
                let Some(root) = document.root else {
                    problems.note("no_sitemap", Some(0), || {
                        let what = if document.is_html {
                            "an HTML page"
                        } else {
                            "of an unknown format"
                        };
                        format!("the document is {what}, not a sitemap")
                    });
                    return if body.is_challenge {
                        SitemapKind::Blocked
                    } else {
                        SitemapKind::Invalid
                    };
                };
                if !document.closed {
                    let bytes = self.bytes;
                    problems.note("truncated", Some(bytes), || {
                        "the end of the root element is missing".to_owned()
                    });
                }
                // If the root element does not match the entries, the entries decide.
                let Judge {
                    entries, children, ..
                } = self.judge;
                match root {
                    Root::Urlset if entries == 0 && children > 0 => SitemapKind::Index,
                    Root::Index if children == 0 && entries > 0 => SitemapKind::Urlset,
                    Root::Urlset => SitemapKind::Urlset,
                    Root::Index => SitemapKind::Index,
                    Root::Rss => SitemapKind::Rss,
                    Root::Atom => SitemapKind::Atom,
                }
            }
        }
    }
}

impl BodyPhase {
    fn decode(&mut self, bytes: &[u8], last: bool, judge: &mut Judge, sink: &mut dyn FnMut(SitemapEntry)) {
        let room = self
            .decoder
            .max_utf8_buffer_length(bytes.len())
            .unwrap_or(bytes.len() * 3 + 16);
        let mut text = String::with_capacity(room);
        let (_, _, replaced) = self.decoder.decode_to_string(bytes, &mut text, last);
        if replaced {
            judge.problems.note("encoding", None, || {
                "some bytes are not valid in the document's encoding".to_owned()
            });
        }
        if text.contains('\0') {
            text.retain(|character| character != '\0');
        }
        match &mut self.format {
            Format::Lines(lines) => {
                lines.feed(&text, last, &mut |line, offset| judge.line(line, offset, sink));
            }
            Format::Xml(xml, document) => {
                xml.feed(&text, last, &mut |event, offset| {
                    document.take(event, offset, &mut |entry| judge.entry(entry, sink));
                });
                if last {
                    document.finish(&mut |entry| judge.entry(entry, sink));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
