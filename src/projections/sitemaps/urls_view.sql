-- The view for people: a row per URL.
select c.sitemap_id, (c.first + u.number - 1)::int as ordinal, c.tenant_id, u.url, u.lastmod, u.changefreq, u.priority
  from {schema}.sitemap_url_chunks c
 cross join lateral unnest(c.urls, c.lastmods, c.changefreqs, c.priorities)
       with ordinality as u(url, lastmod, changefreq, priority, number)
