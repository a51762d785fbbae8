alter table {schema}.batch_jobs add primary key (batch_id);
create index batch_jobs_list on {schema}.batch_jobs (tenant_id, requested_position);
