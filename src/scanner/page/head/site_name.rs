//! The name of a site.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;
use url::Url;

use super::page_words::is_page_word;
use super::placeholders::{given_name, is_home_word, without_separators};
use super::{SEPARATORS, meta};
use crate::scanner::page::characters::visible;
use crate::scanner::page::json_ld::{Graph, Node};
use crate::scanner::page::outline::Outline;
use crate::scanner::site::registrable;

/// The name that the site gives itself: `og:site_name`, the publisher, website or owner in its JSON-LD, the name of its
/// application, a part of the title, the copyright holder, or a line of the text that is the host's name.
pub(in crate::scanner::page) fn site_name(page: &Outline, graph: &Graph) -> Option<String> {
    const APPLICATION: &[&str] = &[
        "application-name",
        "apple-mobile-web-app-title",
        "al:ios:app_name",
    ];
    let own = |node: &Node<'_>| !is_of_another_site(*node, page);
    meta(page, &["og:site_name"])
        .filter(|_| !is_shared_as_another(page))
        .and_then(|name| given_name(&name))
        .or_else(|| name_of(graph.publishers().filter(own)))
        .or_else(|| name_of(graph.nodes().filter(|node| node.has_type("WebSite") && own(node))))
        .or_else(|| name_of(graph.owners().into_iter().filter(own)))
        .or_else(|| {
            APPLICATION
                .iter()
                .find_map(|name| given_name(&meta(page, &[name])?))
        })
        .or_else(|| name_in_title(page))
        .or_else(|| beside_home(page.title.as_deref()?))
        .or_else(|| confirmed_holder(page))
        .or_else(|| line_of_host(page))
}

/// A short line of several words in the text that is the host's name: `Geigenbau Huber` at `geigenbau-huber.de`.
fn line_of_host(page: &Outline) -> Option<String> {
    const MAX_LINES: usize = 2_000;
    const MAX_LINE: usize = 60;
    const MAX_WORDS: usize = 5;
    const SHORTEST: usize = 6;
    let [_, host] = host_names(page.url.host_str()?);
    let lines = page.text.lines().map(str::trim).take(MAX_LINES);
    let mut lines = lines.filter(|line| {
        let words = line.split_whitespace().count();
        line.len() <= MAX_LINE
            && (2..=MAX_WORDS).contains(&words)
            && line.starts_with(|first: char| first.is_uppercase() || first.is_numeric())
    });
    let is_host = |line: &&str| spellings(line).contains(&host);
    lines
        .find(is_host)
        .filter(|_| host.len() >= SHORTEST)
        .map(str::to_owned)
}

fn name_of<'a>(nodes: impl Iterator<Item = Node<'a>>) -> Option<String> {
    // A URL is not a name.
    let mut names = nodes
        .filter_map(|node| node.text("name"))
        .filter(|name| !name.contains("://"));
    names.find_map(|name| given_name(&name))
}

/// Whether a node of the JSON-LD is the home page of a site on another domain, and the page does not show its name (see
/// [`is_called`]). If it does, one owner uses several domains.
pub(in crate::scanner::page) fn is_of_another_site(node: Node<'_>, page: &Outline) -> bool {
    let stated = node.text("url").or_else(|| node.text("@id"));
    let Some(url) = stated.and_then(|url| Url::parse(&url).ok()) else {
        return false;
    };
    let is_start = url.path().trim_matches('/').is_empty();
    let is_other = url.host_str().map(registrable) != page.url.host_str().map(registrable);
    let name = node.text("name").map(|name| letters(&name)).unwrap_or_default();
    is_start && url.has_host() && is_other && !is_called(page, &name)
}

/// Whether the page's `og:url` is on another domain, and the page does not show the name in `og:site_name`: then the
/// page is a copy.
fn is_shared_as_another(page: &Outline) -> bool {
    let shared = meta(page, &["og:url"]).and_then(|url| Url::parse(&url).ok());
    let name = meta(page, &["og:site_name"])
        .map(|name| letters(&name))
        .unwrap_or_default();
    let is_other = |url: Url| url.host_str().map(registrable) != page.url.host_str().map(registrable);
    shared.is_some_and(is_other) && !is_called(page, &name)
}

/// Whether the title, a heading, the host, a logo or the copyright holder contains a name.
fn is_called(page: &Outline, name: &str) -> bool {
    let texts = page.title.iter().chain(&page.headings).map(|text| letters(text));
    let texts = texts.chain([letters(page.url.host_str().unwrap_or_default())]);
    let held = copyright_holder(&page.text).map(|holder| letters(&holder));
    let mut texts = texts.chain(shown_by_logos(page)).chain(held);
    texts.any(|text| text.contains(name))
}

/// The jobs on a page whose employer runs the site, each with the employer. Portals show jobs of other employers.
pub(in crate::scanner::page) fn own_jobs<'g>(
    page: &'g Outline,
    graph: &'g Graph,
) -> impl Iterator<Item = (Node<'g>, Node<'g>)> {
    const SHORTEST: usize = 5;
    let site = page.url.host_str().map(registrable);
    let host = host_names(page.url.host_str().unwrap_or_default());
    graph.jobs().filter(move |(_, employer)| {
        let urls = ["url", "sameAs", "@id"]
            .iter()
            .flat_map(|name| employer.texts(name));
        let mut urls = urls.filter_map(|url| Url::parse(&url).ok());
        let is_called = || {
            let name = employer.text("name").unwrap_or_default();
            host[1].len() >= SHORTEST && spellings(&name).iter().any(|name| name.starts_with(&host[1]))
        };
        urls.any(|url| url.host_str().map(registrable) == site) || is_called()
    })
}

/// The part of a two-part title whose other part is a word for the home page, or for another page that all sites have.
fn beside_home(title: &str) -> Option<String> {
    const MAX_WORDS: usize = 6;
    let hard: Vec<&str> = title.split(['|', '｜']).collect();
    let soft = [" - ", " – ", " — ", " · ", " • ", " : ", ": ", " » ", " › "];
    let parts = match (hard.as_slice(), soft.iter().find(|sign| title.contains(**sign))) {
        (&[_], Some(sign)) => title.split(sign).collect(),
        _ => hard,
    };
    let &[first, second] = parts.as_slice() else {
        return None;
    };
    let is_one = |text: &str, is_word: fn(&str) -> bool| is_word(&without_separators(text).to_lowercase());
    let beside = |is_word| match (is_one(first, is_word), is_one(second, is_word)) {
        (true, false) => Some(second),
        (false, true) => Some(first),
        _ => None,
    };
    // The part beside `Contact` may be a phrase for search engines: `Tables made to measure`.
    let is_phrase = |name: &&str| {
        let is_small = |word: &&str| word.starts_with(char::is_lowercase);
        name.split_whitespace().filter(is_small).count() > 1
    };
    let is_page = |name: &&str| is_one(name, is_home_word) || is_one(name, is_page_word);
    let name = beside(is_home_word)
        .or_else(|| beside(is_page_word).filter(|name| !is_phrase(name)))
        .filter(|name| !is_page(name))?;
    given_name(&visible(name)).filter(|name| name.split_whitespace().count() <= MAX_WORDS)
}

/// The site's name in the title: a part that is the name of the host, of a logo or of the copyright holder; otherwise
/// words that make up the host's name.
fn name_in_title(page: &Outline) -> Option<String> {
    let title = page.title.as_deref()?;
    let of_host = host_names(page.url.host_str()?);
    let held = copyright_holder(&page.text).map(|holder| letters(&holder));
    let names: Vec<String> = of_host
        .into_iter()
        .chain(shown_by_logos(page))
        .chain(held)
        .collect();
    let mut parts = title.rsplit(SEPARATORS).map(str::trim);
    let named = parts.find(|part| spellings(part).iter().any(|spelling| names.contains(spelling)));
    let named = named.filter(|part| !part.is_empty()).map(str::to_owned);
    named
        .or_else(|| words_of_host(title, &names[1]))
        .or_else(|| part_in_host(title, &names[1]))
        .or_else(|| end_with_host(page, title, &names[1]))
        .or_else(|| part_of_host_words(title, &names[1]))
}

/// The last part of a title, if it has few words, and the host's name is a word of it and of the copyright holder.
fn end_with_host(page: &Outline, title: &str, host: &str) -> Option<String> {
    const SHORTEST: usize = 4;
    const MAX_WORDS: usize = 3;
    let holder = copyright_holder(&page.text)?;
    let has_host = |text: &str| {
        text.split_whitespace()
            .any(|word| spellings(word).iter().any(|word| word == host))
    };
    let (_, part) = title
        .rsplit_once(['|', '｜'])
        .or_else(|| title.rsplit_once(" - "))?;
    let is_name = host.len() >= SHORTEST && part.split_whitespace().count() <= MAX_WORDS;
    (is_name && has_host(part) && has_host(&holder)).then(|| part.trim().to_owned())
}

/// Consecutive words of a title that make up the host's name.
fn words_of_host(title: &str, host: &str) -> Option<String> {
    /// Shorter names may be ordinary words.
    const SHORTEST: usize = 5;
    const MAX_WORDS: usize = 40;
    const MAX_IN_NAME: usize = 6;
    if host.len() < SHORTEST {
        return None;
    }
    let words: Vec<&str> = title.split_whitespace().take(MAX_WORDS).collect();
    let runs = (0..words.len())
        .flat_map(|start| (start + 1..=words.len().min(start + MAX_IN_NAME)).map(move |end| start..end));
    // A single word may be an ordinary one: `Cheap flights | Acme` at `flights.com`.
    let is_name = |run: &String| {
        run.trim_matches(|sign: char| !sign.is_alphanumeric())
            .contains([' ', '-', '&', '.'])
    };
    let mut runs = runs.map(|run| words[run].join(" ")).filter(is_name);
    let run = runs.find(|run| spellings(run).iter().any(|spelling| spelling == host))?;
    let run = run.trim_matches(|sign: char| !sign.is_alphanumeric());
    let run = &*with_second_half(title, run);
    // If the words contain a dash, the name is the whole part between bars: `X | F8 - Transport and more`.
    let has_separator = run.contains(" - ") || run.contains(" – ");
    let mut bars = title.split(['|', '｜']);
    let whole = bars.find(|part| has_separator && part.contains(run));
    Some(whole.unwrap_or(run).trim().to_owned())
}

/// A name with the part that `&` or `+` joins to it in the title; hosts leave this part out.
fn with_second_half<'t>(title: &'t str, name: &'t str) -> Cow<'t, str> {
    static HALF: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^ [&+] \p{Lu}[\p{L}\p{N}'’-]*").expect("the pattern is constant"));
    let rest = title.split_once(name).map(|(_, rest)| rest);
    match rest.and_then(|rest| HALF.find(rest)) {
        Some(half) => Cow::Owned(format!("{name}{}", half.as_str())),
        None => Cow::Borrowed(name),
    }
}

/// A part of a title, some of whose words make up the host's name: `Town of Foo Bar` at `townfoobar.test`.
fn part_of_host_words(title: &str, host: &str) -> Option<String> {
    const SHORTEST: usize = 8;
    const MAX_WORDS: usize = 10;
    const MIN_USED: usize = 2;
    let is_made_of = |part: &&str| {
        let words = part.split(|sign: char| !sign.is_alphanumeric());
        let mut words = words.filter(|word| !word.is_empty());
        let (mut rest, mut used, mut all) = (host, 0, 0);
        for word in words.by_ref() {
            all += 1;
            let written = spellings(word);
            if let Some(behind) = written.iter().find_map(|word| rest.strip_prefix(word.as_str())) {
                rest = behind;
                used += 1;
            }
        }
        rest.is_empty() && used >= MIN_USED && all <= MAX_WORDS
    };
    if host.len() < SHORTEST {
        return None;
    }
    let parts = title
        .split(['|', '｜', '–', '—', '·', ':'])
        .flat_map(|part| part.split(" - "))
        .map(str::trim);
    // A place may follow the name: `Foo Bar School, Kumasi`.
    let mut starts = parts.flat_map(|part| [part.split(", ").next().unwrap_or(part), part]);
    starts.find(is_made_of).map(str::to_owned)
}

/// A part of a title with several words with which the host's name begins or ends.
fn part_in_host(title: &str, host: &str) -> Option<String> {
    let is_within = |part: &&str| {
        let is_end =
            |spelling: &String| host.starts_with(spelling.as_str()) || host.ends_with(spelling.as_str());
        part.split_whitespace().count() > 1 && spellings(part).iter().any(is_end)
    };
    title
        .split(SEPARATORS)
        .map(str::trim)
        .find(is_within)
        .map(str::to_owned)
}

/// The copyright holder, if a logo or the host has the same name.
fn confirmed_holder(page: &Outline) -> Option<String> {
    let holder = copyright_holder(&page.text)?;
    let of_host = host_names(page.url.host_str().unwrap_or_default());
    let is_of_host = spellings(&holder)
        .iter()
        .any(|spelling| of_host.contains(spelling));
    let held = letters(&holder);
    (is_of_host || shown_by_logos(page).any(|shown| shown == held)).then_some(holder)
}

/// The copyright holder: `Acme` in `© 2021 Acme. All rights reserved`.
fn copyright_holder(text: &str) -> Option<String> {
    static HOLDER: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?i)(?:©|\(c\)|copyright)[ ©0-9,/|–-]*(?:\(c\)|copyright|by )?[ ©0-9,/|–-]*([^\n|·•©.,]{2,60})",
        )
        .expect("the pattern is constant")
    });
    let holder = HOLDER.captures(text)?.get(1)?;
    // A host is not a name: `© 2024 acme.test`.
    let mut behind = text[holder.end()..].chars();
    let is_host = behind.next() == Some('.') && behind.next().is_some_and(char::is_alphanumeric);
    if is_host && !holder.as_str().trim().contains(' ') {
        return None;
    }
    Some(
        holder
            .as_str()
            .split(" - ")
            .next()?
            .split(" – ")
            .next()?
            .trim()
            .to_owned(),
    )
}

fn shown_by_logos(page: &Outline) -> impl Iterator<Item = String> {
    let is_called_logo = |text: &str| text.to_ascii_lowercase().contains("logo");
    let logos = page.images.iter().filter(move |image| {
        image.has_logo_class || image.in_logo || is_called_logo(&image.src) || is_called_logo(&image.alt)
    });
    let shown = logos.map(|image| shown_by(&image.alt));
    shown.filter(|shown| shown.len() > 1)
}

/// The letters of a logo's alternative text, without words such as `logo` and `of`.
pub(in crate::scanner::page) fn shown_by(alt: &str) -> String {
    const WORDS: &[&str] = &[
        "logo",
        "logos",
        "logotip",
        "logotipo",
        "logotyp",
        "logotype",
        "logó",
        "logoja",
        "logosu",
        "логотип",
        "лого",
        "ロゴ",
        "λογότυπο",
        "شعار",
        "icon",
        "icono",
        "de",
        "di",
        "do",
        "da",
        "du",
        "der",
        "des",
        "von",
        "of",
        "the",
        "la",
        "le",
    ];
    let words = alt.split_whitespace();
    let own = words.filter(|word| {
        !WORDS.contains(
            &word
                .to_lowercase()
                .trim_matches(|sign: char| !sign.is_alphanumeric()),
        )
    });
    own.map(letters).collect()
}

/// Whether a text is the name of the site, or of its host.
pub(in crate::scanner::page) fn is_site(text: &str, site: Option<&str>, host: &str) -> bool {
    let names = site.map(letters).into_iter().chain(host_names(host));
    let names: Vec<String> = names.filter(|name| !name.is_empty()).collect();
    spellings(text).iter().any(|spelling| names.contains(spelling))
}

/// The letters of the registrable domain and of its first label: for `www.the-site.co.uk`, `thesitecouk` and `thesite`.
pub(in crate::scanner::page) fn host_names(host: &str) -> [String; 2] {
    let domain = registrable(host);
    let name = domain.split('.').next().unwrap_or_default();
    [letters(domain), letters(name)]
}

/// Whether a host contains one of the longer words of a company's name.
pub(in crate::scanner::page) fn is_in_host(name: &str, host: &str) -> bool {
    /// Shorter words are part of many others.
    const SHORTEST: usize = 4;
    const FORMS: &[&str] = &["gmbh", "ltda", "limited", "holding", "group"];
    let [_, host] = host_names(host);
    let words = name.split(|sign: char| !sign.is_alphanumeric());
    let mut words = words.filter(|word| word.chars().count() >= SHORTEST);
    words.any(|word| {
        let written = spellings(word);
        !FORMS.contains(&written[0].as_str()) && written.iter().any(|word| host.contains(word.as_str()))
    })
}

/// The letters of a text as written, and in the spellings that hosts use (`Möbel`: `moebel`, `mobel`).
fn spellings(text: &str) -> [String; 3] {
    let spelled = |umlauts: bool| -> String {
        let mut spelled = String::with_capacity(text.len());
        for letter in letters(text).chars() {
            match (letter, umlauts) {
                ('ä' | 'æ', true) => spelled.push_str("ae"),
                ('ö' | 'ø' | 'œ', true) => spelled.push_str("oe"),
                ('ü', true) => spelled.push_str("ue"),
                ('å', true) => spelled.push_str("aa"),
                ('ß', _) => spelled.push_str("ss"),
                (letter, _) => spelled.push(without_mark(letter)),
            }
        }
        spelled
    };
    [letters(text), spelled(true), spelled(false)]
}

pub(in crate::scanner::page) fn letters(text: &str) -> String {
    text.chars()
        .filter(|character| character.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// A letter without its diacritic.
fn without_mark(letter: char) -> char {
    match letter {
        'à'..='å' | 'ā' | 'ă' | 'ą' => 'a',
        'ç' | 'ć' | 'č' => 'c',
        'ď' | 'đ' => 'd',
        'è'..='ë' | 'ē' | 'ę' | 'ě' | 'ė' => 'e',
        'ğ' => 'g',
        'ì'..='ï' | 'ī' | 'į' | 'ı' => 'i',
        'ľ' | 'ł' | 'ļ' => 'l',
        'ñ' | 'ń' | 'ň' | 'ņ' => 'n',
        'ò'..='ö' | 'ø' | 'ő' | 'ō' => 'o',
        'ř' => 'r',
        'ś' | 'š' | 'ş' | 'ș' => 's',
        'ť' | 'ț' | 'ţ' => 't',
        'ù'..='ü' | 'ů' | 'ű' | 'ū' | 'ų' => 'u',
        'ý' => 'y',
        'ź' | 'ž' | 'ż' => 'z',
        other => other,
    }
}

#[cfg(test)]
mod tests;
