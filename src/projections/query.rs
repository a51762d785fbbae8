//! What all queries share: the position of a read model, pages and cursors.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Projection, ProjectionError, ReadModels};

/// Maximum number of rows of a page.
pub const MAX_LIMIT: i64 = 1000;

/// One page of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Where the next page starts; `None` on the last.
    pub next: Option<String>,
}

impl<T> Listed<T> {
    /// A page from one row more than the limit.
    pub fn of(mut rows: Vec<T>, limit: i64, key: impl Fn(&T) -> String) -> Self {
        let limit = usize::try_from(limit).unwrap_or(0);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more {
            rows.last().map(|last| encode_cursor(&key(last)))
        } else {
            None
        };
        Self { items: rows, next }
    }
}

/// The order of a list, and how it is written in `sort` and in the list's cursors.
pub trait Sort: Copy + PartialEq + std::fmt::Display + 'static {
    /// Every order there is.
    const ALL: &'static [Self];

    /// The order that a word names.
    fn named(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|sort| sort.to_string() == word)
    }

    /// A row's place in this order, for a cursor: that of another order must not be taken for one of this.
    fn place(self, key: &str) -> String {
        format!("{self}:{key}")
    }

    /// The key in a place of this order.
    fn key(self, place: &str) -> Option<&str> {
        place.strip_prefix(&self.to_string())?.strip_prefix(':')
    }
}

/// Encodes a cursor.
pub fn encode_cursor(key: &str) -> String {
    URL_SAFE_NO_PAD.encode(key)
}

/// Parses a cursor; `None` if it is invalid.
pub fn decode_cursor(cursor: &str) -> Option<String> {
    let key = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    (!key.is_empty()).then_some(key)
}

/// The position of a read model.
pub async fn position<P: Projection>(models: &ReadModels) -> Result<i64, ProjectionError> {
    let position: Option<i64> = sqlx::query_scalar(
        "select position from projection where name = $1 and shape = $2 and state = 'live'",
    )
    .bind(P::NAME)
    .bind(P::SHAPE)
    .fetch_optional(&models.pool)
    .await?;
    Ok(position.unwrap_or(0))
}

/// Waits until a read model has reached the position; false if that takes longer than `limit`.
pub async fn wait_for<P: Projection>(
    models: &ReadModels,
    wanted: i64,
    limit: Duration,
) -> Result<bool, ProjectionError> {
    let end = tokio::time::Instant::now() + limit;
    let mut pause = Duration::from_millis(3);
    loop {
        if position::<P>(models).await? >= wanted {
            return Ok(true);
        }
        if tokio::time::Instant::now() + pause > end {
            return Ok(false);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_opaque_and_comes_back() {
        let cursor = encode_cursor("example.com");
        assert_ne!(cursor, "example.com");
        assert_eq!(decode_cursor(&cursor).as_deref(), Some("example.com"));
        assert_eq!((decode_cursor("%%%"), decode_cursor("")), (None, None));
    }

    #[test]
    fn a_full_page_has_a_next_one_and_the_last_has_not() {
        let page = Listed::of(vec![1, 2, 3], 2, ToString::to_string);
        assert_eq!((page.items, page.next), (vec![1, 2], Some(encode_cursor("2"))));
        assert_eq!(Listed::of(vec![1, 2], 2, ToString::to_string).next, None);
    }
}
