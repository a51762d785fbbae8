//! Finds further pages of a site that are likely to name its owner and contacts.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use url::Url;

use super::outline::Outline;

/// Names of the imprint, the page that states who is responsible for a site; written like [`WORDS`].
const IMPRINTS: &str = "impressum impresszum imprint mentions-legales mentions-légales infos-legales informations-legales \
     aviso-legal informacion-legal note-legali note-legal avviso-legale dati-societari colofon \
     legal-notice legal-information offenlegung anbieterkennzeichnung tiráž tiraz künye kunye 特定商取引 \
     tokushoho реквизиты rekvizity реквізити juridisch bedrijfsgegevens termeni-legali";

/// Words of link texts and paths, with a score for how likely such a page has contacts. They are in lower case, with
/// `-` for whatever separates words. English, German, French, Spanish, Italian, Portuguese, Dutch, Polish, Czech,
/// Slovak, Croatian, Swedish, Danish, Norwegian, Finnish, Russian, Ukrainian, Bulgarian, Turkish, Greek, Hungarian,
/// Romanian, Japanese, Chinese, Korean, Arabic, Hebrew, Vietnamese, Indonesian, Thai, and transliterations of some of
/// them.
const WORDS: &[(u32, &str)] = &[
    (
        100,
        "contact contacts contacto contactos contactar contactanos contáctanos contactenos contáctenos \
         contatti contattaci contatto contato contatos fale-conosco contacteaza contactează contactez \
         contacter kontakt kontakte kontakty kontakta kontakti kontaktai kontakter kontaktid yhteystiedot \
         yhteys ota-yhteyttä ota-yhteytta kapcsolat kapcsolatok elérhetőség elerhetoseg контакт контакты \
         контакти связаться обратная-связь зв'яжіться зв’яжіться επικοινωνία επικοινωνια epikoinonia \
         epikoinwnia iletişim iletisim bize-ulaşın bize-ulasin お問い合わせ お問合せ お問合わせ 問い合わせ 問合せ 連絡先 コンタクト \
         otoiawase toiawase inquiry 联系我们 联系方式 联络我们 联系 聯絡我們 聯繫我們 聯絡 lianxi 문의 연락처 오시는 liên-hệ lien-he ติดต่อ \
         hubungi اتصل تواصل צור-קשר get-in-touch reach-us neem-contact anfahrt",
    ),
    (90, IMPRINTS),
    (
        60,
        "about über-uns ueber-uns uber-uns wir-über-uns wer-wir-sind qui-sommes a-propos à-propos \
         notre-histoire notre-entreprise chi-siamo azienda la-società sobre sobre-nosotros quienes-somos \
         quiénes-somos acerca-de nosotros quem-somos a-empresa over-ons wie-zijn-wij wie-wij-zijn om-oss \
         om-os om-företaget om-firmaet o-nas o-nás o-nama o-firmie o-firmě o-firme o-společnosti \
         o-spolecnosti rolunk rólunk cégünk hakkimizda hakkımızda kurumsal о-нас о-компании о-фирме \
         o-kompanii про-нас про-компанію pro-nas pro-kompaniyu за-нас meistä meista tietoa-meistä \
         tietoa-meista yritys despre-noi despre σχετικά σχετικα sxetika schetika ποιοι-είμαστε ποιοι-ειμαστε \
         poioi-eimaste εταιρεία εταιρια etaireia etairia η-εταιρεία 会社概要 会社案内 会社情報 企業情報 運営会社 私たちについて kaisha \
         关于我们 關於我們 关于 公司简介 公司簡介 회사소개 회사-소개 من-نحن عن-الشركة عننا حولنا אודות giới-thiệu gioi-thieu tentang \
         company unternehmen who-we-are our-company our-story",
    ),
    (
        40,
        "team people staff equipe équipe equipo equipa squadra mitarbeiter ansprechpartner medewerkers \
         leadership medarbetare medarbejdere ansatte henkilöstö henkilosto tiimi zespół zespol náš-tým \
         nas-tym csapat csapatunk echipa ekibimiz ekip команда komanda ομάδα omada スタッフ チーム 团队 團隊 팀원 فريق",
    ),
    (
        30,
        "support customer-service kundenservice locations standorte filialen find-us",
    ),
];

/// Finds all words in one pass: every link of a page is checked, and thousands of URLs of a sitemap.
static FINDER: LazyLock<Finder> = LazyLock::new(|| {
    let words = WORDS
        .iter()
        .flat_map(|(score, words)| words.split(' ').map(|word| (*score, word)));
    let (scores, words): (Vec<u32>, Vec<&str>) = words.unzip();
    Finder {
        automaton: AhoCorasick::new(words).expect("a few hundred words make a small automaton"),
        scores,
    }
});

struct Finder {
    automaton: AhoCorasick,
    /// Indexed by word.
    scores: Vec<u32>,
}

impl Finder {
    /// The highest score of the words in a text that was normalised by [`plain`].
    fn best(&self, text: &str) -> Option<u32> {
        let hits = self.automaton.find_overlapping_iter(text);
        let words = hits.filter(|hit| is_word(text, hit.range()));
        words.map(|hit| self.scores[hit.pattern().as_usize()]).max()
    }
}

/// Distinct pages on the same host that are likely to have contacts, the most likely first.
pub(super) fn contact_links(page: &Outline, here: &Url) -> Vec<Url> {
    let mut ranked: Vec<(u32, Url)> = Vec::new();
    for anchor in &page.anchors {
        let Some(score) = score(&anchor.href, &anchor.text) else {
            continue;
        };
        let Ok(mut url) = page.base.join(&anchor.href) else {
            continue;
        };
        url.set_fragment(None);
        let elsewhere = !same_host(&url, here) || !matches!(url.scheme(), "http" | "https");
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

/// Whether a title or path says that its page is the imprint.
pub(super) fn names_imprint(text: &str) -> bool {
    let text = plain(text);
    IMPRINTS.split(' ').any(|word| {
        text.match_indices(word)
            .any(|(at, _)| is_word(&text, at..at + word.len()))
    })
}

/// How likely the page behind a link has contacts. A word in a short path counts a little more than one in the text, a
/// word in a long path less.
fn score(href: &str, text: &str) -> Option<u32> {
    const OTHERS: &[&str] = &["#", "mailto:", "tel:", "javascript:"];
    let is_page = |other: &&str| {
        href.get(..other.len())
            .is_none_or(|start| !start.eq_ignore_ascii_case(other))
    };
    if !OTHERS.iter().all(is_page) {
        return None;
    }
    let path = href.split(['?', '#']).next().unwrap_or_default();
    let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    // Without the file extension: `kontakt.html`.
    let last = plain(&decoded(last.split_once('.').map_or(last, |(name, _)| name)));
    let text = plain(text);
    let in_path = FINDER.best(&last);
    let in_text = (text.chars().take(41).count() <= 40)
        .then(|| FINDER.best(&text))
        .flatten();
    match (in_path, in_text) {
        // Long slugs belong to articles: `/blog/how-to-contact-an-alien`.
        (Some(score), in_text) if in_text <= Some(score) => {
            let length = u32::try_from(last.chars().count().min(60)).unwrap_or(60);
            Some(score + if length < 30 { 5 } else { 0 } - length / 6)
        }
        (_, in_text) => in_text,
    }
}

/// Lower case, with one `-` between words.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_whitespace() || matches!(character, '_' | '-' | '+' | '.') {
            if !plain.is_empty() && !plain.ends_with('-') {
                plain.push('-');
            }
        } else {
            // Without the combining dot that `İ` leaves in lower case.
            plain.extend(character.to_lowercase().filter(|letter| *letter != '\u{307}'));
        }
    }
    plain.truncate(plain.trim_end_matches('-').len());
    plain
}

/// Decodes percent-encoded letters.
fn decoded(part: &str) -> String {
    let mut pairs = url::form_urlencoded::parse(part.as_bytes());
    pairs
        .next()
        .map_or_else(String::new, |(name, _)| name.into_owned())
}

/// Whether a match is a separate word: not the end of another one (`steam`) and, if it consists of several words, not
/// the beginning of others (`о-насосах`). It may be anywhere in scripts that write no spaces between words, or that
/// attach particles to them.
fn is_word(text: &str, found: std::ops::Range<usize>) -> bool {
    let word = &text[found.clone()];
    let has_boundaries = word.chars().next().is_some_and(|first| first < '\u{590}');
    let is_letter = |character: Option<char>| character.is_some_and(char::is_alphanumeric);
    let before = text[..found.start].chars().next_back();
    let after = text[found.end..].chars().next();
    !has_boundaries || !(is_letter(before) || (word.contains('-') && is_letter(after)))
}

/// Pages named by sitemaps that are likely to have contacts: only those near the root whose path names the contact
/// page, the imprint or the company.
pub fn contact_pages_among<'a>(locs: impl Iterator<Item = &'a str>, here: &Url) -> Vec<Url> {
    const MIN_SCORE: u32 = 55;
    let mut ranked: Vec<(u32, Url)> = Vec::new();
    for loc in locs.take(5_000) {
        let Some(score) = score(loc, "").filter(|score| *score >= MIN_SCORE) else {
            continue;
        };
        let Ok(url) = Url::parse(loc) else {
            continue;
        };
        let depth = url.path().trim_matches('/').split('/').count();
        if same_host(&url, here) && depth <= 2 && !is_file(url.path()) {
            ranked.push((score, url));
        }
    }
    ranked.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    ranked.into_iter().map(|(_, url)| url).take(20).collect()
}

/// Whether two URLs have the same host, apart from `www.`.
fn same_host(one: &Url, other: &Url) -> bool {
    let name = |url: &Url| {
        url.host_str()
            .map(|host| host.strip_prefix("www.").unwrap_or(host).to_owned())
    };
    name(one) == name(other)
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

    #[test]
    fn the_pages_that_tell_are_found_by_text_and_by_path_in_many_languages() {
        let here = Url::parse("https://site.test/").unwrap();
        for (language, contact, about, paths) in LANGUAGES {
            for text in [contact, about] {
                let page = format!("<a href=/p/1>{text}</a>");
                assert_eq!(
                    contact_links(&outline(&page, &here), &here).len(),
                    1,
                    "{language}: {text}"
                );
            }
            for path in *paths {
                let locs = [here.join(path).unwrap().to_string()];
                let found = contact_pages_among(locs.iter().map(String::as_str), &here);
                assert_eq!(found.len(), 1, "{language}: {path}");
            }
        }
    }

    #[test]
    fn words_that_only_look_alike_are_not_taken() {
        let here = Url::parse("https://site.test/").unwrap();
        for text in [
            "О насосах",
            "Steam",
            "Übersicht",
            "Produkte",
            "商品一覧",
            "Nasze produkty",
            "Blog",
        ] {
            let page = format!("<a href=/p/1>{text}</a>");
            assert!(contact_links(&outline(&page, &here), &here).is_empty(), "{text}");
        }
    }

    /// Texts of links to contact and about pages, and paths of either.
    type Language = (&'static str, &'static str, &'static str, &'static [&'static str]);
    const LANGUAGES: &[Language] = &[
        (
            "de",
            "Kontakt",
            "Über uns",
            &["/kontakt.html", "/ueber_uns", "/impressum/"],
        ),
        (
            "fr",
            "Contactez-nous",
            "Qui sommes-nous ?",
            &["/contact/", "/a-propos", "/mentions-legales"],
        ),
        (
            "es",
            "Contáctenos",
            "Quiénes somos",
            &["/contacto", "/sobre-nosotros", "/aviso-legal"],
        ),
        (
            "it",
            "Contatti",
            "Chi siamo",
            &["/contatti.php", "/chi-siamo", "/note-legali"],
        ),
        (
            "pt",
            "Fale Conosco",
            "Quem somos",
            &["/contato", "/contactos", "/sobre"],
        ),
        (
            "nl",
            "Neem contact op",
            "Over ons",
            &["/contact", "/over-ons", "/colofon"],
        ),
        ("pl", "Kontakt", "O nas", &["/kontakt", "/o-nas", "/o-firmie"]),
        (
            "cs",
            "Kontakty",
            "O společnosti",
            &["/kontakty", "/o-nas", "/o-spolecnosti"],
        ),
        ("sv", "Kontakta oss", "Om oss", &["/kontakta-oss", "/om-oss"]),
        ("da", "Kontakt os", "Om os", &["/kontakt", "/om-os"]),
        ("no", "Kontakt oss", "Om oss", &["/kontakt-oss", "/om-oss"]),
        (
            "fi",
            "Ota yhteyttä",
            "Tietoa meistä",
            &["/yhteystiedot", "/meista", "/ota-yhteytta"],
        ),
        (
            "ru",
            "Контакты",
            "О компании",
            &["/контакты", "/kontakty", "/o-kompanii"],
        ),
        ("uk", "Зв’яжіться з нами", "Про нас", &["/контакти", "/pro-nas"]),
        ("tr", "İletişim", "Hakkımızda", &["/iletisim", "/hakkimizda"]),
        (
            "ja",
            "お問い合わせ",
            "会社概要",
            &["/お問い合わせ/", "/company/", "/contact"],
        ),
        ("zh", "联系我们", "關於我們", &["/联系我们", "/about-us"]),
        ("ko", "문의하기", "회사 소개", &["/문의", "/company"]),
        ("ar", "اتصل بنا", "من نحن", &["/اتصل-بنا", "/من-نحن"]),
        (
            "hu",
            "Kapcsolat",
            "Rólunk",
            &["/kapcsolat", "/rolunk", "/impresszum"],
        ),
        ("ro", "Contactează-ne", "Despre noi", &["/contact", "/despre-noi"]),
        (
            "el",
            "Επικοινωνία",
            "Ποιοι είμαστε",
            &["/epikoinonia", "/επικοινωνία", "/etaireia"],
        ),
    ];
}
