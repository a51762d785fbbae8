//! Where the sections of a page end that its headings begin.

use super::Section;

/// Sections kept of one page.
const MAX_SECTIONS: usize = 5_000;

/// The sections so far.
#[derive(Debug, Default)]
pub(super) struct Sections {
    list: Vec<Section>,
    /// Open elements around the place that is read.
    depth: usize,
    /// Those of the list whose element is still open, the innermost last.
    open: Vec<Open>,
}

#[derive(Debug)]
struct Open {
    section: usize,
    /// That of the heading, or of the outermost element that holds it and nothing more.
    depth: usize,
    /// Where the heading ends.
    text: Option<usize>,
}

impl Sections {
    /// An element begins.
    pub(super) fn enter(&mut self) {
        self.depth += 1;
    }

    /// The element that is being read begins a section.
    pub(super) fn begin(&mut self, at: usize, level: u8) {
        if self.list.len() >= MAX_SECTIONS {
            return;
        }
        let end = None;
        // What is around the content is no heading of anything.
        if level > 0 {
            self.open.push(Open {
                section: self.list.len(),
                depth: self.depth,
                text: None,
            });
        }
        self.list.push(Section { at, end, level });
    }

    /// The element that is being read ends. The sections of the headings in it end with it, if it holds more than the
    /// heading: many pages put headings in elements of their own.
    pub(super) fn leave(&mut self, text: &str, is_heading: bool) {
        if is_heading && let Some(own) = self.open.last_mut().filter(|own| own.depth == self.depth) {
            own.text.get_or_insert(text.len());
        }
        // Of a heading with nothing behind it yet, which the headings before it have behind them.
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
