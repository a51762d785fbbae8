//! Files in which a site states how to contact and use it, and its icon and logo. They are read only on request, while
//! the scan reads the rest of the site.
//!
//! They delay a scan by no more than its slowest fetch, and never make it fail: without a response for a file, its
//! known values stay.

mod ads;
mod picture;
mod security;
mod text;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use url::Url;

use self::ads::ads_txt;
use self::picture::{MAX_PICTURE_BYTES, picture};
use self::security::security_txt;
use self::text::{humans_txt, is_text, llms_txt};
use super::ScanContext;
use super::robots::AgentRules;
use super::site::same_site;
use crate::fetch::{Answer, Limits};
use crate::values::Findings;
use crate::values::picture::Picture;
use crate::values::site_files::{AdsTxt, FileAnswer, HumansTxt, LlmsTxt, SecurityTxt, SiteFile};

const REDIRECTS: usize = 5;

/// Maximum decoded bytes that are read of a file. Lists of ad sellers are long; for other files, the beginning is
/// enough.
const MAX_BYTES: u64 = 64 * 1024;
const MAX_ADS_BYTES: u64 = 1024 * 1024;

/// Maximum characters kept of a value, and values kept of one kind.
const MAX_VALUE: usize = 500;
const MAX_VALUES: usize = 20;

/// The content of a file.
#[derive(Debug)]
enum FileContent {
    Security(SecurityTxt),
    Ads(AdsTxt),
    Humans(HumansTxt),
    Llms(LlmsTxt),
    Icon(Picture),
    Logo(Picture),
}

/// The result for one file.
type Outcome = (FileAnswer, Option<FileContent>);

/// The site whose files are read.
#[derive(Clone, Debug)]
pub(super) struct Site {
    /// Its home page.
    pub(super) home: Url,
    /// The rules of its robots.txt.
    pub(super) rules: Arc<AgentRules>,
    /// The icon that the home page names.
    pub(super) icon: Option<Url>,
    /// The logo that the home page names or shows.
    pub(super) logo: Option<Url>,
}

impl Site {
    /// The site at `home`, whose robots.txt has these rules, with the pictures that the home page names.
    pub(super) fn new(home: &Url, rules: Arc<AgentRules>, findings: &Findings) -> Self {
        let url = |text: &Option<String>| text.as_deref().and_then(|text| Url::parse(text).ok());
        Self {
            home: home.clone(),
            rules,
            icon: url(&findings.favicon_url),
            logo: url(&findings.logo_url),
        }
    }

    /// The URLs at which a file may be, the standard one first.
    fn urls(&self, file: SiteFile) -> Vec<Url> {
        match file {
            // The path that browsers use if the page names no icon.
            SiteFile::Icon => vec![
                self.icon
                    .clone()
                    .unwrap_or_else(|| url_of(&self.home, "/favicon.ico")),
            ],
            SiteFile::Logo => self.logo.clone().into_iter().collect(),
            _ => file.paths().iter().map(|path| url_of(&self.home, path)).collect(),
        }
    }
}

/// The files of a site, queued or being read.
#[derive(Debug)]
pub(super) struct Files {
    wanted: Vec<SiteFile>,
    site: Arc<Site>,
    deadline: Instant,
    /// Running requests; dropping the value cancels them.
    open: JoinSet<Outcome>,
}

impl Files {
    /// The requested files of a site.
    pub(super) fn new(wanted: Vec<SiteFile>, site: Site, deadline: Instant) -> Self {
        Self {
            wanted,
            site: Arc::new(site),
            deadline,
            open: JoinSet::new(),
        }
    }

    /// Starts the requests. With a pause between requests, this happens last: each file would delay another request.
    pub(super) fn begin(&mut self, context: &ScanContext) {
        if !self.open.is_empty() {
            return;
        }
        for file in self.wanted.iter().copied() {
            let (context, site, deadline) = (context.clone(), Arc::clone(&self.site), self.deadline);
            self.open
                .spawn(async move { read(&context, file, &site, deadline).await });
        }
    }

    /// Adds the results that arrive before `until` to the findings.
    pub(super) async fn add_to(mut self, findings: &mut Findings, until: Instant) {
        while let Ok(Some(outcome)) = timeout_at(until, self.open.join_next()).await {
            let Ok((answer, says)) = outcome else { continue };
            self.wanted.retain(|file| *file != answer.file);
            findings.files.push(answer);
            match says {
                Some(FileContent::Security(found)) => findings.security_txt = Some(found),
                Some(FileContent::Ads(found)) => findings.ads_txt = Some(found),
                Some(FileContent::Humans(found)) => findings.humans_txt = Some(found),
                Some(FileContent::Llms(found)) => findings.llms_txt = Some(found),
                Some(FileContent::Icon(found)) => findings.icon = Some(found),
                Some(FileContent::Logo(found)) => findings.logo = Some(found),
                None => {}
            }
        }
        for file in self.wanted {
            let urls = self.site.urls(file);
            let why = "not read before the rest of the scan ended".to_owned();
            findings
                .files
                .push(unknown(file, urls.first().unwrap_or(&self.site.home), why));
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

/// Reads a file from the first URL that has one.
async fn read(context: &ScanContext, file: SiteFile, site: &Site, deadline: Instant) -> Outcome {
    let mut outcome = None;
    for url in site.urls(file) {
        let (answer, says) = read_at(context, file, url, site, deadline).await;
        let goes_on = answer.is_there == Some(false);
        // If one URL did not answer, the file may be there, whatever the other URL answers.
        outcome = Some((answer, says));
        if !goes_on {
            break;
        }
    }
    outcome.unwrap_or_else(|| {
        (
            absent(file, &site.home, "the home page names none".to_owned()),
            None,
        )
    })
}

/// Why robots.txt forbids reading a file. It applies only to its own host: a picture on another host is read without
/// checking its robots.txt, as browsers do.
async fn refusal(context: &ScanContext, url: &Url, site: &Site) -> Option<String> {
    if url.host() != site.home.host() {
        return None;
    }
    let work = site.rules.work_on(url.as_str().len());
    let (rules, url) = (Arc::clone(&site.rules), url.clone());
    match context.compute_on(work, move || rules.decide(url.as_str())).await {
        Ok(decision) if decision.allowed => None,
        Ok(decision) => Some(format!(
            "robots.txt disallows it: {}",
            decision.rule.unwrap_or_default()
        )),
        Err(error) => Some(error.to_string()),
    }
}

async fn read_at(context: &ScanContext, file: SiteFile, url: Url, site: &Site, deadline: Instant) -> Outcome {
    if let Some(why) = refusal(context, &url, site).await {
        return (unknown(file, &url, why), None);
    }
    let limits = Limits {
        deadline,
        redirects: REDIRECTS,
    };
    let answer = match context.fetcher.get(&url, limits).await {
        Ok(answer) => answer,
        Err(error) => return (unknown(file, &url, error.to_string()), None),
    };
    match answer.status {
        200..300 => read_answer(context, file, &url, answer).await,
        404 | 410 => (absent(file, &answer.url, format!("HTTP {}", answer.status)), None),
        status => (unknown(file, &answer.url, format!("HTTP {status}")), None),
    }
}

async fn read_answer(context: &ScanContext, file: SiteFile, asked: &Url, answer: Answer) -> Outcome {
    let Answer {
        url,
        status,
        headers,
        body,
        ..
    } = answer;
    // A file of another site describes that site. Exceptions are ads.txt and pictures, which others may host for a
    // site.
    let may_be_elsewhere = matches!(file, SiteFile::AdsTxt | SiteFile::Icon | SiteFile::Logo);
    if !may_be_elsewhere && !same_site(&url, asked) {
        let why = format!("{asked} redirects to another site");
        return (absent(file, &url, why), None);
    }
    let media_type = headers.media_type();
    let limit = match file {
        SiteFile::AdsTxt => MAX_ADS_BYTES,
        SiteFile::Icon | SiteFile::Logo => MAX_PICTURE_BYTES,
        SiteFile::SecurityTxt | SiteFile::HumansTxt | SiteFile::LlmsTxt => MAX_BYTES,
    };
    let body = body.read_up_to(limit).await;
    if let Some(error) = body.broke {
        return (unknown(file, &url, error.to_string()), None);
    }
    let work = body.bytes.len();
    let (at, is_cut, now) = (url.to_string(), body.truncated, Utc::now());
    let read = move || {
        let beginning = Beginning {
            url: at,
            media_type,
            bytes: body.bytes,
            is_cut,
        };
        says(file, beginning, now)
    };
    match context.compute_on(work, read).await {
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

/// The bytes that were read of a file, and what is known of them.
struct Beginning {
    url: String,
    media_type: Option<String>,
    bytes: Vec<u8>,
    /// Whether the body was cut off.
    is_cut: bool,
}

impl Beginning {
    fn text(&self) -> Result<String, String> {
        if !is_text(self.media_type.as_deref(), &self.bytes) {
            return Err("it is not a text file".to_owned());
        }
        let text = String::from_utf8_lossy(&self.bytes);
        Ok(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned())
    }

    fn picture(self, file: SiteFile) -> Result<Picture, String> {
        if self.is_cut {
            return Err(format!("it is larger than {MAX_PICTURE_BYTES} bytes"));
        }
        picture(file, self.url, &self.bytes)
    }
}

/// The parsed content of a file, or why it is invalid.
fn says(file: SiteFile, read: Beginning, now: DateTime<Utc>) -> Result<FileContent, String> {
    let none = |what: &str| format!("it has no {what}");
    let is_cut = read.is_cut;
    match file {
        SiteFile::SecurityTxt => security_txt(&read.text()?, read.url, now)
            .map(FileContent::Security)
            .ok_or_else(|| none("field of RFC 9116")),
        SiteFile::AdsTxt => ads_txt(&read.text()?, read.url, is_cut)
            .map(FileContent::Ads)
            .ok_or_else(|| none("record of a seller")),
        SiteFile::HumansTxt => humans_txt(&read.text()?, read.url)
            .map(FileContent::Humans)
            .ok_or_else(|| none("text")),
        SiteFile::LlmsTxt => llms_txt(&read.text()?, read.url, is_cut)
            .map(FileContent::Llms)
            .ok_or_else(|| none("heading or link")),
        SiteFile::Icon => read.picture(file).map(FileContent::Icon),
        SiteFile::Logo => read.picture(file).map(FileContent::Logo),
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
