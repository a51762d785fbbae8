-- Filters of the list of domains that people save under a name. They are settings of the pages, not facts: the log has
-- no events for them.

create table saved_filter (
    filter_id  uuid        primary key,
    tenant_id  uuid        not null,
    name       text        not null check (length(name) between 1 and 100),
    -- The query of the page /domains: filters, order and columns.
    query      text        not null check (length(query) between 1 and 2000),
    created_at timestamptz not null default clock_timestamp(),
    created_by text        not null,
    unique (tenant_id, name)
);
alter table saved_filter enable row level security;
create policy tenant_reads on saved_filter for select
    using (tenant_id = nullif(current_setting('sitelog.tenant', true), '')::uuid);
