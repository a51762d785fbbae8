-- Which read models there are and how far each has read the log. The tables themselves belong to the projections:
-- each generation lives in a schema of its own, rm_<name>_s<shape>_g<generation>, made by the code that fills it.

create table projection (
    name       text        not null,
    shape      int         not null,
    generation int         not null,
    state      text        not null check (state in ('building', 'live', 'retired')),
    position   bigint      not null default 0,
    error      text,
    updated_at timestamptz not null default now(),
    primary key (name, shape, generation)
) with (fillfactor = 50);
create unique index projection_live on projection (name, shape) where state = 'live';

-- How far each policy (event -> task or command) has read the log, and which process is at it.
create table policy (
    name         text        primary key,
    position     bigint      not null default 0,
    holder       uuid,
    leased_until timestamptz,
    updated_at   timestamptz not null default now()
) with (fillfactor = 50);

-- What complete_batches knows of each batch: how many of its scans are still to end, and whether all are in the log.
create table batch_watch (
    batch_id    uuid    primary key,
    tenant_id   uuid    not null,
    round       int     not null,
    ended_round int     not null default 0,
    open        int     not null default 0,
    expanding   int,
    cancelled   boolean not null default false
) with (fillfactor = 50);
create index batch_watch_due on batch_watch (batch_id)
    where open = 0 and expanding is null and ended_round < round and not cancelled;
