alter table {schema}.jobs add primary key (scan_id);
create index jobs_list on {schema}.jobs (tenant_id, requested_position);
create index jobs_batch on {schema}.jobs (tenant_id, batch_id, requested_position) where batch_id is not null;
create index jobs_domain on {schema}.jobs (tenant_id, domain, requested_position);
