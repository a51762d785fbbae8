//! What the browser stores during a sign-in, and what it returns.

use serde::Deserialize;

/// What the browser keeps of a started sign-in; it is secret.
pub struct PendingSignIn {
    pub(super) state: String,
    pub(super) nonce: String,
    pub(super) verifier: String,
}

/// The parameters with which the provider sends a browser back (RFC 6749, 4.1.2; RFC 9207).
#[derive(Debug, Default, Deserialize)]
pub struct AuthorizationResponse {
    /// The code that becomes a token.
    pub code: Option<String>,
    /// The state that the browser was sent with.
    pub state: Option<String>,
    /// Why there is no code.
    pub error: Option<String>,
    /// The same as text.
    pub error_description: Option<String>,
    /// The issuer that sent the browser back.
    pub iss: Option<String>,
}

impl PendingSignIn {
    /// The value of the cookie, without characters that need escaping.
    pub fn to_cookie(&self) -> String {
        format!("{}.{}.{}", self.state, self.nonce, self.verifier)
    }

    /// Parses the cookie; `None` if it is invalid.
    pub fn from_cookie(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('.').collect();
        let is_ours = |part: &&str| {
            (20..=128).contains(&part.len())
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        let [state, nonce, verifier] = parts[..] else {
            return None;
        };
        [state, nonce, verifier].iter().all(is_ours).then(|| Self {
            state: state.to_owned(),
            nonce: nonce.to_owned(),
            verifier: verifier.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_read_back_and_no_other_text_is() {
        let part = |letter: &str| letter.repeat(30);
        let begun = PendingSignIn {
            state: part("a"),
            nonce: part("-"),
            verifier: part("_"),
        };
        let read = PendingSignIn::from_cookie(&begun.to_cookie()).unwrap();
        assert_eq!(
            (read.state, read.nonce, read.verifier),
            (part("a"), part("-"), part("_"))
        );
        let (a, b) = (part("a"), part("b"));
        for other in [
            String::new(),
            format!("{a}.{b}"),
            format!("{a}.{b}."),
            format!("{a}.{b}.{a}.{b}"),
            format!("{a}.{b}.é{a}"),
            format!("{a}.{b}.{}", "c".repeat(129)),
        ] {
            assert!(PendingSignIn::from_cookie(&other).is_none(), "{other}");
        }
    }
}
