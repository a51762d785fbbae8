//! All rows of a list, read page by page. No resource is held while the client is slow.

use futures::{Stream, stream};

/// Rows of a page: some megabytes at most.
const PAGE: i64 = 500;

/// Pages of a list from a cursor on, to its end or to this many rows. `read` reads one page, of this many rows after a
/// cursor, and says where the next begins.
pub fn pages<T, E, F, R>(
    cursor: Option<String>,
    rows: Option<i64>,
    read: F,
) -> impl Stream<Item = Result<Vec<T>, E>>
where
    F: Fn(Option<String>, i64) -> R,
    R: Future<Output = Result<(Vec<T>, Option<String>), E>>,
{
    stream::try_unfold((Some(cursor), rows, read), async |(place, left, read)| {
        let Some(cursor) = place.filter(|_| left != Some(0)) else {
            return Ok(None);
        };
        let limit = left.map_or(PAGE, |left| left.min(PAGE));
        let (items, next) = read(cursor, limit).await?;
        let taken = i64::try_from(items.len()).unwrap_or(i64::MAX);
        let left = left.map(|left| left.saturating_sub(taken).max(0));
        Ok(Some((items, (next.map(Some), left, read))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::TryStreamExt;

    async fn read(cursor: Option<String>, limit: i64) -> Result<(Vec<i64>, Option<String>), String> {
        let start: i64 = cursor.map_or(0, |cursor| cursor.parse().unwrap());
        if start == 2000 {
            return Err("the database has gone".to_owned());
        }
        let end = (start + limit).min(1200);
        Ok((
            (start..end).collect(),
            Some(end.to_string()).filter(|_| end < 1200),
        ))
    }

    #[tokio::test]
    async fn each_row_comes_once_and_no_more_than_are_wanted() {
        let all: Vec<Vec<i64>> = pages(None, None, read).try_collect().await.unwrap();
        assert_eq!(all.iter().map(Vec::len).collect::<Vec<_>>(), [500, 500, 200]);
        assert_eq!(all.concat(), (0..1200).collect::<Vec<_>>());
        let some: Vec<Vec<i64>> = pages(Some("7".to_owned()), Some(501), read)
            .try_collect()
            .await
            .unwrap();
        assert_eq!(some.concat(), (7..508).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_page_that_cannot_be_read_is_no_end() {
        let broken: Result<Vec<_>, _> = pages(Some("2000".to_owned()), None, read).try_collect().await;
        assert_eq!(broken, Err("the database has gone".to_owned()));
    }
}
