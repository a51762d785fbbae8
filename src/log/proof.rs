//! Inclusion and consistency proofs of RFC 9162, section 2.1: which hashes they contain, and how a third party checks
//! them. The code is pure; [`super::tree`] provides the hashes.

use std::ops::Range;

use super::merkle::{Hash, empty_root, node_hash};

/// The nodes whose hashes prove that leaf `index` (from 0) is in the tree over `size` leaves, from the leaf's sibling
/// up (section 2.1.3.1); `None` if there is no such leaf.
pub fn inclusion_path(index: u64, size: u64) -> Option<Vec<Range<u64>>> {
    if index >= size {
        return None;
    }
    let mut path = Vec::new();
    let mut tree = 0..size;
    while tree.end - tree.start > 1 {
        let middle = split(&tree);
        if index < middle {
            path.push(middle..tree.end);
            tree.end = middle;
        } else {
            path.push(tree.start..middle);
            tree.start = middle;
        }
    }
    path.reverse();
    Some(path)
}

/// The nodes whose hashes prove that the tree over `new` leaves continues the one over `old` (section 2.1.4.1); `None`
/// if it cannot because it is smaller.
pub fn consistency_path(old: u64, new: u64) -> Option<Vec<Range<u64>>> {
    if old > new {
        return None;
    }
    if old == 0 || old == new {
        return Some(Vec::new());
    }
    let mut path = Vec::new();
    let mut tree = 0..new;
    // Whether the subtree that is left is the whole old tree, whose head the verifier has.
    let mut whole = true;
    while tree.end != old {
        let middle = split(&tree);
        if old <= middle {
            path.push(middle..tree.end);
            tree.end = middle;
        } else {
            path.push(tree.start..middle);
            tree.start = middle;
            whole = false;
        }
    }
    if !whole {
        path.push(tree);
    }
    path.reverse();
    Some(path)
}

/// Whether a leaf with this hash is at `index` (from 0) of the tree with this head (section 2.1.3.2).
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, path: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut node, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if node % 2 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node.is_multiple_of(2) && node != 0 {
                node /= 2;
                last /= 2;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node /= 2;
        last /= 2;
    }
    last == 0 && hash == *root
}

/// Whether the tree of `new` leaves with this head continues the one of `old` leaves with that head (section 2.1.4.2).
pub fn verify_consistency(old: u64, new: u64, old_root: &Hash, new_root: &Hash, path: &[Hash]) -> bool {
    if old > new {
        return false;
    }
    if old == 0 {
        return path.is_empty() && *old_root == empty_root();
    }
    if old == new {
        return path.is_empty() && old_root == new_root;
    }
    // The head of an old tree that is a complete subtree is the first hash of the path, and left out of it.
    let mut hashes = path.iter();
    let first = if old.is_power_of_two() {
        Some(old_root)
    } else {
        hashes.next()
    };
    let Some(first) = first else { return false };
    let (mut node, mut last) = (old - 1, new - 1);
    while node % 2 == 1 {
        node /= 2;
        last /= 2;
    }
    let (mut of_old, mut of_new) = (*first, *first);
    for hash in hashes {
        if last == 0 {
            return false;
        }
        if node % 2 == 1 || node == last {
            of_old = node_hash(hash, &of_old);
            of_new = node_hash(hash, &of_new);
            while node.is_multiple_of(2) && node != 0 {
                node /= 2;
                last /= 2;
            }
        } else {
            of_new = node_hash(&of_new, hash);
        }
        node /= 2;
        last /= 2;
    }
    last == 0 && of_old == *old_root && of_new == *new_root
}

/// Where a tree over more than one leaf is split: at the largest power of two below its size.
fn split(tree: &Range<u64>) -> u64 {
    tree.start + (tree.end - tree.start).div_ceil(2).next_power_of_two()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::{LazyLock, Mutex};

    use super::super::merkle::{MerkleTree, complete_subtrees, fold_subtrees, leaf_hash};
    use super::*;

    const SIZES: u64 = 130;

    fn leaf(n: u64) -> Hash {
        leaf_hash(&n.to_be_bytes())
    }

    /// The head over a range of leaves by the definition, section 2.1.1.
    fn head(leaves: Range<u64>) -> Hash {
        static KNOWN: LazyLock<Mutex<HashMap<Range<u64>, Hash>>> = LazyLock::new(Mutex::default);
        if let Some(known) = KNOWN.lock().unwrap().get(&leaves) {
            return *known;
        }
        let hash = match leaves.end - leaves.start {
            0 => empty_root(),
            1 => leaf(leaves.start),
            _ => {
                let middle = split(&leaves);
                node_hash(&head(leaves.start..middle), &head(middle..leaves.end))
            }
        };
        KNOWN.lock().unwrap().insert(leaves, hash);
        hash
    }

    fn hashes(path: Vec<Range<u64>>) -> Vec<Hash> {
        path.into_iter().map(head).collect()
    }

    #[test]
    fn a_tree_parts_at_the_largest_power_of_two_below_its_size() {
        let parts: Vec<u64> = [2, 3, 4, 5, 8, 9].iter().map(|size| split(&(0..*size))).collect();
        assert_eq!(parts, [1, 2, 2, 4, 4, 8]);
    }

    #[test]
    fn every_node_of_a_path_is_the_fold_of_its_complete_subtrees() {
        for size in 1..=SIZES {
            for index in 0..size {
                for node in inclusion_path(index, size).unwrap() {
                    let parts = complete_subtrees(node.clone());
                    assert!(parts.iter().all(|part| part.leaves().end <= node.end));
                    let hashes: Vec<Hash> = parts.iter().map(|part| head(part.leaves())).collect();
                    assert_eq!(fold_subtrees(&hashes), Some(head(node)));
                }
            }
        }
    }

    #[test]
    fn every_leaf_of_every_tree_has_a_proof_and_nothing_else_passes_it() {
        for size in 1..=SIZES {
            let root = head(0..size);
            for index in 0..size {
                let path = hashes(inclusion_path(index, size).unwrap());
                assert!(
                    verify_inclusion(&leaf(index), index, size, &path, &root),
                    "{index} of {size}"
                );
                assert!(
                    !verify_inclusion(&leaf(index + 1), index, size, &path, &root),
                    "another leaf"
                );
                assert!(
                    !verify_inclusion(&leaf(index), index, size, &path, &leaf(index + 1)),
                    "another head"
                );
                for wrong in [index + 1, index ^ 1, size] {
                    let passes = verify_inclusion(&leaf(index), wrong, size, &path, &root);
                    assert!(!passes || wrong == index, "{index} of {size} as {wrong}");
                }
                let mut longer = path.clone();
                longer.push(root);
                assert!(!verify_inclusion(&leaf(index), index, size, &longer, &root));
                if !path.is_empty() {
                    assert!(!verify_inclusion(&leaf(index), index, size, &path[1..], &root));
                    let mut bent = path;
                    bent[0][0] ^= 1;
                    assert!(!verify_inclusion(&leaf(index), index, size, &bent, &root));
                }
            }
        }
    }

    #[test]
    fn every_tree_is_consistent_with_each_earlier_one_and_with_no_other() {
        for new in 0..=SIZES {
            for old in 0..=new {
                let (old_root, new_root) = (head(0..old), head(0..new));
                let path = hashes(consistency_path(old, new).unwrap());
                let holds = |a: &Hash, b: &Hash, path: &[Hash]| verify_consistency(old, new, a, b, path);
                assert!(holds(&old_root, &new_root, &path), "{old} to {new}");
                let other = leaf(999);
                assert!(!holds(&other, &new_root, &path), "another old head");
                // Nothing is claimed of what follows an empty tree.
                assert!(old == 0 || !holds(&old_root, &other, &path), "another new head");
                let mut longer = path.clone();
                longer.push(other);
                assert!(!holds(&old_root, &new_root, &longer));
                for n in 0..path.len() {
                    let mut bent = path.clone();
                    bent[n][31] ^= 1;
                    assert!(!holds(&old_root, &new_root, &bent), "{old} to {new}, hash {n}");
                }
                if !path.is_empty() {
                    assert!(!holds(&old_root, &new_root, &path[..path.len() - 1]));
                }
            }
        }
    }

    #[test]
    fn there_is_no_proof_of_what_is_not_in_the_tree() {
        assert_eq!(inclusion_path(5, 5), None);
        assert_eq!(inclusion_path(0, 0), None);
        assert_eq!(consistency_path(6, 5), None);
        assert!(!verify_inclusion(&leaf(0), 0, 0, &[], &empty_root()));
        assert!(!verify_consistency(6, 5, &empty_root(), &empty_root(), &[]));
    }

    #[test]
    fn a_tree_goes_on_from_its_complete_subtrees() {
        for size in 0..=SIZES {
            let parts: Vec<Hash> = complete_subtrees(0..size)
                .iter()
                .map(|part| head(part.leaves()))
                .collect();
            let mut tree = MerkleTree::of_subtrees(size, &parts).unwrap();
            assert_eq!(tree.root(), head(0..size));
            let mut completed = Vec::new();
            tree.push_subtree(0, leaf(size), |node, hash| completed.push((node, hash)));
            assert_eq!(tree.root(), head(0..size + 1));
            for (node, hash) in completed {
                assert_eq!(hash, head(node.leaves()), "{node:?}");
            }
        }
        assert!(MerkleTree::of_subtrees(3, &[leaf(0)]).is_none());
    }

    /// The proofs that the Certificate Transparency implementations publish for their eight well-known leaves.
    #[test]
    fn proofs_are_those_of_the_published_vectors() {
        let leaves = [
            "",
            "00",
            "10",
            "2021",
            "3031",
            "40414243",
            "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ]
        .map(|text| leaf_hash(&hex::decode(text).unwrap()));
        let node = |range: &Range<u64>| {
            let start = usize::try_from(range.start).unwrap();
            let end = usize::try_from(range.end).unwrap();
            let mut tree = MerkleTree::default();
            leaves[start..end].iter().for_each(|leaf| tree.push(*leaf));
            hex::encode(tree.root())
        };
        let hashes = |path: Option<Vec<Range<u64>>>| path.unwrap().iter().map(node).collect::<Vec<_>>();
        assert_eq!(hashes(inclusion_path(0, 1)), [""; 0]);
        assert_eq!(
            hashes(inclusion_path(0, 8)),
            [
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ]
        );
        assert_eq!(
            hashes(inclusion_path(5, 8)),
            [
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ]
        );
        assert_eq!(
            hashes(inclusion_path(2, 3)),
            ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]
        );
        assert_eq!(
            hashes(inclusion_path(1, 5)),
            [
                "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ]
        );
        assert_eq!(hashes(consistency_path(1, 1)), [""; 0]);
        assert_eq!(
            hashes(consistency_path(1, 8)),
            [
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ]
        );
        assert_eq!(
            hashes(consistency_path(6, 8)),
            [
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ]
        );
        assert_eq!(
            hashes(consistency_path(2, 5)),
            [
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ]
        );
    }
}
