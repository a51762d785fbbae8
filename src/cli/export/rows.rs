//! Rows of a list in one of the formats.

use std::io::Read;

use futures::TryStreamExt;

use super::destination::Writing;
use super::{Rows, error_of};
use crate::api::problem::Problem;
use crate::export::columns::Exported;
use crate::export::encoder::Encoder;
use crate::export::parquet::{self, TableError};
use crate::export::{Format, workbook};

/// Writes rows; returns their number.
pub(super) async fn write_rows<T: Exported>(
    encoder: Encoder<T>,
    format: Format,
    rows: Rows<T>,
    out: &mut Writing,
) -> anyhow::Result<u64> {
    let mut count = 0;
    let mut rows = rows.inspect_ok(|rows| count += u64::try_from(rows.len()).unwrap_or(0));
    match format {
        Format::Xlsx => {
            let mut file = workbook::build(&encoder, rows).await.map_err(error_of)?;
            let mut piece = vec![0; 64 * 1024];
            loop {
                let length = file.read(&mut piece)?;
                if length == 0 {
                    break;
                }
                out.put(&piece[..length]).await?;
            }
        }
        Format::Csv => {
            // A filter may be refused: then nothing is written, not even the header.
            let mut next = rows.try_next().await.map_err(error_of)?;
            out.put(&encoder.csv_header()).await?;
            while let Some(rows_of_page) = next {
                out.put(&encoder.csv(&rows_of_page)?).await?;
                next = rows.try_next().await.map_err(error_of)?;
            }
        }
        Format::Ndjson => {
            while let Some(rows) = rows.try_next().await.map_err(error_of)? {
                out.put(&encoder.ndjson(&rows)?).await?;
            }
        }
        Format::Parquet => {
            let rows = rows.map_err(Refused::Rows);
            let mut pieces = Box::pin(parquet::pieces(encoder, rows));
            while let Some(piece) = pieces.try_next().await? {
                out.put(&piece).await?;
            }
        }
    }
    Ok(count)
}

/// Why there is no Parquet file.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("{}", .0.detail)]
    Rows(Problem),
    #[error(transparent)]
    Table(#[from] TableError),
}
