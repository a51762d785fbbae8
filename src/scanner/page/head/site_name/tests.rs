//! Names of sites, and texts that are not names of sites.

use url::Url;

use super::*;
use crate::scanner::page::json_ld::graph;
use crate::scanner::page::outline::outline;

#[test]
fn a_part_of_the_title_whose_words_make_the_host_is_the_sites_name() {
    for (url, title, wanted) in [
        (
            "https://www.ville-saint-foo-sur-bar.test/",
            "Contacter la mairie | Ville de Saint-Foo-sur-Bar",
            Some("Ville de Saint-Foo-sur-Bar"),
        ),
        (
            "https://brightfooschool.test/",
            "Bright Foo International School, Kumasi",
            Some("Bright Foo International School"),
        ),
        (
            "https://brightfooschool.test/",
            "Bright Foo Academy, Kumasi",
            None,
        ),
    ] {
        let html = format!("<title>{title}</title>");
        let page = outline(&html, &Url::parse(url).unwrap());
        assert_eq!(site_name(&page, &Graph::default()).as_deref(), wanted, "{title}");
    }
}

#[test]
fn a_site_is_not_called_after_another() {
    let page = |title: &str| {
        let html = format!("<title>{title}</title>");
        outline(&html, &Url::parse("https://acme-tools.test/x").unwrap())
    };
    let other = |url: &str| format!(r#"{{"@type":"WebSite","@id":"{url}","name":"Other"}}"#);
    for (title, block, wanted) in [
        ("Imprint", other("https://www.other.test/#community"), None),
        (
            "Imprint – Other",
            other("https://www.other.test/#community"),
            Some("Other"),
        ),
        (
            "Imprint",
            other("https://www.acme-tools.test/#site"),
            Some("Other"),
        ),
        ("Imprint", other("https://social.test/acme"), Some("Other")),
    ] {
        let graph = graph(&[block]);
        assert_eq!(site_name(&page(title), &graph).as_deref(), wanted, "{title}");
    }
    let html = "<title>Courses | Acme Instituto</title><p>© Copyright 2020 ACME - Todos";
    let page = outline(html, &Url::parse("https://acme.test/x").unwrap());
    assert_eq!(
        site_name(&page, &Graph::default()).as_deref(),
        Some("Acme Instituto")
    );
}

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
            Some("Acme"),
        ),
        ("<title>Contact us</title>", None),
        (
            "<title>Contact us</title><p>Acme Tools<p>1 Mill Lane",
            Some("Acme Tools"),
        ),
        ("<title>Contact us</title><p>acme-tools<p>All acme tools", None),
        (
            "<title>Acme Tools &amp; Gears | Graz</title>",
            Some("Acme Tools & Gears"),
        ),
        ("<title>Acme Tools & more | Graz</title>", Some("Acme Tools")),
        ("<title>Контакты — Мобель</title>", Some("Мобель")),
        ("<title>聯絡我們 | 綠葉茶業</title>", Some("綠葉茶業")),
        ("<title>Impressum - Möbel Huber</title>", Some("Möbel Huber")),
        ("<title>Impressum - Kontakt</title>", None),
        ("<title>Контакты | Мебель на заказ в Нижнем</title>", None),
        ("<title>Home - Contact</title>", None),
        ("<title>Главная | Акме</title>", Some("Акме")),
        ("<title>الرئيسية | مكتب النور\u{200f}</title>", Some("مكتب النور")),
        ("<title>ホーム｜アクメ</title>", Some("アクメ")),
        ("<title>Mobel - Home</title>", Some("Mobel")),
        (
            "<title>Home | The best tables and chairs of all the town</title>",
            None,
        ),
        ("<title>Home | News | Mobel</title>", None),
        (
            "<title>X | Acme - Tools and more</title>",
            Some("Acme - Tools and more"),
        ),
        ("<title>X</title><p>© 2016 acme-tools.github.io All rights", None),
        (
            "<title>X</title><p>@copyright 2023 |Acme Tools |All rights",
            Some("Acme Tools"),
        ),
        ("<meta property=og:site_name content='Mobel -'>", Some("Mobel")),
        (
            "<meta property=og:site_name content='My Site'><title>Mobel | Home</title>",
            Some("Mobel"),
        ),
        ("<meta property=og:site_name content='%site_name%'>", None),
        (
            "<meta property=og:site_name content='Other Inn'><meta property=og:url content='https://other.test/'><title>Start</title>",
            None,
        ),
        (
            "<meta property=og:site_name content='Mobel'><meta property=og:url content='https://other.test/'><title>Our Mobel</title>",
            Some("Mobel"),
        ),
    ] {
        let page = outline(html, &Url::parse("https://acme-tools.test/x").unwrap());
        assert_eq!(site_name(&page, &Graph::default()).as_deref(), wanted, "{html}");
    }
}
