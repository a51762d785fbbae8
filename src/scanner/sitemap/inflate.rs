//! Decompresses gzip if the bytes are gzip, whatever the name and headers say; also if they are gzipped several times.
//!
//! The content before an error (a truncated file, bytes after the end) is kept.

use std::io::Write;

use flate2::write::MultiGzDecoder;

const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Whether a document that begins with these bytes is gzip.
pub fn is_gzip(start: &[u8]) -> bool {
    start.starts_with(&GZIP)
}

/// Maximum layers of gzip; further ones are passed on as they are.
const MAX_LAYERS: u8 = 3;

/// Output is passed on in pieces of about this size.
const PIECE: usize = 64 * 1024;

/// What a receiver of bytes returns: an error ends the reading.
pub(super) type Flow<E> = Result<(), E>;

/// A layer that is plain or gzip, decided by its first two bytes.
#[derive(Debug)]
pub(super) struct Inflate {
    layer: Layer,
    depth: u8,
    fault: Option<String>,
}

#[derive(Debug)]
enum Layer {
    Undecided(Vec<u8>),
    Plain,
    Gzip {
        decoder: Box<MultiGzDecoder<Vec<u8>>>,
        next: Box<Inflate>,
    },
    /// After a fault nothing more is read.
    Over,
}

impl Inflate {
    pub(super) fn new() -> Self {
        Self::at_depth(0)
    }

    fn at_depth(depth: u8) -> Self {
        Self {
            layer: Layer::Undecided(Vec::new()),
            depth,
            fault: None,
        }
    }

    /// What was wrong with the compression, if anything.
    pub(super) fn fault(&self) -> Option<&str> {
        let inner = match &self.layer {
            Layer::Gzip { next, .. } => next.fault(),
            _ => None,
        };
        self.fault.as_deref().or(inner)
    }

    /// Receives bytes and passes on decompressed bytes.
    pub(super) fn feed<E>(&mut self, bytes: &[u8], sink: &mut dyn FnMut(&[u8]) -> Flow<E>) -> Flow<E> {
        let mut held = Vec::new();
        if let Layer::Undecided(head) = &mut self.layer {
            head.extend_from_slice(bytes);
            if head.len() < GZIP.len() {
                return Ok(());
            }
            held = std::mem::take(head);
            self.layer = self.decided(&held);
        }
        let bytes = if held.is_empty() { bytes } else { &held };
        match &mut self.layer {
            Layer::Undecided(_) | Layer::Over => Ok(()),
            Layer::Plain => sink(bytes),
            Layer::Gzip { decoder, next } => {
                self.fault = inflate(decoder, next, bytes, sink)?;
                if self.fault.is_some() {
                    let finished = next.finish(sink);
                    self.layer = Layer::Over;
                    return finished;
                }
                Ok(())
            }
        }
    }

    /// Ends the input.
    pub(super) fn finish<E>(&mut self, sink: &mut dyn FnMut(&[u8]) -> Flow<E>) -> Flow<E> {
        match &mut self.layer {
            Layer::Undecided(head) => sink(head),
            Layer::Plain | Layer::Over => Ok(()),
            Layer::Gzip { decoder, next } => {
                if let Err(error) = decoder.try_finish() {
                    self.fault = Some(format!("the gzip data ends too early ({error})"));
                }
                let rest = std::mem::take(decoder.get_mut());
                next.feed(&rest, sink)?;
                next.finish(sink)
            }
        }
    }

    fn decided(&self, head: &[u8]) -> Layer {
        if !head.starts_with(&GZIP) || self.depth >= MAX_LAYERS {
            return Layer::Plain;
        }
        Layer::Gzip {
            decoder: Box::new(MultiGzDecoder::new(Vec::new())),
            next: Box::new(Self::at_depth(self.depth + 1)),
        }
    }
}

/// Writes until the input is used up. Each write yields at most the decoder's own buffer, so the sink detects a
/// decompression bomb long before it fills the memory. Returns the fault that ended the data.
fn inflate<E>(
    decoder: &mut MultiGzDecoder<Vec<u8>>,
    next: &mut Inflate,
    mut bytes: &[u8],
    sink: &mut dyn FnMut(&[u8]) -> Flow<E>,
) -> Result<Option<String>, E> {
    let mut fault = None;
    while !bytes.is_empty() && fault.is_none() {
        match decoder.write(bytes) {
            Ok(0) => fault = Some("there are bytes after the gzip data".to_owned()),
            Ok(used) => bytes = &bytes[used..],
            Err(error) => fault = Some(format!("the gzip data is damaged ({error})")),
        }
        if decoder.get_ref().len() >= PIECE {
            drain(decoder, next, sink)?;
        }
    }
    drain(decoder, next, sink)?;
    Ok(fault)
}

fn drain<E>(
    decoder: &mut MultiGzDecoder<Vec<u8>>,
    next: &mut Inflate,
    sink: &mut dyn FnMut(&[u8]) -> Flow<E>,
) -> Flow<E> {
    let mut out = std::mem::take(decoder.get_mut());
    next.feed(&out, sink)?;
    out.clear();
    *decoder.get_mut() = out;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn inflated(bytes: &[u8], step: usize) -> (Vec<u8>, bool) {
        let (mut inflate, mut out) = (Inflate::new(), Vec::new());
        let mut sink = |piece: &[u8]| -> Flow<Infallible> {
            out.extend_from_slice(piece);
            Ok(())
        };
        for chunk in bytes.chunks(step) {
            inflate.feed(chunk, &mut sink).unwrap();
        }
        inflate.finish(&mut sink).unwrap();
        (out, inflate.fault().is_some())
    }

    #[test]
    fn plain_and_gzip_and_twice_gzipped_bytes_are_told_by_content() {
        let text: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
        let many = [gzip(&text[..1000]), gzip(&text[1000..])].concat();
        for bytes in [text.clone(), gzip(&text), gzip(&gzip(&text)), many] {
            for step in [1_000_000, 7] {
                let (out, faulty) = inflated(&bytes, step);
                assert!(out == text && !faulty);
            }
        }
        assert_eq!(inflated(b"x", 1), (b"x".to_vec(), false));
    }

    #[test]
    fn what_came_before_a_fault_is_kept() {
        let whole = gzip(&b"0123456789".repeat(10_000));
        let (cut, faulty) = inflated(&whole[..whole.len() - 20], 16);
        assert!(cut.len() > 1000 && faulty);
        let (kept, faulty) = inflated(&[whole, b"garbage garbage garbage".to_vec()].concat(), 50);
        assert!(kept.len() == 100_000 && faulty);
    }
}
