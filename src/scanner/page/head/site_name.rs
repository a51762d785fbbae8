//! The name of a site.

use std::sync::LazyLock;

use regex::Regex;

use super::{SEPARATORS, meta};
use crate::scanner::page::json_ld::{Graph, Node};
use crate::scanner::page::outline::Outline;

/// What the site calls itself: `og:site_name`, the publisher and names of its JSON-LD, the name of its application,
/// or that part of the title which is the host's name.
pub(in crate::scanner::page) fn site_name(page: &Outline, graph: &Graph) -> Option<String> {
    meta(page, &["og:site_name"])
        .or_else(|| publisher(graph))
        .or_else(|| name_of(graph.nodes().filter(|node| node.has_type("WebSite"))))
        .or_else(|| name_of(graph.owners().into_iter()))
        .or_else(|| {
            meta(
                page,
                &[
                    "application-name",
                    "apple-mobile-web-app-title",
                    "al:ios:app_name",
                ],
            )
        })
        .or_else(|| name_in_title(page))
        .or_else(|| confirmed_holder(page))
}

fn publisher(graph: &Graph) -> Option<String> {
    name_of(graph.publishers())
}

fn name_of<'a>(mut nodes: impl Iterator<Item = Node<'a>>) -> Option<String> {
    // An address is not a name.
    nodes.find_map(|node| node.text("name").filter(|name| !name.contains("://")))
}

/// What the title calls the site: a part of it that is the name of the host, what the logo shows or whose the copyright
/// is; else words of it that the host is made of.
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
}

/// Words of a title that follow on one another and are the name of the host.
fn words_of_host(title: &str, host: &str) -> Option<String> {
    /// Shorter names are words of a language.
    const SHORTEST: usize = 5;
    const MOST_WORDS: usize = 40;
    const MOST_IN_NAME: usize = 6;
    if host.len() < SHORTEST {
        return None;
    }
    let words: Vec<&str> = title.split_whitespace().take(MOST_WORDS).collect();
    let runs = (0..words.len())
        .flat_map(|start| (start + 1..=words.len().min(start + MOST_IN_NAME)).map(move |end| start..end));
    // A single word may be one of the language: `Cheap flights | Acme` at `flights.com`.
    let is_name = |run: &String| {
        run.trim_matches(|sign: char| !sign.is_alphanumeric())
            .contains([' ', '-', '&', '.'])
    };
    let mut runs = runs.map(|run| words[run].join(" ")).filter(is_name);
    let run = runs.find(|run| spellings(run).iter().any(|spelling| spelling == host))?;
    Some(run.trim_matches(|sign: char| !sign.is_alphanumeric()).to_owned())
}

/// A part of a title, of several words, that the name of the host begins or ends with.
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

/// The holder of the copyright, if the logo shows the same or the host is called so.
fn confirmed_holder(page: &Outline) -> Option<String> {
    let holder = copyright_holder(&page.text)?;
    let of_host = host_names(page.url.host_str().unwrap_or_default());
    let is_of_host = spellings(&holder)
        .iter()
        .any(|spelling| of_host.contains(spelling));
    let held = letters(&holder);
    (is_of_host || shown_by_logos(page).any(|shown| shown == held)).then_some(holder)
}

/// `© 2021 Acme. All rights reserved` is Acme's.
fn copyright_holder(text: &str) -> Option<String> {
    static HOLDER: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?i)(?:©|\(c\)|copyright)[ ©0-9,/–-]*(?:\(c\)|copyright|by )?[ ©0-9,/–-]*([^\n|·•©.,]{2,60})",
        )
        .expect("the pattern is constant")
    });
    let holder = HOLDER.captures(text)?;
    Some(
        holder[1]
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

/// The letters of what a logo shows, from its alternative text: without the words that say that it is one.
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

/// `www.the-site.co.uk` calls itself `the-site.co.uk` and `the-site`.
fn host_names(host: &str) -> [String; 2] {
    let domain = crate::scanner::site::registrable(host);
    let name = domain.split('.').next().unwrap_or_default();
    [letters(domain), letters(name)]
}

/// The letters of a text as it is written, and as hosts write it (`Möbel`: `mobel`, `moebel`).
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

pub(super) fn letters(text: &str) -> String {
    text.chars()
        .filter(|character| character.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// A letter without what languages put on or through it.
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
mod tests {
    use url::Url;

    use super::*;
    use crate::scanner::page::outline::outline;

    #[test]
    fn a_site_is_called_as_host_logo_or_copyright_say() {
        for (html, wanted) in [
            (
                "<title>Contact Acme Tools — call us | Graz</title>",
                Some("Acme Tools"),
            ),
            ("<title>Contact | Acme-Tools, Graz</title>", Some("Acme-Tools")),
            (
                "<title>Home – Möbel Huber</title><img src=logo.png alt='Logo von Möbel Huber'>",
                Some("Möbel Huber"),
            ),
            (
                "<title>Kontakt - d&b Studio</title><footer>© 2021 d&amp;b Studio | All rights",
                Some("d&b Studio"),
            ),
            ("<title>Contatti | Acme Tools</title>", Some("Acme Tools")),
            (
                "<title>News</title><img alt='North Rams logo' src=x.png><p>© 2023 North Rams. All rights",
                Some("North Rams"),
            ),
            (
                "<title>Acme - Imprint</title><footer>Acme e.V. © 2020<p>Imprint",
                None,
            ),
            ("<title>Contact us</title>", None),
        ] {
            let page = outline(html, &Url::parse("https://acme-tools.test/x").unwrap());
            assert_eq!(site_name(&page, &Graph::default()).as_deref(), wanted, "{html}");
        }
    }
}
