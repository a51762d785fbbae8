//! The Merkle tree over the leaves in position order (RFC 9162, section 2.1).

use std::ops::Range;

use sha2::{Digest, Sha256};

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// The hash of a leaf's content: SHA-256 of 0x00 and the content.
pub fn leaf_hash(content: &[u8]) -> Hash {
    Sha256::new()
        .chain_update([0])
        .chain_update(content)
        .finalize()
        .into()
}

/// The hash of an inner node: SHA-256 of 0x01, left and right.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new()
        .chain_update([1])
        .chain_update(left)
        .chain_update(right)
        .finalize()
        .into()
}

/// The head of the tree over no leaves: SHA-256 of nothing.
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// A complete subtree: level 0 is a leaf, a node of level `n` covers 2ⁿ leaves; nodes of a level are numbered from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId {
    /// Height above the leaves.
    pub level: u32,
    /// Place among the nodes of its level, from the left.
    pub index: u64,
}

impl NodeId {
    /// The leaves under it, counted from 0.
    pub fn leaves(self) -> Range<u64> {
        self.index << self.level..(self.index + 1) << self.level
    }
}

/// The complete subtrees that make up a node of some tree, left to right. A node that is not complete itself reaches
/// to the tree's right edge, so its start is aligned at least as well as any part of it needs.
pub fn complete_subtrees(leaves: Range<u64>) -> Vec<NodeId> {
    let (mut start, mut parts) = (leaves.start, Vec::new());
    while start < leaves.end {
        let level = (leaves.end - start).ilog2().min(start.trailing_zeros());
        parts.push(NodeId {
            level,
            index: start >> level,
        });
        start += 1 << level;
    }
    parts
}

/// The hash of a node out of those of its complete subtrees, left to right; `None` if there are none.
pub fn fold_subtrees(hashes: &[Hash]) -> Option<Hash> {
    let mut from_right = hashes.iter().rev();
    let last = *from_right.next()?;
    Some(from_right.fold(last, |right, left| node_hash(left, &right)))
}

/// A growing tree; stores one hash per level.
#[derive(Clone, Debug, Default)]
pub struct MerkleTree {
    size: u64,
    /// Roots of the complete subtrees the leaves fall into, largest first.
    subtrees: Vec<(u32, Hash)>,
}

impl MerkleTree {
    /// The tree that has these complete subtrees, as `complete_subtrees(0..size)` lists them; `None` if there are not
    /// as many hashes as a tree of that size has subtrees.
    pub fn of_subtrees(size: u64, hashes: &[Hash]) -> Option<Self> {
        let parts = complete_subtrees(0..size);
        (parts.len() == hashes.len()).then(|| Self {
            size,
            subtrees: parts
                .iter()
                .map(|part| part.level)
                .zip(hashes.iter().copied())
                .collect(),
        })
    }

    /// Adds the next leaf.
    pub fn push(&mut self, leaf: Hash) {
        self.push_subtree(0, leaf, |_, _| {});
    }

    /// Adds a complete subtree of 2^`level` leaves on the right and reports each node that this completes, itself first.
    /// The leaves so far must be a multiple of its size.
    pub fn push_subtree(&mut self, level: u32, hash: Hash, mut completed: impl FnMut(NodeId, Hash)) {
        debug_assert!(
            self.size.is_multiple_of(1 << level),
            "a subtree is pushed where none begins"
        );
        let (mut level, mut hash) = (level, hash);
        self.size += 1 << level;
        let mut report = |level: u32, hash| {
            let index = (self.size >> level) - 1;
            completed(NodeId { level, index }, hash);
        };
        report(level, hash);
        while let Some((_, left)) = self.subtrees.pop_if(|(top, _)| *top == level) {
            hash = node_hash(&left, &hash);
            level += 1;
            report(level, hash);
        }
        self.subtrees.push((level, hash));
    }

    /// The roots of its complete subtrees, largest first: what is needed to continue from here.
    pub fn subtrees(&self) -> impl Iterator<Item = &Hash> {
        self.subtrees.iter().map(|(_, hash)| hash)
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The tree head; the hash of nothing for an empty tree.
    pub fn root(&self) -> Hash {
        let hashes: Vec<Hash> = self.subtrees.iter().map(|(_, hash)| *hash).collect();
        fold_subtrees(&hashes).unwrap_or_else(empty_root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root_of(leaves: &[&[u8]]) -> String {
        let mut tree = MerkleTree::default();
        for leaf in leaves {
            tree.push(leaf_hash(leaf));
        }
        hex::encode(tree.root())
    }

    /// The well-known vectors of the Certificate Transparency implementations for RFC 6962 and 9162.
    #[test]
    fn roots_are_those_of_the_published_vectors() {
        let leaves: Vec<Vec<u8>> = [
            "",
            "00",
            "10",
            "2021",
            "3031",
            "40414243",
            "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ]
        .iter()
        .map(|text| hex::decode(text).unwrap())
        .collect();
        let leaves: Vec<&[u8]> = leaves.iter().map(Vec::as_slice).collect();
        let roots = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        for (size, root) in roots.iter().enumerate() {
            assert_eq!(root_of(&leaves[..size]), *root, "{size} leaves");
        }
    }
}
