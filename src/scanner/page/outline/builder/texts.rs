//! The texts of a page: visible text, labels of links and headings, and where lines begin.

use ego_tree::NodeRef;
use html5ever::ns;
use scraper::node::Element;
use scraper::{Node, StrTendril};

use super::super::Break;
use super::super::text::{append, begins_address, begins_line, one_line};
use super::{Builder, MAX_ANCHOR_TEXT, MAX_TEXT};
use crate::scanner::page::characters::is_invisible;
use crate::scanner::page::tree::raw;
use crate::scanner::references::resolve_html;

/// Limits on what is kept of one page.
const MAX_TITLE: usize = 2_000;
const MAX_JSON_LD: usize = 100;

impl Builder {
    pub(super) fn text(&mut self, node: NodeRef<'_, Node>, text: &StrTendril) {
        let parent = node.parent().and_then(|parent| parent.value().as_element());
        let is_html = parent.is_some_and(|parent| parent.name.ns == ns!(html));
        match parent.map(Element::name) {
            Some("script") => self.keep_script(parent, text),
            Some("style") => {
                self.hidden.read(text);
                self.outline.styles.push(text.clone());
            }
            Some("title") if is_html => self.keep_title(text),
            Some("textarea" | "iframe" | "noembed" | "noframes" | "xmp") if is_html => {}
            // The name of a picture, not visible text.
            Some("title" | "desc" | "metadata") => self.label(text),
            _ => {
                self.label(text);
                if begins_line(node, text) && self.outline.text.ends_with(char::is_alphanumeric) {
                    self.outline.text.push('\n');
                }
                self.show(text);
            }
        }
    }

    fn keep_script(&mut self, script: Option<&Element>, text: &StrTendril) {
        let kind = script.and_then(|script| raw(script, "type"));
        if kind.is_some_and(|kind| kind.to_ascii_lowercase().contains("ld+json")) {
            if self.outline.json_ld.len() < MAX_JSON_LD {
                self.outline.json_ld.push(text.clone());
            }
        } else {
            self.outline.scripts.push(text.clone());
        }
    }

    fn keep_title(&mut self, text: &str) {
        let text = resolve_html(text);
        let title = one_line(&text.replace(['\u{ad}', '\u{200b}', '\u{feff}'], ""));
        if self.outline.title.is_none() && !title.is_empty() {
            self.outline.title = Some(title.chars().take(MAX_TITLE).collect());
        }
    }

    /// Adds to the labels of the open link and heading.
    fn label(&mut self, text: &str) {
        if let Some(open) = &mut self.anchor {
            append(&mut open.anchor.text, text, MAX_ANCHOR_TEXT);
        }
        if let Some((_, heading)) = &mut self.heading {
            append(heading, text, MAX_TITLE);
        }
        if let Some((.., heading)) = &mut self.subheading {
            append(heading, text, MAX_TITLE);
        }
    }

    fn show(&mut self, text: &str) {
        let shown = &mut self.outline.text;
        let is_hidden = self.unseen.is_some() || self.decoy.is_some();
        if is_hidden || self.by_others.is_some() || shown.len() + text.len() > MAX_TEXT {
            return;
        }
        if begins_address(shown, text) {
            shown.push(' ');
        }
        // Runs of whitespace become one space, as on the screen.
        for character in text.chars() {
            if is_invisible(character) {
                continue;
            }
            if !character.is_whitespace() || character == '\u{a0}' {
                shown.push(if character == '\u{a0}' { ' ' } else { character });
            } else if !shown.ends_with([' ', '\n']) {
                shown.push(' ');
            }
        }
    }

    pub(super) fn break_text(&mut self, name: &str) {
        const INLINE: &[&str] = &[
            "a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "em", "font", "i", "kbd", "mark", "q",
            "s", "small", "span", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr", "img", "svg",
            "path", "script", "style",
        ];
        if INLINE.contains(&name) {
            return;
        }
        // An inline element that is never closed ends with its block.
        self.unseen = None;
        if !self.outline.text.ends_with('\n') {
            self.outline.text.push('\n');
        }
        self.note_break(name != "br");
    }

    /// Notes where a block or a line begins.
    pub(super) fn note_break(&mut self, is_of_block: bool) {
        let at = self.outline.text.len();
        match self.outline.breaks.last_mut() {
            Some(last) if last.at == at => last.is_of_block |= is_of_block,
            _ => self.outline.breaks.push(Break { at, is_of_block }),
        }
    }
}
