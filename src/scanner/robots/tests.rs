use super::*;

fn allowed(robots: &str, agent: &str, url: &str) -> bool {
    Robots::parse(robots.as_bytes()).decide(agent, url).allowed
}

#[test]
fn the_longest_rule_decides_and_allow_wins_a_tie() {
    let robots = "user-agent: *\ndisallow: /a\nallow: /a/b\ndisallow: /t\nallow: /t";
    assert!(!allowed(robots, "x", "https://h/a/c"));
    assert!(allowed(robots, "x", "https://h/a/b/c"));
    assert!(allowed(robots, "x", "https://h/t"));
}

#[test]
fn a_group_of_ones_own_replaces_the_group_for_all() {
    let robots = "user-agent: *\ndisallow: /\n\nuser-agent: SiteLog/2.0\ndisallow: /private";
    assert!(allowed(robots, "sitelog/0.1 (+https://x)", "https://h/"));
    assert!(!allowed(robots, "sitelog", "https://h/private/x"));
    assert!(!allowed(robots, "other", "https://h/"));
}

#[test]
fn names_with_digits_and_dots_are_compared_whole() {
    let robots = "user-agent: MJ12bot\ndisallow: /\n\nuser-agent: 360Spider/1.0\ndisallow: /\n\n\
                  user-agent: Mail.RU_Bot\ndisallow: /\n\nuser-agent: Yahoo! Slurp\ndisallow: /";
    for agent in [
        "MJ12bot",
        "mj12bot/v1.4.8 (x)",
        "360Spider",
        "Mail.RU_Bot/2.0",
        "Yahoo! Slurp",
    ] {
        assert!(!allowed(robots, agent, "https://h/"), "{agent}");
    }
    for agent in ["MJ", "MJ12", "MJ13bot", "360", "Mail", "Mail.RU", "Spider"] {
        assert!(allowed(robots, agent, "https://h/"), "{agent}");
    }
}

#[test]
fn stars_and_dollars_match_anything_and_the_end() {
    let robots = "user-agent: *\ndisallow: /*.pdf$\ndisallow: /a*b*c";
    assert!(!allowed(robots, "x", "https://h/d/f.pdf"));
    assert!(allowed(robots, "x", "https://h/d/f.pdf?x"));
    assert!(!allowed(robots, "x", "https://h/a1b2c3"));
    assert!(allowed(robots, "x", "https://h/a1c2b"));
}

#[test]
fn the_rule_that_decided_is_told_as_written() {
    let robots = Robots::parse(b"User-agent: *\nDisallow:/x # why");
    assert_eq!(
        robots.decide("a", "https://h/x").rule.as_deref(),
        Some("Disallow: /x")
    );
    assert_eq!(robots.decide("a", "https://h/y").rule, None);
}

#[test]
fn sitemaps_and_delays_are_found_wherever_they_stand() {
    let robots =
        Robots::parse(b"Sitemap: https://h/1.xml\r\nuser-agent: *\rcrawl-delay: 2.5\nsite-map:/2.xml");
    assert_eq!(robots.sitemaps(), ["https://h/1.xml", "/2.xml"]);
    assert_eq!(robots.crawl_delay("x"), Some(2.5));
}

#[test]
fn hostile_patterns_come_to_an_end() {
    let robots = format!(
        "user-agent: *\n{}",
        format!("disallow: /{}x\n", "*a".repeat(900)).repeat(50)
    );
    let url = format!("https://h/{}", "a".repeat(20_000));
    // With backtracking, this would not end.
    assert!(allowed(&robots, "x", &url));
}

/// Google's own parser ends the name of an agent at its first digit, because RFC 9309 allows no digits in names. But a
/// file that names `MJ12bot` means that agent and not `MJ`.
const CUT_AT_A_DIGIT: [&str; 4] = ["AB42bot", "AB", "XYZ123bot", "XYZ"];

#[test]
fn googles_published_cases_hold() {
    #[derive(serde::Deserialize)]
    struct Case {
        id: String,
        robots_txt: Option<String>,
        robots_txt_b64: Option<String>,
        expectations: Vec<Expectation>,
    }
    #[derive(serde::Deserialize)]
    struct Expectation {
        url: String,
        agent: String,
        allowed: bool,
        why: String,
    }
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    let Ok(json) = std::fs::read(corpus.join("robots/google_spec_tests.json")) else {
        eprintln!("SKIPPED: Google's published cases are not here");
        return;
    };
    let cases: Vec<Case> = serde_json::from_slice(&json).unwrap();
    let mut wrong = Vec::new();
    for case in cases {
        use base64::Engine;
        let decode = |text: String| base64::engine::general_purpose::STANDARD.decode(text).unwrap();
        let bytes = case
            .robots_txt
            .map_or_else(|| decode(case.robots_txt_b64.unwrap()), String::into_bytes);
        let robots = Robots::parse(&bytes);
        for wanted in case.expectations {
            let decision = robots.decide(&wanted.agent, &wanted.url);
            if decision.allowed != wanted.allowed && !CUT_AT_A_DIGIT.contains(&wanted.agent.as_str()) {
                wrong.push(format!(
                    "{} {} {} {decision:?}: {}",
                    case.id, wanted.agent, wanted.url, wanted.why
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
