//! Which further pages of a site are likely to say who runs it and how to reach them.

use std::sync::LazyLock;

use regex::Regex;
use url::Url;

use super::outline::Outline;

/// Words of link texts and paths, by how much such a page tells; many languages, lower case.
const WORDS: &[(u32, &[&str])] = &[
    (
        100,
        &[
            "contact",
            "kontakt",
            "contacto",
            "contatti",
            "contato",
            "contactez",
            "kontakta",
            "yhteystiedot",
            "kapcsolat",
            "kapcsolatok",
            "kontakty",
            "контакт",
            "контакты",
            "контакти",
            "επικοινωνια",
            "επικοινωνία",
            "iletisim",
            "iletişim",
            "お問い合わせ",
            "联系我们",
            "聯絡我們",
            "문의",
            "liên hệ",
            "lien-he",
            "اتصل",
            "צור קשר",
            "ota-yhteytta",
            "get-in-touch",
            "reach-us",
        ],
    ),
    (
        90,
        &[
            "impressum",
            "imprint",
            "mentions-legales",
            "mentions légales",
            "aviso-legal",
            "aviso legal",
            "note-legali",
            "colofon",
            "legal-notice",
            "legal notice",
            "offenlegung",
        ],
    ),
    (
        60,
        &[
            "about",
            "über uns",
            "ueber-uns",
            "uber-uns",
            "über-uns",
            "qui-sommes",
            "qui sommes",
            "a-propos",
            "à propos",
            "chi-siamo",
            "chi siamo",
            "sobre",
            "quienes-somos",
            "quiénes somos",
            "quem-somos",
            "quem somos",
            "over-ons",
            "over ons",
            "om-oss",
            "om oss",
            "om-os",
            "o-nas",
            "o nas",
            "o firmie",
            "rolunk",
            "rólunk",
            "hakkimizda",
            "hakkımızda",
            "о нас",
            "о компании",
            "про нас",
            "会社概要",
            "关于我们",
            "關於我們",
            "회사소개",
            "meista",
            "company",
            "unternehmen",
        ],
    ),
    (
        40,
        &[
            "team",
            "people",
            "staff",
            "equipe",
            "équipe",
            "equipo",
            "squadra",
            "mitarbeiter",
            "ansprechpartner",
            "medewerkers",
            "leadership",
        ],
    ),
    (
        30,
        &[
            "support",
            "customer-service",
            "kundenservice",
            "locations",
            "standorte",
            "filialen",
            "find-us",
        ],
    ),
];

/// Whether any of the words can be in a text at all: thousands of URLs are asked this, few have one.
static ANY_WORD: LazyLock<Regex> = LazyLock::new(|| {
    let words: Vec<String> = WORDS
        .iter()
        .flat_map(|(_, words)| *words)
        .map(|word| regex::escape(word))
        .collect();
    // URLs carry other letters percent-encoded.
    Regex::new(&format!("(?i){}|%", words.join("|"))).expect("escaped words are a pattern")
});

/// Pages of the same host, the most telling first, each once.
pub(super) fn contact_links(page: &Outline<'_>, here: &Url) -> Vec<Url> {
    let mut ranked: Vec<(u32, Url)> = Vec::new();
    for anchor in &page.anchors {
        let Some(score) = score(&anchor.href, &anchor.text) else {
            continue;
        };
        let Ok(mut url) = page.base.join(&anchor.href) else {
            continue;
        };
        url.set_fragment(None);
        let elsewhere = url.host() != here.host() || !matches!(url.scheme(), "http" | "https");
        if elsewhere || is_file(url.path()) || url == *here || url.path() == "/" {
            continue;
        }
        match ranked.iter_mut().find(|(_, known)| *known == url) {
            Some((known, _)) => *known = score.max(*known),
            None => ranked.push((score, url)),
        }
    }
    ranked.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    ranked.into_iter().map(|(_, url)| url).take(100).collect()
}

/// How telling the page behind a link is; a word in the path is a little surer than one in the text.
fn score(href: &str, text: &str) -> Option<u32> {
    let (href, text) = (href.to_lowercase(), text.trim().to_lowercase());
    if href.starts_with('#')
        || href.starts_with("mailto:")
        || href.starts_with("tel:")
        || href.starts_with("javascript:")
    {
        return None;
    }
    let path = href.split(['?', '#']).next().unwrap_or_default();
    let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let in_text = text.chars().count() <= 40;
    WORDS.iter().find_map(|(score, words)| {
        let has = |place: &str| words.iter().any(|word| begins_a_word(place, word));
        if has(last) {
            // Long slugs are articles: /blog/how-to-contact-an-alien.
            Some(score + if last.len() < 30 { 5 } else { 0 } - last.len().min(60).try_into().unwrap_or(0) / 6)
        } else if in_text && has(&text) {
            Some(*score)
        } else {
            None
        }
    })
}

/// Whether a word stands in a text, not as the end of another (`steam`).
fn begins_a_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        !word.is_ascii() || before.is_none_or(|character| !character.is_ascii_alphanumeric())
    })
}

/// The same among the pages that sitemaps name: only those near the top and plainly about contact or company.
pub fn contact_pages_among<'a>(locs: impl Iterator<Item = &'a str>, here: &Url) -> Vec<Url> {
    const SURE: u32 = 55;
    let mut ranked: Vec<(u32, Url)> = Vec::new();
    for loc in locs.take(5_000).filter(|loc| ANY_WORD.is_match(loc)) {
        let Some(score) = Url::parse(loc).ok().and_then(|url| {
            let depth = url.path().trim_matches('/').split('/').count();
            let is_near = url.host() == here.host() && depth <= 2 && !is_file(url.path());
            score(loc, "")
                .filter(|score| is_near && *score >= SURE)
                .map(|score| (score, url))
        }) else {
            continue;
        };
        ranked.push(score);
    }
    ranked.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    ranked.into_iter().map(|(_, url)| url).take(20).collect()
}

fn is_file(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    [".pdf", ".jpg", ".png", ".zip", ".doc", ".docx", ".vcf", ".xml"]
        .iter()
        .any(|end| path.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::super::outline::outline;
    use super::*;

    #[test]
    fn telling_pages_come_first_and_only_of_this_host() {
        let here = Url::parse("https://site.test/").unwrap();
        let page = outline(
            "<a href=/ueber-uns>Wer</a><a href=/x>Team</a><a href='/kontakt?a#f'>K</a><a href=/shop>Shop</a>
             <a href=https://other.test/contact>c</a><a href=mailto:contact@site.test>c</a><a href=/contact.pdf>c</a>
             <a href=/imprint/>i</a>",
            &here,
        );
        let paths: Vec<String> = contact_links(&page, &here)
            .iter()
            .map(|url| url.path().to_owned())
            .collect();
        assert_eq!(paths, ["/kontakt", "/imprint/", "/ueber-uns", "/x"]);
    }

    #[test]
    fn sitemaps_tell_contact_pages_too_but_not_articles() {
        let here = Url::parse("https://site.test/").unwrap();
        let locs = [
            "https://site.test/steam",
            "https://site.test/blog/2024/contact",
            "https://site.test/about-us",
            "https://site.test/contact",
        ];
        let paths: Vec<String> = contact_pages_among(locs.into_iter(), &here)
            .iter()
            .map(|url| url.path().to_owned())
            .collect();
        assert_eq!(paths, ["/contact", "/about-us"]);
    }
}
