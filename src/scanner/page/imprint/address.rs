//! Names and postal addresses in the lines of a page.

use std::sync::LazyLock;

use regex::Regex;

use super::FORMS;

/// Lines between the name of a company and its postal code, and from there to how it is reached.
const MAX_ADDRESS_LINES: usize = 5;

/// Longer lines are prose.
const MAX_LINE: usize = 120;

/// Lines of one page looked at.
const MAX_LINES: usize = 10_000;

/// A postal code and its place: of the continent before the place, of the United Kingdom and of the United States
/// behind it.
static POSTCODE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?:^|[,;•·|–-] ?)(?:[A-Z]{1,2} ?[-–]? ?)?(?:[0-9]{4,5}|[0-9]{2}-[0-9]{3}|[0-9]{3} [0-9]{2}|[0-9]{4} ?[A-Z]{2}) \p{Lu}\p{L}|(?-u:\b)[A-Z]{1,2}[0-9][0-9A-Z]? [0-9][A-Z]{2}(?-u:\b)|(?-u:\b)[A-Z]{2} [0-9]{5}(?:-[0-9]{4})?(?-u:\b)",
    )
    .expect("the pattern is constant")
});

/// A street and a house number, in either order.
static STREET: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^[^0-9\n]{3,60} [0-9]{1,4} ?[a-zA-Z]?(?: ?[-–/] ?[0-9]{1,4} ?[a-zA-Z]?)?(?: ?/ ?[^/]{1,12})?,?$|^[0-9]{1,5}[a-z]?,? [^0-9\n]{3,60}$|^[0-9]{1,5} [0-9]{1,3}(?:st|nd|rd|th) [^0-9\n]{3,40}$")
        .expect("the pattern is constant")
});

/// The lines of a page as an address has them: a postal code that stands alone joined with its place.
pub(super) fn lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut code: Option<&str> = None;
    let all = text.lines().map(str::trim).filter(|line| !line.is_empty());
    for line in all.take(MAX_LINES) {
        let is_code = (4..=5).contains(&line.len()) && line.bytes().all(|byte| byte.is_ascii_digit());
        match (code.take(), is_code) {
            (Some(code), false) if line.chars().next().is_some_and(char::is_uppercase) => {
                lines.push(format!("{code} {line}"));
            }
            (Some(code), _) => lines.extend([code.to_owned(), line.to_owned()]),
            (None, true) => code = Some(line),
            (None, false) => lines.push(line.to_owned()),
        }
    }
    lines.extend(code.map(str::to_owned));
    lines
}

/// The first line that is the name of a company with, unless `anywhere`, a postal code below it.
pub(super) fn name(lines: &[String], anywhere: bool) -> Option<(usize, String)> {
    static NAME: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(&format!(r"^[\p{{Lu}}\p{{Lo}}0-9][^:;!?|©]{{0,90}}\s{FORMS}$"))
            .expect("the pattern is constant")
    });
    let is_name = |line: &str| line.len() <= MAX_LINE && NAME.is_match(line);
    let named = |at: &usize| is_name(&lines[*at]);
    let at = if anywhere {
        (0..lines.len()).find(named)
    } else {
        let codes = (0..lines.len()).filter(|at| is_postcode(&lines[*at]));
        codes
            .flat_map(|code| code.saturating_sub(MAX_ADDRESS_LINES)..code)
            .find(named)
    };
    at.map(|at| (at, lines[at].clone()))
}

/// The address whose name is at a line: down to the postal code.
pub(super) fn below(lines: &[String], name: usize) -> Option<String> {
    let end = postcode_after(lines, name + 1)?;
    Some(lines[name + 1..=end].join(", "))
}

/// An address without a name that is known: a street, a postal code, and soon after it a telephone or e-mail.
pub(super) fn standing_alone(lines: &[String]) -> Option<String> {
    (0..lines.len()).find_map(|at| {
        let line = lines[at].as_str();
        let code = is_postcode(line).then(|| POSTCODE.find(line)).flatten()?;
        let is_reached = lines[at..]
            .iter()
            .skip(1)
            .take(MAX_ADDRESS_LINES)
            .any(|line| says_how_to_reach(line));
        let before = line[..code.start()].trim_matches([' ', ',', ';', '|', '•', '·']);
        let street_above = || {
            at.checked_sub(1)
                .map(|above| lines[above].as_str())
                .filter(|line| is_street(line))
        };
        if !is_reached {
            None
        } else if is_street(before) {
            Some(line.to_owned())
        } else {
            street_above().map(|street| format!("{}, {line}", street.trim_end_matches(',')))
        }
    })
}

fn is_street(line: &str) -> bool {
    line.len() <= MAX_LINE && STREET.is_match(line)
}

fn is_postcode(line: &str) -> bool {
    // Most lines have not the digits for it.
    let digits = line.bytes().filter(u8::is_ascii_digit).count();
    (2..=16).contains(&digits) && line.len() <= MAX_LINE && POSTCODE.is_match(line)
}

fn postcode_after(lines: &[String], from: usize) -> Option<usize> {
    let within = lines.iter().enumerate().skip(from).take(MAX_ADDRESS_LINES);
    within
        .filter(|(_, line)| is_postcode(line))
        .map(|(at, _)| at)
        .next()
}

fn says_how_to_reach(line: &str) -> bool {
    let line = line.to_lowercase();
    let says = [
        "tel", "tél", "тел", "τηλ", "fon", "phone", "mail", "fax", "mobil", "@", "(at)", "[at]",
    ];
    says.iter().any(|word| line.contains(word)) || line.starts_with(['+', '☎'])
}
