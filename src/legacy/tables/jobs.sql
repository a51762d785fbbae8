-- Scans with the final data of the predecessor about a domain are not jobs of the predecessor. An imported job is shown as it
-- was until it is scanned here. Ids of new jobs are higher than those of the predecessor.
select coalesce(legacy.as_int(r.source_id), (1000000000 + j.requested_position % 1147483647)::int) as id,
       j.scan_id                                                            as job_id,
       j.tenant_id::varchar(255)                                            as tenant_id,
       case when i.as_it_was then legacy.as_uuid(i.row ->> 'tenant_id_uuid') else j.tenant_id end as tenant_id_uuid,
       j.job_type::varchar(50)                                              as job_type,
       case when i.as_it_was then i.row ->> 'status'
            when j.status = 'running' then 'processing'
            else j.status end::varchar(50)                                  as status,
       coalesce(o.domain_id, j.domain_id)                                   as domain_id,
       case when i.as_it_was then i.row ->> 'batch_id' else j.batch_id::text end::varchar as batch_id,
       case when i.as_it_was then legacy.as_float(i.row ->> 'progress') else j.progress end as progress,
       case when i.as_it_was then legacy.as_json(i.row -> 'result_data')
            when j.status = 'completed' then jsonb_build_object(
                'site_data', j.result_data,
                'processing_metrics', jsonb_build_object(
                    'start_time', j.started_at at time zone 'UTC', 'end_time', j.completed_at at time zone 'UTC',
                    'processing_time', extract(epoch from j.completed_at - j.started_at),
                    'domain', j.domain, 'max_pages', j.job_metadata -> 'max_pages'))
            end                                                             as result_data,
       case when i.as_it_was then legacy.as_json(i.row -> 'job_metadata')
            else j.job_metadata || jsonb_build_object('domain', j.domain) end as job_metadata,
       legacy.as_json(i.row -> 'result')                                    as result,
       legacy.as_json(i.row -> 'metadata')                                  as metadata,
       case when i.as_it_was then i.row ->> 'error' else j.error end::varchar as error,
       coalesce(legacy.as_uuid(i.row ->> 'created_by'),
                case when j.created_by like 'user:%' then legacy.as_uuid(substr(j.created_by, 6)) end) as created_by,
       case when i.as_it_was then legacy.as_timestamptz(i.row ->> 'started_at') else j.started_at end as started_at,
       case when i.as_it_was then legacy.as_timestamptz(i.row ->> 'completed_at') else j.completed_at end
                                                                            as completed_at,
       legacy.as_uuid(i.row ->> 'id_uuid')                                  as id_uuid,
       (i.row ->> 'batch_id_string')::varchar                               as batch_id_string,
       coalesce(legacy.as_timestamp(i.row ->> 'created_at'), j.created_at at time zone 'UTC') as created_at,
       coalesce(case when i.as_it_was then legacy.as_timestamp(i.row ->> 'updated_at') end,
                j.updated_at at time zone 'UTC')                            as updated_at
  from {jobs} j
  left join public.legacy_domain_id o on o.tenant_id = j.tenant_id and o.domain = j.domain
  left join public.legacy_row r on r.stream_id = j.scan_id and r.source_table = 'jobs' and r.outcome = 'imported'
  cross join lateral (select r.content as row,
                             coalesce(r.content is not null and j.round = 1 and not 'unfinished' = any (r.notes), false)
                                 as as_it_was) i
 where j.job_metadata #>> '{imported,table}' is distinct from 'domains'
