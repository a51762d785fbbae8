-- Monitors. What was decided about one, and each of its runs, is in the log; here is what is needed to find those that are
-- due, and to list them.

-- One row per monitor, kept in step with the log by the policy `follow_monitors`. `last` and `next_run` are hints: whether
-- a run takes place is decided on the monitor's stream, so a wrong hint costs a look, and no run takes place twice.
create table monitor (
    monitor_id   uuid        primary key,
    tenant_id    uuid        not null,
    settings     jsonb       not null,
    status       text        not null check (status in ('active', 'paused', 'deleted')),
    created_at   timestamptz not null,
    -- Position of the first event of its stream: the order of the list.
    position     bigint      not null,
    -- Position of the last event of its stream that is in this row.
    changed_at   bigint      not null,
    -- The time that was seen to last. If it is still to come, it was written under a wrong clock.
    last         timestamptz not null,
    -- When to look at it again. Null if it is never due.
    next_run     timestamptz,
    -- While a process looks at it, so that others look at others.
    leased_until timestamptz
) with (fillfactor = 70);
create index monitor_list on monitor (tenant_id, position) where status <> 'deleted';
create index monitor_due on monitor (next_run) where status = 'active';
create index monitor_ahead on monitor (last) where status = 'active';

-- Each run that took place or was skipped.
create table monitor_run (
    -- Of its event.
    position   bigint      primary key,
    monitor_id uuid        not null,
    tenant_id  uuid        not null,
    at         timestamptz not null,
    -- When it was due; null if somebody requested it.
    slot       timestamptz,
    batch_id   uuid,
    total      int,
    -- Why it was skipped.
    reason     text,
    missed     int         not null
);
create index monitor_run_of on monitor_run (monitor_id, position);

-- How long a process that was killed keeps a monitor from others. Should a look take longer, another process looks too, and the
-- stream decides.
create function longest_monitor_lease() returns interval language sql immutable parallel safe return interval '20 seconds';

-- As for events: who reads as one tenant is shown that tenant's rows only.
alter table monitor enable row level security;
create policy tenant_reads on monitor for select using (tenant_id = nullif(current_setting('sitelog.tenant', true), '')::uuid);
alter table monitor_run enable row level security;
create policy tenant_reads on monitor_run for select
    using (tenant_id = nullif(current_setting('sitelog.tenant', true), '')::uuid);

-- Which batches are runs of a monitor, and what the scans of a batch found changed.
create index events_batch_of_monitor on events (tenant_id, (payload #>> '{BatchRequested,monitor_id}'), position)
    where event_type = 'BatchRequested' and payload #>> '{BatchRequested,monitor_id}' is not null;
create index events_domain_changed_by on events (tenant_id, (payload #>> '{DomainChanged,batch_id}'), position)
    where event_type = 'DomainChanged' and payload #>> '{DomainChanged,batch_id}' is not null;
