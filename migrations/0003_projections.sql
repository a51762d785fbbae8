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

-- How far each policy (event -> task or command) has read the log.
create table policy (
    name       text        primary key,
    position   bigint      not null default 0,
    updated_at timestamptz not null default now()
) with (fillfactor = 50);

-- What complete_batches knows of each batch that has not ended: how many of its scans are still to end.
create table open_batch (
    batch_id  uuid    primary key,
    tenant_id uuid    not null,
    round     int     not null,
    open      int     not null
) with (fillfactor = 50);
