-- Plans that stay right. PostgreSQL keeps a plan that it made while a table was empty or small, and then reads all of
-- what has grown. So whoever is known by a key is looked up by it alone, one by one: in a loop, or in a subquery that
-- cannot be turned into a join. (`tests/it/plans.rs` tries all statements.)
--
-- Claims, heartbeats, settled tasks and the policy that keeps the queue in step with the log change the same rows at the
-- same time. None of them may wait for another one that waits for it: a claim passes over rows that somebody else is
-- changing, all others lock the rows of scan_task in the order of their ids (src/tasks/mod.rs), and whoever changes
-- task_tenant does it under the claim's advisory lock.

-- In this order a claim looks for a lane, and stops at the first that has something to do.
create index task_lane_turn on task_lane (tenant_id, vtime, lane_id);
drop index task_lane_tenant;

-- Of all tasks, not only of those that wait: it also says whether a lane has run empty.
drop index scan_task_ready;
create index scan_task_ready on scan_task (lane_id, due_at, position);
-- Its one row is found without: an index grows with each append until the next vacuum.
alter table log_head drop constraint log_head_pkey;

-- The number of the lock under which one claim at a time runs in the whole database.
create function claim_lock() returns bigint language sql immutable parallel safe return 7305116403;

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
begin
    perform pg_advisory_xact_lock(claim_lock());
    moment := clock_timestamp();
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

-- As before but for its plan.
create or replace function append_events(
    unit_count int,
    stream_unit int[], stream_type text[], stream_id text[], stream_expected bigint[],
    event_stream int[], event_id uuid[], event_type text[], event_version text[],
    event_payload jsonb[], event_metadata jsonb[], event_tenant uuid[],
    key_unit int[], key_tenant uuid[], key_route text[], key_key text[], key_body_hash bytea[], key_result jsonb[]
) returns table (unit int, outcome text, first_position bigint, last_position bigint, result jsonb)
-- The plan is the same whatever the arrays hold; making it anew for each group would cost more than running it. Only
-- the arrays are joined with each other, by hashes.
language plpgsql set plan_cache_mode = force_generic_plan set enable_hashjoin = on as $$
declare
    head  bigint;
    last  timestamptz;
    stamp timestamptz;
    added bigint;
begin
    select log_head.position, log_head.recorded_at into head, last from log_head for update;
    stamp := next_recorded_at(last);
    -- From here on each statement's snapshot holds all that was committed before the lock was taken.
    return query
    with given_stream as (
        select s.unit, s.type, s.id, s.expected, s.stream,
               min(s.unit) over (partition by s.type, s.id) as first_unit
          from unnest(stream_unit, stream_type, stream_id, stream_expected)
               with ordinality as s(unit, type, id, expected, stream)
    ), given_key as (
        select k.*, min(k.unit) over (partition by k.tenant, k.route, k.key) as first_unit
          from unnest(key_unit, key_tenant, key_route, key_key, key_body_hash, key_result)
               as k(unit, tenant, route, key, body_hash, result)
    ), known_key as (
        select k.unit, u.result, u.position, u.body_hash = k.body_hash as same_body
          from given_key k
         cross join lateral (select * from idempotency_key u
                              where u.tenant_id = k.tenant and u.route = k.route and u.key = k.key offset 0) u
    ), refused as (
        select s.unit from given_stream s
         where s.first_unit < s.unit
            or (select true from events e where e.aggregate_type = s.type and e.aggregate_id = s.id
                                            and e.sequence = s.expected + 1)
            or (s.expected > 0 and (
                select true from events e where e.aggregate_type = s.type and e.aggregate_id = s.id
                                            and e.sequence = s.expected) is null)
        union
        select k.unit from given_key k where k.first_unit < k.unit
    ), accepted as (
        select u.unit from generate_series(1, unit_count) as u(unit)
         where not exists (select from refused r where r.unit = u.unit)
           and not exists (select from known_key k where k.unit = u.unit)
    ), numbered as (
        select s.unit, s.type, s.id, e.event_id, e.event_type, e.event_version, e.payload, e.metadata, e.tenant,
               s.expected + row_number() over (partition by e.stream order by e.place) as sequence,
               head + row_number() over (order by e.place) as position
          from unnest(event_stream, event_id, event_type, event_version, event_payload, event_metadata, event_tenant)
               with ordinality as e(stream, event_id, event_type, event_version, payload, metadata, tenant, place)
          join given_stream s on s.stream = e.stream
          join accepted a on a.unit = s.unit
    ), inserted as (
        insert into events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata,
                            position, event_id, recorded_at, tenant_id, leaf)
        select n.type, n.id, n.sequence, n.event_type, n.event_version, n.payload, n.metadata,
               n.position, n.event_id, stamp, n.tenant,
               event_leaf(n.position, n.event_id, n.type, n.id, n.sequence, n.event_type, n.event_version,
                          stamp, n.tenant, n.payload, n.metadata)
          from numbered n
    ), span as (
        select n.unit, min(n.position) as first_position, max(n.position) as last_position
          from numbered n group by n.unit
    ), remembered as (
        insert into idempotency_key (tenant_id, route, key, body_hash, result, position, created_at)
        select k.tenant, k.route, k.key, k.body_hash, k.result, coalesce(s.last_position, head), stamp
          from given_key k join accepted a on a.unit = k.unit left join span s on s.unit = k.unit
    )
    select u.unit,
           case when k.same_body then 'repeated'
                when k.unit is not null then 'key_reused'
                when r.unit is not null then 'conflict'
                else 'committed' end,
           s.first_position,
           case when k.same_body then k.position else s.last_position end,
           case when k.same_body then k.result end
      from generate_series(1, unit_count) as u(unit)
      left join known_key k on k.unit = u.unit
      left join refused r on r.unit = u.unit
      left join span s on s.unit = u.unit
     order by u.unit;

    select max(e.position) into added from events e where e.position > head;
    if added is not null then
        update log_head set position = added, recorded_at = stamp;
        if stamp < last then
            insert into clock_correction (position, was, became) values (head + 1, last, stamp);
        end if;
        perform pg_notify('sitelog_log', added::text);
    end if;
end
$$;
