-- Who may use the service, and how much of it.

-- A key is shown once, when it is made; what is kept is its hash. `key_id` is the visible part, by which a key is
-- found and spoken of.
create table api_key (
    key_id       text        primary key,
    tenant_id    uuid        not null,
    name         text        not null,
    key_hash     bytea       not null check (octet_length(key_hash) = 32),
    scopes       text[]      not null check (cardinality(scopes) > 0
                                             and scopes <@ array ['read', 'write', 'admin', 'operator']),
    created_at   timestamptz not null default clock_timestamp(),
    created_by   text        not null,
    expires_at   timestamptz,
    last_used_at timestamptz,
    revoked_at   timestamptz
);
create index api_key_tenant on api_key (tenant_id, created_at);

-- What differs for a tenant from the settings of the service; null is as the settings say.
create table tenant_setting (
    tenant_id            uuid    primary key,
    requests_per_minute  int     check (requests_per_minute > 0),
    max_batch_domains    int     check (max_batch_domains > 0),
    max_concurrent_scans int     check (max_concurrent_scans > 0),
    max_stored_urls      bigint  check (max_stored_urls >= 0),
    -- Whether the predecessor's paths may be used in its name without a key.
    open_v1              boolean not null default false
);

-- Hosts that are to be left alone for a while: by their Crawl-delay, their Retry-After, or our own setting.
create table host_rest (
    host       text        primary key,
    rest_until timestamptz not null
) with (fillfactor = 60);
create index host_rest_until on host_rest (rest_until);

create index scan_task_leased_tenant on scan_task (tenant_id) where leased_until is not null;

-- As before, and besides: a tenant has at most as many leases as its setting says, and a host that rests is not
-- visited.
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
    update scan_task t set leased_until = null, worker = null where t.leased_until < moment;
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
                          and not exists (select from host_rest r where r.host = t.host and r.rest_until > moment))
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
                       and not exists (select from host_rest r where r.host = t.host and r.rest_until > moment)
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
