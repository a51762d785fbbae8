-- Events that a policy could not act on because of what they hold: set aside and named, so that all others go on.
create table policy_parked (
    name           text        not null references policy,
    position       bigint      not null,
    event_type     text        not null,
    aggregate_type text        not null,
    aggregate_id   text        not null,
    error          text        not null,
    parked_at      timestamptz not null default clock_timestamp(),
    primary key (name, position)
);
