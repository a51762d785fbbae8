-- Several machines: which workers there are, and leases that outlast a failover of PostgreSQL.

-- Workers as they were last seen, wherever they are.
create table worker (
    name        text        primary key,
    version     text        not null,
    concurrency int         not null,
    over_nats   boolean     not null,
    since       timestamptz not null default clock_timestamp(),
    beat_at     timestamptz not null default clock_timestamp()
) with (fillfactor = 50);

-- The timeline on which leases were last given: one row. PostgreSQL begins a new timeline when a standby is promoted.
-- Until then no lease could be renewed, so the first claim after it prolongs all of them once; otherwise every scan
-- under way would be done again.
create table lease_timeline (timeline text not null);
insert into lease_timeline select left(pg_walfile_name(pg_current_wal_lsn()), 8);

-- While a row is held no policy begins a page: the streams of a tenant are being imported. Empty at nearly all times.
create table policy_pause (
    holder     uuid        primary key,
    held_until timestamptz not null
);

-- As before, but for the timeline.
create or replace function claim_scan_tasks(wanted int, worker_name text, lease interval)
returns table (scan_id uuid, tenant_id uuid, host text, fence bigint)
language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
    served    record;
    task      record;
    remaining int := wanted;
    taken     int;
    -- In a variable, so that the conditions on it can use the indexes.
    moment    timestamptz;
    timeline  text;
begin
    perform pg_advisory_xact_lock(claim_lock());
    moment := clock_timestamp();
    timeline := left(pg_walfile_name(pg_current_wal_lsn()), 8);
    if (select t.timeline from lease_timeline t) is distinct from timeline then
        update scan_task t set leased_until = moment + lease where t.leased_until is not null;
        delete from lease_timeline;
        insert into lease_timeline values (timeline);
    end if;
    -- By no moment that is further ahead than anybody may set it.
    for task in
        select e.scan_id from scan_task e
         where e.leased_until is not null and not still_ahead(e.leased_until, longest_lease(), moment)
           for update skip locked
    loop
        update scan_task t set leased_until = null, worker = null where t.scan_id = task.scan_id;
    end loop;
    -- The last condition is the index's: first attempts are not even looked at.
    for task in
        select w.scan_id from scan_task w
         where w.leased_until is null and w.due_at > moment + longest_wait() and w.due_at > '-infinity'
           for update skip locked
    loop
        update scan_task t set due_at = '-infinity' where t.scan_id = task.scan_id;
    end loop;
    while remaining > 0 loop
        select lane.lane_id, w.tenant_id, w.weight, lane.room into served
          from task_tenant w
          left join tenant_setting s on s.tenant_id = w.tenant_id
          -- Null, and so without effect, for a tenant without a limit.
          cross join lateral (select case when s.max_concurrent_scans is not null then s.max_concurrent_scans
                                          - (select count(*)::int from scan_task t
                                              where t.tenant_id = w.tenant_id and t.leased_until is not null)
                                     end as room) share
          cross join lateral (
              select l.lane_id, least(l.max_concurrent - held.leases, share.room) as room
                from task_lane l
                cross join lateral (select count(*)::int as leases from scan_task t
                                     where t.lane_id = l.lane_id and t.leased_until is not null) held
               where l.tenant_id = w.tenant_id
                 and held.leases < l.max_concurrent
                 and (select true from scan_task t
                       where t.lane_id = l.lane_id and t.leased_until is null and t.due_at <= moment
                         and (select true from scan_task b
                               where b.host = t.host and b.leased_until is not null limit 1) is null
                         and (select still_ahead(r.rest_until, longest_wait(), moment)
                                from host_rest r where r.host = t.host) is not true
                       order by t.due_at
                       limit 1)
               order by l.vtime, l.lane_id
               limit 1) lane
         where coalesce(share.room, 1) > 0
         order by w.vtime
         limit 1;
        exit when not found;
        taken := 0;
        for task in
            select t.scan_id, row_number() over (partition by t.host order by t.due_at, t.position) as nth
              from (select * from scan_task t
                     where t.lane_id = served.lane_id and t.leased_until is null and t.due_at <= moment
                       and (select true from scan_task b
                             where b.host = t.host and b.leased_until is not null limit 1) is null
                       and (select still_ahead(r.rest_until, longest_wait(), moment)
                              from host_rest r where r.host = t.host) is not true
                     order by t.due_at, t.position
                     limit least(remaining, served.room, 16)
                       for update of t skip locked) t
        loop
            continue when task.nth > 1;
            return query
            update scan_task t
               set leased_until = moment + lease, claimed_at = moment, fence = nextval('task_fence'),
                   worker = worker_name
             where t.scan_id = task.scan_id
            returning t.scan_id, t.tenant_id, t.host, t.fence;
            taken := taken + 1;
        end loop;
        -- What is ready here is being changed by somebody else: whoever that is announces it.
        exit when taken = 0;
        remaining := remaining - taken;
        update task_tenant w set vtime = w.vtime + taken / w.weight, served_at = moment
         where w.tenant_id = served.tenant_id;
        update task_lane l set vtime = l.vtime + taken where l.lane_id = served.lane_id;
    end loop;
end
$$;
