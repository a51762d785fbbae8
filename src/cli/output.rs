//! Prints everything that the command line prints, on standard output and standard error. No other module prints.
//!
//! Much of it is text from external sources (names of keys, lines of lists, titles of sites, fingerprint files), which
//! must not control the terminal. So every line is made [`Printable`] here, and the only escape sequences are the
//! colours of [`style`](super::style).

use std::fmt;
use std::io::{self, IsTerminal, Write};

use anstyle::Style;

use super::style;
use crate::values::printable::Printable;

/// A part of a line, in a colour or none.
pub(super) struct Span {
    pub(super) style: Style,
    pub(super) text: String,
}

/// One line; control characters are escaped.
pub(super) struct Line(Vec<Span>);

/// Prints a line; if the reader is gone (`| head`), the program ends without an error.
pub(super) fn print_line(line: impl Into<Line>) -> io::Result<()> {
    writeln!(io::stdout(), "{}", line.into())
}

/// Prints a text of several lines.
pub(super) fn print_lines(text: &str) -> io::Result<()> {
    text.lines().try_for_each(print_line)
}

/// Prints a line that is not a result on standard error: progress and errors.
pub(super) fn note_line(line: impl Into<Line>) {
    // Without standard error there is nowhere to print.
    let _nobody_reads = writeln!(io::stderr(), "{}", line.into());
}

/// The same for a text of several lines.
pub(super) fn note_lines(text: &str) {
    text.lines().for_each(note_line);
}

/// An error with its causes in one line. A cause that an error above it repeats is left out.
pub(super) fn chain(error: &anyhow::Error) -> String {
    let mut said: Vec<String> = Vec::new();
    for cause in error.chain().map(ToString::to_string) {
        if !said.iter().any(|text| text.contains(&cause)) {
            said.push(cause);
        }
    }
    said.join(": ")
}

/// Asks a question on standard error, and reads the answer.
pub(super) fn ask(question: &str) -> io::Result<()> {
    let mut screen = io::stderr();
    write!(screen, "{} ", Printable(question))?;
    screen.flush()
}

/// Standard output for many lines: JSON, or text for people.
pub(super) fn lines() -> Box<dyn Write> {
    Box::new(Screen {
        out: io::stdout(),
        begun: Vec::new(),
    })
}

/// Standard output for files in a form of their own: a program gets each byte as it is, a person what may be on a
/// screen.
pub(super) fn file() -> Box<dyn Write> {
    if is_terminal() {
        lines()
    } else {
        Box::new(io::stdout())
    }
}

/// Whether standard output is a terminal.
pub(super) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Whether standard error is a terminal.
pub(super) fn is_watched() -> bool {
    io::stderr().is_terminal()
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Span { style, text } in &self.0 {
            let style = if style::shows_colours() {
                *style
            } else {
                Style::new()
            };
            write!(f, "{style}{}{style:#}", Printable(text))?;
        }
        Ok(())
    }
}

impl From<&str> for Span {
    fn from(text: &str) -> Self {
        Self {
            style: Style::new(),
            text: text.to_owned(),
        }
    }
}

impl From<String> for Span {
    fn from(text: String) -> Self {
        Self {
            style: Style::new(),
            text,
        }
    }
}

impl From<&str> for Line {
    fn from(text: &str) -> Self {
        Self(vec![text.into()])
    }
}

impl From<&String> for Line {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<Span> for Line {
    fn from(span: Span) -> Self {
        Self(vec![span])
    }
}

impl<const PARTS: usize> From<[Span; PARTS]> for Line {
    fn from(parts: [Span; PARTS]) -> Self {
        Self(parts.into())
    }
}

/// Makes a stream of bytes printable, line by line.
struct Screen<W: Write> {
    out: W,
    /// An incomplete line.
    begun: Vec<u8>,
}

impl<W: Write> Write for Screen<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut shown = String::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.begun.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                let line = String::from_utf8_lossy(&self.begun);
                let line = line.trim_end_matches(['\r', '\n']);
                shown.push_str(&Printable(line).to_string());
                shown.push('\n');
                self.begun.clear();
            }
        }
        self.out.write_all(shown.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// The text after the last line break.
impl<W: Write> Drop for Screen<W> {
    fn drop(&mut self) {
        let rest = String::from_utf8_lossy(&self.begun);
        let _nobody_reads = write!(self.out, "{}", Printable(&rest));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_on_a_screen_is_lines_that_do_nothing() {
        let mut shown = Vec::new();
        let mut screen = Screen {
            out: &mut shown,
            begun: Vec::new(),
        };
        // Cut in the middle of a character, of a line and of its end.
        for piece in [
            &b"a,\xc2"[..],
            b"\x9b31m\r",
            b"\nb\x1b]0;x\x07\n\x9b\n\n",
            b"rest\x1b",
        ] {
            screen.write_all(piece).unwrap();
        }
        drop(screen);
        let text = String::from_utf8(shown).unwrap();
        assert_eq!(text, "a,\\u009b31m\nb\\u001b]0;x\\u0007\n\u{fffd}\n\nrest\\u001b");
    }

    #[test]
    fn a_cause_is_told_once() {
        let refused = io::Error::other("connection refused");
        let error = anyhow::Error::new(refused).context("cannot connect: connection refused");
        assert_eq!(
            chain(&error.context("doctor")),
            "doctor: cannot connect: connection refused"
        );
    }

    #[test]
    fn a_line_is_one_line_whatever_it_is_made_of() {
        let line: Line = [Span::from("a\u{1b}[2J\n"), style::bad("b\u{9b}")].into();
        let shown = line.to_string();
        assert!(
            shown.contains("a\\u001b[2J\\u000a") && shown.contains("b\\u009b"),
            "{shown}"
        );
        assert!(!shown.contains(['\n', '\u{9b}']));
    }
}
