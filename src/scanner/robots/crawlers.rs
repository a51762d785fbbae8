//! Which well-known crawlers a robots.txt allows to read the home page. This needs no further request.

use super::Robots;
use crate::values::findings::{Crawlers, RefusedCrawler};

/// Product tokens of search engines and of companies that train or run language models, as their operators publish
/// them.
const KNOWN: &[&str] = &[
    "Googlebot",
    "Bingbot",
    "DuckDuckBot",
    "YandexBot",
    "Baiduspider",
    "Applebot",
    "GPTBot",
    "OAI-SearchBot",
    "ChatGPT-User",
    "ClaudeBot",
    "Claude-SearchBot",
    "PerplexityBot",
    "Google-Extended",
    "Applebot-Extended",
    "Meta-ExternalAgent",
    "Amazonbot",
    "Bytespider",
    "CCBot",
];

/// Maximum characters that are kept of a rule.
const MAX_RULE: usize = 200;

impl Robots {
    /// The crawlers that the robots.txt at the URL `file` allows and refuses at the home page `home`.
    pub fn crawlers(&self, file: &str, home: &str) -> Crawlers {
        let mut table = Crawlers {
            file: file.to_owned(),
            ..Crawlers::default()
        };
        for name in KNOWN {
            let decision = self.decide(name, home);
            if decision.allowed {
                table.allowed.push((*name).to_owned());
                continue;
            }
            let rule = decision.rule.unwrap_or_default();
            table.refused.push(RefusedCrawler {
                name: (*name).to_owned(),
                rule: rule.chars().take(MAX_RULE).collect(),
            });
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_crawler_is_told_by_its_own_group_or_by_that_of_all() {
        let text =
            b"User-agent: GPTBot\nUser-agent: CCBot\nDisallow: /\n\nUser-agent: *\nDisallow: /private\n";
        let table = Robots::parse(text).crawlers("https://a.test/robots.txt", "https://a.test/");
        let refused: Vec<_> = table.refused.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(refused, ["GPTBot", "CCBot"]);
        assert!(table.refused[0].rule.contains('/'), "{:?}", table.refused);
        assert_eq!(table.allowed.len() + refused.len(), KNOWN.len());
        let closed = Robots::parse(b"User-agent: *\nDisallow: /\n").crawlers("f", "https://a.test/");
        assert!(closed.allowed.is_empty());
        assert!(
            Robots::parse(b"")
                .crawlers("f", "https://a.test/")
                .refused
                .is_empty()
        );
    }
}
