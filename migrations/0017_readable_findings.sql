-- What scans found stands once, as a body of the log. Scans are shown with it, behind the same wall as everything else, and
-- SQL reads it: findings are stored as the JSON that they are, and PostgreSQL compresses them.

alter table event_body alter column bytes set storage extended;

-- Not forced: the owner, who appends and folds, sees all bodies.
alter table event_body enable row level security;
create policy tenant_reads on event_body for select
    using (tenant_id = nullif(current_setting('sitelog.tenant', true), '')::uuid);
