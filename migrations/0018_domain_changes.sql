-- Changes of domains are few among the events, and are listed by themselves: all of a tenant, or those of a domain.
create index events_domain_changed on events (tenant_id, position) where event_type = 'DomainChanged';
create index events_domain_changed_of on events (tenant_id, left(payload #>> '{DomainChanged,domain}', 253), position)
    where event_type = 'DomainChanged';
