//! A tree head: one hash over all events up to a position. If you keep it outside the database, signed or not, you can
//! show later that nothing before it was changed.
//!
//! Its text is the body of a checkpoint of the C2SP (c2sp.org/tlog-checkpoint): three lines with the log's name, the
//! number of leaves, and the root in base64. Signatures, as of a signed note, may follow after an empty line.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::merkle::Hash;

/// A number of leaves and the root of the tree over them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeHead {
    /// Leaves: all events up to this position.
    pub size: u64,
    /// Root (RFC 9162, section 2.1.1).
    pub root: Hash,
}

/// A tree head with the name of its log, as it is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The name of the log: it never changes, and differs between logs.
    pub origin: String,
    /// The tree head.
    pub head: TreeHead,
}

impl Checkpoint {
    /// The name of a log with this first leaf: not a setting, the same after a restore, and unique.
    pub fn origin_of(first_leaf: Option<&Hash>) -> String {
        let name = first_leaf.map_or_else(|| "empty".to_owned(), |leaf| hex::encode(&leaf[..8]));
        format!("sitelog/{name}")
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let root = STANDARD.encode(self.head.root);
        write!(f, "{}\n{}\n{root}\n", self.origin, self.head.size)
    }
}

/// An invalid tree head.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is not a tree head: it must be a checkpoint (name, size and base64 root on three lines), the JSON of 'sitelog log head --json', or SIZE:ROOT"
)]
pub struct NotAHead;

impl FromStr for TreeHead {
    type Err = NotAHead;

    /// Reads a checkpoint with or without signatures, the JSON of `log head --json`, or `SIZE:ROOT` with the root in
    /// hexadecimal or base64.
    fn from_str(text: &str) -> Result<Self, NotAHead> {
        let text = text.trim();
        let found = if text.starts_with('{') {
            of_json(text)
        } else if text.contains('\n') {
            let mut lines = text.lines().skip(1);
            lines
                .next()
                .zip(lines.next())
                .and_then(|(size, root)| of_parts(size, root))
        } else {
            text.split_once(':').and_then(|(size, root)| of_parts(size, root))
        };
        found.ok_or(NotAHead)
    }
}

fn of_json(text: &str) -> Option<TreeHead> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    of_parts(
        &value.get("size")?.as_u64()?.to_string(),
        value.get("root")?.as_str()?,
    )
}

fn of_parts(size: &str, root: &str) -> Option<TreeHead> {
    let (size, root) = (size.trim(), root.trim());
    // Other spellings of a number would make two texts of one head.
    let is_plain = size == "0" || (!size.starts_with('0') && size.bytes().all(|b| b.is_ascii_digit()));
    let bytes = if root.len() == 64 {
        hex::decode(root).ok()?
    } else {
        STANDARD.decode(root).ok()?
    };
    Some(TreeHead {
        size: size.parse().ok().filter(|_| is_plain)?,
        root: bytes.try_into().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint() -> Checkpoint {
        Checkpoint {
            origin: Checkpoint::origin_of(Some(&[0xab; 32])),
            head: TreeHead {
                size: 7,
                root: [1; 32],
            },
        }
    }

    #[test]
    fn a_checkpoint_is_three_lines() {
        let text = "sitelog/abababababababab\n7\nAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n";
        assert_eq!(checkpoint().to_string(), text);
    }

    #[test]
    fn a_head_is_read_from_each_of_its_forms() {
        let (text, hexadecimal) = (checkpoint().to_string(), "01".repeat(32));
        let forms = [
            text.clone(),
            format!("{text}\n\u{2014} auditor AAAAAAAA\n"),
            text.replace('\n', "\r\n"),
            format!("7:{hexadecimal}"),
            "7:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n".to_owned(),
            format!("{{\"origin\": \"x\", \"size\": 7, \"root\": \"{hexadecimal}\"}}"),
        ];
        for form in forms {
            assert_eq!(form.parse(), Ok(checkpoint().head), "{form}");
        }
    }

    #[test]
    fn what_is_no_head_is_refused() {
        let hexadecimal = "01".repeat(32);
        for text in ["", "7", "7:", "x:00", "a\nb\nc", "{}", "{\"size\": 7}"] {
            assert_eq!(text.parse::<TreeHead>(), Err(NotAHead), "{text}");
        }
        for size in ["-1", "+7", "07", "7.0", " "] {
            assert_eq!(
                format!("{size}:{hexadecimal}").parse::<TreeHead>(),
                Err(NotAHead),
                "{size}"
            );
        }
    }
}
