-- What came from the predecessor, and how its readers find what is here.

-- What became of each row of its tables: the import's own account, by which it resumes, and by which the comparison
-- knows which row is which. The events are the truth; a second import writes the same again.
create table legacy_row (
    source_table text   not null,
    source_id    text   not null,
    outcome      text   not null check (outcome in ('imported', 'merged', 'refused')),
    -- Why it was refused, or with what it was merged: a code.
    reason       text,
    -- What had to be mended on the way: codes.
    notes        text[] not null default '{}',
    tenant_id    uuid,
    -- The stream that its events are in.
    stream_id    uuid,
    -- The domain by its one name.
    domain       text,
    primary key (source_table, source_id)
);
create index legacy_row_stream on legacy_row (stream_id) where stream_id is not null;

-- Ids of domains that are other than the derived ones, because the predecessor gave them.
create table legacy_domain_id (
    tenant_id uuid not null,
    domain    text not null,
    domain_id uuid not null,
    primary key (tenant_id, domain)
);

-- Its readers put this into their search_path. The views in here are made by the release that knows the read models.
create schema legacy;
create type legacy.task_status as enum (
    'Queued', 'InProgress', 'Completed', 'Error', 'ManualReview', 'Cancelled', 'Paused', 'Processing', 'Complete'
);
create type legacy."SitemapCurationStatusEnum" as enum (
    'New', 'Selected', 'Maybe', 'Not a Fit', 'Archived', 'Completed'
);
create type legacy."SitemapAnalysisStatusEnum" as enum (
    'pending', 'queued', 'processing', 'submitted', 'failed', 'Queued', 'Processing', 'Completed', 'Error'
);
create type legacy.sitemap_file_status_enum as enum ('Pending', 'Processing', 'Completed', 'Error');
create type legacy.sitemap_import_status_enum as enum ('Queued', 'Processing', 'Completed', 'Complete', 'Error');
