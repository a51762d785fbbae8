-- The durable queue of scans to do: derived from the log, fair between tenants and, within a tenant, between its
-- batches. A task says what is to be delivered, never what a scan's status is.

-- Who is served next: the tenant with the least virtual time, and within it the lane with the least.
create table task_tenant (
    tenant_id uuid             primary key,
    vtime     double precision not null default 0,
    weight    double precision not null default 1 check (weight > 0)
) with (fillfactor = 50);

-- One lane per batch; single scans of a tenant share the lane named like the tenant.
create table task_lane (
    lane_id        uuid             primary key,
    tenant_id      uuid             not null references task_tenant,
    max_concurrent int              not null check (max_concurrent >= 1),
    vtime          double precision not null default 0
) with (fillfactor = 50);
create index task_lane_tenant on task_lane (tenant_id);

create table scan_task (
    scan_id      uuid        primary key,
    tenant_id    uuid        not null,
    lane_id      uuid        not null references task_lane,
    host         text        not null,
    due_at       timestamptz not null,
    position     bigint      not null,
    fence        bigint      not null default 0,
    leased_until timestamptz,
    worker       text
) with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05);
create index scan_task_ready on scan_task (lane_id, due_at, position) where leased_until is null;
create index scan_task_leased on scan_task (lane_id, host) where leased_until is not null;
create index scan_task_leased_host on scan_task (host) where leased_until is not null;

-- Numbers leases over all workers: a later lease always has the higher fence.
create sequence task_fence;

-- Takes up to `wanted` tasks under a lease. One claim runs at a time in the whole database, so the limits per batch
-- and per host, which are counted from live leases, hold exactly; a claim takes about a millisecond.
create function claim_scan_tasks(wanted int, worker_name text, lease interval)
returns table (scan_id uuid, tenant_id uuid, host text, fence bigint)
language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
    served    record;
    remaining int := wanted;
    taken     int;
    -- In a variable, so that the conditions on it can use the indexes.
    moment    timestamptz;
begin
    perform pg_advisory_xact_lock(7305116403);
    moment := clock_timestamp();
    update scan_task t set leased_until = null, worker = null where t.leased_until < moment;
    while remaining > 0 loop
        select l.lane_id, l.tenant_id, w.weight, l.max_concurrent - held.leases as room into served
          from task_lane l
          join task_tenant w on w.tenant_id = l.tenant_id
          cross join lateral (select count(*)::int as leases from scan_task t
                               where t.lane_id = l.lane_id and t.leased_until is not null) held
         where held.leases < l.max_concurrent
           and exists (select from scan_task t
                        where t.lane_id = l.lane_id and t.leased_until is null and t.due_at <= moment
                          and not exists (select from scan_task b where b.host = t.host and b.leased_until is not null))
         order by w.vtime, l.vtime, l.lane_id
         limit 1;
        exit when not found;
        return query
        with ready as (
            select t.scan_id, t.host, row_number() over (partition by t.host order by t.due_at, t.position) as nth,
                   t.due_at, t.position
              from (select * from scan_task t
                     where t.lane_id = served.lane_id and t.leased_until is null and t.due_at <= moment
                       and not exists (select from scan_task b where b.host = t.host and b.leased_until is not null)
                     order by t.due_at, t.position
                     limit least(remaining, served.room, 16)) t
        )
        update scan_task t
           set leased_until = moment + lease, fence = nextval('task_fence'), worker = worker_name
          from ready r
         where t.scan_id = r.scan_id and r.nth = 1
        returning t.scan_id, t.tenant_id, t.host, t.fence;
        get diagnostics taken = row_count;
        remaining := remaining - taken;
        update task_tenant w set vtime = w.vtime + taken / w.weight where w.tenant_id = served.tenant_id;
        update task_lane l set vtime = l.vtime + taken where l.lane_id = served.lane_id;
    end loop;
end
$$;
