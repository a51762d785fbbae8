-- How an endpoint wants its messages, and events that wait for another attempt while later ones are sent.

alter table webhook
    add column format  text    not null default 'standard',
    add column ordered boolean not null default true;

-- Of endpoints that are not ordered.
create table webhook_retry (
    webhook_id    uuid        not null references webhook,
    -- The event.
    position      bigint      not null,
    -- Attempts that failed.
    failures      int         not null,
    failing_since timestamptz not null,
    due_at        timestamptz not null,
    primary key (webhook_id, position)
);
create index webhook_retry_due on webhook_retry (due_at);
