alter table {schema}.sitemaps add primary key (tenant_id, domain);
alter table {schema}.sitemap_files add primary key (sitemap_id);
create index sitemap_files_domain on {schema}.sitemap_files (tenant_id, domain, ordinal);
alter table {schema}.sitemap_url_chunks add primary key (sitemap_id, first);
