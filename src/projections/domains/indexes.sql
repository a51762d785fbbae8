alter table {schema}.domains add primary key (tenant_id, domain);
create index domains_batch on {schema}.domains (tenant_id, batch_id, domain) where batch_id is not null;
create index domains_technologies on {schema}.domains using gin (technology_keys);
create index domains_site_state on {schema}.domains (tenant_id, site_state, domain) where site_state is not null;
create index domains_email_provider on {schema}.domains (tenant_id, email_provider_key, domain) where email_provider_key is not null;
create index domains_tls_expires on {schema}.domains (tenant_id, tls_expires) where tls_expires is not null;
