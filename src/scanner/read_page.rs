//! Reads HTML pages: the home page, without which a scan fails, and further pages, which are optional.

use std::sync::Arc;

use tokio::time::Instant;
use url::Url;

use super::ScanContext;
use super::origin::status_failure;
use super::page::{PageFacts, RawPage, read_page_with};
use super::revisit;
use crate::fetch::{Answer, FetchError, Headers, Limits};
use crate::values::report::{PageReport, ScanFailure};
use crate::values::revisit::KnownPage;
use crate::values::{FailureReason, Problem};

const PAGE_REDIRECTS: usize = 10;

/// Number of bytes that can be searched without delay.
const SHORT: usize = 64 * 1024;

/// A page that was read.
#[derive(Debug)]
pub(super) struct PageRead {
    pub(super) url: Url,
    pub(super) report: PageReport,
    pub(super) facts: PageFacts,
    /// The data that the next scan may reuse.
    pub(super) keep: Option<KnownPage>,
}

/// Reads a page to its end or to the size limit; reuses the last scan's content if the site reports it as unchanged.
pub(super) async fn read(
    context: &ScanContext,
    asked: &Url,
    deadline: Instant,
) -> Result<PageRead, ScanFailure> {
    let limits = Limits {
        deadline,
        redirects: PAGE_REDIRECTS,
    };
    let known = context.known_page(asked);
    let condition = known.map(|known| &context.known.pages[known].file);
    let answer = context.fetcher.get_if_changed(asked, limits, condition).await?;
    if let (true, Some(known)) = (answer.not_modified, known) {
        let kept = Arc::clone(&context.known);
        let (url, status) = (answer.url, answer.status);
        return Ok(context
            .compute(move || unchanged(url, status, &kept.pages[known]))
            .await?);
    }
    let Answer {
        url,
        status,
        headers,
        body,
        ..
    } = answer;
    if !(200..300).contains(&status) {
        return Err(status_failure(&url, status, &headers));
    }
    let limit = context.fetcher.settings().max_page_bytes;
    let body = body.read_up_to(limit).await;
    let mut problems = Vec::new();
    match body.broke {
        Some(error @ FetchError::Timeout { .. }) => return Err(error.into()),
        Some(error) if body.bytes.is_empty() => return Err(error.into()),
        Some(error) => problems.push(Problem::new(broken_off(&error), error.to_string())),
        None => {}
    }
    if body.truncated {
        problems.push(Problem::new(
            "too_large",
            format!("{url} is larger than {limit} bytes; the rest was not read"),
        ));
    }
    let empty = || {
        let detail = format!("{url} answered {status} without content");
        failure(FailureReason::EmptyBody, detail)
    };
    // Longer bodies are examined on the parse thread.
    if body.bytes.len() <= SHORT && body.bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(empty());
    }
    if !is_html(&headers, &body.bytes) {
        let media_type = headers.media_type().unwrap_or_else(|| "no type".to_owned());
        return Err(failure(
            FailureReason::NotHtml,
            format!("{url} is not HTML ({media_type})"),
        ));
    }
    let whole = problems.is_empty().then(|| headers.clone());
    let report = PageReport {
        url: url.to_string(),
        status,
        not_modified: false,
        bytes: body.bytes.len() as u64,
        problems,
    };
    let page = RawPage {
        url: url.clone(),
        headers,
        bytes: body.bytes,
    };
    let file = whole.and_then(|headers| revisit::file(asked, &url, &headers, report.bytes));
    let known = Arc::clone(&context.settings.technologies);
    let read = move || {
        let is_empty = page.bytes.iter().all(u8::is_ascii_whitespace);
        (!is_empty).then(|| {
            let facts = read_page_with(&page, &known);
            (file.map(|file| revisit::page(file, &facts)), facts)
        })
    };
    let (keep, facts) = context.compute(read).await?.ok_or_else(empty)?;
    Ok(PageRead {
        url,
        report,
        facts,
        keep,
    })
}

/// The last scan's content, if the file is unchanged.
fn unchanged(url: Url, status: u16, known: &KnownPage) -> PageRead {
    PageRead {
        report: PageReport {
            url: url.to_string(),
            status,
            not_modified: true,
            bytes: known.file.bytes,
            problems: Vec::new(),
        },
        url,
        facts: revisit::facts(known),
        keep: Some(known.clone()),
    }
}

/// The problem code for an error that interrupted a page after it had begun.
fn broken_off(error: &FetchError) -> &'static str {
    match error {
        FetchError::Budget { .. } => error.problem_code(),
        _ => "truncated",
    }
}

fn failure(reason: FailureReason, detail: String) -> ScanFailure {
    ScanFailure {
        reason,
        detail,
        is_transient: false,
        retry_after: None,
    }
}

/// The media type decides if it is HTML, unless the bytes are clearly something else; if the type is vague, the bytes
/// decide.
fn is_html(headers: &Headers, bytes: &[u8]) -> bool {
    const BINARY: &[&[u8]] = &[
        b"%PDF",
        b"\x89PNG",
        b"GIF8",
        b"\xff\xd8\xff",
        b"PK\x03\x04",
        b"\x1f\x8b",
        b"\x7fELF",
        b"MZ\x90",
        b"RIFF",
        b"\0\0\0",
    ];
    if BINARY.iter().any(|magic| bytes.starts_with(magic)) {
        return false;
    }
    match headers.media_type().as_deref() {
        Some("text/html" | "application/xhtml+xml") => true,
        None
        | Some(
            "text/plain" | "application/octet-stream" | "application/xml" | "text/xml" | "unknown/unknown",
        ) => looks_like_html(bytes),
        // An unknown type, such as `html` or `text`.
        Some(other) if !other.contains('/') => looks_like_html(bytes),
        Some(_) => false,
    }
}

fn looks_like_html(bytes: &[u8]) -> bool {
    const TAGS: &[&str] = &[
        "<!doctype html",
        "<html",
        "<head",
        "<body",
        "<title",
        "<meta ",
        "<h1",
    ];
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(2048)])
        .replace('\0', "")
        .to_ascii_lowercase();
    TAGS.iter().any(|tag| head.contains(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(media_type: Option<&str>, bytes: &[u8]) -> bool {
        is_html(
            &Headers::new(media_type.map(|value| ("content-type".to_owned(), value.to_owned()))),
            bytes,
        )
    }

    #[test]
    fn html_is_told_by_type_and_content() {
        assert!(html(Some("text/html; charset=utf-8"), b"hello"));
        assert!(html(None, b"\n<!DOCTYPE HTML><p>"));
        assert!(html(Some("application/octet-stream"), b"<html>"));
        assert!(!html(Some("text/html"), b"%PDF-1.7"));
        assert!(!html(Some("application/json"), b"{\"a\":\"<html>\"}"));
        assert!(!html(None, b"hello"));
    }
}
