-- Mails about what a monitor found changed. Addresses are people's, so they are not in the log, which nobody can erase.

create table monitor_subscriber (
    subscriber_id uuid        primary key,
    monitor_id    uuid        not null references monitor,
    tenant_id     uuid        not null,
    address       text        not null,
    -- In each mail: whoever has it can end the mails, and nothing else.
    token         text        not null unique,
    created_at    timestamptz not null default clock_timestamp(),
    sent_at       timestamptz,
    -- Why the last attempt failed; null once one did not.
    error         text,
    unique (monitor_id, address)
);
alter table monitor_subscriber enable row level security;
create policy tenant_reads on monitor_subscriber for select
    using (tenant_id = nullif(current_setting('sitelog.tenant', true), '')::uuid);

-- Mails that are to be sent: one per run and subscriber, put here in step with the log by the policy `queue_mails`.
create table monitor_mail (
    batch_id      uuid        not null,
    subscriber_id uuid        not null references monitor_subscriber on delete cascade,
    queued_at     timestamptz not null default clock_timestamp(),
    -- Attempts that failed.
    failures      int         not null default 0,
    due_at        timestamptz not null default '-infinity',
    fence         bigint      not null default 0,
    leased_until  timestamptz,
    primary key (batch_id, subscriber_id)
);
create index monitor_mail_due on monitor_mail (due_at);
create index monitor_mail_of on monitor_mail (subscriber_id);
create sequence monitor_mail_fence;

-- Who ended the mails: by the SHA-256 of the address, so that nobody adds it again.
create table monitor_unsubscribed (
    monitor_id   uuid  not null references monitor,
    address_hash bytea not null,
    primary key (monitor_id, address_hash)
);
alter table monitor_unsubscribed enable row level security;

-- The longest pause between two attempts, and the longest time that one process has a mail.
create function longest_mail_wait() returns interval language sql immutable parallel safe return interval '5 hours';
create function longest_mail_lease() returns interval language sql immutable parallel safe return interval '2 minutes';
