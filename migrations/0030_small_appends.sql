-- Small appends, which are most: a few small statements instead of one large one, whose start took longer than its work.
-- And the leaf hash is part of the statement that calls it, instead of a call per event.

-- PostgreSQL replaces the call of an SQL function by its body only if the function is declared as volatile as the body is.
create function event_leaf(
    event_position bigint, event_id uuid, aggregate_type text, aggregate_id text, sequence bigint,
    event_type text, event_version text, recorded_text text, tenant_id uuid, payload jsonb, metadata jsonb
) returns bytea language sql stable parallel safe as $$
    select sha256('\x00'::bytea || convert_to(jsonb_build_array(
        event_position, event_id, aggregate_type, aggregate_id, sequence, event_type, event_version, recorded_text,
        tenant_id, payload, metadata
    )::text, 'UTF8'))
$$;

-- A recorded time in an event's canonical text: UTC with microseconds.
create function recorded_text(recorded_at timestamptz) returns text language sql stable parallel safe as $$
    select to_char(recorded_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;

create or replace function event_leaf(
    event_position bigint, event_id uuid, aggregate_type text, aggregate_id text, sequence bigint,
    event_type text, event_version text, recorded_at timestamptz, tenant_id uuid, payload jsonb, metadata jsonb
) returns bytea language sql stable parallel safe as $$
    select event_leaf(event_position, event_id, aggregate_type, aggregate_id, sequence, event_type, event_version,
                      recorded_text(recorded_at), tenant_id, payload, metadata)
$$;

drop function append_with_bodies;
drop function append_events;

-- Appends a group of units, each all or nothing, and says for each, in order, what became of it:
--   committed  its last event is at last_position (null if it had none)
--   conflict   another append was first on one of its streams; nothing of it was written
--   repeated   its key was used before with the same body; result and last_position are the first use's
--   key_reused its key was used before with another body
-- Streams, events and keys come as parallel arrays; units are numbered from 1, streams by their place.
create function append_events(
    unit_count int,
    stream_unit int[], stream_type text[], stream_id text[], stream_expected bigint[],
    event_stream int[], event_id uuid[], event_type text[], event_version text[],
    event_payload jsonb[], event_metadata jsonb[], event_tenant uuid[],
    key_unit int[], key_tenant uuid[], key_route text[], key_key text[], key_body_hash bytea[], key_result jsonb[]
) returns table (outcome text, last_position bigint, result jsonb)
-- The plans are the same whatever the arrays hold; making them anew for each group would cost more than running them.
language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
    head  bigint;
    last  timestamptz;
    stamp timestamptz;
    added bigint;
    -- One element per unit, stream or event. None is null: so PostgreSQL finds one without reading those before it.
    accepted       bool[]   := array_fill(true, array[unit_count]);
    unit_last      bigint[] := array_fill(0::bigint, array[unit_count]);
    stream_last    bigint[] := stream_expected;
    event_sequence bigint[] := array_fill(0::bigint, array[cardinality(event_stream)]);
    event_position bigint[] := event_sequence;
    -- Only for units whose key was used before.
    used     text[];
    used_at  bigint[];
    answered jsonb[];
    unit     int;
    stream   int;
    key      record;
begin
    select log_head.position, log_head.recorded_at into head, last from log_head for update;
    stamp := next_recorded_at(last);
    -- From here on each statement's snapshot holds all that was committed before the lock was taken.
    for unit in
        select s.unit from unnest(stream_unit, stream_type, stream_id, stream_expected) as s(unit, type, id, expected)
         where (select true from events e where e.aggregate_type = s.type and e.aggregate_id = s.id
                                            and e.sequence = s.expected + 1)
            or (s.expected > 0 and (
                select true from events e where e.aggregate_type = s.type and e.aggregate_id = s.id
                                            and e.sequence = s.expected) is null)
    loop
        accepted[unit] := false;
    end loop;
    if cardinality(stream_unit) > 1 then
        for unit in
            select s.unit
              from (select g.unit, min(g.unit) over (partition by g.type, g.id) as first_unit
                      from unnest(stream_unit, stream_type, stream_id) as g(unit, type, id)) s
             where s.first_unit < s.unit
        loop
            accepted[unit] := false;
        end loop;
    end if;
    if cardinality(key_unit) > 0 then
        for key in
            select k.unit, u.position, u.result, u.body_hash = k.body_hash as same_body
              from (select g.*, min(g.unit) over (partition by g.tenant, g.route, g.key) as first_unit
                      from unnest(key_unit, key_tenant, key_route, key_key, key_body_hash)
                           as g(unit, tenant, route, key, body_hash)) k
              left join lateral (select * from idempotency_key u
                                  where u.tenant_id = k.tenant and u.route = k.route and u.key = k.key offset 0) u on true
             where u.position is not null or k.first_unit < k.unit
        loop
            accepted[key.unit] := false;
            if key.same_body then
                used[key.unit] := 'repeated';
                used_at[key.unit] := key.position;
                answered[key.unit] := key.result;
            elsif not key.same_body then
                used[key.unit] := 'key_reused';
            end if;
        end loop;
    end if;

    added := head;
    for event in 1 .. cardinality(event_stream) loop
        stream := event_stream[event];
        unit := stream_unit[stream];
        if accepted[unit] then
            added := added + 1;
            unit_last[unit] := added;
            stream_last[stream] := stream_last[stream] + 1;
            event_sequence[event] := stream_last[stream];
            event_position[event] := added;
        end if;
    end loop;
    insert into events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata,
                        position, event_id, recorded_at, tenant_id, leaf)
    select n.type, n.id, n.sequence, n.event_type, n.event_version, n.payload, n.metadata,
           n.position, n.event_id, stamp, n.tenant,
           event_leaf(n.position, n.event_id, n.type, n.id, n.sequence, n.event_type, n.event_version,
                      n.recorded_text, n.tenant, n.payload, n.metadata)
      from (select e.*, stream_type[e.stream] as type, stream_id[e.stream] as id,
                   (select recorded_text(stamp)) as recorded_text
              from unnest(event_stream, event_sequence, event_position, event_id, event_type, event_version,
                          event_payload, event_metadata, event_tenant)
                   as e(stream, sequence, position, event_id, event_type, event_version, payload, metadata, tenant)
             where e.position > 0 offset 0) n;
    if cardinality(key_unit) > 0 then
        insert into idempotency_key (tenant_id, route, key, body_hash, result, position, created_at)
        select k.tenant, k.route, k.key, k.body_hash, k.result, coalesce(nullif(unit_last[k.unit], 0), head), stamp
          from unnest(key_unit, key_tenant, key_route, key_key, key_body_hash, key_result)
               as k(unit, tenant, route, key, body_hash, result)
         where accepted[k.unit];
    end if;
    if added > head then
        update log_head set position = added, recorded_at = stamp;
        if stamp < last then
            insert into clock_correction (position, was, became) values (head + 1, last, stamp);
        end if;
        perform pg_notify('sitelog_log', added::text);
    end if;

    for unit in 1 .. unit_count loop
        outcome := coalesce(used[unit], case when accepted[unit] then 'committed' else 'conflict' end);
        last_position := coalesce(used_at[unit], nullif(unit_last[unit], 0));
        result := answered[unit];
        return next;
    end loop;
end
$$;

-- As append_events, with bodies. Where a body is sealed with another salt than its subject has, nothing is written: the
-- units with such bodies are `salt_changed`, all others `not_tried`.
create function append_with_bodies(
    body_unit int[], body_digest bytea[], body_tenant uuid[], body_subject text[], body_salt bytea[], body_bytes bytea[],
    unit_count int,
    stream_unit int[], stream_type text[], stream_id text[], stream_expected bigint[],
    event_stream int[], event_id uuid[], event_type text[], event_version text[],
    event_payload jsonb[], event_metadata jsonb[], event_tenant uuid[],
    key_unit int[], key_tenant uuid[], key_route text[], key_key text[], key_body_hash bytea[], key_result jsonb[]
) returns table (outcome text, last_position bigint, result jsonb)
language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
    stale int[];
begin
    -- Held alone by an erasure, so that it sees each body that there is, and no body comes after it under the salt that
    -- it forgot.
    perform pg_advisory_xact_lock_shared(7305116405);
    -- In order, so that two groups never wait for each other crosswise.
    insert into body_salt as known (tenant_id, subject, salt)
    select distinct on (1, 2) g.tenant, g.subject, g.salt
      from unnest(body_tenant, body_subject, body_salt) as g(tenant, subject, salt)
     order by 1, 2
        on conflict do nothing;
    stale := array(
        select distinct g.unit
          from unnest(body_unit, body_tenant, body_subject, body_salt) as g(unit, tenant, subject, salt)
          left join lateral (select s.salt from body_salt s where s.tenant_id = g.tenant and s.subject = g.subject
                             offset 0) known on true
         where known.salt is distinct from g.salt);
    if cardinality(stale) > 0 then
        for unit in 1 .. unit_count loop
            outcome := case when unit = any(stale) then 'salt_changed' else 'not_tried' end;
            return next;
        end loop;
        return;
    end if;
    insert into event_body (digest, tenant_id, subject, salt, bytes)
    select distinct on (1) *
      from unnest(body_digest, body_tenant, body_subject, body_salt, body_bytes)
     order by 1
        on conflict (digest) do nothing;
    return query select * from append_events(
        unit_count, stream_unit, stream_type, stream_id, stream_expected, event_stream, event_id, event_type, event_version,
        event_payload, event_metadata, event_tenant, key_unit, key_tenant, key_route, key_key, key_body_hash, key_result);
end
$$;
