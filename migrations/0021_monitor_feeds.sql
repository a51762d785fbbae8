-- Feeds of monitors. Whoever has a feed's token may read what the monitor found changed, and nothing else. Only its SHA-256 is
-- here, and nothing of it is in the log, which nobody can erase.
create table monitor_feed (
    -- One at most: another one takes its place.
    monitor_id uuid        primary key references monitor,
    tenant_id  uuid        not null,
    token_hash bytea       not null unique,
    created_at timestamptz not null default clock_timestamp()
);
alter table monitor_feed enable row level security;
