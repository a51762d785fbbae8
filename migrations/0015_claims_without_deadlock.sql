-- Claims, heartbeats, settled tasks and the policy that keeps the queue in step with the log change the same rows at the
-- same time. None of them may wait for another one that waits for it: a claim passes over rows that somebody else is
-- changing, all others lock the rows of scan_task in the order of their ids (src/tasks/mod.rs), and whoever changes
-- task_tenant does it under the claim's advisory lock.

-- In this order a claim looks for a lane, and stops at the first that has something to do.
create index task_lane_turn on task_lane (tenant_id, vtime, lane_id);
drop index task_lane_tenant;

-- The number of the lock under which one claim at a time runs in the whole database.
create function claim_lock() returns bigint language sql immutable parallel safe return 7305116403;

create or replace function claim_scan_tasks(wanted int, worker_name text, lease interval)
returns table (scan_id uuid, tenant_id uuid, host text, fence bigint)
language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
    served    record;
    remaining int := wanted;
    taken     int;
    -- In a variable, so that the conditions on it can use the indexes.
    moment    timestamptz;
begin
    perform pg_advisory_xact_lock(claim_lock());
    moment := clock_timestamp();
    -- By no moment that is further ahead than anybody may set it.
    update scan_task t set leased_until = null, worker = null
      from (select e.scan_id from scan_task e
             where e.leased_until is not null and not still_ahead(e.leased_until, longest_lease(), moment)
               for update skip locked) expired
     where t.scan_id = expired.scan_id;
    -- The last condition is the index's: first attempts are not even looked at.
    update scan_task t set due_at = '-infinity'
      from (select w.scan_id from scan_task w
             where w.leased_until is null and w.due_at > moment + longest_wait() and w.due_at > '-infinity'
               for update skip locked) wrong
     where t.scan_id = wrong.scan_id;
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
                 and exists (select from scan_task t
                              where t.lane_id = l.lane_id and t.leased_until is null and t.due_at <= moment
                                and not exists (select from scan_task b
                                                 where b.host = t.host and b.leased_until is not null)
                                and not exists (select from host_rest r where r.host = t.host
                                                  and still_ahead(r.rest_until, longest_wait(), moment)))
               order by l.vtime, l.lane_id
               limit 1) lane
         where coalesce(share.room, 1) > 0
         order by w.vtime
         limit 1;
        exit when not found;
        return query
        with ready as (
            select t.scan_id, row_number() over (partition by t.host order by t.due_at, t.position) as nth
              from (select * from scan_task t
                     where t.lane_id = served.lane_id and t.leased_until is null and t.due_at <= moment
                       and not exists (select from scan_task b where b.host = t.host and b.leased_until is not null)
                       and not exists (select from host_rest r where r.host = t.host
                                            and still_ahead(r.rest_until, longest_wait(), moment))
                     order by t.due_at, t.position
                     limit least(remaining, served.room, 16)
                       for update of t skip locked) t
        )
        update scan_task t
           set leased_until = moment + lease, claimed_at = moment, fence = nextval('task_fence'), worker = worker_name
          from ready r
         where t.scan_id = r.scan_id and r.nth = 1
        returning t.scan_id, t.tenant_id, t.host, t.fence;
        get diagnostics taken = row_count;
        -- What is ready here is being changed by somebody else: whoever that is announces it.
        exit when taken = 0;
        remaining := remaining - taken;
        update task_tenant w set vtime = w.vtime + taken / w.weight, served_at = moment
         where w.tenant_id = served.tenant_id;
        update task_lane l set vtime = l.vtime + taken where l.lane_id = served.lane_id;
    end loop;
end
$$;
