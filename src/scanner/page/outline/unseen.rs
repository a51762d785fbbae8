//! Invisible elements within a text: decoys for robots.

use scraper::node::Element;
use scraper::{ElementRef, Selector};

use crate::scanner::page::tree::raw;

/// Classes that well-known frameworks use to hide elements.
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

/// Bytes of the declarations of one rule that are examined.
const MAX_DECLARATIONS: usize = 2_000;

/// Limits for selectors that are more than a class: how many are kept of one page, and how often they are tried. One
/// try may examine every ancestor of the element.
const MAX_SELECTORS: usize = 50;
const MAX_TRIES: usize = 20_000;

/// What a page's own styles hide.
#[derive(Debug, Default)]
pub(super) struct Hidden {
    classes: Vec<String>,
    selectors: Vec<Selector>,
    tries: usize,
}

impl Hidden {
    /// Adds the elements that rules like `.dn, p > .x { display: none }` hide.
    pub(super) fn read(&mut self, style: &str) {
        // Splits at each closing brace: nested rules end with one too.
        let mut depth = 0_usize;
        let mut is_for_some = false;
        for rule in style.split('}') {
            let opened = rule.matches('{').count();
            if depth == 0 {
                // Rules that apply only to printers or small screens.
                is_for_some = opened > 1 && rule.trim_start().starts_with("@media");
            }
            depth = (depth + opened).saturating_sub(1);
            let Some((before, declarations)) = rule.rsplit_once('{') else {
                continue;
            };
            if is_for_some {
                continue;
            }
            if declarations.len() > MAX_DECLARATIONS || !is_hiding(declarations) {
                continue;
            }
            let selectors = before.rsplit(['{', ';']).next().unwrap_or_default();
            for selector in selectors.split(',').map(str::trim) {
                match class_of(selector) {
                    Some(class) if self.classes.len() < MAX_CLASSES => self.classes.push(class.to_owned()),
                    None if self.selectors.len() < MAX_SELECTORS && is_of_inline(selector) => {
                        self.selectors.extend(Selector::parse(selector));
                    }
                    _ => {}
                }
            }
        }
    }

    /// Whether an element at its position is not shown.
    pub(super) fn has_at(&mut self, place: ElementRef<'_>) -> bool {
        self.has(place.value()) || self.is_selected(place)
    }

    fn is_selected(&mut self, place: ElementRef<'_>) -> bool {
        if self.tries >= MAX_TRIES {
            return false;
        }
        self.tries += self.selectors.len();
        self.selectors.iter().any(|selector| selector.matches(&place))
    }

    /// Whether an element is not shown, by its attributes.
    fn has(&self, element: &Element) -> bool {
        raw(element, "hidden").is_some()
            || raw(element, "style").is_some_and(is_hiding)
            || raw(element, "class").is_some_and(|classes| {
                let mut classes = classes.split_ascii_whitespace();
                classes
                    .any(|class| HIDING.contains(&class) || self.classes.iter().any(|known| known == class))
            })
    }
}

/// Whether an element is hidden by its own attributes and holds only one or two contacts: a trap for robots. Menus and
/// dialogs that scripts open contain more, and elements that style sheets hide may be shown on other screens.
pub(super) fn is_decoy(place: ElementRef<'_>) -> bool {
    const MAX_NODES: usize = 12;
    const MAX_LINKS: usize = 2;
    let element = place.value();
    let is_hidden = raw(element, "hidden").is_some_and(|how| !how.eq_ignore_ascii_case("until-found"))
        || raw(element, "style").is_some_and(is_unseen);
    if !is_hidden
        || matches!(
            element.name(),
            "body" | "header" | "footer" | "nav" | "main" | "form" | "dialog"
        )
    {
        return false;
    }
    let elements = || {
        let nodes = place.descendants().take(MAX_NODES + 1);
        nodes.filter_map(|node| node.value().as_element())
    };
    let holds_contact = || {
        let links = ["mailto:", "tel:"];
        let is_contact = |href: &str| links.iter().any(|scheme| href.trim_start().starts_with(scheme));
        place.text().any(|text| text.contains('@'))
            || elements().any(|inner| raw(inner, "href").is_some_and(is_contact))
    };
    place.descendants().nth(MAX_NODES).is_none()
        && holds_contact()
        && elements().filter(|inner| inner.name() == "a").count() <= MAX_LINKS
        && elements().all(|inner| !matches!(inner.name(), "h1" | "h2" | "h3" | "button" | "input" | "nav"))
}

/// The class that a selector like `.x` or `span.x` selects.
fn class_of(selector: &str) -> Option<&str> {
    let (element, class) = selector.split_once('.')?;
    let is_name = |sign: char| sign.is_alphanumeric() || matches!(sign, '_' | '-');
    let is_inline = ["", "span", "i", "b", "em", "small", "strong"].contains(&element);
    (is_inline && !class.is_empty() && class.chars().all(is_name)).then_some(class)
}

/// Whether a selector may select elements inside a text, in any state. Selectors that compare an element with all its
/// siblings are refused: a page may have a hundred thousand.
fn is_of_inline(selector: &str) -> bool {
    const LONGEST: usize = 100;
    let last = selector.rsplit([' ', '>', '+']).next().unwrap_or_default();
    let name = last.split(['.', '#', '[']).next().unwrap_or_default();
    selector.len() <= LONGEST
        && !selector.contains([':', '@', '\\', '*', '~'])
        && !last.is_empty()
        && ["", "span", "i", "b", "em", "small", "strong"].contains(&name)
}

/// Whether declarations hide the elements that they apply to.
fn is_hiding(declarations: &str) -> bool {
    // Most declarations are unrelated and not worth a copy.
    let may_hide = ["none", "hidden", "-999", "font-size", "opacity"]
        .iter()
        .any(|word| contains_ignoring_case(declarations, word));
    if !may_hide {
        return false;
    }
    is_unseen(declarations)
        || plain(declarations)
            .split(';')
            .any(|declaration| matches!(declaration, "font-size:0" | "font-size:0px" | "opacity:0"))
}

/// Whether declarations remove an element from the screen. Size and transparency do not count: scripts fade elements
/// in.
fn is_unseen(declarations: &str) -> bool {
    let plain = plain(declarations);
    let is_far = |side: &&str| plain.contains(&format!("{side}:-999"));
    plain.contains("display:none")
        || plain.contains("visibility:hidden")
        || ["left", "top", "right", "text-indent"].iter().any(is_far)
}

fn plain(declarations: &str) -> String {
    let plain: String = declarations.split_whitespace().collect();
    plain.to_ascii_lowercase()
}

fn contains_ignoring_case(text: &str, word: &str) -> bool {
    text.as_bytes()
        .windows(word.len())
        .any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::scanner::page::tree::parse;

    #[test]
    fn traps_are_small_and_hidden_by_themselves() {
        for (source, wanted) in [
            (
                "<div style='display:none'><a href=mailto:x@a.test>x</a></div>",
                true,
            ),
            (
                "<div style='position:absolute; top:-9999px'>Mail <a href=mailto:x@a.test>x</a></div>",
                true,
            ),
            ("<div style='visibility: hidden'><p>x@a.test</p></div>", true),
            ("<div hidden><a href=mailto:x@a.test>x</a></div>", true),
            // A style sheet may show it on other screens, and a script may show it on demand.
            ("<div class='d-none d-md-block'><a href=tel:1>x</a></div>", false),
            ("<div style='opacity:0'><a href=tel:1>x</a></div>", false),
            (
                "<div style='display:none'><h3>Call us</h3><a href=tel:1>x</a></div>",
                false,
            ),
            (
                "<div hidden><a href=/>a</a><a href=/b>b</a><a href=tel:1>x</a></div>",
                false,
            ),
            ("<div><a href=tel:1>x</a></div>", false),
            ("<div hidden>menu</div>", false),
        ] {
            let page = parse(&format!("<body>{source}"));
            let element = page.html.select(&Selector::parse("div").unwrap()).next().unwrap();
            assert_eq!(is_decoy(element), wanted, "{source}");
        }
    }

    #[test]
    fn decoys_are_known_by_attribute_style_and_class() {
        let mut hidden = Hidden::default();
        hidden.read(
            "p{color:red} .a, span.b { display : none } @media print{.g{color:red}.c{display:none}} .d .e, div > #h, \
             [data-i]{display:none} .f{opacity:1} @supports (x:y){.j{display:none}}",
        );
        for (source, wanted) in [
            ("span hidden", true),
            ("span style='DISPLAY: none'", true),
            ("span style='position:absolute; left:-9999px'", true),
            ("span class='x a'", true),
            ("span class=b", true),
            ("span class=d-none", true),
            ("span class=e", false),
            ("span class=f", false),
            ("div class=d><span class=e", true),
            ("div><span id=h", true),
            ("p><span id=h", false),
            ("span data-i", true),
            ("span class=c", false),
            ("span class=j", true),
            ("span", false),
        ] {
            let page = parse(&format!("<body><{source}>"));
            let element = page
                .html
                .select(&Selector::parse("span").unwrap())
                .next()
                .unwrap();
            assert_eq!(hidden.has_at(element), wanted, "{source}");
        }
    }
}
