-- Who has signed in with a key on the pages: the browser holds a token instead of the key.

-- What is kept is the token's hash. A session ends with its time or its key, whichever is first.
create table session (
    token_hash bytea       primary key check (octet_length(token_hash) = 32),
    key_id     text        not null references api_key,
    created_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null
);
create index session_expires on session (expires_at);
