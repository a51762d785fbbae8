use super::*;
use crate::values::findings::Technology;

fn read(html: &str) -> Findings {
    read_page(&RawPage {
        url: Url::parse("https://www.acme-shop.at/start/").unwrap(),
        headers: Headers::default(),
        bytes: html.as_bytes().to_vec(),
    })
    .findings
}

#[test]
fn a_home_page_tells_what_the_predecessor_looked_for() {
    let found = read(
        r#"<!doctype html><html lang="de-at"><head><meta charset="utf-8"><title> Acme &amp; Söhne </title>
        <META NAME="Description" CONTENT="Macht Dinge."><link rel="shortcut icon" href="/f.ico">
        <meta name="generator" content="WordPress 6.4"></head><body><img class="logo" src="img/l.png">
        <a href="mailto:info@acme-shop.at">m</a><a href="tel:+43316872">t</a>
        <a href="https://www.facebook.com/acme">f</a><a href="https://x.com/acme">x</a></body></html>"#,
    );
    assert_eq!(found.title.as_deref(), Some("Acme & Söhne"));
    assert_eq!(found.description.as_deref(), Some("Macht Dinge."));
    assert_eq!(found.language.as_deref(), Some("de-AT"));
    assert_eq!(
        found.favicon_url.as_deref(),
        Some("https://www.acme-shop.at/f.ico")
    );
    assert_eq!(
        found.logo_url.as_deref(),
        Some("https://www.acme-shop.at/start/img/l.png")
    );
    assert_eq!(
        (found.is_wordpress, found.wordpress_version.as_deref()),
        (true, Some("6.4"))
    );
    assert_eq!(found.contact_info.email, ["info@acme-shop.at"]);
    assert_eq!(found.contact_info.phone, ["+43316872"]);
    assert_eq!(found.social_links.twitter.as_deref(), Some("https://x.com/acme"));
    assert_eq!(found.tech_stack.cms, ["WordPress"]);
    assert_eq!(
        (found.performance.image_count, found.performance.link_count),
        (1, 4)
    );
}

#[test]
fn a_title_in_a_picture_is_not_the_pages() {
    assert_eq!(
        read("<svg><title>Icon</title></svg><title>Page</title>")
            .title
            .as_deref(),
        Some("Page")
    );
}

#[test]
fn relative_urls_follow_the_base_element() {
    let found = read(
        "<base href='https://cdn.acme-shop.at/x/'><link rel=icon href=f.ico><link rel=canonical href='/c'>",
    );
    assert_eq!(
        found.favicon_url.as_deref(),
        Some("https://cdn.acme-shop.at/x/f.ico")
    );
    assert_eq!(found.canonical_url.as_deref(), Some("https://cdn.acme-shop.at/c"));
}

#[test]
fn a_further_page_adds_contacts_but_keeps_the_home_pages_title() {
    let mut home = read("<title>Home</title><a href=mailto:a@acme-shop.at>");
    add_page(
        &mut home,
        read("<title>Contact</title><a href=mailto:a@acme-shop.at><a href=mailto:b@acme-shop.at>"),
    );
    assert_eq!(home.title.as_deref(), Some("Home"));
    assert_eq!(home.contact_info.email, ["a@acme-shop.at", "b@acme-shop.at"]);
}

#[test]
fn a_version_that_only_a_further_page_shows_is_known() {
    let technology = |name: &str, version: Option<&str>, confidence, evidence: &str| Technology {
        name: name.to_owned(),
        version: version.map(str::to_owned),
        confidence,
        evidence: evidence.to_owned(),
        ..Technology::default()
    };
    let mut home = Findings {
        technologies: vec![
            technology("Elementor", None, 100, "home"),
            technology("WordPress", Some("6.4"), 50, "home"),
        ],
        ..Findings::default()
    };
    let further = Findings {
        technologies: vec![
            technology("Elementor", Some("3.18.2"), 75, "contact"),
            technology("WordPress", Some("6.1"), 100, "contact"),
            technology("PHP", None, 100, "contact"),
        ],
        ..Findings::default()
    };
    add_page(&mut home, further);
    assert_eq!(
        home.technologies,
        [
            technology("Elementor", Some("3.18.2"), 100, "contact"),
            technology("WordPress", Some("6.4"), 100, "home"),
            technology("PHP", None, 100, "contact"),
        ]
    );
    assert_eq!(
        (
            home.is_wordpress,
            home.wordpress_version.as_deref(),
            home.has_elementor
        ),
        (true, Some("6.4"), true)
    );
}

#[test]
fn what_is_kept_of_a_hostile_page_is_bounded() {
    for part in [
        "<a href='https://x.com/a1'>",
        "a@b.com ",
        "+43 316 872 0 ",
        "<link rel=icon href=a>",
        "<h1>a",
        "[at]",
        "<div class=logo>",
    ] {
        let found = read(&part.repeat(200_000 / part.len()));
        let bytes = serde_json::to_vec(&found).unwrap().len();
        assert!(bytes < 50_000, "{bytes} bytes of {part}");
    }
    let many: String = (0..20_000).fold(String::new(), |page, number| {
        page + &format!("<a href=mailto:a{number}@b.com>")
    });
    assert_eq!(read(&many).emails.len(), 200);
}

#[test]
fn data_beyond_the_limit_is_named_as_a_problem() {
    let block = |name: &str, size: usize| {
        let text = "a".repeat(size);
        format!(
            r#"<script type="application/ld+json">{{"@type":"Organization","name":"{name}","slogan":"{text}"}}</script>"#
        )
    };
    let found = read(&(block("Other", 3 * 1024 * 1024) + &block("Acme", 10)));
    assert_eq!(
        found.organization.and_then(|found| found.name).as_deref(),
        Some("Acme")
    );
    let listed: Vec<(&str, bool)> = found
        .problems
        .iter()
        .map(|problem| (problem.code.as_str(), problem.detail.contains("JSON-LD")))
        .collect();
    assert_eq!(listed, [("too_large", true)]);
    assert!(read(&block("Acme", 10)).problems.is_empty());
}

#[test]
fn a_page_with_more_elements_than_are_read_says_so() {
    let of = |elements: usize| read(&format!("<title>Acme</title>{}", "<br>".repeat(elements)));
    let found = of(super::tree::MAX_NODES + 1);
    assert_eq!(found.title.as_deref(), Some("Acme"));
    let [problem] = &found.problems[..] else {
        panic!("{:?}", found.problems)
    };
    assert_eq!(problem.code, "too_large");
    assert!(problem.detail.contains("elements"), "{}", problem.detail);
    assert!(of(1000).problems.is_empty());
}
