//! The keys that a token issuer publishes (JWKS, RFC 7517). They are fetched with the first token, cached for a while,
//! and fetched again when a token names an unknown key. So an issuer can change its keys at any time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{Request, StatusCode};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use tokio::time::Instant;

use crate::fetch::Direct;

/// How long keys are used before they are requested again.
const CACHE_TTL: Duration = Duration::from_mins(10);
/// Minimum pause between two requests.
const PAUSE: Duration = Duration::from_secs(10);

/// The keys of one issuer; clones share them.
#[derive(Clone)]
pub(super) struct KeySet(Arc<Inner>);

struct Inner {
    url: String,
    direct: Direct,
    kept: Mutex<Kept>,
    /// One request at a time; concurrent callers use its answer.
    flight: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Kept {
    keys: Vec<Known>,
    fetched: Option<Instant>,
    /// When the last request ended, with or without success.
    asked: Option<Instant>,
}

#[derive(Clone)]
struct Known {
    id: Option<String>,
    algorithm: Algorithm,
    key: DecodingKey,
}

/// The issuer's keys were never read, and cannot be read now.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the keys of the token issuer at {url}: {reason}")]
pub struct KeysUnavailable {
    url: String,
    reason: String,
}

impl KeySet {
    pub(super) fn new(url: String, direct: Direct) -> Self {
        Self(Arc::new(Inner {
            url,
            direct,
            kept: Mutex::default(),
            flight: tokio::sync::Mutex::default(),
        }))
    }

    /// The key that a token names by its id, or the only one of its algorithm if it names none.
    pub(super) async fn find(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Option<DecodingKey>, KeysUnavailable> {
        let (found, is_due) = self.0.find_cached(id, algorithm);
        match (found, is_due) {
            (Some(key), false) => return Ok(Some(key)),
            // The known keys are used, so that no caller waits for a slow issuer.
            (Some(key), true) => {
                let inner = Arc::clone(&self.0);
                tokio::spawn(async move { inner.refresh().await });
                return Ok(Some(key));
            }
            (None, _) => self.0.refresh().await,
        }
        if self.0.kept().fetched.is_none() {
            return Err(KeysUnavailable {
                url: self.0.url.clone(),
                reason: "it does not return a set of keys; see the log".to_owned(),
            });
        }
        Ok(self.0.find_cached(id, algorithm).0)
    }
}

impl Inner {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key, and whether the keys are old.
    fn find_cached(&self, id: Option<&str>, algorithm: Algorithm) -> (Option<DecodingKey>, bool) {
        let kept = self.kept();
        let is_due = kept.fetched.is_none_or(|at| at.elapsed() >= CACHE_TTL) && kept.may_ask();
        (kept.find(id, algorithm), is_due)
    }

    /// Asks the issuer, unless that was done just now.
    async fn refresh(&self) {
        let _flight = self.flight.lock().await;
        if !self.kept().may_ask() {
            return;
        }
        let fetched = self.fetch().await;
        let mut kept = self.kept();
        kept.asked = Some(Instant::now());
        match fetched {
            Ok(keys) => {
                kept.keys = keys;
                kept.fetched = Some(Instant::now());
            }
            // Known keys stay valid: an unavailable issuer locks no caller out.
            Err(reason) => tracing::warn!("Cannot read the keys of the issuer at {}: {reason}", self.url),
        }
    }

    async fn fetch(&self) -> Result<Vec<Known>, String> {
        let request = Request::get(&self.url)
            .header("accept", "application/json")
            .body(Vec::new());
        let request = request.map_err(|error| error.to_string())?;
        let answer = self
            .direct
            .send(request)
            .await
            .map_err(|error| error.to_string())?;
        if answer.status() != StatusCode::OK {
            return Err(format!("HTTP {}", answer.status().as_u16()));
        }
        let set: JwkSet = serde_json::from_slice(answer.body()).map_err(|error| error.to_string())?;
        Ok(set.keys.iter().filter_map(known).collect())
    }
}

impl Kept {
    fn may_ask(&self) -> bool {
        self.asked.is_none_or(|at| at.elapsed() >= PAUSE)
    }

    fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<DecodingKey> {
        let mut fitting = self.keys.iter().filter(|known| {
            known.algorithm == algorithm && id.is_none_or(|id| known.id.as_deref() == Some(id))
        });
        let first = fitting.next()?;
        // Without an id, several keys could match.
        (id.is_some() || fitting.next().is_none()).then(|| first.key.clone())
    }
}

/// A key as it is used; `None` for keys of other kinds and for other purposes.
fn known(jwk: &Jwk) -> Option<Known> {
    let algorithm = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => Algorithm::RS256,
        AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => Algorithm::ES256,
        _ => return None,
    };
    let says_another = jwk
        .common
        .key_algorithm
        .is_some_and(|named| named.to_string() != format!("{algorithm:?}"));
    if says_another || matches!(jwk.common.public_key_use, Some(PublicKeyUse::Encryption)) {
        return None;
    }
    Some(Known {
        id: jwk.common.key_id.clone(),
        algorithm,
        key: DecodingKey::from_jwk(jwk).ok()?,
    })
}
