-- What the predecessor's rows said, for its readers: columns that people filled in (notes, curation, …) have no place
-- in the read models, and a domain that was never scanned has hardly any there.
alter table legacy_row
    -- How many rows of the table this stands for: URLs are accounted for by file.
    add column items bigint not null default 1,
    -- The row as it was taken; null where it was not, or where its domain was forgotten since.
    add column content jsonb;
create index legacy_row_subject on legacy_row (tenant_id, domain) where domain is not null;
-- Of several rows for one site one counts, the others are merged.
create unique index legacy_row_domain on legacy_row (tenant_id, domain)
    where source_table = 'domains' and outcome = 'imported';

-- Views on the read models of all tenants, which run as their owner; made by the code that makes the read models. The
-- views of the schema legacy stand on them, for a role that may read those has no rights on the tables.
create schema all_tenants;

-- An erasure replaces the salt of its subject, in its transaction; what was kept of the subject's rows goes with it.
create function forget_legacy_rows() returns trigger language plpgsql as $$
begin
    update legacy_row set content = null
     where tenant_id = new.tenant_id and domain = new.subject and content is not null;
    return null;
end $$;
create trigger forget_legacy_rows after update on body_salt
    for each row when (old.salt is distinct from new.salt) execute function forget_legacy_rows();

-- Production had text with this default here, later releases the enum; readers of both name the word.
alter type legacy.sitemap_file_status_enum add value if not exists 'new';

-- Generations gave one column different types. What does not fit the type that the views have is null, so that one odd
-- row does not keep a reader from all others.
create function legacy.as_int(value text) returns int language plpgsql immutable as $$
begin return value::int; exception when data_exception then return null; end $$;
create function legacy.as_float(value text) returns double precision language plpgsql immutable as $$
begin return value::double precision; exception when data_exception then return null; end $$;
create function legacy.as_numeric(value text) returns numeric language plpgsql immutable as $$
begin return value::numeric; exception when data_exception then return null; end $$;
create function legacy.as_boolean(value text) returns boolean language plpgsql immutable as $$
begin return value::boolean; exception when data_exception then return null; end $$;
create function legacy.as_uuid(value text) returns uuid language plpgsql immutable as $$
begin return value::uuid; exception when data_exception then return null; end $$;
-- One without a zone is UTC, as the predecessor wrote it, whatever the reader's zone is.
create function legacy.as_timestamptz(value text) returns timestamptz language plpgsql stable
    set timezone = 'UTC' as $$
begin return value::timestamptz; exception when data_exception then return null; end $$;
create function legacy.as_timestamp(value text) returns timestamp language sql stable as $$
    select legacy.as_timestamptz(value) at time zone 'UTC' $$;
create function legacy.as_texts(value jsonb) returns text[] language sql immutable as $$
    select case jsonb_typeof(value) when 'array' then array(select jsonb_array_elements_text(value)) end $$;
create function legacy.as_json(value jsonb) returns jsonb language sql immutable as $$
    select nullif(value, 'null') $$;
-- In February its words were written small, with underscores.
create function legacy.as_task_status(value text) returns legacy.task_status language sql stable as $$
    select word from unnest(enum_range(null::legacy.task_status)) word
     where lower(word::text) = lower(replace(value, '_', '')) $$;
create function legacy.as_curation(value text) returns legacy."SitemapCurationStatusEnum" language sql stable as $$
    select word from unnest(enum_range(null::legacy."SitemapCurationStatusEnum")) word where word::text = value $$;
create function legacy.as_analysis(value text) returns legacy."SitemapAnalysisStatusEnum" language sql stable as $$
    select word from unnest(enum_range(null::legacy."SitemapAnalysisStatusEnum")) word where word::text = value $$;
create function legacy.as_file_status(value text) returns legacy.sitemap_file_status_enum language sql stable as $$
    select word from unnest(enum_range(null::legacy.sitemap_file_status_enum)) word where word::text = value $$;
create function legacy.as_import_status(value text) returns legacy.sitemap_import_status_enum language sql stable as $$
    select word from unnest(enum_range(null::legacy.sitemap_import_status_enum)) word where word::text = value $$;
