//! Elements in the midst of a text that nobody sees: decoys for robots.

use std::sync::LazyLock;

use regex::Regex;

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

/// The classes that a page's own styles hide.
#[derive(Debug, Default)]
pub(super) struct Hidden(Vec<String>);

impl Hidden {
    /// Adds the classes of rules like `.dn, .x { display: none }`.
    pub(super) fn read(&mut self, style: &str) {
        static RULE: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r"([^{}]{1,500})\{([^{}]{0,2000})\}").expect("the pattern is constant")
        });
        static CLASS: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r"^(?:span|i|b|em|small|strong)?\.([A-Za-z_][\w-]*)$")
                .expect("the pattern is constant")
        });
        // Most style sheets hide nothing in this way, or only in the midst of much else.
        let rules = RULE.captures_iter(style).filter(|rule| is_hiding(&rule[2]));
        for rule in rules.take(MAX_CLASSES) {
            for selector in rule[1].split(',') {
                if let Some(class) = CLASS.captures(selector.trim())
                    && self.0.len() < MAX_CLASSES
                {
                    self.0.push(class[1].to_owned());
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

/// Whether declarations hide what they are for.
fn is_hiding(declarations: &str) -> bool {
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
