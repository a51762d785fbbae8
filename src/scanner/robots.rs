//! Parses robots.txt (RFC 9309, as leniently as Google's parser) and decides what an agent may fetch.
//!
//! The scan decides what an unreadable robots.txt means.

mod crawlers;
mod line;
mod pattern;
mod rules;

use self::line::{Line, is_blank, read_line, without_bom};
use self::pattern::escape;
pub use self::rules::AgentRules;

/// Maximum bytes of a file; RFC 9309, 2.5 requires at least 500 KiB.
pub const MAX_ROBOTS_BYTES: u64 = 500 * 1024;

/// Longer lines are cut, as Google's parser does.
const MAX_LINE_BYTES: usize = 2083 * 8;

/// A parsed robots.txt.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Robots {
    groups: Vec<Group>,
    sitemaps: Vec<String>,
}

/// The answer for one URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether the agent may fetch it.
    pub allowed: bool,
    /// The rule that decided, as written; `None` if no rule matched.
    pub rule: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Group {
    agents: Vec<Agent>,
    rules: Vec<Rule>,
    crawl_delay: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Agent {
    Any,
    Named(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    allow: bool,
    pattern: String,
    written: String,
}

impl Robots {
    /// Parses a file; invalid lines are ignored.
    pub fn parse(bytes: &[u8]) -> Self {
        let limit = usize::try_from(MAX_ROBOTS_BYTES).unwrap_or(usize::MAX);
        let bytes = without_bom(&bytes[..bytes.len().min(limit)]);
        let mut robots = Self::default();
        let mut in_agent_lines = false;
        for line in bytes.split(|byte| matches!(byte, b'\n' | b'\r')) {
            let line = String::from_utf8_lossy(&line[..line.len().min(MAX_LINE_BYTES)]);
            match read_line(&line) {
                Some(Line::UserAgent(name)) => {
                    if !in_agent_lines {
                        robots.groups.push(Group::default());
                    }
                    in_agent_lines = true;
                    let group = robots.groups.last_mut();
                    if let (Some(group), Some(agent)) = (group, agent_of(name)) {
                        group.agents.push(agent);
                    }
                }
                Some(Line::Rule { allow, path }) => {
                    in_agent_lines = false;
                    if let Some(group) = robots.groups.last_mut() {
                        group.add_rule(allow, path);
                    }
                }
                Some(Line::CrawlDelay(seconds)) => {
                    if let (Some(group), Ok(seconds)) = (robots.groups.last_mut(), seconds.parse::<f64>()) {
                        group.crawl_delay = Some(seconds).filter(|delay| delay.is_finite() && *delay >= 0.0);
                    }
                }
                Some(Line::Sitemap(url)) if !url.is_empty() => robots.sitemaps.push(url.to_owned()),
                _ => {}
            }
        }
        robots
    }

    /// The targets of the `Sitemap:` lines, as written.
    pub fn sitemaps(&self) -> &[String] {
        &self.sitemaps
    }

    /// The requested number of seconds between requests of an agent.
    pub fn crawl_delay(&self, agent: &str) -> Option<f64> {
        self.groups_for(agent)
            .into_iter()
            .find_map(|group| group.crawl_delay)
    }

    /// The rules that apply to an agent (its product token, or a whole `User-Agent` value).
    pub fn rules_for(&self, agent: &str) -> AgentRules {
        AgentRules::of(self.groups_for(agent).into_iter().flat_map(|group| &group.rules))
    }

    /// Whether an agent may fetch a URL. For several URLs, get the agent's rules once.
    pub fn decide(&self, agent: &str, url: &str) -> Decision {
        self.rules_for(agent).decide(url)
    }

    /// The groups that name the agent; if there are none, the groups for all agents.
    fn groups_for(&self, agent: &str) -> Vec<&Group> {
        let token = product_token(agent);
        let named = |group: &&Group| {
            group
                .agents
                .iter()
                .any(|known| matches!(known, Agent::Named(name) if name.eq_ignore_ascii_case(token)))
        };
        let own: Vec<&Group> = self.groups.iter().filter(named).collect();
        if !own.is_empty() {
            return own;
        }
        let for_all = |group: &&Group| group.agents.contains(&Agent::Any);
        self.groups.iter().filter(for_all).collect()
    }
}

impl Decision {
    fn by(rule: &Rule) -> Self {
        Self {
            allowed: rule.allow,
            rule: Some(rule.written.clone()),
        }
    }
}

impl Rule {
    /// If two rules match, the one with the greater weight decides.
    fn weight(&self) -> (usize, bool) {
        (self.pattern.len(), self.allow)
    }
}

impl Group {
    fn add_rule(&mut self, allow: bool, path: &str) {
        if path.is_empty() {
            return;
        }
        let written = format!("{}: {path}", if allow { "Allow" } else { "Disallow" });
        let pattern = escape(path);
        // Google: a rule that allows a directory's index page allows the directory.
        if let (true, Some(directory)) = (allow, directory_of_index(&pattern)) {
            self.rules.push(Rule {
                allow,
                pattern: format!("{directory}$"),
                written: written.clone(),
            });
        }
        self.rules.push(Rule {
            allow,
            pattern,
            written,
        });
    }
}

fn directory_of_index(pattern: &str) -> Option<&str> {
    let slash = pattern.rfind('/')?;
    pattern[slash + 1..]
        .starts_with("index.htm")
        .then(|| &pattern[..=slash])
}

/// `*`, either alone or followed by anything except a name, means all agents.
fn agent_of(value: &str) -> Option<Agent> {
    let mut characters = value.chars();
    if characters.next() == Some('*') && characters.next().is_none_or(is_blank) {
        return Some(Agent::Any);
    }
    let token = product_token(value);
    (!token.is_empty()).then(|| Agent::Named(token.to_owned()))
}

/// The name at the start of a `User-Agent`, without its version: letters, `-` and `_` (RFC 9309, 2.2.1), and the digits
/// and dots that real names contain (`MJ12bot`, `360Spider`, `Mail.RU_Bot`).
fn product_token(agent: &str) -> &str {
    let end = agent
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')))
        .unwrap_or(agent.len());
    &agent[..end]
}

#[cfg(test)]
mod tests;
