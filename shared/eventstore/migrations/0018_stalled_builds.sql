-- compatible-with: 0017
-- A build that stands still says so to every process: who waits for what all read models hold does not wait for it.
alter table view_build add column stalled_since timestamptz;
comment on column view_build.stalled_since is
    'Since when the build stands still, or catches up after it did; null while it follows its log with the others.';
