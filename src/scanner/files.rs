//! Files with which a site says how it may be reached and used: asked for only if somebody wants them, while the rest of the
//! site is read.
//!
//! They delay a scan by no more than its slowest fetch, and nothing that becomes of them makes it fail: a file that was not
//! answered is one of which nothing new is known.

mod ads;
mod security;
mod text;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use url::Url;

use self::ads::ads_txt;
use self::security::security_txt;
use self::text::{humans_txt, is_text, llms_txt};
use super::Tools;
use super::robots::AgentRules;
use super::site::same_site;
use crate::fetch::{Answer, Limits};
use crate::values::Findings;
use crate::values::site_files::{AdsTxt, FileAnswer, HumansTxt, LlmsTxt, SecurityTxt, SiteFile};

const REDIRECTS: usize = 5;

/// Decoded bytes that are read of a file. Files of sellers are long, of the others the beginning says all that is told.
const MAX_BYTES: u64 = 64 * 1024;
const MAX_ADS_BYTES: u64 = 1024 * 1024;

/// Characters of a value that are kept, and values of a kind.
const MAX_VALUE: usize = 500;
const MAX_VALUES: usize = 20;

/// What a file says.
#[derive(Debug)]
enum Says {
    Security(SecurityTxt),
    Ads(AdsTxt),
    Humans(HumansTxt),
    Llms(LlmsTxt),
}

/// What became of one file.
type Outcome = (FileAnswer, Option<Says>);

/// The files of a site, wanted or under way.
#[derive(Debug)]
pub(super) struct Files {
    wanted: Vec<SiteFile>,
    home: Url,
    rules: Arc<AgentRules>,
    deadline: Instant,
    /// Requests that are being made; they end with it.
    open: JoinSet<Outcome>,
}

impl Files {
    /// The wanted files of the site at `home`, whose robots.txt has these rules.
    pub(super) fn new(wanted: Vec<SiteFile>, home: &Url, rules: Arc<AgentRules>, deadline: Instant) -> Self {
        Self {
            wanted,
            home: home.clone(),
            rules,
            deadline,
            open: JoinSet::new(),
        }
    }

    /// Begins to ask. Where requests are kept apart this comes when all else was read: each would delay another one.
    pub(super) fn begin(&mut self, tools: &Tools) {
        if !self.open.is_empty() {
            return;
        }
        for file in self.wanted.iter().copied() {
            let (tools, home, deadline) = (tools.clone(), self.home.clone(), self.deadline);
            let rules = Arc::clone(&self.rules);
            self.open
                .spawn(async move { read(&tools, file, &home, &rules, deadline).await });
        }
    }

    /// Adds to the findings what was answered until then.
    pub(super) async fn tell(mut self, findings: &mut Findings, until: Instant) {
        while let Ok(Some(outcome)) = timeout_at(until, self.open.join_next()).await {
            let Ok((answer, says)) = outcome else { continue };
            self.wanted.retain(|file| *file != answer.file);
            findings.files.push(answer);
            match says {
                Some(Says::Security(found)) => findings.security_txt = Some(found),
                Some(Says::Ads(found)) => findings.ads_txt = Some(found),
                Some(Says::Humans(found)) => findings.humans_txt = Some(found),
                Some(Says::Llms(found)) => findings.llms_txt = Some(found),
                None => {}
            }
        }
        for file in self.wanted {
            let url = url_of(&self.home, file.paths()[0]);
            let why = "not read in the time that the rest of the scan took".to_owned();
            findings.files.push(unknown(file, &url, why));
        }
        findings.files.sort_by_key(|answer| answer.file);
    }
}

fn url_of(home: &Url, path: &str) -> Url {
    let mut url = home.clone();
    url.set_path(path);
    url.set_query(None);
    url.set_fragment(None);
    url
}

/// Reads a file at the first of its places that has one.
async fn read(
    tools: &Tools,
    file: SiteFile,
    home: &Url,
    rules: &Arc<AgentRules>,
    deadline: Instant,
) -> Outcome {
    let mut outcome = None;
    for path in file.paths() {
        let (answer, says) = read_at(tools, file, url_of(home, path), rules, deadline).await;
        let goes_on = answer.is_there == Some(false);
        // What was not answered at one place may be there, whatever the other one says.
        outcome = Some((answer, says));
        if !goes_on {
            break;
        }
    }
    outcome.unwrap_or_else(|| (unknown(file, home, "it has no place".to_owned()), None))
}

async fn read_at(
    tools: &Tools,
    file: SiteFile,
    url: Url,
    rules: &Arc<AgentRules>,
    deadline: Instant,
) -> Outcome {
    let work = rules.work_on(url.as_str().len());
    let decide = {
        let (rules, url) = (Arc::clone(rules), url.clone());
        move || rules.decide(url.as_str())
    };
    let refusal = match tools.compute_on(work, decide).await {
        Ok(decision) if decision.allowed => None,
        Ok(decision) => Some(format!(
            "robots.txt disallows it: {}",
            decision.rule.unwrap_or_default()
        )),
        Err(error) => Some(error.to_string()),
    };
    if let Some(why) = refusal {
        return (unknown(file, &url, why), None);
    }
    let limits = Limits {
        deadline,
        redirects: REDIRECTS,
    };
    let answer = match tools.fetcher.get(&url, limits).await {
        Ok(answer) => answer,
        Err(error) => return (unknown(file, &url, error.to_string()), None),
    };
    match answer.status {
        200..300 => read_answer(tools, file, &url, answer).await,
        404 | 410 => (absent(file, &answer.url, format!("HTTP {}", answer.status)), None),
        status => (unknown(file, &answer.url, format!("HTTP {status}")), None),
    }
}

async fn read_answer(tools: &Tools, file: SiteFile, asked: &Url, answer: Answer) -> Outcome {
    let Answer {
        url,
        status,
        headers,
        body,
        ..
    } = answer;
    // The file of another site speaks for that one, except of sellers, which others may keep for a site.
    if file != SiteFile::AdsTxt && !same_site(&url, asked) {
        let why = format!("{asked} leads to another site");
        return (absent(file, &url, why), None);
    }
    let media_type = headers.media_type();
    let limit = if file == SiteFile::AdsTxt {
        MAX_ADS_BYTES
    } else {
        MAX_BYTES
    };
    let body = body.read_up_to(limit).await;
    if let Some(error) = body.broke {
        return (unknown(file, &url, error.to_string()), None);
    }
    let work = body.bytes.len();
    let (at, is_cut, now) = (url.to_string(), body.truncated, Utc::now());
    let read = move || {
        if !is_text(media_type.as_deref(), &body.bytes) {
            return Err("it is no text file".to_owned());
        }
        let text = String::from_utf8_lossy(&body.bytes);
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        says(file, text, at, is_cut, now)
    };
    match tools.compute_on(work, read).await {
        Ok(Ok(says)) => {
            let answer = FileAnswer {
                file,
                is_there: Some(true),
                url: url.to_string(),
                why: format!("HTTP {status}"),
            };
            (answer, Some(says))
        }
        Ok(Err(why)) => (absent(file, &url, why), None),
        Err(error) => (unknown(file, &url, error.to_string()), None),
    }
}

/// What a text says as such a file, or why it is none.
fn says(file: SiteFile, text: &str, url: String, is_cut: bool, now: DateTime<Utc>) -> Result<Says, String> {
    let none = |what: &str| format!("it has no {what}");
    match file {
        SiteFile::SecurityTxt => security_txt(text, url, now)
            .map(Says::Security)
            .ok_or_else(|| none("field of RFC 9116")),
        SiteFile::AdsTxt => ads_txt(text, url, is_cut)
            .map(Says::Ads)
            .ok_or_else(|| none("record of a seller")),
        SiteFile::HumansTxt => humans_txt(text, url)
            .map(Says::Humans)
            .ok_or_else(|| none("text")),
        SiteFile::LlmsTxt => llms_txt(text, url, is_cut)
            .map(Says::Llms)
            .ok_or_else(|| none("heading or link")),
    }
}

fn absent(file: SiteFile, url: &Url, why: String) -> FileAnswer {
    FileAnswer {
        file,
        is_there: Some(false),
        url: url.to_string(),
        why,
    }
}

fn unknown(file: SiteFile, url: &Url, why: String) -> FileAnswer {
    FileAnswer {
        is_there: None,
        ..absent(file, url, why)
    }
}
