//! Names and postal addresses in the lines of a page.

use std::sync::LazyLock;

use regex::Regex;

use super::forms::name_pattern;
use super::labels::{Label, without_label};

/// Lines between the name of a company and its postal code, and from there to how it is reached.
const MAX_ADDRESS_LINES: usize = 5;

/// Longer lines are prose.
const MAX_LINE: usize = 160;

/// Lines of one page looked at.
const MAX_LINES: usize = 10_000;

/// A postal code and its place, as countries write them.
static POSTCODE: LazyLock<Regex> = LazyLock::new(|| {
    let codes = [
        // The continent has the code before the place.
        r"(?:^|[,;•·|–-] ?|\s)(?:[A-Z]{1,2} ?[-–]? ?)?(?:[0-9]{4,5}|[0-9]{2}-[0-9]{3}|[0-9]{3} [0-9]{2}|[0-9]{4} ?[A-Z]{2}|[0-9]{4}-[0-9]{3}),? \p{Lu}\p{L}",
        // Russia and its neighbours.
        r"(?:^|[,; ])[0-9]{5,6}, ?(?:г\.|м\.|\p{Lu})",
        // The United Kingdom, Canada.
        r"(?-u:\b)[A-Z]{1,2}[0-9][0-9A-Z]? [0-9][A-Z]{2}(?-u:\b)",
        r"(?-u:\b)[ABCEGHJ-NPRSTVXY][0-9][A-Z][ -]?[0-9][A-Z][0-9](?-u:\b)",
        // The United States, Australia.
        r"(?-u:\b)[A-Z]{2},? [0-9]{5}(?:-[0-9]{4})?(?-u:\b)",
        r"(?-u:\b)(?:NSW|VIC|QLD|SA|WA|TAS|ACT|NT),? [0-9]{4}(?-u:\b)",
        // Brazil.
        r"(?-u:\b)[0-9]{5}-[0-9]{3}(?-u:\b)",
        // Argentina.
        r"(?-u:\b)[A-Z][0-9]{4}[A-Z]{3}(?-u:\b)|(?-u:\b)[A-Z][0-9]{4} \p{Lu}\p{L}",
        // India, Indonesia, Thailand: behind the place.
        r"\p{Lu}\p{L}+,? ?[-–]? ?[0-9]{3} ?[0-9]{3}(?:$|[,. ])",
        r"\p{L}{3,},? [0-9]{5}$",
        r"[\x{e00}-\x{e7f}] ?[0-9]{5}$",
    ];
    Regex::new(&codes.join("|")).expect("the pattern is constant")
});

/// Addresses that nothing else looks like: with the sign for a postal code, or the words for parts of a city.
static PLAIN: LazyLock<Regex> = LazyLock::new(|| {
    let shapes = [
        r"〒 ?\p{Nd}{3}[\p{Pd}−ー]\p{Nd}{4}",
        r"(?:東京都|北海道|京都府|大阪府|\p{Han}{2,3}県)\p{Han}{1,10}[市区町村郡].{0,60}(?:\p{Nd}|丁目|番地)",
        r"\p{Hangul}{2,}(?:특별시|광역시|특별자치시|도|시) \p{Hangul}+(?:시|군|구) .{2,60}\p{Nd}",
        r"(?:\p{Han}{2,4}[省市])?\p{Han}{1,6}[市区區县縣]\p{Han}{1,12}(?:路|街|道|巷|弄).{0,20}(?:\p{Nd}|[一二三四五六七八九十]).{0,20}[号號]",
        r"CEP:? ?[0-9]{5}-?[0-9]{3}",
    ];
    Regex::new(&shapes.join("|")).expect("the pattern is constant")
});

/// A street and a house number, in either order.
static STREET: LazyLock<Regex> = LazyLock::new(|| {
    let number = r"[0-9]{1,5} ?[a-zA-Zа-яА-Я]?(?: ?[-–/] ?[0-9]{1,4} ?[a-zA-Z]?)?";
    // A floor, a door, a quarter.
    let part = r"(?:(?: ?/ ?|, ?| ?[-–] ?| )[^/,\n]{1,30}){0,3}";
    Regex::new(&format!(
        r"^[^0-9\n]{{3,60}}[ :.]{number}{part},?$|^[0-9]{{1,5}}[a-zA-Z]?(?:[-–/][0-9]{{1,4}})?,? [^0-9\n]{{3,60}}{part}$|^[0-9]{{1,5}} [0-9]{{1,3}}(?:st|nd|rd|th) [^0-9\n]{{3,40}}$|^(?:Level|Suite|Unit|Shop|Floor) [0-9A-Z]+[,/] ?.{{5,60}}$"
    ))
    .expect("the pattern is constant")
});

/// A line of a page.
#[derive(Debug)]
pub(super) struct Line {
    /// Without the label before it.
    pub(super) text: String,
    pub(super) label: Option<Label>,
}

/// The lines of a page as an address has them: without labels, and a postal code that stands alone joined with its
/// place.
pub(super) fn lines(text: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut label = None;
    let all = text.lines().map(str::trim).filter(|line| !line.is_empty());
    for line in all.take(MAX_LINES) {
        let (own, rest) = without_label(line);
        // A label on a line of its own is that of the next.
        label = own.or(label);
        if rest.is_empty() {
            continue;
        }
        let is_code =
            |line: &str| (4..=5).contains(&line.len()) && line.bytes().all(|byte| byte.is_ascii_digit());
        match lines.last_mut() {
            Some(last)
                if is_code(&last.text)
                    && own.is_none()
                    && rest.chars().next().is_some_and(char::is_uppercase) =>
            {
                last.text = format!("{} {rest}", last.text);
            }
            _ => {
                let text = rest.to_owned();
                lines.push(Line { text, label });
            }
        }
        label = None;
    }
    lines
}

/// The first line that is the name of a company with, unless `anywhere`, a postal code below it.
pub(super) fn name(lines: &[Line], anywhere: bool) -> Option<(usize, String)> {
    static NAME: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(&format!("^{}$", name_pattern(r"[\p{Lu}\p{Lo}0-9]", 90))).expect("the pattern is constant")
    });
    let is_name = |line: &Line| line.text.len() <= MAX_LINE && NAME.is_match(&line.text);
    let named = |at: &usize| is_name(&lines[*at]);
    let told = |at: &usize| lines[*at].label == Some(Label::Name);
    let at = if anywhere {
        // Who has a label for it has it right, whatever the name is.
        (0..lines.len())
            .find(|at| told(at) && lines[*at].text.len() <= MAX_LINE)
            .or_else(|| (0..lines.len()).find(named))
    } else {
        let codes = (0..lines.len()).filter(|at| is_postcode(&lines[*at].text));
        codes
            .flat_map(|code| code.saturating_sub(MAX_ADDRESS_LINES)..code)
            .find(named)
            .or_else(|| (0..lines.len()).find(|at| told(at) && is_name(&lines[*at])))
    };
    at.map(|at| (at, lines[at].text.clone()))
}

/// The address whose name is at a line: down to the postal code.
pub(super) fn below(lines: &[Line], name: usize) -> Option<String> {
    let within = lines.iter().enumerate().skip(name + 1).take(MAX_ADDRESS_LINES);
    let (end, _) = within
        .clone()
        .find(|(_, line)| is_postcode(&line.text) || is_plain(&line.text))?;
    // A register or a person in between is no part of it.
    let parts = lines[name + 1..end].iter().filter(|line| !is_other(line));
    let parts = parts.map(|line| line.text.trim_end_matches(',').to_owned());
    Some(
        parts
            .chain([with_rest(lines, end)])
            .collect::<Vec<_>>()
            .join(", "),
    )
}

/// An address that is called one.
pub(super) fn labelled(lines: &[Line]) -> Option<String> {
    let is_told = |line: &Line| line.label == Some(Label::Address);
    let starts = (0..lines.len()).filter(|at| is_told(&lines[*at]));
    starts.take(20).find_map(|start| {
        let mut parts: Vec<&str> = Vec::new();
        for line in lines[start..].iter().take(MAX_ADDRESS_LINES) {
            let is_next = !parts.is_empty() && (line.label.is_some() || is_other(line));
            if is_next || line.text.len() > MAX_LINE {
                break;
            }
            parts.push(line.text.trim_end_matches(','));
            let at = start + parts.len() - 1;
            if is_postcode(&line.text) || is_plain(&line.text) {
                parts.pop();
                let parts = parts.iter().map(|part| (*part).to_owned());
                return Some(parts.chain([with_rest(lines, at)]).collect::<Vec<_>>().join(", "));
            }
        }
        // Not all countries have codes that are known; a street with its number will do.
        let first = *parts.first()?;
        let has_number = first.chars().any(char::is_numeric);
        (has_number
            && first
                .chars()
                .filter(|character| character.is_alphabetic())
                .count()
                >= 4)
            .then(|| first.to_owned())
    })
}

/// An address without a name that is known: a street, a postal code, and soon after it a telephone or e-mail.
pub(super) fn standing_alone(lines: &[Line]) -> Option<String> {
    (0..lines.len()).find_map(|at| {
        let line = lines[at].text.as_str();
        if is_plain(line) && !is_other(&lines[at]) {
            let above = at.checked_sub(1).map(|above| &lines[above].text);
            let street = above.filter(|above| line.contains("CEP") && is_street(above));
            let street = street.map(|street| format!("{}, ", street.trim_end_matches(',')));
            return Some(street.unwrap_or_default() + &with_rest(lines, at));
        }
        let code = is_postcode(line).then(|| POSTCODE.find(line)).flatten()?;
        let is_reached = lines[at..]
            .iter()
            .skip(1)
            .take(MAX_ADDRESS_LINES)
            .any(|line| says_how_to_reach(&line.text));
        let before = line[..code.start()].trim_matches([' ', ',', ';', '|', '•', '·', '-', '–']);
        // Hungary and Russia have the street behind the place.
        let behind = line[code.end()..]
            .split_once(',')
            .map_or("", |(_, rest)| rest)
            .trim_matches([' ', '.']);
        let street_above = || {
            at.checked_sub(1)
                .map(|above| lines[above].text.as_str())
                .filter(|line| is_street(line))
        };
        if !is_reached {
            None
        } else if is_street(before) || is_street(behind) {
            Some(line.to_owned())
        } else {
            street_above().map(|street| format!("{}, {line}", street.trim_end_matches(',')))
        }
    })
}

/// The line that an address ends with. That of Japan may go on below the code.
fn with_rest(lines: &[Line], at: usize) -> String {
    let text = lines[at].text.as_str();
    let has_street = |line: &str| line.chars().filter(|character| character.is_alphabetic()).count() > 4;
    if text.starts_with('〒') && !has_street(text) {
        let next = lines
            .get(at + 1)
            .map(|line| line.text.as_str())
            .filter(|line| !says_how_to_reach(line));
        return next.map_or_else(|| text.to_owned(), |next| format!("{text} {next}"));
    }
    text.trim_end_matches(',').to_owned()
}

/// Whether a line among those of an address says something else.
fn is_other(line: &Line) -> bool {
    line.label == Some(Label::Name) || says_how_to_reach(&line.text) || line.text.contains([':', '：'])
}

fn is_street(line: &str) -> bool {
    line.len() <= MAX_LINE && STREET.is_match(line)
}

fn is_postcode(line: &str) -> bool {
    // Most lines have not the digits for it.
    let digits = line.bytes().filter(u8::is_ascii_digit).count();
    (2..=24).contains(&digits) && line.len() <= MAX_LINE && POSTCODE.is_match(line)
}

fn is_plain(line: &str) -> bool {
    line.len() <= 3 * MAX_LINE && (!line.is_ascii() || line.contains("CEP")) && PLAIN.is_match(line)
}

fn says_how_to_reach(line: &str) -> bool {
    /// Digits that no house and no code has.
    const DIGITS: usize = 9;
    let line = line.to_lowercase();
    let says = [
        "tel",
        "tél",
        "тел",
        "τηλ",
        "fon",
        "phone",
        "mail",
        "fax",
        "mobil",
        "@",
        "(at)",
        "[at]",
        "電話",
        "电话",
        "전화",
        "โทร",
        "هاتف",
        "טלפון",
        "ｔｅｌ",
        "faks",
        "whatsapp",
    ];
    let digits = line.chars().filter(|character| character.is_numeric()).count();
    says.iter().any(|word| line.contains(word))
        || line.starts_with(['+', '☎', '(', '0'])
        || digits >= DIGITS && line.len() < 30
}
