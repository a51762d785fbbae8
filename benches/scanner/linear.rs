//! Time by size and by nesting: doubling a page must not more than double its time.

use std::time::Duration;

use sitelog::fetch::Headers;
use sitelog::scanner::page::{RawPage, read_page};
use url::Url;

use crate::{best_of, milliseconds};

const MEGABYTE: usize = 1024 * 1024;

pub fn run() {
    println!("pages by size");
    let shapes: [(&str, &str); 15] = [
        (
            "rows",
            "<div class='row'><p>a b c 555 1234 <a href='/contact'>x</a></p><img src=a.png></div>\n",
        ),
        ("nested", "<div>"),
        ("anchors", "<a href='https://www.facebook.com/acme'>"),
        ("digits", "(555) 123-4567 "),
        ("at signs", "a@b.c "),
        (
            "addresses",
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx;a@b.com;",
        ),
        ("faxes", "Fax 555 123 4567,"),
        ("in brackets", "a [at] b [dot] com "),
        ("postcodes", "<p>12345 Berlin 2</p><p>Tel 1</p>"),
        ("logos", "<div class=logo><a href='/'>"),
        ("blanks", " "),
        ("letters", "a"),
        ("quotes", "<a b=\""),
        ("scripts", "<script></scrip"),
        ("references", "&amp &#x41; &"),
    ];
    for (name, part) in shapes {
        measure(name, |bytes| part.repeat(bytes / part.len()));
    }
    println!("pages that a tree costs more than their size");
    for (name, begin, part, end) in HOSTILE {
        measure(name, |bytes| {
            let mut page = begin.to_owned();
            for number in 0..bytes / (part.len() + 5) {
                page.push_str(&part.replace('#', &number.to_string()));
            }
            page + end
        });
    }
}

/// What begins the page, what is repeated with a number for `#`, and what ends it.
const HOSTILE: [(&str, &str, &str, &str); 12] = [
    ("attributes", "<a", " a#", ">x"),
    ("in end tags", "<script>x</script", " a#", ">x"),
    ("bodies", "", "<body a#>", ""),
    ("formatting", "", "<b id=#>", "<p>x<p>y"),
    ("reopened", FORMATTED, "<p>x", ""),
    ("tables", "", "<table><tr><td>", "x"),
    ("foster", "<table>", "<b>x<table>", ""),
    ("svg", "", "<svg><title>#", "<p>x"),
    ("templates", "", "<template><select><option>", "x"),
    ("adoption", "", "<a href=#><div><b>", "x"),
    ("unclosed", "", "<b><div></b>", "x"),
    ("comments", "", "<!--#-->", "x"),
];

const FORMATTED: &str = concat!(
    "<b id=1><b id=2><b id=3><i id=1><i id=2><i id=3><u id=1><u id=2><u id=3><s id=1><s id=2><s id=3>",
    "<em id=1><em id=2><em id=3><tt id=1><tt id=2><tt id=3><big id=1><big id=2><big id=3><font id=1><font id=2>"
);

/// The maximum time for any page.
const MAX_TIME: Duration = Duration::from_secs(5);

/// Times that a page may take of what its size adds to that of the smaller one; and what a quiet machine varies by.
const SLACK: f64 = 2.0;
const NOISE: Duration = Duration::from_millis(150);

fn measure(name: &str, page: impl Fn(usize) -> String) {
    print!("  {name:<12}");
    let mut smaller: Option<(usize, Duration)> = None;
    for megabytes in [1, 2, 5, 10] {
        let page = RawPage {
            url: Url::parse("https://www.acme.test/").expect("a constant URL"),
            headers: Headers::default(),
            bytes: page(megabytes * MEGABYTE).into_bytes(),
        };
        let (took, _) = best_of(2, || read_page(&page));
        print!("{megabytes:>4} MB {:>10}", milliseconds(took));
        assert!(took <= MAX_TIME, "{name}: {megabytes} MB took {took:?}");
        if let Some((size, before)) = smaller {
            #[expect(clippy::cast_precision_loss, reason = "sizes of a few megabytes")]
            let larger = megabytes as f64 / size as f64;
            let bound = before.mul_f64(larger * SLACK) + NOISE;
            assert!(
                took <= bound,
                "{name}: {size} MB took {before:?}, {megabytes} MB {took:?}"
            );
        }
        smaller = Some((megabytes, took));
    }
    println!();
}
