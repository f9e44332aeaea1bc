-- The log of one service and what is written with it in the same transaction.

create table stream_head (
    aggregate_id uuid primary key,
    aggregate    text not null,
    sequence     bigint not null
) with (fillfactor = 80);

-- Positions are handed out inside the insert into `event`, one at a time: the fence of ordered reading rests on both.
create sequence event_position cache 1;

create table event (
    position       bigint primary key default nextval('event_position'),
    aggregate_id   uuid not null,
    aggregate      text not null,
    sequence       bigint not null,
    event_id       uuid not null,
    type           text not null,
    version        integer not null,
    partition      smallint not null,
    occurred_at    timestamptz not null,
    recorded_at    timestamptz not null,
    actor          text not null,
    correlation_id uuid not null,
    causation_id   uuid not null,
    imported       boolean not null,
    traceparent    text,
    data           json not null,
    unique (aggregate_id, sequence)
) with (autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'the log is append-only: % on % is refused', tg_op, tg_table_name;
end
$$;

create trigger append_only before update or delete or truncate on event
    for each statement execute function refuse_change();

-- What is about a person stands beside the log, so that it can be deleted (DATA-4).
create table personal (
    event_id  uuid primary key,
    person_id uuid not null,
    data      json not null
);
create index personal_person on personal (person_id);

-- A key that one aggregate holds at a time; only a keyed hash of it is stored.
create table claim (
    kind     text not null,
    key_hash bytea not null,
    holder   uuid not null,
    primary key (kind, key_hash)
);

-- The first answer to a request, kept so that a repeated request gets it again. Real time.
create table idempotency (
    principal    text not null,
    operation    text not null,
    key          text not null,
    request_hash bytea not null,
    aggregate_id uuid not null,
    sequence     bigint not null,
    position     bigint not null,
    created_at   timestamptz not null default clock_timestamp(),
    primary key (principal, operation, key)
);
create index idempotency_created on idempotency using brin (created_at);

-- `due` is on the company clock, `next_attempt_at` on real time. The generation is the aggregate's sequence at which
-- the timer was set, so that no two timers of one name ever share it.
create table timer (
    aggregate_id    uuid not null,
    name            text not null,
    aggregate       text not null,
    due             timestamptz not null,
    generation      bigint not null,
    command         json not null,
    attempts        integer not null default 0,
    next_attempt_at timestamptz not null default '-infinity',
    primary key (aggregate_id, name)
);
create index timer_due on timer (due);
