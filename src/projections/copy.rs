//! Writes rows into an empty table by `COPY … FROM STDIN` in PostgreSQL's binary format, for rebuilds.

use serde::Serialize;
use sqlx::PgConnection;

use super::ProjectionError;
use super::row_format::{BinaryRow, RowFormat};

/// Bytes sent at once.
const CHUNK: usize = 256 * 1024;
/// The signature of the format, no flags, and no extension of the header.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// The end of the data, in place of a number of fields.
const TRAILER: [u8; 2] = (-1_i16).to_be_bytes();

/// Copies rows, whose fields are columns of the table.
pub(super) async fn copy_rows<'a, R: Serialize + 'a>(
    connection: &mut PgConnection,
    schema: &str,
    table: &'static str,
    rows: impl IntoIterator<Item = &'a R>,
) -> Result<u64, ProjectionError> {
    let format = RowFormat::of_table(&mut *connection, schema, table).await?;
    copy_with(connection, schema, table, &format, rows, |_| {}).await
}

/// The same in a known format; calls a function with each row as it is sent.
pub(super) async fn copy_with<'a, R: Serialize + 'a>(
    connection: &mut PgConnection,
    schema: &str,
    table: &'static str,
    format: &RowFormat,
    rows: impl IntoIterator<Item = &'a R>,
    mut each: impl FnMut(&BinaryRow),
) -> Result<u64, ProjectionError> {
    let sql = format!(
        "copy {schema}.{table} ({}) from stdin with (format binary)",
        format.columns()
    );
    let mut copy = connection.copy_in_raw(&sql).await?;
    let (mut out, mut encoded) = (HEADER.to_vec(), BinaryRow::default());
    let mut sent = Ok(());
    for row in rows {
        sent = format.encode(row, &mut encoded);
        if sent.is_err() {
            break;
        }
        each(&encoded);
        out.extend_from_slice(&encoded.bytes);
        if out.len() >= CHUNK {
            copy.send(out.as_slice()).await?;
            out.clear();
        }
    }
    if let Err(error) = sent {
        copy.abort(error.to_string()).await?;
        return Err(error);
    }
    out.extend(TRAILER);
    copy.send(out.as_slice()).await?;
    Ok(copy.finish().await?)
}
