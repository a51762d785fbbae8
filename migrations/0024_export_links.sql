-- Links to exports, for programs that cannot send a key: a spreadsheet, for example. Whoever has the link can read that one
-- export. Only the SHA-256 of its token is here.

create table export_link (
    link_id    uuid        primary key,
    tenant_id  uuid        not null,
    token_hash bytea       not null unique check (octet_length(token_hash) = 32),
    -- What is exported: a path below /api/v4, with its query.
    path       text        not null,
    name       text        not null,
    created_at timestamptz not null default clock_timestamp(),
    created_by text        not null,
    expires_at timestamptz not null,
    used_at    timestamptz
);
create index export_link_tenant on export_link (tenant_id, created_at);
alter table export_link enable row level security;
create policy tenant_reads on export_link for select
    using (tenant_id = nullif(current_setting('sitelog.tenant', true), '')::uuid);
