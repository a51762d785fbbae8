-- The type that the predecessor's models declare for the status of a URL. `new` was the word of production, where the
-- column was text; nothing here has it, and a query that asks for it still runs.
create type legacy.sitemap_url_status_enum as enum ('Pending', 'Processing', 'Completed', 'Error', 'new');
