alter table {schema}.domains add primary key (tenant_id, domain);
create index domains_batch on {schema}.domains (tenant_id, batch_id, domain) where batch_id is not null;
create index domains_technologies on {schema}.domains using gin (technology_keys);
