//! The built-in set, and how signs become technologies.

use std::collections::BTreeMap;

use url::Url;

use super::super::outline::outline;
use super::*;

/// For each technology of the set, what shows it, and what looks similar but does not show it.
const CASES: &str = include_str!("own_cases.json");

#[derive(serde::Deserialize)]
struct Cases {
    has: Vec<String>,
    has_not: Vec<String>,
}

/// A page, or a header field if it does not begin with a tag.
fn found_in(set: &Technologies, line: &str) -> Vec<Technology> {
    let field = line.split_once(": ").filter(|_| !line.starts_with('<'));
    let headers = Headers::new(field.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let html = if field.is_some() { "" } else { line };
    let page = outline(html, &Url::parse("https://www.site.test/").unwrap());
    technologies(set, html, &page, &headers)
}

fn names(set: &Technologies, line: &str) -> Vec<String> {
    found_in(set, line).into_iter().map(|found| found.name).collect()
}

fn version(line: &str, name: &str) -> Option<String> {
    let found = found_in(own(), line).into_iter().find(|found| found.name == name);
    found
        .unwrap_or_else(|| panic!("{name} is not found in {line}"))
        .version
}

#[test]
fn every_technology_of_the_set_is_known_by_its_signs_and_not_by_what_looks_alike() {
    let cases: BTreeMap<String, Cases> = serde_json::from_str(CASES).unwrap();
    let mut wrong = Vec::new();
    for known in own().list() {
        let Some(cases) = cases.get(&known.name) else {
            wrong.push(format!("{} has no cases", known.name));
            continue;
        };
        assert!(
            !cases.has.is_empty() && !cases.has_not.is_empty(),
            "{}",
            known.name
        );
        let missed = cases
            .has
            .iter()
            .filter(|line| !names(own(), line).contains(&known.name));
        wrong.extend(missed.map(|line| format!("{} is missed in {line}", known.name)));
        let imagined = cases
            .has_not
            .iter()
            .filter(|line| names(own(), line).contains(&known.name));
        wrong.extend(imagined.map(|line| format!("{} is imagined in {line}", known.name)));
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert_eq!(
        own().list().len(),
        cases.len(),
        "a case is for no technology of the set"
    );
}

#[test]
fn every_pattern_of_the_set_is_used_and_everything_implied_is_known() {
    assert_eq!(own().skipped(), []);
    assert_eq!(own().oversized(), []);
    assert!(own().list().len() >= 150);
    for known in &own().known {
        let implied = known.implies.iter().map(|implied| &implied.name);
        for name in implied.chain(&known.excludes).chain(&known.requires) {
            assert!(own().number(name).is_some(), "{} names {name}", known.name);
        }
    }
}

#[test]
fn an_unknown_generator_is_named_as_it_names_itself() {
    for (line, wanted) in [
        (
            "<meta name=generator content='Foobar 4.2'>",
            &[("Foobar", Some("4.2"))][..],
        ),
        ("<meta name=description content='Foobar 4.2'>", &[]),
        ("<meta name=generator content='Site 4.2'>", &[]),
        (
            "<meta name=generator content='Hugo 0.120.4'>",
            &[("Hugo", Some("0.120.4"))],
        ),
    ] {
        let found = found_in(own(), line);
        let found = found
            .iter()
            .filter(|found| !found.evidence.starts_with("implied"));
        let found: Vec<_> = found
            .map(|found| (found.name.as_str(), found.version.as_deref()))
            .collect();
        assert_eq!(found, wanted, "{line}");
    }
}

#[test]
fn versions_are_told_from_every_place_they_leak() {
    for (line, name, wanted) in [
        (
            "<meta content='WordPress 6.4.2' name=generator>",
            "WordPress",
            "6.4.2",
        ),
        (
            "<script src='/wp-includes/js/wp-embed.min.js?ver=5.9.1'></script>",
            "WordPress",
            "5.9.1",
        ),
        (
            "<link rel=stylesheet href='/wp-content/plugins/elementor/assets/css/frontend.min.css?ver=3.5.0'>",
            "Elementor",
            "3.5.0",
        ),
        (
            "<meta name=generator content='Elementor 3.18.3; features: e_dom_optimization; settings: css_print'>",
            "Elementor",
            "3.18.3",
        ),
        (
            "<script>var elementorFrontendConfig = {\"environmentMode\":{},\"version\":\"3.6.1\",\"is_static\":false};</script>",
            "Elementor",
            "3.6.1",
        ),
        (
            "<script src='/wp-includes/js/jquery/jquery.min.js?ver=3.7.1'></script>",
            "jQuery",
            "3.7.1",
        ),
        (
            "<script src='https://code.jquery.com/jquery-3.6.0.min.js'></script>",
            "jQuery",
            "3.6.0",
        ),
        (
            "<script src='https://cdn.jsdelivr.net/npm/bootstrap@5.1.3/dist/js/bootstrap.bundle.min.js'></script>",
            "Bootstrap",
            "5.1.3",
        ),
        (
            "<script src='https://unpkg.com/vue@3.2.1/dist/vue.global.js'></script>",
            "Vue.js",
            "3.2.1",
        ),
        (
            "<meta name=generator content='Concrete CMS 9.2.1'>",
            "concrete5",
            "9.2.1",
        ),
        (
            "<meta name=generator content='Incomedia WebSite X5 Pro 2023.2.7 - www.websitex5.com'>",
            "WebSite X5",
            "2023.2.7",
        ),
        ("x-flow-powered: Flow/8.3 Neos/8.3", "Neos", "8.3"),
        ("server: nginx/1.22.1", "Nginx", "1.22.1"),
        ("server: Apache/2.4.57 (Debian)", "Apache HTTP Server", "2.4.57"),
        ("x-powered-by: PHP/8.2.1", "PHP", "8.2.1"),
    ] {
        assert_eq!(version(line, name).as_deref(), Some(wanted), "{line}");
    }
}

#[test]
fn implied_required_and_excluded_technologies_follow_from_those_found() {
    let set = Technologies::with(&[r#"{
        "Shop":{"cats":[6],"html":"<shop-","implies":["Base\\;confidence:60"]},
        "Base":{"cats":[1],"implies":"Deep"},
        "Deep":{"cats":["Databases"],"headers":{"x-deep":"v([\\d.]+)\\;version:\\1"}},
        "Needs shop":{"html":"<div","requires":"Shop"},
        "Needs shop category":{"html":"<div","requiresCategory":6},
        "Other":{"html":"<shop-","excludes":"Rival"},
        "Rival":{"html":"<shop-"},
        "Half":{"html":["<sho\\;confidence:30","hop-\\;confidence:30"]}},
        "#
    .trim_end()
    .trim_end_matches(',')])
    .unwrap();
    let mine = |line: &str| {
        let all = found_in(&set, line);
        let mine = all.into_iter().filter(|found| {
            [
                "Shop",
                "Base",
                "Deep",
                "Needs shop",
                "Needs shop category",
                "Other",
                "Rival",
                "Half",
            ]
            .contains(&found.name.as_str())
        });
        mine.map(|found| (found.name, found.confidence))
            .collect::<Vec<_>>()
    };
    let named = |name: &str, confidence| (name.to_owned(), confidence);
    assert_eq!(mine("<div>"), []);
    assert_eq!(
        mine("<shop-cart><div>"),
        [
            named("Base", 60),
            named("Deep", 60),
            named("Half", 60),
            named("Needs shop", 100),
            named("Needs shop category", 100),
            named("Other", 100),
            named("Shop", 100)
        ]
    );
}

#[test]
fn elements_are_signs_with_what_they_must_have() {
    let set = Technologies::with(&[r#"{"technologies":{
        "A":{"dom":"link[href*='a.test'], .a-widget"},
        "B":{"dom":{"script[src*='b.test']":{"attributes":{"src":"/v([\\d.]+)/\\;version:\\1"}}}},
        "C":{"dom":{"footer a":{"text":"^Powered by C ([\\d.]+)\\;version:\\1"}}},
        "D":{"dom":["ul > li.d"]},
        "E":{"cookies":{"e_*":"^x"},"meta":{"e:version":"([\\d.]+)\\;version:\\1"},"text":"made with E","scripts":"E\\.start","css":"\\.e-","url":"/e/$"}}}"#])
    .unwrap();
    let claimed = |line: &str, name: &str| {
        found_in(&set, line)
            .into_iter()
            .find(|found| found.name == name)
            .map(|found| found.version.unwrap_or_default())
    };
    assert_eq!(claimed("<p class='x a-widget'>", "A").as_deref(), Some(""));
    assert_eq!(claimed("<a href=//a.test>", "A"), None);
    assert_eq!(
        claimed("<script src=//b.test/v1.2/x.js>", "B").as_deref(),
        Some("1.2")
    );
    assert_eq!(claimed("<script src=//b.test/x.js>", "B"), None);
    assert_eq!(
        claimed("<footer><p><a>Powered by C 2.1</a></footer>", "C").as_deref(),
        Some("2.1")
    );
    assert_eq!(claimed("<a>Powered by C 2.1</a>", "C"), None);
    assert_eq!(claimed("<ul><li class=d>", "D").as_deref(), Some(""));
    assert_eq!(claimed("set-cookie: e_1=xy", "E").as_deref(), Some(""));
    assert_eq!(claimed("set-cookie: e_1=yx", "E"), None);
    assert_eq!(
        claimed("<meta name=E:Version content=3.1>", "E").as_deref(),
        Some("3.1")
    );
    assert_eq!(claimed("<p>Made with E", "E").as_deref(), Some(""));
    assert_eq!(claimed("<script>E.start()</script>", "E").as_deref(), Some(""));
    assert_eq!(claimed("<style>.e-x{}</style>", "E").as_deref(), Some(""));
}

#[test]
fn a_loaded_set_adds_signs_to_what_is_known_and_reports_what_it_cannot_use() {
    let set = Technologies::with(&[
        r#"{"wordpress":{"cats":[1],"html":"<my-wp"},"Only scripts":{"js":{"a.b":""}},
        "Odd":{"html":["a(?=b)","fine-\\w"],"dom":"a:hover"}}"#,
    ])
    .unwrap();
    assert!(names(&set, "<my-wp>").contains(&"WordPress".to_owned()));
    assert!(names(&set, "<p class=fine-x>").contains(&"Odd".to_owned()));
    let skipped: Vec<&str> = set
        .skipped()
        .iter()
        .map(|skipped| skipped.pattern.as_str())
        .collect();
    assert_eq!(skipped, ["a(?=b)", "a:hover"]);
    assert_eq!(set.not_evaluated(), 1);
}

#[test]
fn signs_beside_the_page_add_to_what_the_page_shows() {
    let set = Technologies::with(&[
        r#"{"Mailer":{"cats":[1],"dns":{"MX":"mail\\.test$"},"implies":"Other"},
        "Issuer":{"certIssuer":"Acme CA"},"Other":{"html":"<other"}}"#,
    ])
    .unwrap();
    let off_page = super::OffPageSignals {
        dns: vec![("mx".to_owned(), vec!["in.mail.test".to_owned()])],
        cert_issuer: Some("Acme CA 1".to_owned()),
    };
    let mut found = vec![Technology {
        name: "nginx".to_owned(),
        ..Technology::default()
    }];
    super::add_beside(&mut found, &set, &off_page);
    let shown: Vec<_> = found
        .iter()
        .map(|one| (one.name.as_str(), one.evidence.as_str()))
        .collect();
    assert_eq!(shown[0].0, "nginx");
    assert!(shown.contains(&("Mailer", "dns mx: in.mail.test")), "{shown:?}");
    assert!(
        shown.contains(&("Issuer", "certificate issuer: Acme CA 1")),
        "{shown:?}"
    );
    assert!(shown.iter().any(|(name, _)| *name == "Other"));
    assert_eq!(set.not_evaluated(), 0);
}

#[test]
fn the_predecessors_drawers_follow_from_the_categories() {
    let found = found_in(
        own(),
        "<script src='/wp-content/plugins/elementor/a.js'></script><script src=/jquery.min.js></script>
         <script>fbq('init', '1'); window.intercomSettings = {}</script><form action='//a.list-manage.com/subscribe'>",
    );
    let stack = categories(&found);
    assert_eq!(stack.cms, ["WordPress"]);
    assert_eq!(stack.frameworks, ["Elementor", "jQuery"]);
    assert_eq!(stack.analytics, ["Facebook Pixel"]);
    assert_eq!(stack.widgets, ["Intercom", "MailChimp"]);
}

/// The version of each technology on a page with all these assets.
fn versions(assets: &[&str], head: &str) -> BTreeMap<String, String> {
    let scripts: Vec<String> = assets
        .iter()
        .map(|url| format!("<script src='{url}'></script>"))
        .collect();
    found_in(own(), &format!("<title></title>{head}{}", scripts.concat()))
        .into_iter()
        .map(|found| (found.name, found.version.unwrap_or_default()))
        .collect()
}

#[test]
fn what_has_no_version_of_its_own_gets_none_of_wordpress() {
    let found = versions(
        &[
            "/wp-content/plugins/contact-form-7/includes/js/index.js?ver=6.4.2",
            "/wp-content/plugins/elementor/assets/js/webpack.runtime.min.js?ver=6.4.2",
            "/wp-content/plugins/elementor/assets/js/frontend.min.js?ver=3.18.3",
            "/wp-includes/js/jquery/jquery.min.js?ver=6.4.2",
        ],
        "<meta name=generator content='WordPress 6.4.2'>",
    );
    for (name, version) in [
        ("WordPress", "6.4.2"),
        ("Contact Form 7", ""),
        ("Elementor", "3.18.3"),
        ("jQuery", ""),
    ] {
        assert_eq!(found[name], version, "{name}");
    }
}

#[test]
fn one_file_of_wordpress_tells_its_version_and_that_of_nothing_else() {
    for core in [
        "/wp-includes/css/dashicons.min.css?ver=6.3.1",
        "/wp-includes/js/comment-reply.min.js?ver=6.3.1",
    ] {
        let found = versions(
            &[
                core,
                "/wp-content/themes/a/css/bootstrap.min.css?ver=6.3.1",
                "/wp-content/themes/a/css/swiper-bundle.min.css?ver=6.3.1",
            ],
            "",
        );
        for (name, version) in [("WordPress", "6.3.1"), ("Bootstrap", ""), ("Swiper", "")] {
            assert_eq!(found[name], version, "{name} of {core}");
        }
    }
    let found = versions(&["/wp-content/themes/a/js/comment-reply.js?ver=6.3.1"], "");
    assert_eq!(found["WordPress"], "");
}

#[test]
fn a_library_that_an_extension_brings_along_tells_no_version_of_the_extension() {
    for (assets, name, version) in [
        (
            &[
                "/wp-content/plugins/elementor/assets/lib/eicons/css/elementor-icons.min.css?ver=5.6.2",
                "/wp-content/plugins/elementor/assets/js/frontend.min.js?ver=3.18.3",
            ][..],
            "Elementor",
            "3.18.3",
        ),
        (
            &["/wp-content/plugins/woocommerce/assets/js/jquery-blockui/jquery.blockUI.min.js?ver=2.70"],
            "WooCommerce",
            "",
        ),
        (
            &["/wp-content/plugins/contact-form-7/includes/js/jquery.form.min.js?ver=3.51.0-2014.06.20"],
            "Contact Form 7",
            "",
        ),
        (
            &[
                "/wp-content/plugins/the-events-calendar/common/src/resources/js/tribe-common.min.js?ver=4.9.1",
            ],
            "The Events Calendar",
            "",
        ),
        (
            &["/wp-content/plugins/jetpack/_inc/genericons/genericons/genericons.css?ver=3.1"],
            "Jetpack",
            "",
        ),
        (
            &[
                "/wp-content/plugins/js_composer/assets/lib/bower/font-awesome/css/font-awesome.min.css?ver=5.7",
                "/wp-content/plugins/js_composer/assets/css/js_composer.min.css?ver=5.7",
            ],
            "Font Awesome",
            "",
        ),
        (
            &[
                "/wp-content/plugins/elementor/assets/lib/font-awesome/css/font-awesome.min.css?ver=4.7.0",
                "/wp-content/plugins/elementor/assets/css/frontend.min.css?ver=3.5.0",
            ],
            "Font Awesome",
            "4.7.0",
        ),
        (
            &[
                "/wp-content/themes/a/js/jquery-3.4.1.min.js?ver=3.4.1",
                "/wp-content/themes/a/js/bootstrap.min.js?ver=3.4.1",
            ],
            "Bootstrap",
            "3.4.1",
        ),
        (
            &[
                "/wp-content/plugins/elementor/assets/lib/swiper/swiper.min.js?ver=5.3.6",
                "/wp-content/plugins/elementor/assets/js/frontend.min.js?ver=3.5.0",
            ],
            "Swiper",
            "5.3.6",
        ),
        (
            &[
                "/wp-content/plugins/elementor/assets/lib/swiper/swiper.min.js?ver=3.5.0",
                "/wp-content/plugins/elementor/assets/js/frontend.min.js?ver=3.5.0",
            ],
            "Swiper",
            "",
        ),
        (
            &["/wp-content/themes/genesis/lib/js/skip-links.min.js?ver=3.4.0"],
            "Genesis theme",
            "3.4.0",
        ),
        (
            &[
                "/wp-content/plugins/elementor/assets/js/a.js?ver=9.9",
                "/wp-content/plugins/elementor/assets/js/b.js?ver=3.5.0",
                "/wp-content/plugins/elementor/assets/js/c.js?ver=3.5.0",
            ],
            "Elementor",
            "3.5.0",
        ),
    ] {
        assert_eq!(versions(assets, "")[name], version, "{assets:?}");
    }
}

#[test]
fn what_makes_browsers_fetch_anew_is_no_version() {
    for url in [
        "/js/jquery.min.js?v=950373202059279415",
        "/js/jquery.min.js?ver=1649080094",
        "/js/jquery.min.js?v=20120725",
        "/js/jquery.min.js?ver=1",
    ] {
        assert_eq!(versions(&[url], "")["jQuery"], "", "{url}");
    }
    assert_eq!(versions(&["/js/jquery.min.js?ver=3.7.1"], "")["jQuery"], "3.7.1");
}

#[test]
fn folders_and_file_names_tell_versions() {
    for (url, name, version) in [
        (
            "//ajax.googleapis.com/ajax/libs/mootools/1.5.2/mootools.js",
            "MooTools",
            "1.5.2",
        ),
        (
            "//cdnjs.cloudflare.com/ajax/libs/Swiper/4.4.1/js/swiper.min.js",
            "Swiper",
            "4.4.1",
        ),
        (
            "/assets/jquery/colorbox/1.6.1/jquery.colorbox.js?v=20120725",
            "Colorbox",
            "1.6.1",
        ),
        (
            "//ajax.aspnetcdn.com/jquerymobile/1.4.5/jquery.mobile.min.js",
            "jQuery Mobile",
            "1.4.5",
        ),
        ("/js/yui-base_3.8.3.js", "YUI", "3.8.3"),
    ] {
        assert_eq!(versions(&[url], "")[name], version, "{url}");
    }
}
