select md5(u.sitemap_id::text || ':' || u.ordinal)::uuid                    as id,
       u.tenant_id,
       coalesce(o.domain_id, d.id)                                          as domain_id,
       coalesce(r.source_id::uuid, u.sitemap_id)                            as sitemap_id,
       u.url,
       u.url                                                                as loc_text,
       null::text                                                           as page_type,
       null::text                                                           as status,
       5                                                                    as priority,
       null::int                                                            as status_code,
       null::text                                                           as error_message,
       -- The predecessor's column holds times only; sitemaps say dates of all forms.
       case when u.lastmod ~ '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-8])'
             and u.lastmod ~ '^[0-9-]{10}(T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]+)?)?(Z|[+-][01][0-9]:?[0-5][0-9])?)?$'
            then u.lastmod::timestamptz end                                 as lastmod,
       u.changefreq,
       case when u.priority ~ '^[01](\.[0-9]{1,4})?$' then u.priority::numeric(3, 2) end as priority_value,
       null::int                                                            as image_count,
       null::int                                                            as video_count,
       null::int                                                            as news_count,
       null::int                                                            as size_bytes,
       d.last_successful_scan                                               as discovered_at,
       d.last_successful_scan                                               as last_checked_at,
       d.created_at,
       d.updated_at
  from {sitemaps}.sitemap_urls u
  join {sitemaps}.sitemap_files f on f.sitemap_id = u.sitemap_id
  join {domains}.domains d on d.tenant_id = f.tenant_id and d.domain = f.domain
  left join legacy_domain_id o on o.tenant_id = f.tenant_id and o.domain = f.domain
  left join legacy_row r on r.stream_id = f.sitemap_id and r.source_table = 'sitemap_files' and r.outcome = 'imported'
