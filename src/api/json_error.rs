//! Describes an error in a JSON body in a sentence that names the field. The parser's own messages name Rust types, so
//! clients never get them.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Error;
use serde_json::error::Category;

use super::known_names::unknown_member;
use super::problem::{Problem, ProblemCode};

/// JSON of a shape: broken JSON is 400, a wrong shape 422, both with line and column.
pub(super) fn parse_json<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| {
        // A field may be refused before the parser reaches broken JSON; then the broken JSON is the error.
        let broken = serde_json::from_slice::<IgnoredAny>(body).err();
        if let Some(error) = broken {
            return located(
                Problem::of(ProblemCode::InvalidJson, broken_words(&error)),
                &error,
            );
        }
        if let Some(problem) = unknown_member(&error) {
            return located(problem, &error);
        }
        let detail = if starts_with_array(body) {
            "The body must be a JSON object, not an array. /docs shows an example.".to_owned()
        } else {
            mismatch_words(&path_of::<T>(body), &error)
        };
        located(Problem::of(ProblemCode::InvalidField, detail), &error)
    })
}

/// What does not match in a part of a body that is read later, for example `domains`.
pub(crate) fn mismatch_in(field: &str, error: &Error) -> Problem {
    unknown_member(error)
        .unwrap_or_else(|| Problem::of(ProblemCode::InvalidField, mismatch_words(field, error)))
}

fn located(problem: Problem, error: &Error) -> Problem {
    problem.with("line", error.line()).with("column", error.column())
}

fn broken_words(error: &Error) -> String {
    let (line, column) = (error.line(), error.column());
    if error.classify() == Category::Eof {
        return format!("The JSON ends too early, at line {line}, column {column}.");
    }
    let what = without_place(&error.to_string()).to_owned();
    format!("The body is not valid JSON at line {line}, column {column}: {what}.")
}

/// The field at which reading stops, such as `max_pages` or `files[0]`; empty for the body itself.
fn path_of<'de, T: Deserialize<'de>>(body: &'de [u8]) -> String {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let path = serde_path_to_error::deserialize::<_, T>(&mut reader)
        .err()
        .map(|error| error.path().to_string());
    path.filter(|path| path != ".").unwrap_or_default()
}

fn mismatch_words(path: &str, error: &Error) -> String {
    let text = error.to_string();
    let text = without_place(&text);
    let subject = if path.is_empty() { "The body" } else { path };
    if let Some((given, wanted)) = between(text, "invalid type: ", ", expected ") {
        return format!(
            "{subject} must be {}, not {}.",
            kind_words(wanted),
            kind_words(given)
        );
    }
    if let Some((given, wanted)) = between(text, "invalid value: ", ", expected ") {
        let given = given
            .split_once(' ')
            .map_or(given, |(_, value)| value)
            .trim_matches('`');
        return format!("{subject} is {given}; it must be {}.", kind_words(wanted));
    }
    if let Some((given, known)) = between(text, "unknown variant `", "`, expected ") {
        let known = known.trim_start_matches("one of ").replace('`', "");
        return format!("{subject}: '{given}' is unknown. Allowed: {known}.");
    }
    if let Some(name) = text.strip_prefix("missing field `") {
        return format!("The field '{}' is missing.", name.trim_end_matches('`'));
    }
    if let Some(name) = text.strip_prefix("duplicate field `") {
        return format!("The field '{}' occurs twice.", name.trim_end_matches('`'));
    }
    // The project's own texts.
    let stop = if text.ends_with('.') { "" } else { "." };
    if path.is_empty() || text.starts_with(path) {
        return format!("{text}{stop}");
    }
    format!("{path}: {text}{stop}")
}

/// A type of the parser in the words of JSON.
fn kind_words(kind: &str) -> &str {
    match kind {
        "i64" | "i32" | "integer" => return "a whole number",
        "u8" | "u16" | "u32" | "u64" | "usize" => return "a whole number of 0 or more",
        "f64" | "f32" => return "a number",
        "null" | "unit value" | "Option value" => return "null",
        "map" => return "an object",
        "sequence" | "a sequence" => return "an array",
        _ => {}
    }
    // With the value or the name: string "four", integer `1`, struct NewScan with 5 elements.
    match kind.split(' ').next().unwrap_or_default() {
        "string" => "a string",
        "integer" | "floating" => "a number",
        "boolean" => "true or false",
        "struct" => "an object",
        _ if kind == "a boolean" => "true or false",
        _ => kind,
    }
}

fn between<'a>(text: &'a str, start: &str, middle: &str) -> Option<(&'a str, &'a str)> {
    text.strip_prefix(start)?.rsplit_once(middle)
}

/// Without ` at line 1 column 13`, which the problem has as numbers.
fn without_place(text: &str) -> &str {
    text.rsplit_once(" at line ").map_or(text, |(text, _)| text)
}

fn starts_with_array(body: &[u8]) -> bool {
    body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "snake_case")]
    enum File {
        Icon,
        Logo,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its shape matters")]
    struct Body {
        domain: String,
        max_pages: Option<i64>,
        count: Option<u32>,
        #[serde(default)]
        files: Vec<File>,
    }

    #[test]
    fn no_text_of_the_parser_reaches_a_client() {
        for (body, code, detail) in [
            (
                r#"{"domain": "#,
                "invalid_json",
                "The JSON ends too early, at line 1, column 11.",
            ),
            (
                r#"["a.com"]"#,
                "invalid_field",
                "The body must be a JSON object, not an array. /docs shows an example.",
            ),
            (
                "[1]",
                "invalid_field",
                "The body must be a JSON object, not an array. /docs shows an example.",
            ),
            ("7", "invalid_field", "The body must be an object, not a number."),
            ("{}", "invalid_field", "The field 'domain' is missing."),
            (
                r#"{"domain": 7}"#,
                "invalid_field",
                "domain must be a string, not a number.",
            ),
            (
                r#"{"domain": null}"#,
                "invalid_field",
                "domain must be a string, not null.",
            ),
            (
                r#"{"domain": "a.com", "max_pages": "four"}"#,
                "invalid_field",
                "max_pages must be a whole number, not a string.",
            ),
            (
                r#"{"domain": "a.com", "count": -1}"#,
                "invalid_field",
                "count is -1; it must be a whole number of 0 or more.",
            ),
            (
                r#"{"domain": "a.com", "files": ["robots"]}"#,
                "invalid_field",
                "files[0]: 'robots' is unknown. Allowed: icon or logo.",
            ),
            (
                r#"{"domain": "a.com", "files": "icon"}"#,
                "invalid_field",
                "files must be an array, not a string.",
            ),
        ] {
            let problem = parse_json::<Body>(body.as_bytes()).unwrap_err();
            assert_eq!(
                (problem.code.as_str(), problem.detail.as_str()),
                (code, detail),
                "{body}"
            );
            assert!(problem.more.contains_key("line"), "{body}");
        }
        let problem = parse_json::<Body>(br#"{"domian": "a.com"}"#).unwrap_err();
        assert!(
            problem.detail.contains("did you mean 'domain'?"),
            "{}",
            problem.detail
        );
    }
}
