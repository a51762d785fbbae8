//! The language of a page as a BCP 47 tag.

use whatlang::{Detector, Lang, Script};

use super::country::{Country, country, of_top_level_domain};
use super::head::meta;
use super::outline::Outline;
use crate::fetch::Headers;

/// Maximum characters of text that are examined.
const SAMPLE: usize = 4_000;

/// Minimum probability that a text is in a country's language, for a tag that is also a language code.
const LIKELY: f64 = 0.3;

/// Minimum letters for a text to overrule the language of the tag.
const ENOUGH_TO_OVERRULE: usize = 40;

/// `<html lang>`, else `<meta>` elements, else the header, else a guess from the text.
pub(super) fn language(page: &Outline, headers: &Headers) -> Option<String> {
    let stated = [
        page.language.clone(),
        meta(
            page,
            &["content-language", "og:locale", "language", "dc.language"],
        ),
        headers.get("content-language").map(str::to_owned),
    ];
    stated
        .into_iter()
        .flatten()
        .find_map(|tag| normalise(&tag))
        .map(|tag| meant(tag, &page.text))
        .map(|tag| {
            written(&page.text, page)
                .filter(|_| is_default(&tag))
                .unwrap_or(tag)
        })
        .or_else(|| guess(&page.text, country_of(page)))
}

/// The country of the host's top-level domain.
fn country_of(page: &Outline) -> Option<&'static Country> {
    let host = page.url.host_str()?;
    host.rsplit('.')
        .next()
        .and_then(of_top_level_domain)
        .and_then(country)
}

/// Whether a tag is the default of editors and templates, regardless of the page's language.
fn is_default(tag: &str) -> bool {
    matches!(tag, "en" | "en-US")
}

/// The language that a text is clearly written in, if it is not English.
fn written(text: &str, page: &Outline) -> Option<String> {
    /// Minimum letters of a text in another script, in a language of the domain's country, and in any other language.
    const ENOUGH: [usize; 3] = [40, 120, 250];
    /// Minimum letters of a text in another script without any Latin letters.
    const ENOUGH_OF_ALL: usize = 10;
    let others = without_latin(text);
    let has = |enough: usize| has_letters(&others, enough);
    let has_latin = |enough: usize| {
        let letters = text.chars().filter(|sign| is_latin(*sign));
        letters.take(enough).count() == enough
    };
    // Latin occurs only as placeholder text in templates.
    let is_other = |lang: Lang| !matches!(lang, Lang::Eng | Lang::Lat | Lang::Epo);
    let info = detect(text).filter(|info| is_other(info.lang()))?;
    // Text in the script of the title is the page's own; other text may be in any language.
    let has_other_title = page.title.as_deref().is_some_and(is_mostly_not_latin);
    let info = if info.script() == Script::Latin && has(ENOUGH[0]) && has_other_title {
        detect(&others)?
    } else {
        info
    };
    // The script is enough to show that it is not English; the result is the most likely language of that script.
    if info.script() != Script::Latin {
        let is_all = || text.chars().all(|sign| !sign.is_ascii_alphabetic()) && has(ENOUGH_OF_ALL);
        return (has(ENOUGH[0]) || is_all()).then(|| two_letters(info.lang().code()).to_owned());
    }
    let local = country_of(page)
        .map(|country| spoken(text, &country.languages))
        .filter(|_| has_latin(ENOUGH[1]));
    if let Some(Some(lang)) = local {
        return Some(two_letters(lang.code()).to_owned());
    }
    // Menus, names and addresses may be in any language; sentences are in the page's language.
    let prose = sentences(text);
    let info = detect(&prose).filter(|info| is_other(info.lang()) && info.is_reliable())?;
    let latin = prose.chars().filter(|sign| is_latin(*sign));
    let is_sure = latin.take(ENOUGH[2]).count() == ENOUGH[2];
    is_sure.then(|| two_letters(info.lang().code()).to_owned())
}

/// The lines of a text that are sentences: they have several words, many of them in lower case.
fn sentences(text: &str) -> String {
    const MIN_WORDS: usize = 7;
    let is_sentence = |line: &&str| {
        let words = line.split_whitespace().count();
        let is_small = |word: &&str| word.chars().all(char::is_lowercase);
        let small = line.split_whitespace().filter(is_small).count();
        words >= MIN_WORDS && small * 5 >= words * 2
    };
    let lines = text.lines().filter(is_sentence);
    lines.collect::<Vec<_>>().join(" ")
}

fn is_latin(sign: char) -> bool {
    sign.is_alphabetic() && (sign < '\u{250}' || ('\u{1e00}'..'\u{1f00}').contains(&sign))
}

fn without_latin(text: &str) -> String {
    text.chars().filter(|sign| !is_latin(*sign)).collect()
}

fn is_mostly_not_latin(title: &str) -> bool {
    let letters = title.chars().filter(|sign| sign.is_alphabetic());
    let (latin, others): (Vec<char>, Vec<char>) = letters.partition(|sign| is_latin(*sign));
    others.len() > latin.len()
}

fn has_letters(text: &str, enough: usize) -> bool {
    let letters = text.chars().filter(|sign| sign.is_alphabetic());
    letters.take(enough).count() == enough
}

/// Which of a country's languages a text is in, if it is not in English.
fn spoken(text: &str, languages: &[&str]) -> Option<Lang> {
    let own = Lang::all()
        .iter()
        .copied()
        .filter(|lang| languages.contains(&two_letters(lang.code())));
    let known = own.filter(|lang| *lang != Lang::Eng).chain([Lang::Eng]).collect();
    let lang = Detector::with_allowlist(known).detect_lang(&sample(text))?;
    (lang != Lang::Eng).then_some(lang)
}

/// The intended tag: many sites write the country code (`jp`, `cz`). If that is also a language code (`se`, `br`), the
/// text decides.
fn meant(tag: String, text: &str) -> String {
    let (primary, rest) = tag
        .split_once('-')
        .map_or((tag.as_str(), None), |(first, rest)| (first, Some(rest)));
    let is_language = is_two_letter_language(primary);
    let Some(country) = country(primary).filter(|country| !country.languages.contains(&primary)) else {
        return tag;
    };
    // Java and Android used this tag for Indonesian.
    if tag == "in-ID" {
        return "id-ID".to_owned();
    }
    let written = detect(text).filter(|info| !is_language || info.confidence() >= LIKELY);
    let language = written.as_ref().map(|info| two_letters(info.lang().code()));
    let spoken = country.languages.iter().find(|own| language == Some(**own));
    let sure = written.filter(|info| info.is_reliable() && has_letters(text, ENOUGH_TO_OVERRULE));
    let meant = match (spoken, sure) {
        (Some(language), _) => language,
        (None, _) if is_language => return tag,
        (None, Some(info)) => two_letters(info.lang().code()),
        (None, None) => country.languages[0],
    };
    match rest {
        Some(rest) => format!("{meant}-{rest}"),
        // Regions that write Chinese with other characters.
        None if meant == "zh" && country.code != "CN" => format!("zh-{}", country.code),
        None => meant.to_owned(),
    }
}

/// `en_us` becomes `en-US`; an invalid tag gives `None`.
fn normalise(tag: &str) -> Option<String> {
    let first = tag
        .split([',', ';', ' ', '.', '@', '/', '|'])
        .next()?
        .trim()
        .replace('_', "-");
    let mut parts = first.split('-');
    let primary = parts.next()?.to_ascii_lowercase();
    // Undetermined, no language, several languages, uncoded.
    let is_none = matches!(primary.as_str(), "und" | "zxx" | "mul" | "mis");
    if is_none || !(2..=3).contains(&primary.len()) || !primary.bytes().all(|byte| byte.is_ascii_lowercase())
    {
        return None;
    }
    let is_known = primary.len() > 2
        || two_letters(&primary) != primary
        || is_two_letter_language(&primary)
        || country(&primary).is_some();
    if !is_known {
        return None;
    }
    let mut normal = two_letters(&primary).to_owned();
    for part in parts {
        if part.is_empty() || part.len() > 8 || !part.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            break;
        }
        normal.push('-');
        normal.push_str(&match part.len() {
            2 => part.to_ascii_uppercase(),
            4 if part.as_bytes()[0].is_ascii_alphabetic() => {
                part[..1].to_ascii_uppercase() + &part[1..].to_ascii_lowercase()
            }
            _ => part.to_ascii_lowercase(),
        });
    }
    Some(normal)
}

/// Guesses only if there is enough text to be sure, or less sure, if the language is one of the country's.
fn guess(text: &str, country: Option<&'static Country>) -> Option<String> {
    const ENOUGH: usize = 60;
    let info = detect(text).filter(|_| has_letters(text, ENOUGH))?;
    let language = two_letters(info.lang().code());
    let is_local = || country.is_some_and(|country| country.languages.contains(&language));
    (info.is_reliable() || is_local()).then(|| language.to_owned())
}

/// The most likely language of a text.
fn detect(text: &str) -> Option<whatlang::Info> {
    whatlang::detect(&sample(text))
}

fn sample(text: &str) -> String {
    let signs = text.chars().filter(|character| *character != '\n');
    signs.take(SAMPLE).collect()
}

/// Whether a code is in ISO 639-1; some are country codes too. Codes are left out if the country has many sites and the
/// language has hardly any: `kr` is Korea far more often than Kanuri.
fn is_two_letter_language(code: &str) -> bool {
    const CODES: &str = "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce co cs cu cv cy da \
        de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ig ii ik io \
        is it iu ja jv ka kg ki kj kk kl km kn ko ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my \
        na nb nd ne nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se si sk sl sm sn so sq \
        sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt ty ug uk ur uz vi vo wa wo xh yi yo zh zu";
    CODES.split_ascii_whitespace().any(|known| known == code)
}

/// Codes of ISO 639-3, of libraries (ISO 639-2/B) and older ones, each with the ISO 639-1 code of the same language.
const SHORT: &str = "\
    eng:en deu:de fra:fr spa:es ita:it por:pt nld:nl pol:pl ces:cs slk:sk slv:sl hrv:hr srp:sr rus:ru \
     ukr:uk bul:bg mkd:mk bel:be ron:ro hun:hu ell:el tur:tr fin:fi swe:sv nob:nb dan:da est:et lav:lv \
     lit:lt cat:ca epo:eo lat:la cmn:zh jpn:ja kor:ko vie:vi tha:th ind:id tgl:tl jav:jv hin:hi ben:bn \
     urd:ur pan:pa guj:gu tam:ta tel:te kan:kn mal:ml mar:mr nep:ne ori:or sin:si mya:my khm:km pes:fa \
     arb:ar ara:ar heb:he yid:yi kat:ka hye:hy aze:az uzb:uz tuk:tk amh:am afr:af zul:zu sna:sn aka:ak \
     cym:cy isl:is gle:ga gla:gd eus:eu glg:gl mlt:mt sqi:sq bos:bs nor:no nno:nn fao:fo ltz:lb zho:zh \
     yue:zh msa:ms fas:fa kaz:kk kir:ky tgk:tg mon:mn lao:lo bod:bo swa:sw xho:xh yor:yo ibo:ig hau:ha \
     som:so kin:rw mlg:mg mri:mi smo:sm fij:fj kur:ku pus:ps snd:sd asm:as san:sa tat:tt fry:fy oci:oc \
     bre:br cos:co srd:sc roh:rm hat:ht grn:gn que:qu ger:de fre:fr dut:nl cze:cs slo:sk gre:el rum:ro \
     alb:sq arm:hy baq:eu bur:my chi:zh geo:ka ice:is mac:mk mao:mi may:ms per:fa tib:bo wel:cy scr:hr \
     scc:sr iw:he ji:yi";

/// BCP 47 requires the shortest available code (ISO 639-1).
fn two_letters(code: &str) -> &str {
    let mut pairs = SHORT
        .split_ascii_whitespace()
        .filter_map(|pair| pair.split_once(':'));
    pairs
        .find(|(long, _)| *long == code)
        .map_or(code, |(_, short)| short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_written_as_bcp_47_wants() {
        for (tag, wanted) in [
            ("en_us", Some("en-US")),
            ("DE", Some("de")),
            ("zh-hans-cn", Some("zh-Hans-CN")),
            ("deu", Some("de")),
            ("ger-AT", Some("de-AT")),
            ("fil", Some("fil")),
            ("iw", Some("he")),
            ("pt-BR.UTF-8", Some("pt-BR")),
            ("english", None),
            ("zxx", None),
            ("und", None),
            ("{{lang}}", None),
        ] {
            assert_eq!(normalise(tag).as_deref(), wanted, "{tag}");
        }
    }

    #[test]
    fn a_doubtful_guess_counts_if_it_is_a_language_of_the_country() {
        let text = "Vi er en lille virksomhed fra Esbjerg, og vi bygger også gerne dit nye tag. Hvad kan vi hjælpe dig med?";
        let denmark = country("dk");
        assert_eq!(guess(text, denmark).as_deref(), Some("da"));
        assert!(detect(text).is_some_and(|info| !info.is_reliable()));
        assert_eq!(guess(text, None), None);
        assert_eq!(guess(text, country("fr")), None);
        assert_eq!(guess("Ring til os", denmark), None);
    }

    #[test]
    fn letters_of_a_country_stand_for_its_language() {
        for (tag, text, wanted) in [
            ("jp", "", "ja"),
            ("cz", "", "cs"),
            ("dk", "", "da"),
            ("gr", "", "el"),
            ("ua", "", "uk"),
            ("kr", "우리는 서울에 있는 작은 회사입니다. 문의해 주세요.", "ko"),
            ("kr", "", "ko"),
            ("tw", "", "zh-TW"),
            ("cn", "", "zh"),
            ("at", "", "de"),
            ("us", "", "en"),
            (
                "se",
                "Vi är ett litet företag i Malmö och bygger möbler efter mått för hela landet.",
                "sv",
            ),
            (
                "br",
                "Somos uma pequena empresa de São Paulo e fazemos móveis sob medida para você.",
                "pt",
            ),
            (
                "uk",
                "Ми невелика фірма з Києва і виготовляємо меблі на замовлення.",
                "uk",
            ),
            (
                "uk",
                "We are a small firm from Leeds and we make furniture that is built to measure.",
                "en",
            ),
            (
                "de",
                "We are a small firm from Leeds and we make furniture that is built to measure.",
                "de",
            ),
            (
                "sv",
                "Vi är ett litet företag i Malmö och bygger möbler efter mått för hela landet.",
                "sv",
            ),
            (
                "ch",
                "Wir sind eine kleine Firma aus Zürich und bauen Möbel nach Maß für alle.",
                "de",
            ),
        ] {
            assert_eq!(meant(tag.to_owned(), text), wanted, "{tag}: {text}");
        }
    }

    #[test]
    fn what_templates_say_is_overruled_by_the_text() {
        use super::super::outline::outline;
        let detected = |url: &str, lang: &str, text: &str| {
            let html = format!("<html lang={lang}><p>{text}");
            let page = outline(&html, &url::Url::parse(url).unwrap());
            language(&page, &Headers::default()).unwrap()
        };
        let french = "Nous sommes une petite entreprise de Laval et nous vous accueillons du mardi au samedi. Notre équipe \
            prépare chaque jour des plats frais avec des produits de la région. ";
        let german = "Wir sind ein kleiner Betrieb aus Graz und stellen seit vielen Jahren Möbel her, nach Maß und aus Holz. ";
        let english =
            "We are a small firm from Leeds and we make furniture that is built to measure for every home. ";
        let greek = "Είμαστε μια μικρή επιχείρηση στην Αθήνα και φτιάχνουμε έπιπλα.";
        for (url, lang, text, wanted) in [
            ("https://a.fr/", "en", french.to_owned(), "fr"),
            ("https://a.com/", "en", french.repeat(4), "fr"),
            ("https://a.com/", "en-US", german.repeat(6), "de"),
            ("https://a.com/", "en", greek.to_owned(), "el"),
            ("https://a.de/", "en", english.repeat(5), "en"),
            // Too little text to be sure, and unclear tags.
            (
                "https://a.com/",
                "en",
                "Kontakt Impressum Über uns".to_owned(),
                "en",
            ),
            ("https://a.com/", "de", french.repeat(4), "de"),
            ("https://a.co.uk/", "en-GB", german.repeat(6), "en-GB"),
            // Names and addresses are not in any language.
            (
                "https://a.com/",
                "en",
                "<p>Acme Sensors GmbH<br>Im Gewerbepark 8<br>93059 Regensburg<br>Germany<br>Phone: +49 941 82<br>Centre Point Circle, \
                 Suite 106<br>Naperville, Illinois<br>Acme (Shenzhen) Co., Ltd.<br>Nanshan District<br>Bureau Paris, Rue de la Paix \
                 <p>Siège France, Avenue des Champs, Lyon Cedex<br>Oficina Madrid, Calle Mayor<br>Milano, Via Monte Napoleone"
                    .to_owned(),
                "en",
            ),
            (
                "https://a.com/",
                "en",
                format!("<p>{}{}", "Chi siamo<br>I nostri servizi<br>Dove siamo<br>Prodotti e soluzioni<br>".repeat(10), &english[..40]),
                "en",
            ),
            // The title's script decides which text counts.
            (
                "https://a.com/",
                "en-US",
                format!("<title>Έπιπλα</title>{greek}{}", french.repeat(4)),
                "el",
            ),
            (
                "https://a.com/",
                "en-US",
                format!("<title>Meubles</title>{greek}{}", french.repeat(4)),
                "fr",
            ),
            (
                "https://a.com/",
                "en-US",
                format!("<title>Έπιπλα</title>{greek}{}", english.repeat(4)),
                "en-US",
            ),
            // Letters of another script do not make up for too few Latin words.
            (
                "https://a.com/",
                "en-US",
                format!("{} {}", &german[..100], "αβγ ".repeat(20)),
                "en-US",
            ),
        ] {
            assert_eq!(detected(url, lang, &text), wanted, "{url} {lang} {text}");
        }
    }

    #[test]
    fn text_tells_the_language_where_nothing_else_does() {
        let text =
            "Wir sind ein kleines Unternehmen aus Graz und stellen seit vielen Jahren Möbel her. ".repeat(4);
        assert_eq!(guess(&text, None).as_deref(), Some("de"));
        assert_eq!(guess("Hallo", None), None);
    }
}
