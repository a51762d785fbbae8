-- The scans that tell what the predecessor knew of a domain in the end are none of its jobs. Ids of new jobs stand
-- above those that it gave.
select case when m.row ->> 'row_id' ~ '^[0-9]{1,9}$' then (m.row ->> 'row_id')::int
            else (1000000000 + j.requested_position % 1147483647)::int end  as id,
       j.scan_id                                                            as job_id,
       j.tenant_id::varchar(255)                                            as tenant_id,
       j.tenant_id                                                          as tenant_id_uuid,
       j.job_type::varchar(50)                                              as job_type,
       case when j.round = 1 and j.status = 'completed' then coalesce(m.row ->> 'status', 'completed')
            when j.status = 'running' then 'processing'
            else j.status end::varchar(50)                                  as status,
       coalesce(o.domain_id, j.domain_id)                                   as domain_id,
       j.batch_id::varchar                                                  as batch_id,
       j.progress,
       case when j.status <> 'completed' then null
            when j.result_data ? 'imported' then nullif(j.result_data #> '{imported,result_data}', 'null')
            else jsonb_build_object(
                'site_data', j.result_data,
                'processing_metrics', jsonb_build_object(
                    'start_time', j.started_at at time zone 'UTC', 'end_time', j.completed_at at time zone 'UTC',
                    'processing_time', extract(epoch from j.completed_at - j.started_at),
                    'domain', j.domain, 'max_pages', j.job_metadata -> 'max_pages'))
            end                                                             as result_data,
       case when j.result_data ? 'imported' then nullif(j.result_data #> '{imported,job_metadata}', 'null')
            else j.job_metadata || jsonb_build_object('domain', j.domain) end as job_metadata,
       case when j.result_data ? 'imported' then nullif(j.result_data #> '{imported,result}', 'null') end as result,
       case when j.result_data ? 'imported' then nullif(j.result_data #> '{imported,metadata}', 'null') end as metadata,
       j.error::varchar                                                     as error,
       case when j.created_by ~ '^user:[0-9a-fA-F-]{36}$' then substr(j.created_by, 6)::uuid
            when j.result_data #>> '{imported,created_by}' ~ '^[0-9a-fA-F-]{36}$'
            then (j.result_data #>> '{imported,created_by}')::uuid end      as created_by,
       j.started_at,
       j.completed_at,
       null::uuid                                                           as id_uuid,
       null::varchar                                                        as batch_id_string,
       (j.created_at at time zone 'UTC')                                    as created_at,
       (j.updated_at at time zone 'UTC')                                    as updated_at
  from {jobs}.jobs j
  left join legacy_domain_id o on o.tenant_id = j.tenant_id and o.domain = j.domain
  cross join lateral (select j.job_metadata -> 'imported' as row) m
 where m.row ->> 'table' is distinct from 'domains'
