//! `sitelog log proof`.

use std::process::ExitCode;

use serde_json::{Value, json};

use crate::cli::input::BadArgument;
use crate::cli::print_line;
use crate::log::EventLog;
use crate::log::head::Checkpoint;
use crate::log::merkle::Hash;
use crate::log::proof::{verify_consistency, verify_inclusion};
use crate::log::tree::{ConsistencyProof, InclusionProof, ProofError};

/// Proves that an event is in the log, or that events were only added since an earlier head (RFC 9162, section 2.1).
/// 'script/verify-proof' checks what --json prints, without sitelog.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The position of the event
    #[arg(required_unless_present = "consistency", conflicts_with = "consistency")]
    position: Option<i64>,
    /// Proves instead that events were only added since the log had this many events
    #[arg(long, value_name = "OLD_SIZE")]
    consistency: Option<u64>,
    /// Uses the tree over the first SIZE events. Default: all events
    #[arg(long, value_name = "SIZE")]
    size: Option<u64>,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: &Args, log: &EventLog) -> anyhow::Result<ExitCode> {
    let proven = match (args.position, args.consistency) {
        (_, Some(old)) => log
            .prove_consistency(old, args.size)
            .await
            .map(Proof::Consistency),
        (position, None) => {
            let position = position.unwrap_or_default();
            log.prove_inclusion(position, args.size)
                .await
                .map(Proof::Inclusion)
        }
    };
    let proof = proven.map_err(|error| match error {
        ProofError::Log(error) => anyhow::Error::new(error),
        asked => anyhow::Error::new(BadArgument(asked.to_string())),
    })?;
    if args.json {
        print_line(&proof.to_json().to_string())?;
    } else {
        proof.print()?;
    }
    // A log that was tampered with may prove nothing.
    Ok(if proof.holds() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

enum Proof {
    Inclusion(InclusionProof),
    Consistency(ConsistencyProof),
}

impl Proof {
    fn checkpoint(&self) -> &Checkpoint {
        match self {
            Self::Inclusion(proof) => &proof.checkpoint,
            Self::Consistency(proof) => &proof.checkpoint,
        }
    }

    fn path(&self) -> &[Hash] {
        match self {
            Self::Inclusion(proof) => &proof.path,
            Self::Consistency(proof) => &proof.path,
        }
    }

    fn holds(&self) -> bool {
        let head = self.checkpoint().head;
        match self {
            Self::Inclusion(proof) => {
                let leaf = crate::log::merkle::leaf_hash(proof.content.as_bytes());
                let index = u64::try_from(proof.position - 1).unwrap_or(u64::MAX);
                verify_inclusion(&leaf, index, head.size, &proof.path, &head.root)
            }
            Self::Consistency(proof) => verify_consistency(
                proof.old.size,
                head.size,
                &proof.old.root,
                &head.root,
                &proof.path,
            ),
        }
    }

    fn to_json(&self) -> Value {
        let checkpoint = self.checkpoint();
        let mut report = match self {
            Self::Inclusion(proof) => json!({
                "kind": "inclusion",
                "position": proof.position,
                "leaf_index": proof.position - 1,
                "leaf": { "content": proof.content, "hash": hex::encode(proof.leaf) },
            }),
            Self::Consistency(proof) => json!({
                "kind": "consistency",
                "old_size": proof.old.size,
                "old_root": hex::encode(proof.old.root),
            }),
        };
        report["tree_size"] = checkpoint.head.size.into();
        report["root"] = hex::encode(checkpoint.head.root).into();
        report["path"] = self.path().iter().map(hex::encode).collect::<Vec<_>>().into();
        report["checkpoint"] = checkpoint.to_string().into();
        report
    }

    fn print(&self) -> std::io::Result<()> {
        match self {
            Self::Inclusion(proof) => {
                print_line(&format!("event     {}", proof.position))?;
                print_line(&format!("content   {}", proof.content))?;
                print_line(&format!("leaf      {}", hex::encode(proof.leaf)))?;
            }
            Self::Consistency(proof) => {
                print_line(&format!("old size  {}", proof.old.size))?;
                print_line(&format!("old root  {}", hex::encode(proof.old.root)))?;
            }
        }
        for hash in self.path() {
            print_line(&format!("path      {}", hex::encode(hash)))?;
        }
        let head = self.checkpoint().head;
        print_line(&format!("size      {}", head.size))?;
        print_line(&format!("root      {}", hex::encode(head.root)))?;
        print_line(if self.holds() {
            "the proof is valid"
        } else {
            "THE PROOF IS INVALID: run 'sitelog log verify'"
        })
    }
}
