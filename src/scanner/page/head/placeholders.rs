//! Default names and descriptions that systems write until a site has its own.

use super::SEPARATORS;
use crate::scanner::page::characters::is_invisible;

/// The name of a site without separators at its ends; `None` for a default, a word for a home page, or a variable that
/// a template did not replace.
pub(super) fn given_name(name: &str) -> Option<String> {
    const PLACEHOLDERS: &[&str] = &[
        "mysite",
        "my site",
        "my website",
        "my blog",
        "my store",
        "meine website",
        "meine webseite",
        "mein shop",
        "mon site",
        "mi sitio",
        "il mio sito",
        "site title",
        "site name",
        "sitename",
        "your site name",
        "company name",
        "untitled",
        "default store view",
        "main website store",
        "main website",
        "wordpress",
        "undefined",
        "null",
    ];
    let name = without_separators(name);
    let lower = name.to_lowercase();
    let is_one = PLACEHOLDERS.contains(&lower.as_str()) || is_home_word(&lower) || is_variable(&lower);
    (!name.is_empty() && !is_one).then(|| name.to_owned())
}

/// Whether a text is a variable that a template did not replace: `%site_name%`, `{{ page.description }}`.
fn is_variable(text: &str) -> bool {
    let brackets = [("%", "%"), ("{{", "}}"), ("[[", "]]"), ("<%", "%>"), ("${", "}")];
    let is_one = |(open, close): &(&str, &str)| {
        let inner = text
            .trim()
            .strip_prefix(open)
            .and_then(|rest| rest.strip_suffix(close));
        inner.is_some_and(|inner| !inner.is_empty() && inner.split_whitespace().count() <= 2)
    };
    brackets.iter().any(is_one)
}

/// A text without separators at its ends, if a space sets them apart: `Acme -`.
pub(super) fn without_separators(text: &str) -> &str {
    let mut text = text.trim_matches(|sign: char| sign.is_whitespace() || is_invisible(sign));
    loop {
        // In a quotation, guillemets are not separators: `« Acme »`.
        let is_quoted = text.contains('«') && text.contains('»');
        let is_separator =
            |sign: char| SEPARATORS.contains(&sign) && !(is_quoted && matches!(sign, '«' | '»'));
        let end = text
            .strip_suffix(is_separator)
            .filter(|rest| rest.ends_with(char::is_whitespace));
        let start = || {
            text.strip_prefix(is_separator)
                .filter(|rest| rest.starts_with(char::is_whitespace))
        };
        match end.or_else(start) {
            Some(rest) => text = rest.trim(),
            None => return text,
        }
    }
}

/// Whether a lower-case text is a word for a home page, in any of many languages.
pub(super) fn is_home_word(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "home",
        "homepage",
        "home page",
        "startseite",
        "start",
        "startsida",
        "startside",
        "accueil",
        "inicio",
        "início",
        "página inicial",
        "pagina inicial",
        "página principal",
        "pagina principal",
        "pagina principale",
        "inici",
        "hasiera",
        "strona główna",
        "úvod",
        "úvodní stránka",
        "úvodná stránka",
        "domů",
        "domov",
        "hem",
        "hjem",
        "forside",
        "forsíða",
        "etusivu",
        "kezdőlap",
        "főoldal",
        "nyitólap",
        "acasă",
        "acasa",
        "prima pagină",
        "αρχική",
        "αρχική σελίδα",
        "главная",
        "главная страница",
        "головна",
        "головна сторінка",
        "начало",
        "начална страница",
        "početna",
        "početna stranica",
        "naslovna",
        "naslovnica",
        "почетна",
        "anasayfa",
        "ana sayfa",
        "الرئيسية",
        "الصفحة الرئيسية",
        "דף הבית",
        "עמוד הבית",
        "ראשי",
        "خانه",
        "صفحه اصلی",
        "ホーム",
        "トップページ",
        "トップ",
        "首页",
        "首頁",
        "主页",
        "홈",
        "หน้าแรก",
        "หน้าหลัก",
        "trang chủ",
        "beranda",
        "pradžia",
        "pagrindinis",
        "sākums",
        "avaleht",
        "esileht",
        "मुख्य पृष्ठ",
    ];
    WORDS.contains(&text)
}

/// Whether a description is a default, or a variable that a template did not replace.
pub(super) fn is_no_description(text: &str) -> bool {
    const MAX_WORDS: usize = 8;
    const WHOLE: &[&str] = &[
        "null",
        "undefined",
        "magento commerce",
        "default description",
        "description",
    ];
    // `Just another WordPress site`, and its translations.
    const ANOTHER: &[&str] = &[
        "just another ",
        "ein weiter",
        "eine weiter",
        "nur ein",
        "un site utilisant ",
        "un nouveau site ",
        "un autre site ",
        "otro sitio ",
        "un altro sito ",
        "só mais um ",
        "mais um ",
        "apenas mais um ",
        "nog een ",
        "weer een ",
        "gewoon een ",
        "kolejna witryna ",
        "kolejny ",
        "en till ",
        "ännu en ",
        "endnu et ",
        "bare en",
        "nok et ",
        "bare nok ",
        "uusi ",
        "jälleen ",
        "další web",
        "ďalš",
        "újabb ",
        "egy újabb ",
        "încă un ",
        "doar un alt ",
        "ещё один ",
        "еще один ",
        "ще один ",
        "bir başka ",
        "ένας ακόμα ",
        "još jed",
        "още един ",
        "又一个",
        "又一個",
    ];
    let lower = text.to_lowercase();
    let is_another = || {
        lower.contains("wordpress")
            && lower.split_whitespace().count() <= MAX_WORDS
            && ANOTHER.iter().any(|start| lower.starts_with(start))
    };
    WHOLE.contains(&lower.trim()) || is_variable(&lower) || is_another()
}
