-- Imported values are shown until the domain is scanned here (`as_it_was`). Columns that people had filled in, and values
-- that scans do not find, stay permanently.
select coalesce(o.domain_id, d.id)                                          as id,
       d.tenant_id,
       d.domain::varchar                                                    as domain,
       case when i.as_it_was and not i.unfinished then i.row ->> 'status'
            when d.status = 'completed' then 'completed'
            when d.status = 'failed' then 'error'
            when d.status = 'running' then 'processing'
            when d.status = 'pending' then 'pending'
            else 'active' end::varchar                                      as status,
       coalesce(legacy.as_uuid(i.row ->> 'created_by'),
                case when d.created_by like 'user:%' then legacy.as_uuid(substr(d.created_by, 6)) end) as created_by,
       d.title, d.description, d.favicon_url, d.logo_url, d.language, d.wordpress_version,
       d.is_wordpress, d.has_elementor, d.tech_stack,
       d.email_addresses, d.phone_numbers,
       d.facebook_url, d.twitter_url, d.linkedin_url, d.instagram_url, d.youtube_url,
       case when i.as_it_was then legacy.as_json(i.row -> 'meta_json') else d.meta_json end as meta_json,
       case when i.as_it_was then legacy.as_json(i.row -> 'domain_metadata') else d.meta_json end as domain_metadata,
       i.row ->> 'notes'                                                    as notes,
       coalesce(legacy.as_timestamptz(i.row ->> 'first_scan'), d.first_scan, d.created_at) as first_scan,
       coalesce(case when i.as_it_was then legacy.as_timestamptz(i.row ->> 'last_scan') end,
                d.last_scan, legacy.as_timestamptz(i.row ->> 'last_scan'), d.created_at) as last_scan,
       case when i.as_it_was and not i.unfinished then legacy.as_task_status(i.row ->> 'content_scrape_status')
            else d.content_scrape_status::legacy.task_status end            as content_scrape_status,
       case when i.as_it_was then legacy.as_timestamptz(i.row ->> 'content_scrape_at')
            else d.content_scrape_at end                                    as content_scrape_at,
       case when i.as_it_was and not i.unfinished then i.row ->> 'content_scrape_error'
            else d.content_scrape_error end                                 as content_scrape_error,
       case when i.as_it_was and not i.unfinished then legacy.as_task_status(i.row ->> 'page_scrape_status')
            else d.content_scrape_status::legacy.task_status end            as page_scrape_status,
       case when i.as_it_was then legacy.as_timestamptz(i.row ->> 'page_scrape_at')
            else d.content_scrape_at end                                    as page_scrape_at,
       case when i.as_it_was then i.row ->> 'page_scrape_error' else d.content_scrape_error end as page_scrape_error,
       case when i.as_it_was and not i.unfinished then legacy.as_task_status(i.row ->> 'sitemap_monitor_status')
            else d.content_scrape_status::legacy.task_status end            as sitemap_monitor_status,
       case when i.as_it_was then legacy.as_timestamptz(i.row ->> 'sitemap_monitor_at')
            else d.content_scrape_at end                                    as sitemap_monitor_at,
       case when i.as_it_was then i.row ->> 'sitemap_monitor_error' end     as sitemap_monitor_error,
       d.sitemap_urls,
       d.total_sitemaps,
       case when i.as_it_was then i.row ->> 'batch_id' else d.batch_id::text end::varchar as batch_id,
       legacy.as_uuid(i.row ->> 'local_business_id')                        as local_business_id,
       coalesce(legacy.as_curation(i.row ->> 'sitemap_curation_status'), 'New') as sitemap_curation_status,
       case when i.as_it_was and not i.unfinished then legacy.as_analysis(i.row ->> 'sitemap_analysis_status')
            else case d.status when 'pending' then 'queued' when 'running' then 'processing'
                               when 'completed' then 'submitted' when 'failed' then 'failed'
                 end::legacy."SitemapAnalysisStatusEnum" end                as sitemap_analysis_status,
       case when i.as_it_was and not i.unfinished then i.row ->> 'sitemap_analysis_error'
            else d.last_error end                                           as sitemap_analysis_error,
       coalesce(legacy.as_timestamp(i.row ->> 'created_at'), d.created_at at time zone 'UTC') as created_at,
       coalesce(case when i.as_it_was then legacy.as_timestamp(i.row ->> 'updated_at') end,
                d.updated_at at time zone 'UTC')                            as updated_at,
       i.row ->> 'lead_source'                                              as lead_source,
       coalesce(legacy.as_boolean(i.row ->> 'is_active'), true)             as is_active,
       case when i.as_it_was and not i.unfinished then i.row ->> 'last_error' else d.last_error end as last_error,
       case when i.as_it_was and not i.unfinished then coalesce(legacy.as_int(i.row ->> 'error_count'), 0)
            else d.error_count end                                          as error_count,
       case when i.as_it_was then legacy.as_timestamptz(i.row ->> 'last_successful_scan')
            else d.last_successful_scan end                                 as last_successful_scan,
       case when i.as_it_was then legacy.as_boolean(i.row ->> 'has_sitemap') else d.has_sitemap end as has_sitemap,
       coalesce(d.elementor_version, i.row ->> 'elementor_version')         as elementor_version,
       -- Columns that scans never filled.
       i.row ->> 'local_business_scraped_status'                            as local_business_scraped_status,
       legacy.as_timestamptz(i.row ->> 'local_business_scraped_at')         as local_business_scraped_at,
       i.row ->> 'agency_sitemap_analysis_done'                             as agency_sitemap_analysis_done,
       legacy.as_timestamptz(i.row ->> 'agency_sitemap_analysis_done_at')   as agency_sitemap_analysis_done_at,
       i.row ->> 'agency_wordpress_details'                                 as agency_wordpress_details,
       legacy.as_timestamptz(i.row ->> 'agency_wordpress_details_at')       as agency_wordpress_details_at,
       i.row ->> 'agency_copyright_status'                                  as agency_copyright_status,
       legacy.as_timestamptz(i.row ->> 'agency_copyright_status_at')        as agency_copyright_status_at,
       i.row ->> 'agency_ad_performance_status'                             as agency_ad_performance_status,
       legacy.as_timestamptz(i.row ->> 'agency_ad_performance_at')          as agency_ad_performance_at,
       legacy.as_boolean(i.row ->> 'has_ssl')                               as has_ssl,
       legacy.as_timestamptz(i.row ->> 'ssl_expiry_date')                   as ssl_expiry_date,
       legacy.as_json(i.row -> 'security_headers')                          as security_headers,
       i.row ->> 'ssl_issuer'                                               as ssl_issuer,
       i.row ->> 'ssl_version'                                              as ssl_version,
       i.row ->> 'server_type'                                              as server_type,
       i.row ->> 'ip_address'                                               as ip_address,
       i.row ->> 'hosting_provider'                                         as hosting_provider,
       i.row ->> 'country_code'                                             as country_code,
       legacy.as_int(i.row ->> 'server_response_time')                      as server_response_time,
       legacy.as_json(i.row -> 'dns_records')                               as dns_records,
       i.row ->> 'hosting_location'                                         as hosting_location,
       i.row ->> 'cdn_provider'                                             as cdn_provider,
       legacy.as_timestamptz(i.row ->> 'last_modified')                     as last_modified,
       i.row ->> 'robots_txt'                                               as robots_txt,
       legacy.as_int(i.row ->> 'page_count')                                as page_count,
       legacy.as_texts(i.row -> 'content_language')                         as content_language,
       legacy.as_json(i.row -> 'feed_urls')                                 as feed_urls,
       legacy.as_int(i.row ->> 'average_page_size')                         as average_page_size,
       legacy.as_int(i.row ->> 'total_images_count')                        as total_images_count,
       legacy.as_json(i.row -> 'crawler_hints')                             as crawler_hints,
       i.row ->> 'business_category'                                        as business_category,
       legacy.as_json(i.row -> 'estimated_traffic')                         as estimated_traffic,
       legacy.as_boolean(i.row ->> 'has_ecommerce')                         as has_ecommerce,
       i.row ->> 'primary_language'                                         as primary_language,
       legacy.as_json(i.row -> 'business_hours')                            as business_hours,
       legacy.as_texts(i.row -> 'payment_methods')                          as payment_methods,
       i.row ->> 'business_type'                                            as business_type,
       i.row ->> 'industry_vertical'                                        as industry_vertical,
       i.row ->> 'competitor_group'                                         as competitor_group,
       i.row ->> 'market_segment'                                           as market_segment,
       legacy.as_int(i.row ->> 'average_response_time')                     as average_response_time,
       legacy.as_numeric(i.row ->> 'uptime_percentage')::numeric(5, 2)      as uptime_percentage,
       legacy.as_json(i.row -> 'error_history')                             as error_history,
       legacy.as_json(i.row -> 'performance_metrics')                       as performance_metrics,
       i.row ->> 'monitoring_status'                                        as monitoring_status,
       legacy.as_json(i.row -> 'alert_threshold')                           as alert_threshold,
       i.row ->> 'sitemap_url'                                              as sitemap_url,
       i.row ->> 'copyright_year'                                           as copyright_year,
       legacy.as_boolean(i.row ->> 'has_cookie_notice')                     as has_cookie_notice,
       legacy.as_boolean(i.row ->> 'has_privacy_policy')                    as has_privacy_policy,
       i.row ->> 'google_analytics_id'                                      as google_analytics_id,
       i.row ->> 'google_tag_manager_id'                                    as google_tag_manager_id,
       i.row ->> 'wordpress_theme'                                          as wordpress_theme,
       legacy.as_boolean(i.row ->> 'has_divi')                              as has_divi,
       legacy.as_boolean(i.row ->> 'has_woocommerce')                       as has_woocommerce,
       legacy.as_boolean(i.row ->> 'has_contact_form7')                     as has_contact_form7,
       legacy.as_boolean(i.row ->> 'has_yoast_seo')                         as has_yoast_seo,
       legacy.as_boolean(i.row ->> 'has_wpforms')                           as has_wpforms,
       legacy.as_texts(i.row -> 'physical_addresses')                       as physical_addresses,
       coalesce(i.row ->> 'hubspot_sync_status', 'New')                     as hubspot_sync_status,
       i.row ->> 'hubspot_processing_status'                                as hubspot_processing_status,
       i.row ->> 'hubspot_processing_error'                                 as hubspot_processing_error
  from {domains} d
  left join public.legacy_domain_id o on o.tenant_id = d.tenant_id and o.domain = d.domain
  left join public.legacy_row r on r.source_table = 'domains' and r.outcome = 'imported'
                               and r.tenant_id = d.tenant_id and r.domain = d.domain
  cross join lateral (select r.content as row,
                             coalesce(r.content is not null and r.stream_id = d.last_scan_id, false) as as_it_was,
                             coalesce('unfinished' = any (r.notes), false) as unfinished) i
