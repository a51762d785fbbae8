//! A filter between html5ever's tokenizer and tree builder. It limits the time and memory of the builder.
//!
//! For nearly every tag, the builder looks through the open elements and the elements that it may reopen, so their
//! number is limited. It may reopen them for every paragraph, so the size of the tree is limited as well.

use std::cell::{Cell, RefCell};

use ego_tree::NodeId;
use html5ever::buffer_queue::BufferQueue;
use html5ever::tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult};
use html5ever::tree_builder::{Tracer, TreeBuilder, TreeBuilderOpts};
use scraper::StrTendril;

use super::Parsed;
use super::sink::Sink;

/// Attributes kept of one element.
pub(super) const MAX_ATTRIBUTES: usize = 256;

/// Limit for open elements, and for formatting elements that may be reopened. Browsers nest up to 512 levels; ordinary
/// pages stay below 100. On a page that exceeds this, each level adds time for every tag.
const MAX_OPEN: usize = 256;

/// Maximum number of elements and texts of a page; further content is not read.
pub(in crate::scanner::page) const MAX_NODES: usize = 400_000;

/// Elements that are always empty, whose immediate end closes nothing, or that must stay open.
const NOT_CLOSED_AT_ONCE: &[&str] = &[
    "a", "area", "base", "basefont", "bgsound", "body", "br", "col", "embed", "frame", "frameset", "head",
    "hr", "html", "image", "img", "input", "keygen", "link", "meta", "param", "source", "track", "wbr",
];

/// A tree builder with limits.
pub(super) struct Bounded<'q> {
    builder: TreeBuilder<NodeId, Sink>,
    comments: RefCell<Vec<StrTendril>>,
    /// The tokenizer's input, which shows how far the tokenizer has come.
    input: &'q BufferQueue,
    /// The offset in the page where the current chunk ends.
    end_of_chunk: Cell<usize>,
    end_of_last_token: Cell<usize>,
    has_seen_token: Cell<bool>,
    /// The number of elements that the builder remembered at the last count, and the number of nodes in the tree then.
    remembered: Cell<usize>,
    nodes_then: Cell<usize>,
    /// Whether an element may have ended since.
    has_seen_end: Cell<bool>,
}

impl<'q> Bounded<'q> {
    pub(super) fn new(html: &str, input: &'q BufferQueue) -> Self {
        let options = TreeBuilderOpts {
            // Reads content for browsers without scripts.
            scripting_enabled: false,
            ..TreeBuilderOpts::default()
        };
        let tags = memchr::memchr_iter(b'<', html.as_bytes()).count();
        Self {
            builder: TreeBuilder::new(Sink::with_capacity((tags + 8).min(MAX_NODES)), options),
            comments: RefCell::new(Vec::new()),
            input,
            end_of_chunk: Cell::new(0),
            end_of_last_token: Cell::new(0),
            has_seen_token: Cell::new(false),
            remembered: Cell::new(0),
            nodes_then: Cell::new(0),
            has_seen_end: Cell::new(false),
        }
    }

    pub(super) fn begin_chunk(&self, end: usize) {
        self.end_of_chunk.set(end);
        self.has_seen_token.set(false);
    }

    /// Whether a token was completed since the chunk began.
    pub(super) fn has_seen_token(&self) -> bool {
        self.has_seen_token.get()
    }

    /// The offset where the last token ended: an incomplete token of the tokenizer begins there.
    pub(super) fn end_of_last_token(&self) -> usize {
        self.end_of_last_token.get()
    }

    /// Whether the limit is reached and nothing more is added.
    pub(super) fn is_full(&self) -> bool {
        self.builder.sink.nodes() >= MAX_NODES
    }

    pub(super) fn finish(self) -> Parsed {
        Parsed {
            is_cut: self.is_full(),
            html: self.builder.sink.into_html(),
            comments: self.comments.into_inner(),
        }
    }

    fn note_position(&self) {
        let ahead = self.input.peek_front_chunk_mut().map_or(0, |chunk| chunk.len());
        self.end_of_last_token.set(self.end_of_chunk.get() - ahead);
        self.has_seen_token.set(true);
    }

    /// Whether the builder remembers as many elements as allowed. Each node adds at most two.
    fn is_deep(&self) -> bool {
        let nodes = self.builder.sink.nodes();
        let at_most = self.remembered.get() + 2 * (nodes - self.nodes_then.get());
        if at_most < MAX_OPEN {
            return false;
        }
        if self.remembered.get() >= MAX_OPEN && !self.has_seen_end.replace(false) {
            return true;
        }
        let count = Count(Cell::new(0));
        self.builder.trace_handles(&count);
        self.remembered.set(count.0.get());
        self.nodes_then.set(nodes);
        self.remembered.get() >= MAX_OPEN
    }

    fn take_tag(&self, mut tag: Tag, line: u64) -> TokenSinkResult<NodeId> {
        if self.is_full() {
            return TokenSinkResult::Continue;
        }
        tag.attrs.truncate(MAX_ATTRIBUTES);
        if tag.kind == TagKind::EndTag {
            self.has_seen_end.set(true);
        }
        // Too deep: its content becomes its sibling.
        let ends_at_once =
            tag.kind == TagKind::StartTag && self.is_deep() && !NOT_CLOSED_AT_ONCE.contains(&&*tag.name);
        let end = ends_at_once.then(|| Tag {
            kind: TagKind::EndTag,
            name: tag.name.clone(),
            self_closing: false,
            attrs: Vec::new(),
            had_duplicate_attributes: false,
        });
        let result = self.builder.process_token(Token::TagToken(tag), line);
        match (end, &result) {
            (Some(end), TokenSinkResult::Continue) => self.builder.process_token(Token::TagToken(end), line),
            _ => result,
        }
    }
}

impl TokenSink for Bounded<'_> {
    type Handle = NodeId;

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<NodeId> {
        if matches!(token, Token::ParseError(_)) {
            return TokenSinkResult::Continue;
        }
        self.note_position();
        match token {
            Token::CommentToken(comment) => {
                self.comments.borrow_mut().push(comment);
                TokenSinkResult::Continue
            }
            Token::TagToken(tag) => self.take_tag(tag, line),
            Token::CharacterTokens(_) | Token::NullCharacterToken if self.is_full() => {
                TokenSinkResult::Continue
            }
            token => self.builder.process_token(token, line),
        }
    }

    fn end(&self) {
        self.builder.end();
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.builder
            .adjusted_current_node_present_but_not_in_html_namespace()
    }
}

/// Counts the elements that the builder remembers.
struct Count(Cell<usize>);

impl Tracer for Count {
    type Handle = NodeId;

    fn trace_handle(&self, _: &NodeId) {
        self.0.set(self.0.get() + 1);
    }
}
