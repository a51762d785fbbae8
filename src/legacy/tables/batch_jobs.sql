select coalesce(legacy.as_int(r.source_id), (1000000000 + b.requested_position % 1147483647)::int) as id,
       coalesce(legacy.as_uuid(i.row ->> 'id_uuid'), b.batch_id)            as id_uuid,
       b.batch_id,
       (i.row ->> 'batch_id_string')::varchar                               as batch_id_string,
       (i.row ->> 'batch_id_original')::varchar                             as batch_id_original,
       b.tenant_id,
       b.processor_type::varchar                                            as processor_type,
       case when i.as_it_was then i.row ->> 'status'
            when b.status = 'running' then 'processing'
            when b.status = 'partial' then 'completed'
            else b.status end::varchar                                      as status,
       coalesce(legacy.as_uuid(i.row ->> 'created_by'),
                case when b.created_by like 'user:%' then legacy.as_uuid(substr(b.created_by, 6)) end) as created_by,
       b.total_domains,
       b.completed_domains,
       b.failed_domains,
       case when i.as_it_was then legacy.as_float(i.row ->> 'progress') else b.progress end as progress,
       case when i.as_it_was then legacy.as_json(i.row -> 'batch_metadata') else b.batch_metadata end as batch_metadata,
       case when i.as_it_was then legacy.as_json(i.row -> 'options') else b.options end as options,
       case when i.as_it_was then legacy.as_timestamp(i.row ->> 'start_time')
            else b.start_time at time zone 'UTC' end                        as start_time,
       case when i.as_it_was then legacy.as_timestamp(i.row ->> 'end_time')
            else b.end_time at time zone 'UTC' end                          as end_time,
       case when i.as_it_was then legacy.as_float(i.row ->> 'processing_time') else b.processing_time end
                                                                            as processing_time,
       case when i.as_it_was then i.row ->> 'error'
            when b.cancelled then 'Batch cancelled by user' end::varchar    as error,
       coalesce(legacy.as_timestamp(i.row ->> 'created_at'), b.created_at at time zone 'UTC') as created_at,
       coalesce(case when i.as_it_was then legacy.as_timestamp(i.row ->> 'updated_at') end,
                b.updated_at at time zone 'UTC')                            as updated_at
  from {batch_jobs} b
  left join public.legacy_row r on r.stream_id = b.batch_id and r.source_table = 'batch_jobs' and r.outcome = 'imported'
  cross join lateral (select r.content as row,
                             coalesce(r.content is not null and b.round = 1 and not 'unfinished' = any (r.notes), false)
                                 as as_it_was) i
