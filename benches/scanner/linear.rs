//! Time by size and by nesting: doubling a page must not do more than double its time.

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
        print!("  {name:<12}");
        for megabytes in [1, 2, 5, 10] {
            let page = RawPage {
                url: Url::parse("https://www.acme.test/").expect("a constant URL"),
                headers: Headers::default(),
                bytes: part.repeat(megabytes * MEGABYTE / part.len()).into_bytes(),
            };
            let (took, _) = best_of(2, || read_page(&page));
            print!("{megabytes:>4} MB {:>10}", milliseconds(took));
        }
        println!();
    }
}
