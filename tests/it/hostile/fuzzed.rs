//! A short run of the fuzz targets: all stored inputs, and some thousand mutated ones, the same each time.
//! `script/fuzz` runs the long version.

use std::fs;
use std::path::Path;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

#[path = "../../../fuzz/src/lib.rs"]
mod properties;

/// Mutated inputs for each target.
const MUTATED: u64 = 1500;

/// What was kept for a target: seeds, and whatever once broke it.
fn kept(target: &str) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let folders = ["corpus", "regressions"].map(|kind| root.join(kind).join(target));
    let entries = folders
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flatten();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// A few bytes changed, cut out, repeated or taken from another input.
fn mutate(inputs: &[Vec<u8>], rng: &mut StdRng) -> Vec<u8> {
    let mut bytes = inputs[rng.random_range(0..inputs.len())].clone();
    for _ in 0..rng.random_range(1..6) {
        let at = rng.random_range(0..=bytes.len());
        let length = rng.random_range(0..=(bytes.len() - at).min(32));
        match rng.random_range(0..5) {
            0 => bytes.insert(at, rng.random()),
            1 => drop(bytes.drain(at..at + length)),
            2 => {
                let piece = bytes[at..at + length].repeat(rng.random_range(1..20));
                bytes.splice(at..at, piece);
            }
            3 => {
                let other = &inputs[rng.random_range(0..inputs.len())];
                let from = rng.random_range(0..=other.len());
                bytes.splice(at..at + length, other[from..].iter().copied());
            }
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << rng.random_range(0..8);
                }
            }
        }
    }
    bytes
}

#[test]
fn stored_and_mutated_inputs_break_nothing() {
    for (name, target) in properties::ALL {
        let inputs = kept(name);
        assert!(!inputs.is_empty(), "{name} has no inputs");
        for input in &inputs {
            target(input);
        }
        for seed in 0..MUTATED {
            let input = mutate(&inputs, &mut StdRng::seed_from_u64(seed));
            let done = std::panic::catch_unwind(|| target(&input));
            assert!(
                done.is_ok(),
                "{name}, seed {seed}: {}",
                String::from_utf8_lossy(&input)
            );
        }
    }
}
