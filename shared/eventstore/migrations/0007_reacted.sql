-- When a journal is emptied to be read again, what its reactions were done with is kept here: it comes again, and the answers
-- to its commands may be forgotten by then.

create table reacted (
    event_id uuid primary key
);
comment on table reacted is 'Events of a journal that was emptied, which the reactions had passed: none follows from them again.';

-- Grows whenever the journal is emptied: consumers then begin at the start of their topics, whatever offsets they remember.
create table journal_generation (
    one    boolean primary key default true check (one),
    number bigint not null default 0
);
insert into journal_generation default values;

-- A relay's mark used to move over numbers that were dead at the end of the log. One above the newest event now says that
-- more was published than the log holds.
update relay set position = least(position, coalesce((select max(position) from event), 0));
