-- What was folded of long streams, at most one a stream, so that they load fast. Never the truth: every row may be deleted
-- at any time, and is read only while its stream holds the very event that it ends with.

create table snapshot (
    aggregate_id uuid primary key,
    aggregate    text not null,
    sequence     bigint not null,
    event_id     uuid not null,
    shape        text not null,
    state        text not null,
    taken_at     timestamptz not null default clock_timestamp()
);
comment on column snapshot.event_id is 'The event of that sequence; after a restore another one may stand there.';
comment on column snapshot.shape is 'A hash of what a state consists of and of the version of its fold; others are not read.';
-- As text that an operator can read; a long one is neither worth packing nor quick to unpack.
alter table snapshot alter column state set storage external;
