//! Expressions of the scanner run in the fast engine of `regex`. For an expression that is too large for it, or a Unicode
//! word boundary in non-ASCII text, `regex` takes an engine that needs a hundred times as long, without a word.

use std::fs;
use std::path::{Path, PathBuf};

use regex_automata::Input;
use regex_automata::hybrid::dfa::DFA;
use regex_automata::hybrid::regex::Regex;

/// Text as pages have it, in several scripts.
const TEXT: &str = "Webdesign: Müller & Söhne GmbH, Ø Straße 12, 97616 Bad Neustadt, Tel. +49 30 123456-78 | info@müller.test\n\
    Création du site : Élan SARL – 12 bis, rue de l’Église, 75011 Paris · SIRET 123 456 789 00012\n\
    Разработка сайта: ООО «Ромашка», г. Москва, ул. Ленина, д. 1, тел. 8 (495) 123-45-67, ИНН 7701234567\n\
    株式会社サンプル 〒100-0001 東京都千代田区千代田1丁目1番1号 電話 03-1234-5678 ホームページ制作\n\
    (주)한국 서울특별시 강남구 테헤란로 1 대표: 홍길동 사업자등록번호: 123-45-67890 홈페이지 제작\n\
    شركة المثال، الرياض ١٢٣٤٥ هاتف ٩٦٦ - תל אביב, רחוב הרצל 1 - ถนนสุขุมวิท กรุงเทพฯ 10110\n\
    “Tolle Arbeit!”, sagt Ann – 2024-05-06T10:20:30+02:00, 10:20 Uhr, 1.234,50 €, É\n";

/// How often the text is repeated: the engine gives up only after many states.
const TIMES: usize = 20;

#[test]
fn each_expression_runs_in_the_fast_engine() {
    let text = TEXT.repeat(TIMES);
    let (mut tried, mut slow) = (0, Vec::new());
    for file in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/scanner")) {
        let source = fs::read_to_string(&file).unwrap();
        // Those of tests may be slow.
        let program = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
        for pattern in raw_strings(program).filter(|pattern| regex::Regex::new(pattern).is_ok()) {
            tried += 1;
            if let Err(error) = search_all(pattern, &text) {
                let start: String = pattern.chars().take(60).collect();
                slow.push(format!("{}: {error}: {start}", file.display()));
            }
        }
    }
    assert!(tried > 200, "only {tried} expressions were found");
    assert!(slow.is_empty(), "{}", slow.join("\n"));
}

#[test]
fn an_expression_that_is_too_large_or_has_a_unicode_boundary_is_found() {
    let text = TEXT.repeat(TIMES);
    assert!(search_all(r"(?i)(?:foo|bar)(?:\s[\p{L} -]{3,30}){0,4}\s?:", &text).is_err());
    assert!(search_all(r"(?i)\bfoo\b", &text).is_err());
    assert!(search_all(r"(?i)(?-u:\b)foo(?-u:\b)", &text).is_ok());
}

/// Searches as `regex` does before it takes another engine.
fn search_all(pattern: &str, text: &str) -> Result<(), String> {
    let config = DFA::config()
        .cache_capacity(2 * 1024 * 1024)
        .minimum_cache_clear_count(Some(3))
        .minimum_bytes_per_state(Some(10))
        .unicode_word_boundary(true);
    let regex = Regex::builder()
        .dfa(config)
        .build(pattern)
        .map_err(|error| error.to_string())?;
    let (mut cache, mut at) = (regex.create_cache(), 0);
    while at <= text.len() {
        let input = Input::new(text).range(at..);
        let Some(found) = regex
            .try_search(&mut cache, &input)
            .map_err(|error| error.to_string())?
        else {
            break;
        };
        // Behind an empty match, with the next character.
        at = found.end() + usize::from(found.is_empty());
        while !text.is_char_boundary(at.min(text.len())) {
            at += 1;
        }
    }
    Ok(())
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|kind| kind == "rs"))
        .collect()
}

/// The texts of `r"…"` and `r#"…"#`.
fn raw_strings(source: &str) -> impl Iterator<Item = &str> {
    source
        .split("r\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .chain(
            source
                .split("r#\"")
                .skip(1)
                .filter_map(|rest| rest.split("\"#").next()),
        )
}
