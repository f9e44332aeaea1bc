-- compatible-with: 0018
-- A build may read what there is stream by stream before it follows the log in order.
alter table mark add column scan_upto bigint, add column scan_aggregate_id uuid, add column scan_sequence bigint;
comment on column mark.scan_upto is
    'Streams are read one after the other up to this position of the log; null where the log is read in its order.';
comment on column mark.scan_aggregate_id is
    'All streams before this one are done, and of it the events up to scan_sequence.';
