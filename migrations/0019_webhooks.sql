-- Webhooks. What was decided about an endpoint is in the log; here is how far each one is, and what is needed to send.

-- One row per endpoint, kept in step with the log by the policy `follow_webhooks`. Events are not copied: an endpoint has a
-- place in the log (`position`), and whoever holds its lease sends what is behind it. Nothing here is a read model: a rebuild
-- of those sends nothing again.
create table webhook (
    webhook_id      uuid        primary key,
    tenant_id       uuid        not null,
    url             text        not null,
    description     text,
    events          text[]      not null,
    domains         text[]      not null,
    fields          text[]      not null,
    status          text        not null check (status in ('active', 'disabled', 'deleted')),
    disabled_reason text,
    -- Position of the last event of its stream that is in this row.
    changed_at      bigint      not null,
    created_at      timestamptz not null,
    -- All events up to here were delivered, or are none of its.
    position        bigint      not null,
    -- The last event that may be one of its.
    wanted          bigint      not null,
    -- While a range is sent again: where it ends, and where it goes on then.
    replay_to       bigint,
    resume_at       bigint,
    -- Attempts at the next event that failed.
    failures        int         not null default 0,
    failing_since   timestamptz,
    next_attempt_at timestamptz not null default '-infinity',
    fence           bigint      not null default 0,
    leased_until    timestamptz
) with (fillfactor = 60);
create index webhook_tenant on webhook (tenant_id, created_at);
-- Those that have something to get: looked at often.
create index webhook_due on webhook (next_attempt_at) where status = 'active' and position < wanted;
create index webhook_leased on webhook (tenant_id) where leased_until is not null;
create sequence webhook_fence;

-- Events that are sent besides the order, each by one attempt: tests, and what is to be sent once more.
create table webhook_extra (
    webhook_id   uuid   not null references webhook,
    -- The event that asks for it.
    requested_by bigint not null,
    -- The event that is sent.
    position     bigint not null,
    primary key (webhook_id, requested_by)
);

-- Not in the log, which nobody can erase. Two at most are valid at a time.
create table webhook_secret (
    webhook_id  uuid        not null,
    tenant_id   uuid        not null,
    secret      bytea       not null,
    created_at  timestamptz not null default clock_timestamp(),
    valid_until timestamptz,
    primary key (webhook_id, secret)
);

-- Each attempt and what came of it.
create table webhook_delivery (
    delivery_id bigint      generated always as identity primary key,
    webhook_id  uuid        not null,
    tenant_id   uuid        not null,
    position    bigint      not null,
    message_id  text        not null,
    event       text        not null,
    attempt     int         not null,
    sent_at     timestamptz not null default clock_timestamp(),
    status      int,
    answer      text,
    error       text,
    duration_ms int         not null
);
create index webhook_delivery_of on webhook_delivery (webhook_id, delivery_id);
create index webhook_delivery_sent on webhook_delivery (sent_at);

-- The longest pause between two attempts, and the longest time that one process has an endpoint.
create function longest_webhook_wait() returns interval language sql immutable parallel safe return interval '5 hours';
create function longest_webhook_lease() returns interval language sql immutable parallel safe return interval '20 seconds';

-- As for events: who reads as one tenant is shown that tenant's rows only.
alter table webhook enable row level security;
create policy tenant_reads on webhook for select using (tenant_id = nullif(current_setting('sitelog.tenant', true), '')::uuid);
alter table webhook_secret enable row level security;
alter table webhook_delivery enable row level security;
create policy tenant_reads on webhook_delivery for select
    using (tenant_id = nullif(current_setting('sitelog.tenant', true), '')::uuid);
