-- What views and reactions know about themselves: how far they are, what they could not handle, what was refused.

create table mark (
    name text primary key,
    position bigint not null default 0,
    as_of timestamptz,
    epoch bigint not null default 0
) with (fillfactor = 50);
comment on table mark is 'How far a build of a view, or the reactions to a log, have come: everything up to position is done.';
comment on column mark.as_of is 'When the newest event among those was recorded (company clock).';

create table view_build (
    view text not null,
    build integer not null,
    version integer not null,
    source text not null check (source in ('log', 'journal')),
    state text not null check (state in ('requested', 'building', 'serving', 'retired', 'dropped')),
    created_at timestamptz not null default clock_timestamp(),
    served_at timestamptz,
    retired_at timestamptz,
    primary key (view, build)
);
comment on table view_build is 'The tables of build n of a view stand in the schema <view>_<n>. Times are real time.';
create unique index view_build_serving on view_build (view) where state = 'serving';
create unique index view_build_next on view_build (view) where state in ('requested', 'building');

create table parked_sequence (
    runner text not null,
    aggregate_id uuid not null,
    error text not null,
    attempts integer not null,
    next_attempt_at timestamptz,
    parked_at timestamptz not null default clock_timestamp(),
    primary key (runner, aggregate_id)
);
comment on table parked_sequence is
    'An aggregate whose events a runner (a mark) could not handle. Later events queue behind. Times are real time; '
    'without a next attempt only a person makes it go on.';

create table parked_event (
    runner text not null,
    aggregate_id uuid not null,
    position bigint not null,
    primary key (runner, aggregate_id, position),
    foreign key (runner, aggregate_id) references parked_sequence on delete cascade
);

create table refused_reaction (
    event_id uuid not null,
    reaction text not null,
    ordinal integer not null,
    aggregate text not null,
    aggregate_id uuid not null,
    command text not null,
    code text not null,
    message text not null,
    refused_at timestamptz not null default clock_timestamp(),
    primary key (event_id, reaction, ordinal)
);
comment on table refused_reaction is 'A command that followed from an event and that a rule refused. Nothing waits for it.';
