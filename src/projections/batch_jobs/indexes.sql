alter table {schema}.batch_jobs add primary key (batch_id);
create index batch_jobs_list on {schema}.batch_jobs (tenant_id, requested_position);
create index batch_jobs_of_monitor on {schema}.batch_jobs (tenant_id, monitor_id, requested_position) where monitor_id is not null;
