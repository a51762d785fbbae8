-- The predecessor's tables as production had them in May 2025 (columns that scans use), and rows of every kind that is
-- known to be in them: {domains} domains, {jobs} jobs, {batches} batches, each kind of dirt about once in a hundred.
create schema old;
set search_path = old;
create type task_status as enum ('Queued', 'InProgress', 'Completed', 'Error', 'ManualReview', 'Cancelled', 'Paused');
create type "SitemapCurationStatusEnum" as enum ('New', 'Selected', 'Maybe', 'Not a Fit', 'Archived');
create type "SitemapAnalysisStatusEnum" as enum ('Queued', 'Processing', 'Completed', 'Error');
create table domains (
    id uuid primary key default gen_random_uuid(), tenant_id uuid not null, domain varchar not null unique,
    status varchar not null default 'active', created_by uuid,
    title text, description text, favicon_url text, logo_url text, language text, wordpress_version text,
    is_wordpress boolean, has_elementor boolean, tech_stack jsonb, email_addresses text[], phone_numbers text[],
    facebook_url text, twitter_url text, linkedin_url text, instagram_url text, youtube_url text,
    meta_json jsonb default '{}', notes text, lead_source text, has_ssl boolean, favourite_colour text,
    first_scan timestamptz not null default now(), last_scan timestamptz not null default now(),
    content_scrape_status task_status default 'Queued', content_scrape_at timestamptz, content_scrape_error text,
    sitemap_urls int default 0, total_sitemaps int default 0, batch_id varchar, local_business_id uuid,
    sitemap_curation_status "SitemapCurationStatusEnum" default 'New',
    sitemap_analysis_status "SitemapAnalysisStatusEnum", sitemap_analysis_error text,
    created_at timestamp not null default now(), updated_at timestamp not null default now()
);
create table jobs (
    -- Text until March 2025, and without a constraint for as long.
    id serial primary key, job_id varchar(255) not null, tenant_id varchar(255) not null, tenant_id_uuid uuid,
    job_type varchar(50) not null, status varchar(50) not null, domain_id uuid, batch_id varchar,
    progress double precision default 0, result_data jsonb, job_metadata jsonb, result jsonb, metadata jsonb,
    error varchar, created_by uuid, started_at timestamptz, completed_at timestamptz,
    created_at timestamp not null default now(), updated_at timestamp not null default now()
);
create table batch_jobs (
    id serial primary key, id_uuid uuid not null, batch_id varchar, tenant_id uuid not null,
    processor_type varchar not null, status varchar not null default 'pending', created_by uuid,
    total_domains int default 0, completed_domains int default 0, failed_domains int default 0,
    progress double precision default 0, batch_metadata jsonb, options jsonb, start_time timestamp, end_time timestamp,
    processing_time double precision, error varchar,
    created_at timestamp not null default now(), updated_at timestamp not null default now()
);
create table sitemap_files (
    id uuid primary key, tenant_id uuid default '550e8400-e29b-41d4-a716-446655440000', domain_id uuid not null,
    url text not null, sitemap_type text, discovery_method text, page_count int, size_bytes int, status_code int,
    status text default 'new', url_count int default 0, is_gzipped boolean, has_lastmod boolean, job_id uuid,
    created_at timestamptz default now(), updated_at timestamptz default now()
);
create table sitemap_urls (
    id uuid primary key default gen_random_uuid(), tenant_id uuid, domain_id uuid not null, sitemap_id uuid not null,
    url text not null, loc_text text not null, lastmod timestamptz, changefreq text, priority_value numeric(3, 2),
    created_at timestamptz default now()
);

create function old_id(kind int, n int) returns uuid language sql immutable as $$
    select (lpad(to_hex(kind), 8, '0') || '-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid $$;

insert into batch_jobs (id_uuid, batch_id, tenant_id, processor_type, status, total_domains, completed_domains,
                        failed_domains, progress, batch_metadata, options, start_time, end_time, processing_time, error,
                        created_at, updated_at)
select old_id(9, n),
       case n % 50 when 7 then null when 8 then old_id(3, n - 2)::text when 9 then 'rubbish' || n
                   when 10 then 'batch_' || replace(old_id(3, n)::text, '-', '') else old_id(3, n)::text end,
       '550e8400-e29b-41d4-a716-446655440000', 'domain_batch',
       case n % 10 when 0 then 'processing' when 1 then 'pending' when 2 then 'failed' when 3 then 'complete'
                   when 4 then 'partial' else 'completed' end,
       case when n % 50 <> 11 then 40 end,
       case n % 10 when 0 then 5 when 1 then 0 when 2 then 0 when 4 then 30 else 40 end,
       case n % 10 when 2 then 40 when 4 then 10 else 0 end,
       0, '{"domain_count": 40}', '{"max_concurrent": 5}',
       timestamp '2025-04-01' + n * interval '1 hour', timestamp '2025-04-01 00:10' + n * interval '1 hour', 0.0,
       case n % 10 when 2 then 'all failed' end,
       timestamp '2025-04-01' + n * interval '1 hour', timestamp '2025-04-01 00:10' + n * interval '1 hour'
  from generate_series(1, {batches}) n;

insert into domains (id, tenant_id, domain, status, title, description, language, is_wordpress, has_elementor, tech_stack,
                     email_addresses, phone_numbers, facebook_url, meta_json, notes, first_scan, last_scan,
                     content_scrape_status, content_scrape_at, content_scrape_error, sitemap_urls, total_sitemaps, batch_id,
                     sitemap_curation_status, lead_source, has_ssl, favourite_colour, created_at, updated_at)
select old_id(1, n),
       case when n % 97 = 0 or n = 26 then '22222222-2222-4222-8222-222222222222' else '550e8400-e29b-41d4-a716-446655440000' end::uuid,
       case n % 100
           when 1 then 'https://site' || n || '.example.com'                -- a second form ...
           when 2 then 'site' || n - 1 || '.example.com'                    -- ... of the same site
           when 3 then 'not a domain ' || n
           when 4 then '10.' || n / 65536 % 256 || '.' || n / 256 % 256 || '.' || n % 256
           when 5 then 'localhost' || n
           when 6 then 'WWW.Site' || n || '.Example.com/'
           else 'site' || n || '.example.com' end,
       case n % 20 when 0 then 'active' when 9 then 'error' when 10 then 'pending' when 11 then 'processing'
                   when 12 then 'scanned' else 'completed' end,
       case when n % 20 in (0, 9, 10) then null
            when n % 100 = 17 then 'https://site' || n || '.example.com - Temporary Bypass'
            else 'Title "of" ' || n || E' \u00fc|<b>' end,
       case when n % 20 in (0, 9, 10) then null else 'Description ' || n end,
       case when n % 20 in (0, 9, 10) then null else 'de' end,
       case when n % 3 = 0 then null else n % 3 = 1 end,
       case when n % 3 = 0 then null else n % 6 = 1 end,
       case when n % 20 in (0, 9, 10) then null
            when n % 100 = 18 then '["WordPress"]'::jsonb
            else '{"cms": ["WordPress"], "frameworks": ["Jquery"], "analytics": [], "widgets": []}' end,
       case when n % 20 in (0, 9, 10) then '{}' when n % 100 = 15 then array['logo@2x.png', ' info@x.com ', null]
            else array['info@site' || n || '.com'] end,
       case when n % 20 in (0, 9, 10) then null else array[' (555) 123-4567'] end,
       case when n % 20 in (0, 9, 10) then null else 'https://facebook.com/site' || n end,
       jsonb_build_object('generation', 'G1', 'n', n, 'emails', '["a string"]'::jsonb),
       case when n % 40 = 0 then 'called them' end,
       timestamptz '2025-03-01' + n * interval '1 minute', timestamptz '2025-05-01' + n * interval '1 minute',
       case n % 20 when 9 then 'Error' when 10 then 'Queued' when 0 then 'Queued' else 'Completed' end::task_status,
       case when n % 20 in (0, 10) then null else timestamptz '2025-05-01' + n * interval '1 minute' end,
       case when n % 20 = 9 then 'Failed to extract metadata' end,
       case when n % 10 = 7 then 99 else 0 end, case when n % 10 = 7 then 6 else 0 end,
       case n % 25 when 1 then old_id(3, 1 + n % {batches})::text when 2 then 'batch_' || repeat('0', 32)
                   when 3 then 'rubbish' when 4 then '' end,
       case n % 9 when 0 then 'Selected' when 1 then 'Not a Fit' when 2 then null else 'New' end
           ::"SitemapCurationStatusEnum",
       case when n % 30 = 0 then 'places' end, n % 2 = 0, case when n % 50 = 0 then 'blue' end,
       timestamp '2025-03-01' + n * interval '1 minute', timestamp '2025-05-01' + n * interval '1 minute'
  from generate_series(1, {domains}) n;

insert into jobs (job_id, tenant_id, tenant_id_uuid, job_type, status, domain_id, batch_id, progress, result_data,
                  job_metadata, result, error, started_at, completed_at, created_at, updated_at)
select case n % 100 when 38 then 'scan_' || replace(old_id(2, n)::text, '-', '') when 39 then 'job-' || n
                    when 41 then old_id(2, n - 1)::text else old_id(2, n)::text end,
       case when n % 100 = 31 then 'default' when n % 100 = 32 then '' else '550e8400-e29b-41d4-a716-446655440000' end,
       null,
       case when n % 100 = 37 then 'places_search' when n % 100 = 43 then 'email_scan' else
       case n % 5 when 0 then 'sitemap' when 1 then 'domain_scan' when 2 then 'batch_scan' when 3 then 'sitemap_scan'
                  else 'unknown' end end,
       case n % 20 when 3 then 'pending' when 4 then 'running' when 5 then 'processing' when 6 then 'failed'
                   when 7 then 'error' when 8 then 'cancelled' when 9 then 'complete' when 10 then 'bogus'
                   else 'completed' end,
       case n % 100 when 33 then null when 34 then null when 35 then old_id(7, n) else old_id(1, 1 + n % {domains}) end,
       case n % 25 when 1 then old_id(3, 1 + n % {batches})::text when 2 then 'batch_' || repeat('0', 32) end,
       case when n % 20 in (3, 4, 5) then 0.1 else 1 end,
       case when n % 20 in (3, 4, 5, 6, 7, 8) then null
            when n % 100 = 42 then '{"bytes": 1e400}'::jsonb
            when n % 5 = 0 then '{"sitemaps": [{"id": "x", "url": "https://x/sitemap.xml", "type": "standard", "url_count": 3}]}'::jsonb
            else jsonb_build_object('site_data', jsonb_build_object('title', 'Job ' || n, 'is_wordpress', true,
                'contact_info', '{"email": ["a@b.com"], "phone": []}'::jsonb), 'processing_metrics', '{}'::jsonb) end,
       case when n % 100 = 34 then jsonb_build_object('domain', 'named' || n || '.com') else '{"max_pages": 10}' end,
       null,
       case when n % 20 in (6, 7) then ' connection reset ' when n % 20 = 3 then null end,
       case when n % 20 = 3 then null else timestamptz '2025-04-10' + n * interval '1 minute' end,
       case when n % 20 in (3, 4, 5) then null
            when n % 100 = 36 then timestamptz '2020-01-01'
            else timestamptz '2025-04-10 00:00:30' + n * interval '1 minute' end,
       timestamp '2025-04-10' + n * interval '1 minute', timestamp '2025-04-10 00:00:31' + n * interval '1 minute'
  from generate_series(1, {jobs}) n;

-- Each rescan wrote all files again; some name what is no URL, and some a domain that is gone.
insert into sitemap_files (id, domain_id, url, sitemap_type, size_bytes, status_code, url_count, job_id, created_at)
select old_id(4, n * 10 + again), old_id(1, n),
       case when n % 70 = 7 then 'no url' else 'https://site' || n || '.example.com/sitemap.xml' end,
       case when n % 30 = 7 then null when n % 30 = 17 then 'image' else 'standard' end,
       1000, 200, 3, old_id(2, n), timestamptz '2025-05-01' + again * interval '1 day'
  from generate_series(7, {domains}, 10) n, generate_series(1, 3) again
union all
select old_id(5, n), old_id(7, n), 'https://gone.example.com/sitemap.xml', 'standard', 1, 200, 1, null, now()
  from generate_series(1, 3) n;
insert into sitemap_urls (domain_id, sitemap_id, url, loc_text, lastmod, changefreq, priority_value)
select f.domain_id, f.id,
       case u when 3 then 'https://site.example.com/1' when 4 then '' else 'https://site.example.com/' || u end, '',
       timestamptz '2025-01-01', 'weekly', 0.5
  from sitemap_files f, generate_series(1, 4) u
union all
select old_id(1, 1), old_id(6, n), 'https://x.example.com/', '', null, null, null from generate_series(1, 2) n;
