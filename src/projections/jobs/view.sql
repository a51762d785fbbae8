-- The view for people: each scan with its findings.
select j.*, case when substr(b.bytes, 1, 1) = '{'::bytea then convert_from(b.bytes, 'UTF8')::jsonb end as result_data
  from {schema}.jobs j
  left join public.event_body b on b.tenant_id = j.tenant_id and b.digest = j.findings
