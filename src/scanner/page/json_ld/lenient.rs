//! Converts slightly invalid JSON, as people and plugins write it, to valid JSON.

use std::borrow::Cow;

/// The objects and lists of a block without comments, trailing commas, wrappers of other languages and line breaks
/// inside texts. Unclosed brackets are closed at the end.
pub(super) fn cleaned(block: &str) -> String {
    let block = with_quotes(block);
    let mut clean = Clean {
        text: String::with_capacity(block.len()),
        open: Vec::new(),
    };
    let mut rest = block.as_ref();
    while let Some(character) = rest.chars().next() {
        rest = &rest[clean.take(character, rest)..];
    }
    while let Some(bracket) = clean.open.pop() {
        clean.text.push(bracket);
    }
    clean.text
}

/// The block with plain quotes. A system may have escaped the block as if it were text (`&quot;`), put it into a string
/// of another language (`\"`), or made its quotes typographic.
fn with_quotes(block: &str) -> Cow<'_, str> {
    if !block.contains('"') {
        if block.contains("&quot;") || block.contains("&#") {
            return crate::scanner::references::resolve_html(block);
        }
        if block.contains(TYPOGRAPHIC) {
            return Cow::Owned(block.replace(TYPOGRAPHIC, "\""));
        }
    }
    let first = block.trim_start_matches(|sign: char| "[{".contains(sign) || sign.is_whitespace());
    if first.starts_with("\\\"") {
        return Cow::Owned(block.replace("\\\"", "\""));
    }
    Cow::Borrowed(block)
}

/// Quotes that text editors insert instead of plain ones.
const TYPOGRAPHIC: [char; 5] = ['“', '”', '„', '″', '‟'];

struct Clean {
    text: String,
    /// The closing brackets that are still missing, the innermost last.
    open: Vec<char>,
}

impl Clean {
    /// Consumes the piece that `rest` begins with and returns its length.
    fn take(&mut self, first: char, rest: &str) -> usize {
        const WRAPPERS: &[&str] = &["<!--", "-->", "<![CDATA[", "]]>"];
        if let Some(wrapper) = WRAPPERS.iter().find(|wrapper| rest.starts_with(**wrapper)) {
            return wrapper.len();
        }
        match first {
            '/' if rest.starts_with("//") => return rest.find(['\n', '\r']).unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => return rest.find("*/").map_or(rest.len(), |end| end + 2),
            // A placeholder that a template engine did not replace, or doubled braces around the whole block.
            '{' if rest.starts_with("{{") => return self.doubled(rest),
            '{' | '[' => {
                self.separate();
                self.text.push(first);
                self.open.push(if first == '{' { '}' } else { ']' });
            }
            // Text outside all brackets: `var data =`, and characters that end statements.
            _ if self.open.is_empty() => {}
            '}' | ']' => self.close(first),
            '"' => {
                self.separate();
                return self.quoted(rest, '"');
            }
            '\'' if !self.ends_with(&['"', '}', ']']) => return self.quoted(rest, '\''),
            ',' if self.ends_with(&[',', '{', '[']) => {}
            _ if first.is_whitespace() => self.text.push(' '),
            ',' | ':' | '\'' => self.text.push(first),
            _ => return self.bare(rest),
        }
        first.len_utf8()
    }

    /// Consumes doubled braces: outside all brackets they count as one, inside brackets they contain no value.
    fn doubled(&mut self, rest: &str) -> usize {
        if self.open.is_empty() {
            return '{'.len_utf8();
        }
        self.text.push_str("null");
        rest.find("}}").map_or(rest.len(), |end| end + "}}".len())
    }

    /// Consumes a name or value without quotes: null values of other languages become null, and other unknown words
    /// become texts.
    fn bare(&mut self, rest: &str) -> usize {
        let end = rest.find([',', ':', '{', '}', '[', ']', '"', '\n', '\r']);
        let length = end
            .unwrap_or(rest.len())
            .max(rest.chars().next().map_or(1, char::len_utf8));
        let word = rest[..length].trim_end();
        let is_name = rest[length..].starts_with(':');
        match word {
            "undefined" | "NaN" | "None" | "nil" | "Infinity" | "-Infinity" if !is_name => {
                self.text.push_str("null");
            }
            _ if !is_name && serde_json::from_str::<serde::de::IgnoredAny>(word).is_ok() => {
                self.text.push_str(word);
            }
            _ => {
                self.separate();
                // Escapes are not valid outside quotes.
                self.text.push('"');
                self.text
                    .extend(word.chars().filter(|sign| *sign != '\\' && !sign.is_control()));
                self.text.push('"');
            }
        }
        length
    }

    fn ends_with(&self, signs: &[char]) -> bool {
        self.text.trim_end().ends_with(signs)
    }

    /// Inserts a comma that is missing between two values.
    fn separate(&mut self) {
        if !self.open.is_empty() && self.ends_with(&['"', '}', ']']) {
            self.text.push(',');
        }
    }

    /// Closes a bracket and any unclosed brackets inside it, without the comma after the last item.
    fn close(&mut self, bracket: char) {
        let Some(at) = self.open.iter().rposition(|open| *open == bracket) else {
            return;
        };
        let end = self.text.trim_end().len();
        if self.text[..end].ends_with(',') {
            self.text.truncate(self.text[..end - 1].trim_end().len());
        }
        self.text.extend(self.open.drain(at..).rev());
    }

    /// Copies a text. It removes line breaks and other control characters, and escapes that JSON does not know. A quote
    /// within the text is treated as a part of it.
    fn quoted(&mut self, rest: &str, quote: char) -> usize {
        self.text.push('"');
        let mut characters = rest.char_indices().skip(1);
        while let Some((at, character)) = characters.next() {
            match character {
                end if end == quote && ends_text(&rest[at + 1..], quote) => {
                    self.text.push('"');
                    return at + 1;
                }
                '"' => self.text.push_str("\\\""),
                '\\' => match characters.next() {
                    Some((at, 'u')) if !is_character(&rest[at + 1..]) => self.text.push('u'),
                    Some((_, escaped @ ('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't' | 'u'))) => {
                        self.text.extend(['\\', escaped]);
                    }
                    Some((_, other)) => self.text.push(if other.is_control() { ' ' } else { other }),
                    None => {}
                },
                control if control.is_control() => self.text.push(' '),
                other => self.text.push(other),
            }
        }
        self.text.push('"');
        rest.len()
    }
}

/// Whether the digits after `\u` are the number of a character. Half of a surrogate pair is not.
fn is_character(digits: &str) -> bool {
    let number = digits
        .get(..4)
        .and_then(|digits| u32::from_str_radix(digits, 16).ok());
    number.is_some_and(|number| !(0xd800..0xe000).contains(&number))
}

/// Whether the text after a quote shows that the quote ends a text.
fn ends_text(after: &str, quote: char) -> bool {
    let next = after.trim_start();
    let is_next_line = after[..after.len() - next.len()].contains('\n');
    // The comma before the next name is missing.
    let is_name = || {
        let name = next.strip_prefix(quote).and_then(|rest| rest.split_once(quote));
        name.is_some_and(|(name, rest)| name.len() < 40 && rest.trim_start().starts_with(':'))
    };
    next.is_empty()
        || next.starts_with([',', ':', '}', ']', '/'])
        || next.starts_with(quote) && (is_next_line || is_name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nearly_json_becomes_json() {
        for (block, wanted) in [
            (r#"{"a":"x",}"#, r#"{"a":"x"}"#),
            (r#"{"a":["x", ] , }"#, r#"{"a":["x"]}"#),
            (r#"{"a":"x",,"b":1}"#, r#"{"a":"x","b":1}"#),
            (r#"/* seo */{"a":// who"#, r#"{"a":}"#),
            ("<!--{\"a\":1}-->", r#"{"a":1}"#),
            ("//<![CDATA[\n[1]\n//]]>", "[1]"),
            ("{\"a\":\"1\n2\"};", r#"{"a":"1 2"}"#),
            ("{\"a\":\"1\"\n\"b\":\"2\"}", r#"{"a":"1" ,"b":"2"}"#),
            (r#"var data = {"a":"\'x\'"};"#, r#"{"a":"'x'"}"#),
            (r#"{'a':'it "is"','b':['c']}"#, r#"{"a":"it \"is\"","b":["c"]}"#),
            (
                r#"{"a":"the "best" one","b":1}"#,
                r#"{"a":"the \"best\" one","b":1}"#,
            ),
            ("{&quot;a&quot;:&quot;b&quot;}", r#"{"a":"b"}"#),
            (r#"{"a":"http://x/,}"}"#, r#"{"a":"http://x/,}"}"#),
            (r#"{"a":["never closed"#, r#"{"a":["never closed"]}"#),
            (r#"{"a":[1}, {"b":2}}"#, r#"{"a":[1]}{"b":2}"#),
            (
                r#"{"a":undefined,"b":NaN,"c":True,"d":.5,"e":01,"f":-1.5e3,"g":true}"#,
                r#"{"a":null,"b":null,"c":"True","d":".5","e":"01","f":-1.5e3,"g":true}"#,
            ),
            (r#"{@type:"x", name : y z}"#, r#"{"@type":"x", "name": "y z"}"#),
            (r#"{{"a":1}}"#, r#"{"a":1}"#),
            (r#"{"a":{{ shop.name }},"b":1}"#, r#"{"a":null,"b":1}"#),
            ("{“a”:“b”}", r#"{"a":"b"}"#),
            (r#"{\"a\":\"b\"}"#, r#"{"a":"b"}"#),
            (
                r#"{"a":"\u00e","b":"\ud83d","c":"\u00e4",}"#,
                r#"{"a":"u00e","b":"ud83d","c":"\u00e4"}"#,
            ),
        ] {
            assert_eq!(cleaned(block), wanted, "{block}");
        }
    }
}
