//! Sitemaps of one URL per line.

use super::invisible::trim;

/// Maximum bytes of a line: longer lines are not URLs.
pub(super) const MAX_LINE: usize = 8 * 1024;

/// Whether a character ends a line on any system, or in Unicode.
fn is_line_end(character: char) -> bool {
    matches!(
        character,
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

/// Cuts text into lines as it arrives.
#[derive(Debug, Default)]
pub(super) struct Lines {
    pending: String,
    /// Bytes of the pending line. If it is too long, `pending` does not contain all of them.
    length: usize,
    offset: u64,
}

impl Lines {
    /// Emits each line with its offset, or `None` for a line that is too long; `last` ends the document.
    pub(super) fn feed(&mut self, text: &str, last: bool, sink: &mut dyn FnMut(Option<&str>, u64)) {
        let mut rest = text;
        while let Some((line, after)) = rest.split_once(is_line_end) {
            self.take(line, sink);
            self.offset += (rest.len() - line.len() - after.len()) as u64;
            rest = after;
        }
        self.length += rest.len();
        if self.length <= MAX_LINE {
            self.pending.push_str(rest);
        }
        if last {
            self.take("", sink);
        }
    }

    fn take(&mut self, end: &str, sink: &mut dyn FnMut(Option<&str>, u64)) {
        let length = self.length + end.len();
        if length > MAX_LINE {
            sink(None, self.offset);
        } else if self.pending.is_empty() {
            sink(Some(end), self.offset);
        } else {
            self.pending.push_str(end);
            sink(Some(&self.pending), self.offset);
        }
        self.pending.clear();
        self.length = 0;
        self.offset += length as u64;
    }
}

/// Whether a text is a list of URLs: a line is a URL with a scheme, or all lines but comments are URLs without one.
pub(super) fn lists_urls(text: &str) -> bool {
    let lines = || text.split(is_line_end).map(trim);
    let mut said = lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .peekable();
    lines().any(has_scheme) || said.peek().is_some() && said.all(is_url_line)
}

/// Whether a line names a page: an http(s) URL, perhaps without its scheme, and nothing else.
pub(super) fn is_url_line(line: &str) -> bool {
    let names_host = |rest: &str| rest.split('/').next().is_some_and(|host| host.contains('.'));
    has_scheme(line) || line.strip_prefix("//").is_some_and(names_host) && is_one_word(line)
}

fn has_scheme(line: &str) -> bool {
    let starts = |scheme: &str| {
        line.get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    (starts("http://") || starts("https://")) && is_one_word(line)
}

fn is_one_word(line: &str) -> bool {
    !line.contains(char::is_whitespace) && !line.contains(['<', '"'])
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
                lines.feed(piece, false, &mut |line, at| {
                    seen.push((line.unwrap().to_owned(), at));
                });
            }
            lines.feed("", true, &mut |line, at| {
                seen.push((line.unwrap().to_owned(), at));
            });
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
    #[test]
    fn lists_are_told_by_their_lines_whatever_ends_these() {
        for text in [
            "http://a/\rhttp://b/\r",
            "# list\n\n//a.test/b\n//a.test/c\n",
            "\u{feff}http://a/",
            "a word\u{2028}HTTPS://a/",
        ] {
            assert!(lists_urls(text), "{text:?}");
        }
        for text in [
            "",
            "# list",
            "//a.test/b\nx",
            "// a comment\n// www.a.test",
            "see http://a/ there",
        ] {
            assert!(!lists_urls(text), "{text:?}");
        }
    }
    #[test]
    fn a_line_that_is_too_long_is_none_however_it_arrives() {
        let text = format!("http://a/\nhttp://{}\nhttp://b/", "a".repeat(2 * MAX_LINE));
        for step in [1000, MAX_LINE, text.len()] {
            let (mut lines, mut seen) = (Lines::default(), Vec::new());
            for piece in text.as_bytes().chunks(step) {
                let piece = std::str::from_utf8(piece).unwrap();
                lines.feed(piece, false, &mut |line, at| {
                    seen.push((line.map(str::to_owned), at));
                });
            }
            lines.feed("", true, &mut |line, at| seen.push((line.map(str::to_owned), at)));
            let end = text.len() as u64 - 9;
            let wanted = [(Some("http://a/"), 0), (None, 10), (Some("http://b/"), end)];
            assert_eq!(seen, wanted.map(|(line, at)| (line.map(str::to_owned), at)));
        }
    }
}
