select coalesce(o.domain_id, d.id)                                          as id,
       d.tenant_id,
       d.domain::varchar                                                    as domain,
       case d.status when 'completed' then coalesce(i.row ->> 'status', 'completed')
                     when 'failed' then 'error'
                     when 'running' then 'processing'
                     when 'pending' then 'pending'
                     else 'active' end::varchar                             as status,
       case when d.created_by ~ '^user:[0-9a-fA-F-]{36}$' then substr(d.created_by, 6)::uuid
            when i.row ->> 'created_by' ~ '^[0-9a-fA-F-]{36}$' then (i.row ->> 'created_by')::uuid
            end                                                             as created_by,
       d.title, d.description, d.favicon_url, d.logo_url, d.language, d.wordpress_version,
       d.is_wordpress, d.has_elementor, d.tech_stack,
       d.email_addresses, d.phone_numbers,
       d.facebook_url, d.twitter_url, d.linkedin_url, d.instagram_url, d.youtube_url,
       coalesce(nullif(i.row -> 'meta_json', 'null'), d.meta_json)          as meta_json,
       coalesce(nullif(i.row -> 'domain_metadata', 'null'), d.meta_json)    as domain_metadata,
       i.row ->> 'notes'                                                    as notes,
       coalesce(d.first_scan, d.created_at)                                 as first_scan,
       coalesce(d.last_scan, d.created_at)                                  as last_scan,
       d.content_scrape_status::legacy.task_status                          as content_scrape_status,
       d.content_scrape_at,
       d.content_scrape_error,
       d.content_scrape_status::legacy.task_status                          as page_scrape_status,
       d.content_scrape_at                                                  as page_scrape_at,
       d.content_scrape_error                                               as page_scrape_error,
       d.content_scrape_status::legacy.task_status                          as sitemap_monitor_status,
       d.content_scrape_at                                                  as sitemap_monitor_at,
       null::text                                                           as sitemap_monitor_error,
       d.sitemap_urls,
       d.total_sitemaps,
       d.batch_id::varchar                                                  as batch_id,
       case when i.row ->> 'local_business_id' ~ '^[0-9a-fA-F-]{36}$'
            then (i.row ->> 'local_business_id')::uuid end                  as local_business_id,
       'New'::legacy."SitemapCurationStatusEnum"                            as sitemap_curation_status,
       case d.status when 'pending' then 'queued' when 'running' then 'processing' when 'completed' then 'submitted'
                     when 'failed' then 'failed' end::legacy."SitemapAnalysisStatusEnum"
                                                                            as sitemap_analysis_status,
       d.last_error                                                         as sitemap_analysis_error,
       (d.created_at at time zone 'UTC')                                    as created_at,
       (d.updated_at at time zone 'UTC')                                    as updated_at,
       i.row ->> 'lead_source'                                              as lead_source,
       true                                                                 as is_active,
       d.last_error,
       d.error_count,
       d.last_successful_scan,
       d.has_sitemap,
       d.elementor_version,
       null::jsonb                                                          as error_history,
       null::jsonb                                                          as performance_metrics,
       null::int                                                            as average_response_time,
       null::text                                                           as sitemap_url,
       null::text                                                           as robots_txt,
       null::int                                                            as page_count,
       null::text                                                           as wordpress_theme,
       null::text[]                                                         as physical_addresses
  from {domains}.domains d
  left join legacy_domain_id o on o.tenant_id = d.tenant_id and o.domain = d.domain
  cross join lateral (select d.meta_json -> 'imported' as row) i
