//! Elements in the midst of a text that nobody sees: decoys for robots.

use scraper::node::Element;

use crate::scanner::page::tree::raw;

/// Classes by which the style sheets of well-known frameworks hide elements.
const HIDING: &[&str] = &[
    "hidden",
    "hide",
    "d-none",
    "dn",
    "is-hidden",
    "display-none",
    "displaynone",
    "invisible",
    "visually-hidden",
    "sr-only",
    "screen-reader-text",
    "uk-hidden",
    "u-hidden",
    "nospam",
    "no-spam",
    "honeypot",
];

/// Classes kept of one page.
const MAX_CLASSES: usize = 200;

/// Bytes of the declarations of one rule that are looked at.
const MAX_DECLARATIONS: usize = 2_000;

/// The classes that a page's own styles hide.
#[derive(Debug, Default)]
pub(super) struct Hidden(Vec<String>);

impl Hidden {
    /// Adds the classes of rules like `.dn, .x { display: none }`.
    pub(super) fn read(&mut self, style: &str) {
        // Up to each closing brace: rules within others (`@media`) end with one too.
        for rule in style.split('}') {
            let Some((before, declarations)) = rule.rsplit_once('{') else {
                continue;
            };
            if declarations.len() > MAX_DECLARATIONS || !is_hiding(declarations) {
                continue;
            }
            let selectors = before.rsplit(['{', ';']).next().unwrap_or_default();
            for class in selectors
                .split(',')
                .filter_map(|selector| class_of(selector.trim()))
            {
                if self.0.len() < MAX_CLASSES {
                    self.0.push(class.to_owned());
                }
            }
        }
    }

    /// Whether an element is not shown.
    pub(super) fn has(&self, element: &Element) -> bool {
        raw(element, "hidden").is_some()
            || raw(element, "style").is_some_and(is_hiding)
            || raw(element, "class").is_some_and(|classes| {
                let mut classes = classes.split_ascii_whitespace();
                classes.any(|class| HIDING.contains(&class) || self.0.iter().any(|known| known == class))
            })
    }
}

/// The class that a selector like `.x` or `span.x` is about.
fn class_of(selector: &str) -> Option<&str> {
    let (element, class) = selector.split_once('.')?;
    let is_name = |sign: char| sign.is_alphanumeric() || matches!(sign, '_' | '-');
    let is_inline = ["", "span", "i", "b", "em", "small", "strong"].contains(&element);
    (is_inline && !class.is_empty() && class.chars().all(is_name)).then_some(class)
}

/// Whether declarations hide what they are for.
fn is_hiding(declarations: &str) -> bool {
    // Most have nothing to do with it, and are not worth a copy.
    let may_hide = ["none", "hidden", "-999", "font-size", "opacity"]
        .iter()
        .any(|word| contains_ignoring_case(declarations, word));
    if !may_hide {
        return false;
    }
    let plain: String = declarations
        .split_whitespace()
        .collect::<String>()
        .to_ascii_lowercase();
    plain.contains("display:none")
        || plain.contains("visibility:hidden")
        || plain.contains("left:-9999")
        || plain.contains("left:-999em")
        || plain
            .split(';')
            .any(|declaration| matches!(declaration, "font-size:0" | "font-size:0px" | "opacity:0"))
}

fn contains_ignoring_case(text: &str, word: &str) -> bool {
    text.as_bytes()
        .windows(word.len())
        .any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use scraper::Selector;

    use crate::scanner::page::tree::parse;

    #[test]
    fn decoys_are_known_by_attribute_style_and_class() {
        let mut hidden = Hidden::default();
        hidden.read("p{color:red} .a, span.b { display : none } @media print{.c{display:none}} .d .e{display:none} .f{opacity:1}");
        for (source, wanted) in [
            ("span hidden", true),
            ("span style='DISPLAY: none'", true),
            ("span style='position:absolute; left:-9999px'", true),
            ("span class='x a'", true),
            ("span class=b", true),
            ("span class=d-none", true),
            ("span class=e", false),
            ("span class=f", false),
            ("span", false),
        ] {
            let page = parse(&format!("<body><{source}>"));
            let element = page
                .html
                .select(&Selector::parse("span").unwrap())
                .next()
                .unwrap();
            assert_eq!(hidden.has(element.value()), wanted, "{source}");
        }
    }
}
