-- The second wall between tenants: whoever reads for a tenant does so as a role that is shown that tenant's rows only,
-- whatever the query says. The role is made, and given its rights, by the code that starts the service; the tables of
-- the read models get their policies from the code that makes them.

-- Not forced: the owner, who appends, folds and verifies, sees all events.
alter table events enable row level security;
create policy tenant_reads on events for select
    using (tenant_id = nullif(current_setting('sitelog.tenant', true), '')::uuid);
