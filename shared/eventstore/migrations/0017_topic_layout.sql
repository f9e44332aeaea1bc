-- compatible-with: none
-- Where an event is published follows from its aggregate when it is published, and not when it is recorded: the relay of an
-- older release takes the stored number, by a rule of its own, and would put one aggregate into two partitions.

-- By what the topics are laid out that this service publishes to and reads. No row: nothing was published or read yet.
-- No number: they were filled by a release that placed aggregates by another rule.
create table topic_layout (
    one        boolean primary key default true check (one),
    partitions smallint
);
insert into topic_layout (partitions)
select null where exists (select from relay where position > 0) or exists (select from journal_mark);

-- Older rows keep a number that nobody reads any more. The column goes with the next change of `append_commands`.
alter table event alter column partition drop not null;
