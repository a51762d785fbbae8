//! Reads the paths in a source text from its tokens; it knows only the necessary part of Rust's syntax.

/// A token and the line it is on.
pub(super) type Token<'a> = (usize, &'a str);

/// Identifiers, `::` and single other characters; comments, strings and character literals are left out.
pub(super) fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let (mut rest, mut line) = (source, 1);
    while !rest.is_empty() {
        let (length, is_token) = first_token(rest);
        let text = &rest[..length];
        if is_token {
            found.push((line, text));
        }
        line += text.matches('\n').count();
        rest = &rest[length..];
    }
    found
}

/// The length of what stands first, and whether it counts.
fn first_token(text: &str) -> (usize, bool) {
    let first = text.chars().next().expect("not empty");
    let identifier = text
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    if text.starts_with("//") {
        return (text.find('\n').unwrap_or(text.len()), false);
    }
    if text.starts_with("/*") {
        return (text.find("*/").map_or(text.len(), |end| end + 2), false);
    }
    if let Some(length) = raw_string(text) {
        return (length, false);
    }
    match first {
        '"' => (string(text), false),
        '\'' => (character(text), false),
        ':' if text.starts_with("::") => (2, true),
        _ if identifier > 0 => (identifier, true),
        _ => (first.len_utf8(), !first.is_whitespace()),
    }
}

/// `r"…"`, `r#"…"#` and the same with `b`.
fn raw_string(text: &str) -> Option<usize> {
    let body = text.strip_prefix('b').unwrap_or(text).strip_prefix('r')?;
    let hashes = body.len() - body.trim_start_matches('#').len();
    let inner = body[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let start = text.len() - inner.len();
    Some(inner.find(&end).map_or(text.len(), |at| start + at + end.len()))
}

fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '"' if !escaped => return at + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

/// A character literal, or the quote of a lifetime.
fn character(text: &str) -> usize {
    let inner = &text[1..];
    if inner.starts_with('\\') {
        return inner[2..].find('\'').map_or(text.len(), |end| end + 4);
    }
    let first = inner.chars().next().map_or(0, char::len_utf8);
    if inner[first..].starts_with('\'') {
        first + 2
    } else {
        1
    }
}

/// Everything before `#[cfg(test)] mod tests {`, which comes last in a file.
pub(super) fn without_tests(mut tokens: Vec<Token<'_>>) -> Vec<Token<'_>> {
    const START: [&str; 8] = ["#", "[", "cfg", "(", "test", ")", "]", "mod"];
    let is_start = |window: &[Token]| {
        window
            .iter()
            .zip(START)
            .all(|((_, token), wanted)| *token == wanted)
            && window[9].1 == "{"
    };
    if let Some(start) = tokens.windows(10).position(is_start) {
        tokens.truncate(start);
    }
    tokens
}

/// Every path from the crate's root, `use` or inline, as its segments without `crate`.
pub(super) fn paths_used(tokens: &[Token], depth: usize) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    for start in 0..tokens.len() {
        if start > 0 && tokens[start - 1].1 == "::" {
            continue;
        }
        let supers = tokens[start..]
            .chunks(2)
            .take_while(|pair| is_step(pair, "super"))
            .count();
        let roots = usize::from(is_step(&tokens[start..], "crate"));
        if roots == 1 || (supers > 0 && supers >= depth) {
            collect_paths(tokens, start + 2 * (roots + supers), &[], &mut found);
        }
    }
    found
}

fn is_step(tokens: &[Token], name: &str) -> bool {
    matches!(tokens, [(_, first), (_, "::"), ..] if *first == name)
}

/// Reads one path, or all paths of a group in braces; gives the place after it.
fn collect_paths(
    tokens: &[Token],
    at: usize,
    prefix: &[String],
    found: &mut Vec<(usize, Vec<String>)>,
) -> usize {
    let Some((line, token)) = tokens.get(at) else {
        return at;
    };
    if *token == "{" {
        return collect_group(tokens, at + 1, prefix, found);
    }
    let path = [prefix, &[(*token).to_owned()]].concat();
    if matches!(tokens.get(at + 1), Some((_, "::"))) {
        return collect_paths(tokens, at + 2, &path, found);
    }
    found.push((*line, path));
    at + 1
}

fn collect_group(
    tokens: &[Token],
    mut at: usize,
    prefix: &[String],
    found: &mut Vec<(usize, Vec<String>)>,
) -> usize {
    while let Some((_, token)) = tokens.get(at) {
        at = match *token {
            "}" => return at + 1,
            "," => at + 1,
            "as" => at + 2,
            _ => collect_paths(tokens, at, prefix, found),
        };
    }
    at
}

/// Restricted crates that are named, by `use` or inline.
pub(super) fn crates_named(tokens: &[Token]) -> Vec<(usize, String)> {
    let named = (0..tokens.len()).filter(|&at| {
        let starts_path = at == 0 || tokens[at - 1].1 != "::";
        let leads_on = tokens
            .get(at + 1)
            .is_some_and(|(_, next)| ["::", "as", ";"].contains(next));
        starts_path && leads_on && super::RESTRICTED_CRATES.contains(&tokens[at].1)
    });
    named.map(|at| (tokens[at].0, tokens[at].1.to_owned())).collect()
}
