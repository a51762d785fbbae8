//! Maps the errors of the HTTP client to ours.

use std::error::Error;
use std::io;

use super::error::{FetchError, Phase};

/// Our error for an error of the client.
pub(super) fn classify(url: &str, error: &reqwest::Error, phase: Phase) -> FetchError {
    let chain = chain_of(error);
    if let Some(ours) = chain.iter().find_map(|cause| cause.downcast_ref::<FetchError>()) {
        return name_the_url(ours.clone(), url);
    }
    let url = url.to_owned();
    if let Some(tls) = chain
        .iter()
        .find_map(|cause| cause.downcast_ref::<rustls::Error>())
    {
        return FetchError::Tls {
            url,
            cause: tls.to_string(),
            interrupted: false,
        };
    }
    if error.is_timeout() {
        let phase = if error.is_connect() { Phase::Connect } else { phase };
        return FetchError::Timeout { url, phase };
    }
    let cause = chain.last().map_or_else(String::new, ToString::to_string);
    if error.is_connect() {
        let before_tls = chain
            .iter()
            .any(|cause| cause.to_string().contains("tcp connect"));
        return if url.starts_with("https:") && !before_tls {
            FetchError::Tls {
                url,
                cause,
                interrupted: true,
            }
        } else {
            FetchError::Connect { url, cause }
        };
    }
    let broke_off = chain.iter().any(|cause| {
        let is_broken = |error: &io::Error| {
            // Messages of hyper about invalid chunks and lengths.
            !matches!(
                error.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData
            )
        };
        cause.downcast_ref::<io::Error>().is_some_and(is_broken)
            || cause.to_string().contains("connection closed")
    });
    if broke_off {
        FetchError::Connect { url, cause }
    } else {
        FetchError::Protocol { url, cause }
    }
}

/// The guard knows the host only; people want the URL.
fn name_the_url(error: FetchError, asked: &str) -> FetchError {
    match error {
        FetchError::Forbidden { why, .. } => FetchError::Forbidden {
            url: asked.to_owned(),
            why,
        },
        other => other,
    }
}

/// An error and its causes. `io::Error` hides the error it carries from `source()`, so it is opened.
fn chain_of<'a>(error: &'a (dyn Error + 'static)) -> Vec<&'a (dyn Error + 'static)> {
    let mut chain: Vec<&'a (dyn Error + 'static)> = Vec::new();
    let mut next = Some(error);
    while let Some(cause) = next {
        chain.push(cause);
        next = match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => cause.source(),
        };
    }
    chain
}
