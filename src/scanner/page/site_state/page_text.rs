//! The text of a page in the form that the signs expect: lower case, one kind of quotes and spaces, split into lines
//! and sentences.

use ego_tree::NodeId;
use ego_tree::iter::Edge;
use scraper::node::Element;
use scraper::{ElementRef, Html, Node};

use super::signs::WORDS;
use crate::scanner::page::outline::Outline;
use crate::scanner::page::tree::{has_word, raw};
use crate::scanner::site::registrable;

/// Maximum number of lines and sentences that are examined.
const MAX_SENTENCES: usize = 300;

/// Separators between the parts of a title.
const SEPARATORS: &[&str] = &[" | ", " - ", " – ", " — ", ": ", " · ", " • ", " :: ", " » "];

/// A page with little text.
pub(super) struct PageText<'a> {
    pub(super) outline: &'a Outline,
    /// All of its text.
    pub(super) text: String,
    /// Number of its characters without whitespace.
    pub(super) letters: usize,
    /// The title and the headings, then the parts of the title.
    titles: Vec<String>,
    /// How many of them are whole titles and headings.
    whole: usize,
    /// Lines of the text, and their sentences.
    sentences: Vec<String>,
    /// Registrable domain, in ASCII and in Unicode.
    hosts: [String; 2],
}

/// The structure of a page.
pub(super) struct Layout {
    headings: Vec<String>,
    has_menu: bool,
}

impl Layout {
    /// Whether a line is only about a part of the page: there is a menu, or more headings precede it than the site's
    /// own.
    pub(super) fn is_section(&self, line: &str) -> bool {
        let before = self.headings.iter().position(|heading| heading == line);
        self.has_menu || before.is_some_and(|before| before > 1)
    }
}

impl<'a> PageText<'a> {
    /// `None` for a page with more text.
    pub(super) fn of(page: &'a Outline) -> Option<Self> {
        let letters = page
            .text
            .chars()
            .filter(|sign| !sign.is_whitespace())
            .take(super::LONG + 1)
            .count();
        if letters > super::LONG {
            return None;
        }
        let mut titles: Vec<String> = page
            .title
            .iter()
            .chain(&page.headings)
            .map(|title| plain(title))
            .collect();
        let whole = titles.len();
        if let Some(title) = titles.first().cloned().filter(|_| page.title.is_some()) {
            titles.extend(parts(&title));
        }
        let lines = page.text.lines().map(plain).filter(|line| !line.is_empty());
        let sentences = lines
            .flat_map(|line| sentences(&line))
            .take(MAX_SENTENCES)
            .collect();
        let host = registrable(page.url.host_str().unwrap_or_default()).to_owned();
        Some(Self {
            outline: page,
            text: plain(&page.text),
            letters,
            titles,
            whole,
            sentences,
            hosts: [idna::domain_to_unicode(&host).0, host],
        })
    }

    pub(super) fn titles(&self) -> impl Iterator<Item = &str> {
        self.titles.iter().map(String::as_str)
    }

    /// The title and the headings, unsplit.
    pub(super) fn headings(&self) -> impl Iterator<Item = &str> {
        self.titles().take(self.whole)
    }

    /// Whether the text is anywhere on the page.
    pub(super) fn says(&self, words: &str) -> bool {
        self.text.contains(words) || self.titles().any(|title| title.contains(words))
    }

    pub(super) fn sentences(&self) -> impl Iterator<Item = &str> {
        self.titles().chain(self.lines())
    }

    /// Lines of the text and their sentences, without the titles.
    pub(super) fn lines(&self) -> impl Iterator<Item = &str> {
        self.sentences.iter().map(String::as_str)
    }

    /// The headings of all levels, and whether the page has a menu.
    pub(super) fn layout(&self) -> Layout {
        const LINKS_OF_MENU: usize = 2;
        let (mut menus, mut links_of_menus) = (0_usize, 0_usize);
        let mut headings = Vec::new();
        let mut heading: Option<(NodeId, String)> = None;
        for edge in self.outline.tree.tree.root().traverse() {
            match edge {
                Edge::Open(node) => match node.value() {
                    Node::Element(element) if element.name() == "nav" => menus += 1,
                    Node::Element(element) if element.name() == "a" && menus > 0 => links_of_menus += 1,
                    Node::Element(element) if is_heading(element) && heading.is_none() => {
                        heading = Some((node.id(), String::new()));
                    }
                    Node::Text(text) => {
                        if let Some((_, heading)) = &mut heading {
                            heading.push_str(text);
                        }
                    }
                    _ => {}
                },
                Edge::Close(node) => {
                    if node
                        .value()
                        .as_element()
                        .is_some_and(|element| element.name() == "nav")
                    {
                        menus = menus.saturating_sub(1);
                    }
                    if let Some((_, text)) = heading.take_if(|(open, _)| *open == node.id()) {
                        headings.push(plain(&text));
                    }
                }
            }
        }
        headings.retain(|heading| !heading.is_empty());
        headings.truncate(MAX_SENTENCES);
        Layout {
            headings,
            has_menu: links_of_menus >= LINKS_OF_MENU,
        }
    }

    /// The first of these classes on the `<html>` or `<body>` element.
    pub(super) fn class_of_page(&self, classes: &[&'static str]) -> Option<&'static str> {
        let has = |class: &str| {
            let mut whole = self.elements("html").chain(self.elements("body"));
            whole.any(|one| has_word(one.value(), "class", class))
        };
        classes.iter().copied().find(|class| has(class))
    }

    /// The message on a page that WordPress shows instead of the site.
    pub(super) fn message_of_wordpress(&self) -> Option<String> {
        let mut bodies = self.elements("body");
        let body = bodies.find(|body| raw(body.value(), "id") == Some("error-page"))?;
        let mut elements = body.descendants().filter_map(ElementRef::wrap);
        let message = elements.find(|one| has_word(one.value(), "class", "wp-die-message"))?;
        let text = plain(&message.text().collect::<String>());
        (!text.is_empty()).then_some(text)
    }

    /// Whether a line consists of exactly these words.
    #[expect(clippy::unused_self, reason = "beside those that need the page")]
    pub(super) fn is_whole(&self, line: &str, words: &str) -> bool {
        bare(line) == words
    }

    /// Whether a line consists of the site's name and these words.
    pub(super) fn is_of_host(&self, line: &str, words: &str) -> bool {
        self.after_host(line).is_some_and(|rest| bare(rest) == words)
    }

    /// Whether a line consists of only the site's name.
    pub(super) fn is_host(&self, line: &str) -> bool {
        self.after_host(line).is_some_and(|rest| bare(rest).is_empty())
    }

    /// Whether the site's name is on the page.
    pub(super) fn names_host(&self) -> bool {
        let is_named = |text: &str| self.hosts.iter().any(|host| text.contains(host.as_str()));
        self.titles().any(is_named) || is_named(&self.text)
    }

    /// What a sentence says about the domain, and whether it uses a word for a domain.
    pub(super) fn said_of_domain<'s>(&self, sentence: &'s str) -> Option<(bool, &'s str)> {
        let trimmed =
            |text: &'s str| text.trim_start_matches([' ', '"', '\'', '(', ')', '*', '[', ']', ',', ':']);
        let sentence = trimmed(sentence);
        let called = WORDS.subjects.iter().find_map(|subject| {
            let rest = sentence.strip_prefix(subject)?;
            // `domains` is not `domain`; in scripts without spaces, the next word follows directly.
            let goes_on = rest.starts_with(|sign: char| sign.is_ascii_alphanumeric());
            (!goes_on).then(|| trimmed(rest))
        });
        match (called, self.after_host(sentence)) {
            (Some(rest), _) => Some((true, self.after_host(rest).map_or(rest, trimmed))),
            (None, Some(rest)) => Some((false, trimmed(rest))),
            (None, None) => None,
        }
    }

    fn after_host<'s>(&self, text: &'s str) -> Option<&'s str> {
        let text = text.strip_prefix("www.").unwrap_or(text);
        let rest = self
            .hosts
            .iter()
            .find_map(|host| text.strip_prefix(host.as_str()))?;
        let ends = !rest.starts_with(|sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '-' | '@'));
        ends.then_some(rest)
    }

    /// The number of letters visible before scripts load anything, and the text for browsers without scripts.
    pub(super) fn letters_shown(&self) -> (usize, Option<String>) {
        let hidden: Vec<String> = self
            .elements("noscript")
            .map(|one| plain(&one.text().collect::<String>()))
            .collect();
        let letters = |text: &str| text.chars().filter(|sign| !sign.is_whitespace()).count();
        let unseen: usize = hidden.iter().map(|text| letters(text)).sum();
        let asks = |text: &&String| {
            text.contains("javascript") && WORDS.ask_for_scripts.iter().any(|words| text.contains(words))
        };
        // The parser moves the content of a `<noscript>` before the body into the body.
        let moved = || self.sentences.iter().find(asks);
        let (asked, more) = match hidden.iter().find(asks) {
            Some(asked) => (Some(asked), 0),
            None => (moved(), moved().map_or(0, |text| letters(text))),
        };
        (self.letters.saturating_sub(unseen + more), asked.cloned())
    }

    /// The root element of an application, if it is empty.
    pub(super) fn empty_root(&self) -> Option<String> {
        let is_root = |element: &Element| {
            let id = raw(element, "id").unwrap_or_default();
            WORDS.roots.contains(&id) || WORDS.roots.contains(&element.name())
        };
        let root = all(&self.outline.tree).find(|one| is_root(one.value()))?;
        let is_empty = root.text().all(|text| text.trim().is_empty());
        is_empty.then(|| format!("<{}>", crate::scanner::page::tree::shown(root.value())))
    }

    /// Whether the page embeds another page, also for browsers with scripts.
    pub(super) fn has_frames(&self) -> bool {
        let is_fallback = |one: &ElementRef<'_>| {
            let mut within = one.ancestors().filter_map(|node| node.value().as_element());
            within.any(|element| element.name() == "noscript")
        };
        self.elements("iframe")
            .chain(self.elements("frame"))
            .any(|one| !is_fallback(&one))
    }

    fn elements(&self, name: &'static str) -> impl Iterator<Item = ElementRef<'_>> {
        all(&self.outline.tree).filter(move |one| one.value().name() == name)
    }
}

fn is_heading(element: &Element) -> bool {
    matches!(element.name(), "h1" | "h2" | "h3" | "h4" | "h5" | "h6")
}

fn all(tree: &Html) -> impl Iterator<Item = ElementRef<'_>> {
    tree.tree.nodes().filter_map(ElementRef::wrap)
}

/// The text in lower case, with one kind of quotes and single spaces.
fn plain(text: &str) -> String {
    let one_kind = |sign| match sign {
        '’' | '‘' | '`' | '´' => '\'',
        '“' | '”' | '„' | '«' | '»' => '"',
        other => other,
    };
    let text: String = text.to_lowercase().chars().map(one_kind).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A line and, if it has several sentences, each of them.
fn sentences(line: &str) -> Vec<String> {
    let mut all = vec![line.to_owned()];
    let mut rest = line;
    while let Some(at) = rest.find(['.', '!', '?', '。', '！', '？']) {
        let end = at + rest[at..].chars().next().map_or(1, char::len_utf8);
        let is_wide = end - at > 1;
        let sentence = &rest[..end];
        rest = &rest[end..];
        // A period within a name or number does not end a sentence.
        if !is_wide && !rest.starts_with(' ') {
            let Some(blank) = rest.find(' ') else { break };
            rest = &rest[blank..];
            continue;
        }
        rest = rest.trim_start();
        if !rest.is_empty() && all.len() < MAX_SENTENCES {
            if all.len() == 1 {
                all.push(sentence.to_owned());
            }
            all.push(rest.to_owned());
        }
    }
    all
}

/// The parts of a title: `Coming soon | Acme`.
fn parts(title: &str) -> Vec<String> {
    let separator = SEPARATORS.iter().find(|separator| title.contains(**separator));
    let parts = separator.into_iter().flat_map(|separator| title.split(separator));
    parts.map(|part| part.trim().to_owned()).collect()
}

/// The line without the punctuation around its words.
fn bare(line: &str) -> &str {
    line.trim_matches(|sign: char| !sign.is_alphanumeric())
}
