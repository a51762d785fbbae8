//! Finds where the sections that headings begin end.

use super::Section;

/// Sections kept of one page.
const MAX_SECTIONS: usize = 5_000;

/// The sections so far.
#[derive(Debug, Default)]
pub(super) struct Sections {
    list: Vec<Section>,
    /// Number of open elements at the current position.
    depth: usize,
    /// Sections of the list whose element is still open, the innermost last.
    open: Vec<Open>,
}

#[derive(Debug)]
struct Open {
    section: usize,
    /// The depth of the heading, or of the outermost element that contains only the heading.
    depth: usize,
    /// The byte offset where the heading ends.
    text: Option<usize>,
}

impl Sections {
    /// Called when an element begins.
    pub(super) fn enter(&mut self) {
        self.depth += 1;
    }

    /// The current element begins a section.
    pub(super) fn begin(&mut self, at: usize, level: u8) {
        if self.list.len() >= MAX_SECTIONS {
            return;
        }
        let end = None;
        // Parts around the content are not headings of anything.
        if level > 0 {
            self.open.push(Open {
                section: self.list.len(),
                depth: self.depth,
                text: None,
            });
        }
        self.list.push(Section { at, end, level });
    }

    /// Called when an element ends. The sections of the headings in it end with it, if it contains more than the
    /// heading: many pages wrap headings in separate elements.
    pub(super) fn leave(&mut self, text: &str, is_heading: bool) {
        if is_heading && let Some(own) = self.open.last_mut().filter(|own| own.depth == self.depth) {
            own.text.get_or_insert(text.len());
        }
        // A heading with no text after it yet; headings before it do have text after them.
        let mut waiting = None;
        while let Some(inner) = self.open.pop_if(|inner| inner.depth > self.depth) {
            let behind = inner.text.and_then(|start| text.get(start..)).unwrap_or_default();
            if behind.trim().is_empty() && waiting.is_none() {
                let depth = self.depth;
                waiting = Some(Open { depth, ..inner });
            } else {
                self.list[inner.section].end = Some(text.len());
            }
        }
        self.open.extend(waiting);
        self.depth = self.depth.saturating_sub(1);
    }

    pub(super) fn finish(self) -> Vec<Section> {
        self.list
    }
}
