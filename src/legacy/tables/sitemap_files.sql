-- An imported file is shown as it was until its site is scanned here. Words that the predecessor's last models do not know
-- are replaced by their successors.
select coalesce(legacy.as_uuid(r.source_id), f.sitemap_id)                  as id,
       f.tenant_id,
       coalesce(o.domain_id, d.id)                                          as domain_id,
       f.url,
       case when i.as_it_was then coalesce(i.row ->> 'sitemap_type', 'standard')
            when f.kind = 'index' then 'index' else 'standard' end          as sitemap_type,
       i.row ->> 'discovery_method'                                         as discovery_method,
       case when i.as_it_was then legacy.as_int(i.row ->> 'page_count') end as page_count,
       case when i.as_it_was then legacy.as_int(i.row ->> 'size_bytes')
            else least(f.bytes, 2147483647)::int end                        as size_bytes,
       case when i.as_it_was then legacy.as_int(i.row ->> 'response_time_ms') end as response_time_ms,
       case when i.as_it_was then legacy.as_int(i.row ->> 'status_code') else f.status end as status_code,
       case when i.as_it_was then legacy.as_file_status(replace(i.row ->> 'status', 'new', 'Pending'))
            when f.kind in ('urlset', 'index', 'rss', 'atom', 'text') then 'Completed'
            else 'Error' end::legacy.sitemap_file_status_enum               as status,
       coalesce(legacy.as_int(i.row ->> 'priority'), 5)                     as priority,
       case when i.as_it_was then i.row ->> 'error_message' else f.problems #>> '{0,detail}' end as error_message,
       case when i.as_it_was then legacy.as_timestamptz(i.row ->> 'last_modified') end as last_modified,
       case when i.as_it_was then legacy.as_boolean(i.row ->> 'is_gzipped') else f.url ~ '\.gz$' end as is_gzipped,
       case when i.as_it_was then legacy.as_boolean(i.row ->> 'has_lastmod') end as has_lastmod,
       case when i.as_it_was then legacy.as_boolean(i.row ->> 'has_priority') end as has_priority,
       case when i.as_it_was then legacy.as_boolean(i.row ->> 'has_changefreq') end as has_changefreq,
       i.row ->> 'generator'                                                as generator,
       i.row ->> 'lead_source'                                              as lead_source,
       legacy.as_uuid(i.row ->> 'user_id')                                  as user_id,
       i.row ->> 'user_name'                                                as user_name,
       i.row ->> 'notes'                                                    as notes,
       legacy.as_texts(i.row -> 'tags')                                     as tags,
       coalesce(legacy.as_boolean(i.row ->> 'is_active'), true)             as is_active,
       legacy.as_timestamptz(i.row ->> 'process_after')                     as process_after,
       case when i.as_it_was then legacy.as_timestamptz(i.row ->> 'last_processed_at')
            else d.last_successful_scan end                                 as last_processed_at,
       case when i.as_it_was then legacy.as_uuid(i.row ->> 'job_id') else f.scan_id end as job_id,
       case when i.as_it_was then legacy.as_int(i.row ->> 'url_count')
            else least(f.entries, 2147483647)::int end                      as url_count,
       coalesce(legacy.as_curation(i.row ->> 'deep_scrape_curation_status'), 'New') as deep_scrape_curation_status,
       legacy.as_import_status(replace(i.row ->> 'sitemap_import_status', 'Completed', 'Complete')) as sitemap_import_status,
       i.row ->> 'sitemap_import_error'                                     as sitemap_import_error,
       coalesce(legacy.as_timestamptz(i.row ->> 'created_at'), d.created_at) as created_at,
       coalesce(case when i.as_it_was then legacy.as_timestamptz(i.row ->> 'updated_at') end, d.updated_at) as updated_at,
       legacy.as_uuid(i.row ->> 'created_by')                               as created_by,
       legacy.as_uuid(i.row ->> 'updated_by')                               as updated_by
  from {sitemap_files} f
  join {domains} d on d.tenant_id = f.tenant_id and d.domain = f.domain
  left join {jobs} j on j.scan_id = f.scan_id
  left join public.legacy_domain_id o on o.tenant_id = f.tenant_id and o.domain = f.domain
  left join public.legacy_row r on r.stream_id = f.sitemap_id and r.source_table = 'sitemap_files'
                               and r.outcome = 'imported'
  cross join lateral (select r.content as row,
                             coalesce(r.content is not null and j.job_metadata #>> '{imported,table}' = 'domains', false)
                                 as as_it_was) i
