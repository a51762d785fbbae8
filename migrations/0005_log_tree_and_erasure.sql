-- Hashes of complete subtrees of the log's Merkle tree (RFC 9162), from 2^10 leaves on: derived from the leaves and
-- never changed, so that a proof over millions of events reads a few hundred. `index` counts the nodes of a level from
-- the left.
create table log_tree_node (
    level smallint not null,
    index bigint   not null,
    hash  bytea    not null check (octet_length(hash) = 32),
    primary key (level, index)
);

-- Stretches of the log that were declared closed: `root` is the head of the tree over all events up to `last`. What
-- was exported can be checked against it, and it cannot be sealed a second time with another root.
create table log_segment (
    first     bigint      primary key check (first >= 1),
    last      bigint      not null unique check (last >= first),
    root      bytea       not null check (octet_length(root) = 32),
    sealed_at timestamptz not null
);

-- Erasure leaves a subject's row here with a salt that is new: whoever still holds the old one is refused, and nobody
-- can try candidates against the digests of what was erased.
comment on table body_salt is 'one salt per tenant and subject; replaced when the subject is erased';
