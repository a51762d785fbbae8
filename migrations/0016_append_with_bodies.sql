-- A group of appends with its bodies in one statement: one way to the server instead of five.

-- As append_events, with bodies. Where a body is sealed with another salt than its subject has, nothing is written: the
-- units with such bodies are `salt_changed`, all others `not_tried`.
create function append_with_bodies(
    body_unit int[], body_digest bytea[], body_tenant uuid[], body_subject text[], body_salt bytea[], body_bytes bytea[],
    unit_count int,
    stream_unit int[], stream_type text[], stream_id text[], stream_expected bigint[],
    event_stream int[], event_id uuid[], event_type text[], event_version text[],
    event_payload jsonb[], event_metadata jsonb[], event_tenant uuid[],
    key_unit int[], key_tenant uuid[], key_route text[], key_key text[], key_body_hash bytea[], key_result jsonb[]
) returns table (unit int, outcome text, first_position bigint, last_position bigint, result jsonb)
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
        return query select u.unit, case when u.unit = any(stale) then 'salt_changed' else 'not_tried' end,
                            null::bigint, null::bigint, null::jsonb
                       from generate_series(1, unit_count) as u(unit) order by 1;
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
