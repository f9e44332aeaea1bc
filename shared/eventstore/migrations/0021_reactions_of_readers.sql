-- compatible-with: 0019
-- Whoever has journaled events and reacted to none of them begins after these: a service that reacts from this release on,
-- as forecast does, answers what happens, and not what happened before.
insert into mark (name, position)
select 'reactions-journal', max(position) from journal having max(position) is not null
    on conflict do nothing;
