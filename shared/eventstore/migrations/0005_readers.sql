-- Who may publish and fire timers, how far the relay is, and what time it is in the company.

-- One holder at a time; the epoch grows with every change of hands. Real time.
create table lease (
    name  text primary key,
    owner uuid not null,
    epoch bigint not null,
    until timestamptz not null
) with (fillfactor = 50);

-- How far the relay has published; `previous` is the last position in each partition: {"topic": {"partition": position}}.
create table relay (
    one      boolean primary key default true check (one),
    position bigint not null default 0,
    epoch    bigint not null default 0,
    previous jsonb not null default '{}'
) with (fillfactor = 50);
insert into relay default values;

-- How far the company clock is ahead of real time.
create table company_clock (
    one   boolean primary key default true check (one),
    ahead interval not null default '0' check (ahead >= '0')
);
insert into company_clock default values;
