select md5(u.sitemap_id::text || ':' || u.ordinal)::uuid                    as id,
       u.tenant_id,
       coalesce(o.domain_id, d.id)                                          as domain_id,
       coalesce(legacy.as_uuid(r.source_id), u.sitemap_id)                  as sitemap_id,
       u.url,
       u.url                                                                as loc_text,
       null::text                                                           as page_type,
       -- The models of November 2025 refuse a row with an unknown word.
       'Pending'::legacy.sitemap_url_status_enum                            as status,
       5                                                                    as priority,
       null::int                                                            as status_code,
       null::text                                                           as error_message,
       -- Sitemaps contain dates in all forms; the column holds only times.
       legacy.as_timestamptz(u.lastmod)                                     as lastmod,
       u.changefreq,
       (case when u.priority ~ '^[01](\.[0-9]{1,4})?$' then u.priority end)::numeric(3, 2) as priority_value,
       null::int                                                            as image_count,
       null::int                                                            as video_count,
       null::int                                                            as news_count,
       null::int                                                            as size_bytes,
       null::text                                                           as lead_source,
       null::uuid                                                           as user_id,
       null::text                                                           as user_name,
       null::text                                                           as notes,
       null::text[]                                                         as tags,
       true                                                                 as is_active,
       null::timestamptz                                                    as process_after,
       d.last_successful_scan                                               as discovered_at,
       d.last_successful_scan                                               as last_checked_at,
       d.created_at,
       null::uuid                                                           as created_by,
       d.updated_at,
       null::uuid                                                           as updated_by
  from {sitemap_urls} u
  join {sitemap_files} f on f.sitemap_id = u.sitemap_id
  join {domains} d on d.tenant_id = f.tenant_id and d.domain = f.domain
  left join public.legacy_domain_id o on o.tenant_id = f.tenant_id and o.domain = f.domain
  left join public.legacy_row r on r.stream_id = f.sitemap_id and r.source_table = 'sitemap_files'
                               and r.outcome = 'imported'
