create table {schema}.jobs (
    scan_id            uuid primary key,
    tenant_id          uuid             not null,
    batch_id           uuid,
    line               int,
    domain             text             not null,
    domain_id          uuid,
    job_type           text             not null,
    status             text             not null,
    progress           double precision not null,
    attempts           int              not null,
    round              int              not null,
    reason             text,
    error              text,
    result_data        jsonb,
    job_metadata       jsonb            not null,
    created_by         text,
    created_at         timestamptz      not null,
    updated_at         timestamptz      not null,
    started_at         timestamptz,
    completed_at       timestamptz,
    next_attempt_at    timestamptz,
    requested_position bigint           not null,
    position           bigint           not null
) with (fillfactor = 70);
create index jobs_list on {schema}.jobs (tenant_id, requested_position);
create index jobs_batch on {schema}.jobs (batch_id, requested_position) where batch_id is not null;
create index jobs_domain on {schema}.jobs (tenant_id, domain, requested_position);
