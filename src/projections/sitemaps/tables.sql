create table {schema}.sitemaps (
    tenant_id   uuid   not null,
    domain      text   not null,
    scan_id     uuid   not null,
    total_urls  bigint not null,
    files       jsonb  not null,
    reading     jsonb  not null,
    position    bigint not null
) with (fillfactor = 70);
create table {schema}.sitemap_files (
    sitemap_id uuid   not null,
    tenant_id  uuid   not null,
    domain     text   not null,
    ordinal    int    not null,
    scan_id    uuid   not null,
    url        text   not null,
    kind       text   not null,
    status     int    not null,
    bytes      bigint not null,
    entries    bigint not null,
    problems   jsonb  not null,
    urls_digest text
);
create table {schema}.sitemap_url_chunks (
    sitemap_id  uuid   not null,
    first       int    not null,
    last        int    not null,
    tenant_id   uuid   not null,
    urls        text[] not null,
    lastmods    text[],
    changefreqs text[],
    priorities  text[]
);
