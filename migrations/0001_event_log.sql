-- The event log: the only truth. Columns up to `metadata` are those of postgres-es, so that the stock repository
-- reads and writes the same table; the rest is what it lacks: one dense position in commit order, the time, the
-- tenant and a leaf hash per event. Nothing is ever changed or deleted here.

create table events (
    aggregate_type text        not null,
    aggregate_id   text        not null,
    sequence       bigint      not null check (sequence >= 1),
    event_type     text        not null,
    event_version  text        not null,
    payload        jsonb       not null,
    metadata       jsonb       not null,
    position       bigint      not null,
    event_id       uuid        not null,
    recorded_at    timestamptz not null,
    tenant_id      uuid        not null,
    leaf           bytea       not null,
    primary key (aggregate_type, aggregate_id, sequence)
);
create unique index events_position on events (position);
create index events_tenant_position on events (tenant_id, position);

-- One row, locked by every append until its commit: that makes positions dense and in commit order.
create table log_head (
    only_row    boolean     primary key default true check (only_row),
    position    bigint      not null,
    recorded_at timestamptz not null
) with (fillfactor = 10);
insert into log_head (position, recorded_at) values (0, '-infinity');

-- Bulky or personal facts stand here; the payload holds their salted digest. Deleting a body forgets the fact and
-- leaves order, hashes and streams whole.
create table event_body (
    digest    bytea primary key,
    tenant_id uuid  not null,
    subject   text  not null,
    salt      bytea not null,
    bytes     bytea not null
);
alter table event_body alter column bytes set storage external; -- zstd already
create index event_body_subject on event_body (tenant_id, subject);

-- One salt per tenant and subject (a domain, a batch): the same body again has the same digest and is stored once,
-- while nobody can try candidates against a digest whose salt was forgotten.
create table body_salt (
    tenant_id uuid  not null,
    subject   text  not null,
    salt      bytea not null,
    primary key (tenant_id, subject)
);

-- The first result of every command that came with an Idempotency-Key, written in the append's own transaction.
create table idempotency_key (
    tenant_id  uuid        not null,
    route      text        not null,
    key        text        not null,
    body_hash  bytea       not null,
    result     jsonb       not null,
    position   bigint      not null,
    created_at timestamptz not null,
    primary key (tenant_id, route, key)
);

-- RFC 9162 leaf hash over the canonical text of an event: a JSON array in jsonb's own notation, which is stable
-- (keys sorted, one spacing). Recorded time is UTC with microseconds.
create function event_leaf(
    event_position bigint, event_id uuid, aggregate_type text, aggregate_id text, sequence bigint,
    event_type text, event_version text, recorded_at timestamptz, tenant_id uuid, payload jsonb, metadata jsonb
) returns bytea language sql immutable parallel safe as $$
    select sha256('\x00'::bytea || convert_to(jsonb_build_array(
        event_position, event_id, aggregate_type, aggregate_id, sequence, event_type, event_version,
        to_char(recorded_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), tenant_id, payload, metadata
    )::text, 'UTF8'))
$$;

-- Appends a group of units, each all or nothing, and says for each what became of it:
--   committed  its events stand at first_position..last_position (null if it had none)
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
) returns table (unit int, outcome text, first_position bigint, last_position bigint, result jsonb)
-- The plan is the same whatever the arrays hold; making it anew for each group would cost more than running it.
language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
    head  bigint;
    stamp timestamptz;
    added bigint;
begin
    select log_head.position, greatest(log_head.recorded_at, clock_timestamp())
      into head, stamp from log_head for update;
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
        perform pg_notify('sitelog_log', added::text);
    end if;
end
$$;

-- Writers that know only postgres-es' columns get the rest here.
create function number_stock_event() returns trigger language plpgsql as $$
begin
    update log_head
       set position = log_head.position + 1, recorded_at = greatest(log_head.recorded_at, clock_timestamp())
    returning log_head.position, log_head.recorded_at into new.position, new.recorded_at;
    new.event_id := coalesce(new.event_id, gen_random_uuid());
    new.tenant_id := coalesce(new.tenant_id, (new.metadata ->> 'tenant_id')::uuid,
                              '550e8400-e29b-41d4-a716-446655440000');
    new.leaf := event_leaf(new.position, new.event_id, new.aggregate_type, new.aggregate_id, new.sequence,
                           new.event_type, new.event_version, new.recorded_at, new.tenant_id, new.payload,
                           new.metadata);
    return new;
end
$$;
create trigger events_number_stock before insert on events
    for each row when (new.position is null) execute function number_stock_event();

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'the event log is append-only: % on % is refused', tg_op, tg_table_name
        using errcode = 'restrict_violation';
end
$$;
create trigger events_append_only before update or delete or truncate on events
    for each statement execute function refuse_change();
