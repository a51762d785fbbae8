//! Sitemaps of one URL per line.

/// Longer lines are no URLs.
const MAX_LINE: usize = 8 * 1024;

/// Cuts text into lines as it arrives.
#[derive(Debug, Default)]
pub(super) struct Lines {
    pending: String,
    offset: u64,
}

impl Lines {
    /// Hands each line on with its offset; `last` ends the document.
    pub(super) fn feed(&mut self, text: &str, last: bool, sink: &mut dyn FnMut(&str, u64)) {
        let mut rest = text;
        while let Some(end) = rest.find(['\n', '\r']) {
            self.take(&rest[..end], sink);
            self.offset += 1;
            rest = &rest[end + 1..];
        }
        if self.pending.len() + rest.len() <= MAX_LINE {
            self.pending.push_str(rest);
        } else {
            self.offset += rest.len() as u64;
        }
        if last {
            self.take("", sink);
        }
    }

    fn take(&mut self, end: &str, sink: &mut dyn FnMut(&str, u64)) {
        let length = (self.pending.len() + end.len()) as u64;
        if self.pending.is_empty() {
            sink(end, self.offset);
        } else {
            self.pending.push_str(end);
            sink(&self.pending, self.offset);
            self.pending.clear();
        }
        self.offset += length;
    }
}

/// Whether a line names a page: an absolute http(s) URL and nothing else.
pub(super) fn is_url_line(line: &str) -> bool {
    let line = line.trim();
    let starts = |scheme: &str| {
        line.get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    (starts("http://") || starts("https://"))
        && !line.contains(char::is_whitespace)
        && !line.contains(['<', '"'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_the_same_however_they_arrive() {
        let text = "http://a\r\n\nhttp://b\nhttp://c";
        for step in [1, 3, 100] {
            let (mut lines, mut seen) = (Lines::default(), Vec::new());
            for piece in text.as_bytes().chunks(step) {
                let piece = std::str::from_utf8(piece).unwrap();
                lines.feed(piece, false, &mut |line, at| seen.push((line.to_owned(), at)));
            }
            lines.feed("", true, &mut |line, at| seen.push((line.to_owned(), at)));
            seen.retain(|(line, _)| is_url_line(line));
            assert_eq!(
                seen,
                [
                    ("http://a".to_owned(), 0),
                    ("http://b".to_owned(), 11),
                    ("http://c".to_owned(), 20)
                ]
            );
        }
    }
}
