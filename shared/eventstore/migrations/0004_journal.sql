-- What a service has read from the topics of others, in one order of its own.

create sequence journal_position cache 1;

create table journal (
    position        bigint primary key default nextval('journal_position'),
    topic           text not null,
    partition       smallint not null,
    source_position bigint not null,
    aggregate_id    uuid not null,
    aggregate       text not null,
    sequence        bigint not null,
    event_id        uuid not null,
    type            text not null,
    version         integer not null,
    occurred_at     timestamptz not null,
    recorded_at     timestamptz not null,
    actor           text not null,
    correlation_id  uuid not null,
    causation_id    uuid not null,
    imported        boolean not null,
    traceparent     text,
    data            json not null,
    unique (topic, partition, source_position)
) with (autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);
create index journal_aggregate on journal (aggregate_id, sequence);
create index journal_family on journal (aggregate, aggregate_id, sequence);

create trigger append_only before update or delete or truncate on journal
    for each statement execute function refuse_change();

-- The last position seen in each partition of each topic.
create table journal_mark (
    topic     text not null,
    partition smallint not null,
    position  bigint not null,
    primary key (topic, partition)
) with (fillfactor = 50);
