-- Work on read models that an operator or a deploy asks for: durable, so that it survives whoever runs it.

create table projection_task (
    task_id      uuid        primary key,
    name         text        not null,
    shape        int         not null,
    kind         text        not null check (kind in ('rebuild', 'rollback', 'verify', 'repair', 'retry_parked')),
    state        text        not null default 'queued' check (state in ('queued', 'running', 'done', 'failed')),
    phase        text        check (phase in ('folding', 'indexing', 'catching_up', 'verifying', 'promoting')),
    -- The generation that is being built or gone back to.
    generation   int,
    -- Events gone through in this phase, of how many.
    done         bigint      not null default 0,
    target       bigint      not null default 0,
    phase_began  timestamptz,
    holder       uuid,
    leased_until timestamptz,
    requested_by text,
    requested_at timestamptz not null default clock_timestamp(),
    started_at   timestamptz,
    ended_at     timestamptz,
    -- What it came to: rows, findings.
    result       jsonb,
    error        text
) with (fillfactor = 50);
-- One at a time per read model: a second request joins the first.
create unique index projection_task_open on projection_task (name, shape) where state in ('queued', 'running');
create index projection_task_latest on projection_task (name, shape, requested_at);

-- Rows that an event could not be applied to: they stay as they were, their later events wait, all others go on.
create table projection_parked (
    name       text        not null,
    shape      int         not null,
    generation int         not null,
    -- The row's key, or {"stream": {"type", "id"}} where not even that could be read.
    key        jsonb       not null,
    -- The first event that is not in the row.
    position   bigint      not null,
    error      text        not null,
    attempts   int         not null default 1,
    parked_at  timestamptz not null default clock_timestamp(),
    primary key (name, shape, generation, key)
);

-- The streams that tell of a domain or a batch, found in the log itself: history, repair and the running check rest
-- on them and must not rest on what they check. Only the first event of a scan is in here; of an input that is no
-- domain, which may be of any length, what a domain could have.
create index events_scan_of_domain on events (tenant_id, left(payload #>> '{ScanRequested,domain}', 253))
    where event_type = 'ScanRequested';
create index events_scan_of_batch on events ((payload #>> '{ScanRequested,batch_id}'))
    where event_type = 'ScanRequested' and payload #>> '{ScanRequested,batch_id}' is not null;

alter table projection add column promoted_at timestamptz;
