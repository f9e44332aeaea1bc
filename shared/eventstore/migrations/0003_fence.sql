-- Reading a log in order: up to which position it can be final, and who may still own a number below that.
--
-- Positions are taken inside the insert, hence under the table's write lock, which a transaction keeps until its commit
-- is visible. So the highest number is read first, and the holders of the lock after it: once those have ended, every
-- position up to the ceiling is either readable or dead. Two statements in this order; one statement would not do.

create function fence(log regclass, positions regclass, out ceiling bigint, out writers text[])
language plpgsql as $$
begin
    ceiling := coalesce(pg_sequence_last_value(positions), 0);
    writers := coalesce((
        select array_agg(virtualtransaction) from pg_locks
         where locktype = 'relation' and relation = log and mode = 'RowExclusiveLock' and granted
           -- The view spans the cluster, and databases cloned from one template share the numbers of their tables.
           and database = (select oid from pg_database where datname = current_database())
           and pid <> pg_backend_pid()), '{}');
end
$$;
