-- compatible-with: 0010
-- A journal that was emptied and is being read again is no log to answer from. Which build may serve is held here and not
-- by the processes alone: those of an older release, which look for no such thing, make none either.

alter table journal_generation add complete_upto bigint default 0;
comment on column journal_generation.complete_upto is
    'Where the journal ended when everything was read again that it had held; null from when it is emptied until then.';

create function hold_back_unread() returns trigger language plpgsql as $$
declare
    complete bigint := (select complete_upto from journal_generation);
    folded bigint := (select position from mark where name = new.view || '_' || new.build);
begin
    if complete is not null and coalesce(folded, 0) >= complete then
        return new;
    end if;
    if tg_op = 'UPDATE' then
        return null;
    end if;
    new.state := 'building';
    new.served_at := null;
    return new;
end $$;
comment on function hold_back_unread is
    'A build of a view of the journal serves once it has folded all that was read again: a first one is built until then, '
    'a built one does not take over.';

create trigger hold_back_unread before insert or update of state on view_build
    for each row when (new.source = 'journal' and new.state = 'serving') execute function hold_back_unread();
