//! Fetches some of the URLs in the sitemaps to check them: one after another, at the pace of the host, and none that
//! robots.txt disallows.

use std::sync::Arc;

use tokio::time::Instant;
use url::Url;

use super::ScanContext;
use super::page::{RawPage, indexing};
use super::robots::AgentRules;
use crate::fetch::{FetchError, Limits};
use crate::values::Problem;
use crate::values::sitemap_audit::SampledUrl;

const REDIRECTS: usize = 5;

/// Maximum decoded bytes read of a page: the head is at the beginning.
const MAX_BYTES: u64 = 256 * 1024;

/// Maximum characters of a text of a page that are kept.
const MAX_TEXT: usize = 500;

/// Chooses this many of the URLs, evenly spaced, so that each part of the site is in the sample.
pub fn chosen(urls: &[&str], wanted: usize) -> Vec<String> {
    let wanted = wanted.min(urls.len());
    let at = |place: usize| urls[place * urls.len() / wanted];
    (0..wanted).map(|place| at(place).to_owned()).collect()
}

/// The results for the URLs, and why the others were not fetched, if any.
#[derive(Debug, Default)]
pub(super) struct Sample {
    pub(super) urls: Vec<SampledUrl>,
    pub(super) problem: Option<Problem>,
}

impl Sample {
    /// A sample in which nothing was fetched.
    pub(super) fn failed(problem: Problem) -> Self {
        Self {
            urls: Vec::new(),
            problem: Some(problem),
        }
    }
}

/// Fetches these URLs of one host, whose rules are given, until the deadline.
pub(super) async fn check_urls(
    context: &ScanContext,
    urls: Vec<String>,
    rules: &Arc<AgentRules>,
    deadline: Instant,
) -> Sample {
    let mut sample = Sample::default();
    let wanted = urls.len();
    for url in urls {
        let why = if Instant::now() >= deadline {
            Some(("timeout", "not reached in time".to_owned()))
        } else if context.compute_budget.may_read_pages() {
            None
        } else {
            Some(("budget_compute", context.compute_budget.ran_out()))
        };
        if let Some((code, why)) = why {
            let detail = format!(
                "{} of the {wanted} URLs to check: {why}",
                wanted - sample.urls.len()
            );
            sample.problem = Some(Problem::new(code, detail));
            break;
        }
        sample.urls.push(check_url(context, url, rules, deadline).await);
    }
    sample
}

/// Checks one URL, if robots.txt allows it.
async fn check_url(
    context: &ScanContext,
    loc: String,
    rules: &Arc<AgentRules>,
    deadline: Instant,
) -> SampledUrl {
    let mut sampled = SampledUrl {
        url: loc,
        ..SampledUrl::default()
    };
    let Ok(url) = Url::parse(&sampled.url) else {
        sampled.error = Some("it is not a URL".to_owned());
        return sampled;
    };
    let (work, decide) = {
        let (rules, url) = (Arc::clone(rules), url.clone());
        (rules.work_on(url.as_str().len()), move || {
            rules.decide(url.as_str())
        })
    };
    match context.compute_on(work, decide).await {
        Ok(decision) if decision.allowed => {}
        Ok(decision) => {
            let rule = decision.rule.unwrap_or_default();
            sampled.error = Some(kept(&format!("robots.txt disallows it: {rule}")));
            return sampled;
        }
        Err(error) => {
            sampled.error = Some(error.to_string());
            return sampled;
        }
    }
    if let Err(error) = fetch(context, &url, deadline, &mut sampled).await {
        sampled.error = Some(kept(&error.to_string()));
    }
    sampled
}

/// Fetches one URL, and adds the data from the response to `sampled`.
async fn fetch(
    context: &ScanContext,
    url: &Url,
    deadline: Instant,
    sampled: &mut SampledUrl,
) -> Result<(), FetchError> {
    let limits = Limits {
        deadline,
        redirects: REDIRECTS,
    };
    let answer = context.fetcher.get(url, limits).await?;
    sampled.status = answer.status;
    if !answer.redirected_from.is_empty() {
        sampled.redirects_to = Some(kept(answer.url.as_str()));
    }
    if !(200..300).contains(&answer.status) {
        return Ok(());
    }
    let media_type = answer.headers.media_type();
    let is_html = matches!(
        media_type.as_deref(),
        Some("text/html" | "application/xhtml+xml") | None
    );
    let mut page = RawPage {
        url: answer.url.clone(),
        headers: answer.headers,
        bytes: Vec::new(),
    };
    if is_html {
        let body = answer.body.read_up_to(MAX_BYTES).await;
        if let Some(error) = body.broke.filter(|_| body.bytes.is_empty()) {
            return Err(error);
        }
        page.bytes = body.bytes;
    }
    let here = page.url.clone();
    let work = page.bytes.len();
    match context.compute_on(work, move || indexing(&page, is_html)).await {
        Ok(says) => {
            sampled.noindex = says.noindex.map(|text| kept(&text));
            let is_elsewhere = |canonical: &String| *canonical != here.as_str();
            sampled.canonical = says.canonical.filter(is_elsewhere).map(|url| kept(&url));
        }
        Err(error) => sampled.error = Some(error.to_string()),
    }
    Ok(())
}

fn kept(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}

#[cfg(test)]
mod tests {
    use super::chosen;

    #[test]
    fn a_sample_is_spread_over_all_urls() {
        let urls: Vec<String> = (0..100).map(|number| number.to_string()).collect();
        let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
        assert_eq!(chosen(&urls, 4), ["0", "25", "50", "75"]);
        assert_eq!(chosen(&urls[..3], 10), ["0", "1", "2"]);
        assert!(chosen(&[], 5).is_empty() && chosen(&urls, 0).is_empty());
    }
}
