alter table {schema}.domains add primary key (tenant_id, domain);
create index domains_updated on {schema}.domains (tenant_id, updated_at);
create index domains_batch on {schema}.domains (batch_id, domain) where batch_id is not null;
