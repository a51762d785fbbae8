//! The format of a key: `sitelog_<id>_<secret>`. The id is not secret; people and tables use it to name a key.

use std::fmt;

use rand::TryRngCore;
use rand::rngs::OsRng;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The prefix by which people and secret scanners recognise a key.
const MARK: &str = "sitelog_";
/// Bytes of the id.
const ID_BYTES: usize = 8;
/// Bytes of the secret: 256 bits cannot be guessed, so a fast hash is enough.
const SECRET_BYTES: usize = 32;

/// A complete key; it is printed only when it was just created.
#[derive(Clone)]
pub struct ApiKey {
    id: KeyId,
    text: String,
}

/// The visible part of a key.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct KeyId(String);

impl ApiKey {
    /// A new key from the system's source of randomness.
    pub fn generate() -> Result<Self, rand::rand_core::OsError> {
        let mut bytes = [0; ID_BYTES + SECRET_BYTES];
        OsRng.try_fill_bytes(&mut bytes)?;
        let digits = hex::encode(bytes);
        let (id, secret) = digits.split_at(2 * ID_BYTES);
        Ok(Self {
            text: format!("{MARK}{id}_{secret}"),
            id: KeyId(format!("{MARK}{id}")),
        })
    }

    /// Parses a key; `None` if the text does not have its format.
    pub fn parse(text: &str) -> Option<Self> {
        let (id, secret) = text.strip_prefix(MARK)?.split_once('_')?;
        let is_hex = |digits: &str| {
            digits
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let fits =
            id.len() == 2 * ID_BYTES && secret.len() == 2 * SECRET_BYTES && is_hex(id) && is_hex(secret);
        fits.then(|| Self {
            id: KeyId(format!("{MARK}{id}")),
            text: text.to_owned(),
        })
    }

    /// Its visible part.
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// The complete key, for the only time it is shown.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// The hash that is stored.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(&self.text).into()
    }

    /// Whether a stored hash is this key's; compares in constant time.
    pub fn has_hash(&self, kept: &[u8]) -> bool {
        self.hash().ct_eq(kept).into()
    }
}

/// Never the secret.
impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl KeyId {
    /// Parses an id, or the id of a complete key.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(MARK)?.split('_').next()?;
        let fits = digits.len() == 2 * ID_BYTES && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        fits.then(|| Self(format!("{MARK}{digits}")))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_back_and_its_hash_is_its_own() {
        let (key, other) = (ApiKey::generate().unwrap(), ApiKey::generate().unwrap());
        let read = ApiKey::parse(key.reveal()).unwrap();
        assert_eq!(read.id(), key.id());
        assert!(read.has_hash(&key.hash()));
        assert!(!read.has_hash(&other.hash()) && !read.has_hash(&[]) && !read.has_hash(&key.hash()[..31]));
    }

    #[test]
    fn what_has_not_the_form_is_no_key() {
        let key = ApiKey::generate().unwrap();
        let text = key.reveal();
        for other in [
            "",
            "sitelog_",
            &text[1..],
            &text[..text.len() - 1],
            &text.to_uppercase(),
            &format!("{text} "),
            &format!("{text}0"),
            &text.replace("sitelog", "sitelag"),
        ] {
            assert!(ApiKey::parse(other).is_none(), "{other}");
        }
    }

    #[test]
    fn a_key_does_not_show_its_secret_by_accident() {
        let key = ApiKey::generate().unwrap();
        let secret = key.reveal().rsplit('_').next().unwrap();
        assert!(!format!("{key:?}").contains(secret));
        assert!(!key.id().as_str().contains(secret));
        assert_eq!(KeyId::parse(key.reveal()).as_ref(), Some(key.id()));
    }
}
