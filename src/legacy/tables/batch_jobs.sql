select case when m.row ->> 'row_id' ~ '^[0-9]{1,9}$' then (m.row ->> 'row_id')::int
            else (1000000000 + b.requested_position % 1147483647)::int end  as id,
       b.batch_id                                                           as id_uuid,
       b.batch_id,
       null::varchar                                                        as batch_id_string,
       null::varchar                                                        as batch_id_original,
       b.tenant_id,
       b.processor_type::varchar                                            as processor_type,
       case when b.round = 1 and not b.cancelled and m.row is not null then m.row ->> 'status'
            when b.status = 'running' then 'processing'
            when b.status = 'partial' then 'completed'
            else b.status end::varchar                                      as status,
       case when b.created_by ~ '^user:[0-9a-fA-F-]{36}$' then substr(b.created_by, 6)::uuid end as created_by,
       b.total_domains,
       b.completed_domains,
       b.failed_domains,
       b.progress,
       b.batch_metadata,
       b.options,
       (b.start_time at time zone 'UTC')                                    as start_time,
       (b.end_time at time zone 'UTC')                                      as end_time,
       b.processing_time,
       coalesce(m.row ->> 'error', case when b.cancelled then 'Batch cancelled by user' end)::varchar as error,
       (b.created_at at time zone 'UTC')                                    as created_at,
       (b.updated_at at time zone 'UTC')                                    as updated_at
  from {batch_jobs}.batch_jobs b
  cross join lateral (select b.batch_metadata -> 'imported' as row) m
