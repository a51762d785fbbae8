-- What should move and does not is to be seen. Here is what that is judged by; src/progress is who judges.

-- How long anything that has something to do may stand still.
create function longest_standstill() returns interval language sql immutable parallel safe return interval '5 minutes';
-- How long a worker may be at one attempt: four minutes for the site, and some for the log to take what it found.
create function longest_attempt() returns interval language sql immutable parallel safe return interval '10 minutes';

-- When it was last seen to have read all of the log; while it is idle, `updated_at` stays where it is.
alter table policy add column caught_up_at timestamptz;
alter table projection add column caught_up_at timestamptz;
-- When an event of the batch or of one of its scans last came.
alter table batch_watch add column moved_at timestamptz not null default clock_timestamp();

-- Each task with what it waits for: one definition for all who look at the queue.
--   leased   a worker has it
--   delayed  its next attempt is due later
--   ready    the next free worker may take it, or its turn or its host is waited for
--   stuck    nobody has taken it, nor anything else, for too long; or its worker does not come to an end
create view scan_task_condition as
with queue as (select max(served_at) as served_at from task_tenant)
select t.scan_id, t.tenant_id, t.lane_id, t.host, t.position, t.queued_at, t.claimed_at, t.worker, t.leased_until,
       nullif(t.due_at, '-infinity') as due_at,
       case when still_ahead(r.rest_until, longest_wait(), now()) then r.rest_until end as rest_until,
       case
           when still_ahead(t.leased_until, longest_lease(), now()) then
               case when t.claimed_at < now() - longest_attempt() then 'stuck' else 'leased' end
           when t.leased_until is null and still_ahead(t.due_at, longest_wait(), now()) then 'delayed'
           when recently(queue.served_at, longest_standstill(), now())
                or recently(t.queued_at, longest_standstill(), now())
                or recently(t.due_at, longest_standstill(), now())
                or recently(t.leased_until, longest_standstill(), now())
                or still_ahead(r.rest_until, longest_wait(), now())
                or exists (select from scan_task b
                            where b.host = t.host and b.scan_id <> t.scan_id and b.leased_until is not null
                              and still_ahead(b.leased_until, longest_lease(), now()))
               then 'ready'
           else 'stuck'
       end as condition
  from scan_task t cross join queue left join host_rest r on r.host = t.host;
