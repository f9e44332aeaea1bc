-- The id of the accepted request stands beside its first answer: what derives from it (an invoice, a contact) is found by it.
-- It is new with every accepted request and never follows from the key, which may come again once its answer is forgotten.

alter table idempotency add column command_id uuid;
comment on column idempotency.command_id is 'A UUIDv7; null for answers from before this column.';

-- As in 0002, with the id of the command kept.
create or replace function append_commands(
    events   json,  -- [{command, recorded_at, actor, correlation_id, causation_id, imported, traceparent, events: [...]}]
    streams  json,  -- [{command, aggregate_id, aggregate, expected, events}]: events is their number
    keys     json,  -- [{command, principal, operation, key, request_hash, aggregate_id, sequence, position}] or null
    claims   json,  -- [{command, kind, key_hash, holder, take}] or null
    timers   json,  -- [{command, aggregate_id, name, aggregate, due, generation, command_data}] or null; no due: cancel
    people   json   -- [{command, person_id, event_id, data}] or null; no event: erase the person
) returns table (
    command integer, outcome text, aggregate_id uuid, sequence bigint, "position" bigint, kind text, key_hash bytea
) language plpgsql
-- Every table is looked up by its key here. The plans are made while the tables are small and kept while they grow.
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
#variable_conflict use_column
declare
    lost integer[] := '{}';
    loser record;
begin
    if keys is not null then
        -- Whoever holds the lock is deciding the same request right now.
        for loser in
            select k.command from json_to_recordset(keys) as k(command integer, principal text, operation text, key text)
             where not pg_try_advisory_xact_lock(hashtextextended(concat_ws(chr(31), 'key', principal, operation, key), 0))
        loop
            lost := lost || loser.command;
            return query select loser.command, 'in-flight', null::uuid, null::bigint, null::bigint, null, null::bytea;
        end loop;
        -- A statement of its own: it must see what the former holders of the locks have committed.
        for loser in
            select k.command, i.request_hash = k.request_hash as same, i.aggregate_id, i.sequence, i.position
              from json_to_recordset(keys)
                as k(command integer, principal text, operation text, key text, request_hash bytea)
              join idempotency i using (principal, operation, key)
             where k.command <> all (lost)
        loop
            lost := lost || loser.command;
            return query select loser.command, case when loser.same then 'replayed' else 'content-differs' end,
                                loser.aggregate_id, loser.sequence, loser.position, null, null::bytea;
        end loop;
    end if;

    if claims is not null then
        -- Sorted, so that two calls never wait for each other; before the heads, so that all calls go the same way round.
        perform pg_advisory_xact_lock(sorted.lock)
           from (select distinct hashtextextended(concat_ws(chr(31), 'claim', c.kind, c.key_hash::text), 0) as lock
                   from json_to_recordset(claims) as c(kind text, key_hash bytea) order by lock offset 0) as sorted;
        for loser in
            select distinct on (c.command) c.command, held.kind, held.key_hash, held.holder
              from json_to_recordset(claims) as c(command integer, kind text, key_hash bytea, holder uuid, take boolean)
              join claim held using (kind, key_hash)
             where c.take and held.holder <> c.holder and c.command <> all (lost)
               and not exists (
                   select from json_to_recordset(claims)
                       as given(command integer, kind text, key_hash bytea, holder uuid, take boolean)
                    where not given.take and (given.command, given.kind, given.key_hash, given.holder)
                                           = (c.command, held.kind, held.key_hash, held.holder))
        loop
            lost := lost || loser.command;
            return query select loser.command, 'claim-taken', loser.holder, null::bigint, null::bigint,
                                loser.kind, loser.key_hash;
        end loop;
    end if;

    insert into stream_head (aggregate_id, aggregate, sequence)
    select s.aggregate_id, s.aggregate, 0
      from json_to_recordset(streams)
        as s(command integer, aggregate_id uuid, aggregate text, expected bigint, events integer)
     where s.expected = 0 and s.events > 0 and s.command <> all (lost)
     order by s.aggregate_id
        on conflict do nothing;
    for loser in
        with locked as materialized (
            select h.aggregate_id, h.sequence
              from stream_head h
              join json_to_recordset(streams) as s(command integer, aggregate_id uuid)
                on h.aggregate_id = s.aggregate_id and s.command <> all (lost)
             order by h.aggregate_id
               for update of h)
        select distinct on (s.command) s.command, s.aggregate_id
          from json_to_recordset(streams) as s(command integer, aggregate_id uuid, expected bigint)
          left join locked on locked.aggregate_id = s.aggregate_id
         where s.command <> all (lost) and coalesce(locked.sequence, 0) <> s.expected
    loop
        lost := lost || loser.command;
        return query select loser.command, 'conflict', loser.aggregate_id, null::bigint, null::bigint, null, null::bytea;
    end loop;
    if lost <> '{}' then
        -- A head that a loser has just made would be the only trace of it.
        delete from stream_head h
         using json_to_recordset(streams) as s(command integer, aggregate_id uuid, expected bigint)
         where h.aggregate_id = s.aggregate_id and h.sequence = 0 and s.expected = 0 and s.command = any (lost);
    end if;

    update stream_head h set sequence = s.expected + s.events
      from json_to_recordset(streams) as s(command integer, aggregate_id uuid, expected bigint, events integer)
     where h.aggregate_id = s.aggregate_id and s.events > 0 and s.command <> all (lost);

    if claims is not null then
        delete from claim
         using json_to_recordset(claims) as c(command integer, kind text, key_hash bytea, holder uuid, take boolean)
         where not c.take and (claim.kind, claim.key_hash, claim.holder) = (c.kind, c.key_hash, c.holder)
           and c.command <> all (lost);
        insert into claim (kind, key_hash, holder)
        select c.kind, c.key_hash, c.holder
          from json_to_recordset(claims) as c(command integer, kind text, key_hash bytea, holder uuid, take boolean)
         where c.take and c.command <> all (lost)
            on conflict (kind, key_hash) do nothing;  -- the aggregate holds it already
    end if;

    if timers is not null then
        delete from timer
         using json_to_recordset(timers) as t(command integer, aggregate_id uuid, name text, due timestamptz)
         where t.due is null and (timer.aggregate_id, timer.name) = (t.aggregate_id, t.name) and t.command <> all (lost);
        insert into timer (aggregate_id, name, aggregate, due, generation, command)
        select t.aggregate_id, t.name, t.aggregate, t.due, t.generation, t.command_data
          from json_to_recordset(timers)
            as t(command integer, aggregate_id uuid, name text, aggregate text, due timestamptz, generation bigint,
                 command_data json)
         where t.due is not null and t.command <> all (lost)
            on conflict (aggregate_id, name) do update
           set due = excluded.due, generation = excluded.generation, command = excluded.command,
               attempts = 0, next_attempt_at = '-infinity';
    end if;

    if people is not null then
        insert into personal (event_id, person_id, data)
        select p.event_id, p.person_id, p.data
          from json_to_recordset(people) as p(command integer, event_id uuid, person_id uuid, data json)
         where p.event_id is not null and p.command <> all (lost);
        delete from personal
         using json_to_recordset(people) as p(command integer, event_id uuid, person_id uuid)
         where p.event_id is null and personal.person_id = p.person_id and p.command <> all (lost);
    end if;

    -- Last: from here on readers of the log wait for this transaction, which holds the lock that their fence looks for.
    return query
    with inserted as (
        insert into event (aggregate_id, aggregate, sequence, event_id, type, version, partition, occurred_at,
                           recorded_at, actor, correlation_id, causation_id, imported, traceparent, data)
        select e.aggregate_id, e.aggregate, e.sequence, e.event_id, e.type, e.version, e.partition, e.occurred_at,
               c.recorded_at, c.actor, c.correlation_id, c.causation_id, c.imported, c.traceparent, e.data
          from json_to_recordset(events)
            as c(command integer, recorded_at timestamptz, actor text, correlation_id uuid, causation_id uuid,
                 imported boolean, traceparent text, events json)
         cross join json_to_recordset(c.events)
            as e(place integer, aggregate_id uuid, aggregate text, sequence bigint, event_id uuid, type text,
                 version integer, partition smallint, occurred_at timestamptz, data json)
         where c.command <> all (lost)
         order by c.command, e.place
        returning aggregate_id, sequence, position),
    last as (
        select aggregate_id, max(sequence) as sequence, max(position) as position from inserted group by aggregate_id),
    answered as (
        insert into idempotency (principal, operation, key, request_hash, aggregate_id, sequence, position, command_id)
        select k.principal, k.operation, k.key, k.request_hash, k.aggregate_id, k.sequence,
               coalesce(last.position, k.position), k.command_id
          from json_to_recordset(keys)
            as k(command integer, principal text, operation text, key text, request_hash bytea, aggregate_id uuid,
                 sequence bigint, position bigint, command_id uuid)
          left join last using (aggregate_id)
         where k.command <> all (lost))
    select null::integer, 'appended', last.aggregate_id, last.sequence, last.position, null, null::bytea from last;
end
$$;
