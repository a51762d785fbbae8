//! Words that name others: who made the site, who took a picture, whom the company works for.

use std::sync::LazyLock;

use regex::Regex;

use crate::scanner::page::outline::Outline;

/// Maximum bytes before a link that are read.
const MAX_BEFORE: usize = 100;

/// Whether the text before a link, on its line, credits the target with making something: `Website by `, `Foto: `.
pub(super) fn is_credited(before: &str) -> bool {
    static CREDIT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?ix)(?:^|[^\p{L}-])(?:
            (?:web-?\s?site|web-?seite|site|theme|template|design|designed|made|developed|created|built|crafted|powered
                |development|photo|photos|photography|illustrations?|erstellt|umgesetzt|gestaltet|fotos?|bilder?
                |réalisé|réalisation|conçu|création|photos?|realizzato|creato|sito|realizado|diseñad[oa]|desarrollado
                |desenvolvido|gemaakt|ontwerp|wykonanie|projekt|realizacja)
            \s(?:[^\s.]{1,20}\s){0,4}(?:by|von|par|da|por|door|przez|av|af)\s?:?
            |(?:web-?\s?design|web-?entwicklung|web\s?development|umsetzung|realisierung|realisation|réalisation
                |realizzazione|realización|realização|realisatie|realizacja|wykonanie|konzept|gestaltung
                |programmierung|design|fotos?|photos?|foto\s?credits?|photo\s?credits?|fotograf(?:ie|in)?|bilder?
                |photography|photographer|illustration|crédits?(?:\sphotos?)?)\s?:
            )\s?@?$",
        )
        .expect("the pattern is constant")
    });
    let near = &before[before.ceil_char_boundary(before.len().saturating_sub(MAX_BEFORE))..];
    let line = near.rsplit('\n').next().unwrap_or_default();
    // Most texts before links are no credits, and need no regular expression to tell.
    let end = line.trim_end().trim_end_matches('@').trim_end();
    let is_promising = end.ends_with(':') || end.ends_with(|sign: char| sign.is_ascii_alphabetic());
    !end.is_empty() && is_promising && CREDIT.is_match(line)
}

/// Whether a page is about the customers or partners of a company: profiles linked in its content are theirs.
pub(super) fn names_others(page: &Outline) -> bool {
    static OTHERS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?ix)^(?:(?:unsere|our|nos|nuestros|i\snostri|onze|nasi|naši)\s)?
            (?:referenzen|references|références|referencias|referenze|referenties|referencje|reference
                |kunden|clients|customers|clientes|clienti|klanten|klienci|partner|partners|partenaires|partnerzy|sponsoren|sponsors)
            (?:\s(?:und|&|and|et|y|e|en|i)\s\p{L}+)?(?:\s[|–—·:-]|$)",
        )
        .expect("the pattern is constant")
    });
    let titles = page.title.iter().chain(&page.headings);
    titles
        .map(|title| title.trim())
        .any(|title| OTHERS.is_match(title))
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;
    use crate::scanner::page::outline::outline;

    #[test]
    fn pages_about_customers_and_partners_are_told_by_their_title() {
        let url = Url::parse("https://a.test/").unwrap();
        for (html, wanted) in [
            ("<title>Referenzen – Agentur Kranich</title>", true),
            ("<h1>Unsere Kunden</h1>", true),
            ("<h1>Partners &amp; Sponsors</h1>", true),
            ("<title>Reference data for banks</title>", false),
            ("<title>Partner der Wirtschaft</title>", false),
            ("<title>Agentur Kranich | Referenzen</title>", false),
        ] {
            assert_eq!(names_others(&outline(html, &url)), wanted, "{html}");
        }
    }

    #[test]
    fn credits_are_told_from_what_else_is_before_a_link() {
        for text in [
            "Website by ",
            "© 2024 Acme | Webdesign: ",
            "Foto: ",
            "Made with love by ",
            "Made with ♥ in Berlin by @",
            "Fotos von ",
            "Site réalisé par ",
        ] {
            assert!(is_credited(text), "{text}");
        }
        for text in [
            "",
            "Follow us: ",
            "Instagram: ",
            "Website: ",
            "Foto: Anna\n",
            "Folgt uns auf ",
            "Stand by ",
        ] {
            assert!(!is_credited(text), "{text}");
        }
    }
}
