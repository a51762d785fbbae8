-- The clock may be wrong: set forward or back, for a moment or for a day, and another one on each machine. So nothing
-- trusts a moment that is further ahead than anybody may set it, and a first attempt waits for no moment at all.

-- How far ahead the end of a lease may be: twice the 15 seconds that leases are given for, so that a claim that takes
-- its time does not mistake a lease that was renewed meanwhile.
create function longest_lease() returns interval language sql immutable parallel safe return interval '30 seconds';
-- How far ahead the next attempt at a scan, or the end of a host's rest, may be.
create function longest_wait() returns interval language sql immutable parallel safe return interval '5 minutes';

-- Whether a moment that somebody waits for is still to come. One that is further ahead than `longest` was set under
-- another clock and counts as over.
create function still_ahead(moment timestamptz, longest interval, at timestamptz) returns boolean
    language sql stable parallel safe
    return coalesce(moment > at and moment <= at + longest, false);

-- Whether something happened within the last `longest`. What lies ahead, by more than the clocks of two statements may
-- differ, happened under another clock: nobody knows when.
create function recently(moment timestamptz, longest interval, at timestamptz) returns boolean
    language sql stable parallel safe
    return coalesce(moment > at - longest and moment <= at + interval '1 minute', false);

-- The queue. A first attempt is due at '-infinity': at once, whatever the log or the clock says.
alter table scan_task
    add column queued_at timestamptz not null default clock_timestamp(),
    add column claimed_at timestamptz;
update scan_task set due_at = '-infinity';
alter table scan_task alter column due_at set default '-infinity';
-- Only tasks that wait for another attempt are in here.
create index scan_task_delayed on scan_task (due_at) where leased_until is null and due_at > '-infinity';
-- When a task of the tenant was last given to a worker.
alter table task_tenant add column served_at timestamptz;

-- As before, but by no moment that is further ahead than anybody may set it.
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
    perform pg_advisory_xact_lock(7305116403);
    moment := clock_timestamp();
    update scan_task t set leased_until = null, worker = null
     where t.leased_until is not null and not still_ahead(t.leased_until, longest_lease(), moment);
    -- The last condition is the index's: first attempts are not even looked at.
    update scan_task t set due_at = '-infinity'
     where t.leased_until is null and t.due_at > moment + longest_wait() and t.due_at > '-infinity';
    while remaining > 0 loop
        select l.lane_id, l.tenant_id, w.weight, least(l.max_concurrent - held.leases, share.room) as room into served
          from task_lane l
          join task_tenant w on w.tenant_id = l.tenant_id
          left join tenant_setting s on s.tenant_id = l.tenant_id
          cross join lateral (select count(*)::int as leases from scan_task t
                               where t.lane_id = l.lane_id and t.leased_until is not null) held
          -- Null, and so without effect, for a tenant without a limit.
          cross join lateral (select case when s.max_concurrent_scans is not null then s.max_concurrent_scans
                                          - (select count(*)::int from scan_task t
                                              where t.tenant_id = l.tenant_id and t.leased_until is not null)
                                     end as room) share
         where held.leases < l.max_concurrent
           and coalesce(share.room, 1) > 0
           and exists (select from scan_task t
                        where t.lane_id = l.lane_id and t.leased_until is null and t.due_at <= moment
                          and not exists (select from scan_task b where b.host = t.host and b.leased_until is not null)
                          and not exists (select from host_rest r where r.host = t.host
                                            and still_ahead(r.rest_until, longest_wait(), moment)))
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
                       and not exists (select from host_rest r where r.host = t.host
                                            and still_ahead(r.rest_until, longest_wait(), moment))
                     order by t.due_at, t.position
                     limit least(remaining, served.room, 16)) t
        )
        update scan_task t
           set leased_until = moment + lease, claimed_at = moment, fence = nextval('task_fence'), worker = worker_name
          from ready r
         where t.scan_id = r.scan_id and r.nth = 1
        returning t.scan_id, t.tenant_id, t.host, t.fence;
        get diagnostics taken = row_count;
        remaining := remaining - taken;
        update task_tenant w set vtime = w.vtime + taken / w.weight, served_at = moment
         where w.tenant_id = served.tenant_id;
        update task_lane l set vtime = l.vtime + taken where l.lane_id = served.lane_id;
    end loop;
end
$$;

-- The log. Its order is that of positions. Recorded times do not go back while the clock is set by less than a minute.
-- If the last one lies further ahead, the clock was wrong, and waiting until it comes true would give all events one
-- time for hours or years: then they do go back.
create function next_recorded_at(last timestamptz) returns timestamptz language plpgsql volatile as $$
declare
    moment timestamptz := clock_timestamp();
begin
    return case when last > moment + interval '1 minute' then moment else greatest(last, moment) end;
end
$$;
-- Where recorded times go back: the event at `position` was recorded at `became`, the one before it at `was`. Between
-- two of these places times never go back, which is what a search by time rests on.
create table clock_correction (
    position bigint      primary key,
    was      timestamptz not null,
    became   timestamptz not null check (became < was)
);

-- As before, with the next recorded time.
create or replace function append_events(
    unit_count int,
    stream_unit int[], stream_type text[], stream_id text[], stream_expected bigint[],
    event_stream int[], event_id uuid[], event_type text[], event_version text[],
    event_payload jsonb[], event_metadata jsonb[], event_tenant uuid[],
    key_unit int[], key_tenant uuid[], key_route text[], key_key text[], key_body_hash bytea[], key_result jsonb[]
) returns table (unit int, outcome text, first_position bigint, last_position bigint, result jsonb)
-- The plan is the same whatever the arrays hold; making it anew for each group would cost more than running it.
language plpgsql set plan_cache_mode = force_generic_plan as $$
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
          join idempotency_key u on u.tenant_id = k.tenant and u.route = k.route and u.key = k.key
    ), refused as (
        select s.unit from given_stream s
         where s.first_unit < s.unit
            or exists (select from events e where e.aggregate_type = s.type and e.aggregate_id = s.id
                                              and e.sequence = s.expected + 1)
            or (s.expected > 0 and not exists (
                select from events e where e.aggregate_type = s.type and e.aggregate_id = s.id
                                       and e.sequence = s.expected))
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

create or replace function number_stock_event() returns trigger language plpgsql as $$
declare
    last timestamptz;
begin
    select log_head.recorded_at into last from log_head for update;
    update log_head set position = log_head.position + 1, recorded_at = next_recorded_at(last)
    returning log_head.position, log_head.recorded_at into new.position, new.recorded_at;
    if new.recorded_at < last then
        insert into clock_correction (position, was, became) values (new.position, last, new.recorded_at);
    end if;
    new.event_id := coalesce(new.event_id, gen_random_uuid());
    new.tenant_id := coalesce(new.tenant_id, (new.metadata ->> 'tenant_id')::uuid,
                              '550e8400-e29b-41d4-a716-446655440000');
    new.leaf := event_leaf(new.position, new.event_id, new.aggregate_type, new.aggregate_id, new.sequence,
                           new.event_type, new.event_version, new.recorded_at, new.tenant_id, new.payload,
                           new.metadata);
    return new;
end
$$;
