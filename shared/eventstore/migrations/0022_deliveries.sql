-- compatible-with: 0021
-- What is to be sent outside, by mail or as a call: the outbox that a follower of the log fills, and a sender empties.

create table delivery (
    id              uuid primary key,
    channel         text not null,
    receiver        uuid not null,
    position        bigint not null,
    event_id        uuid not null,
    kind            text not null,
    content         text not null,
    state           text not null default 'waiting' check (state in ('waiting', 'delivered', 'dead')),
    attempts        integer not null default 0,
    next_attempt_at timestamptz not null default '-infinity',
    error           text,
    queued_at       timestamptz not null default clock_timestamp(),
    settled_at      timestamptz
) with (fillfactor = 70);
comment on table delivery is
    'What follows from an event for a receiver outside. The id follows from the three, so that whoever gets it twice can tell. '
    'Of one receiver the first that waits is sent, and the next once that is delivered or dead. Times are real time.';
comment on column delivery.receiver is 'Who gets it: an id. Addresses and names are looked up when it is sent, and never kept here.';
comment on column delivery.content is 'The JSON that is sent, the same bytes at every attempt: ids, codes and figures, nothing of people.';
comment on column delivery.error is 'A code of the last failure, never what the other side said.';
comment on column delivery.queued_at is 'From when on it is tried; later where somebody had it sent anew.';

create index delivery_waiting on delivery (channel, receiver, position) where state = 'waiting';
create index delivery_dead on delivery (channel, receiver, position) where state = 'dead';
create index delivery_delivered on delivery (settled_at) where state = 'delivered';
