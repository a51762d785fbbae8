//! Converts errors of `serde_json` to the messages of Python's `json`.

use serde_json::error::Category;

/// How a message of serde begins, and the message of Python.
const WORDS: [(&str, &str); 10] = [
    ("EOF while parsing a string", "Unterminated string starting at"),
    (
        "EOF while parsing an object",
        "Expecting property name enclosed in double quotes",
    ),
    (
        "key must be a string",
        "Expecting property name enclosed in double quotes",
    ),
    (
        "trailing comma",
        "Expecting property name enclosed in double quotes",
    ),
    ("expected `:`", "Expecting ':' delimiter"),
    ("expected `,`", "Expecting ',' delimiter"),
    ("trailing characters", "Extra data"),
    ("control character", "Invalid control character at"),
    ("invalid escape", "Invalid \\escape"),
    ("lone leading surrogate", "Invalid \\uXXXX escape"),
];

/// Where (in characters, approximately) and what.
pub(super) fn in_python_words(text: &str, error: &serde_json::Error) -> (usize, String) {
    let said = error.to_string();
    let words = WORDS
        .iter()
        .find(|(ours, _)| said.starts_with(ours))
        .map_or("Expecting value", |(_, theirs)| theirs);
    (place(text, error), words.to_owned())
}

fn place(text: &str, error: &serde_json::Error) -> usize {
    if error.classify() == Category::Eof {
        return text.chars().count();
    }
    let before: usize = text
        .split_inclusive('\n')
        .take(error.line().saturating_sub(1))
        .map(|line| line.chars().count())
        .sum();
    if error.column() == 0 {
        // It is the line break itself.
        return before.saturating_sub(1);
    }
    let line = text
        .lines()
        .nth(error.line().saturating_sub(1))
        .unwrap_or_default();
    let bytes = error.column().saturating_sub(1).min(line.len());
    let read = String::from_utf8_lossy(&line.as_bytes()[..bytes]);
    // serde points after the first wrong letter of `nope`, Python before the word.
    let read = if error.to_string().starts_with("expected ident") {
        read.trim_end_matches(char::is_alphabetic)
    } else {
        &read
    };
    before + read.chars().count()
}
