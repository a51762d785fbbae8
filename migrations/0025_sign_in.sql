-- People who sign in on the pages with a provider (OpenID Connect), and so without a key.

-- Who they are, as the provider said at the last sign-in. Not in the log: a person may have to be forgotten. The log names
-- them by `actor`.
create table person (
    actor             text        primary key,
    tenant_id         uuid        not null,
    name              text        not null,
    scopes            text[]      not null check (cardinality(scopes) > 0
                                                  and scopes <@ array ['read', 'write', 'admin', 'operator']),
    last_signed_in_at timestamptz not null default clock_timestamp()
);
create index person_tenant on person (tenant_id, last_signed_in_at);

-- A session is that of a key, and may do what the key may; or that of a person, and says itself what it may do.
alter table session
    alter column key_id drop not null,
    add column actor     text references person,
    add column tenant_id uuid,
    add column scopes    text[] check (cardinality(scopes) > 0
                                       and scopes <@ array ['read', 'write', 'admin', 'operator']),
    add constraint session_is_of_a_key_or_a_person check (
        (key_id is not null and actor is null and tenant_id is null and scopes is null)
        or (key_id is null and actor is not null and tenant_id is not null and scopes is not null));
create index session_actor on session (actor) where actor is not null;

-- Sign-ins that were completed: each works once. The digest of its state is kept for a day, far longer than a provider's
-- code is good.
create table completed_sign_in (
    state_hash   bytea       primary key check (octet_length(state_hash) = 32),
    completed_at timestamptz not null default clock_timestamp()
);
create index completed_sign_in_completed on completed_sign_in (completed_at);
