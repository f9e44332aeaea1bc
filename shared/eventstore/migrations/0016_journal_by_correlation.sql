-- compatible-with: 0010
-- What one command led to is found by its correlation id. Of a large journal an operator makes this index before, with
-- `create index concurrently`, so that nobody who writes is held up.
create index if not exists journal_correlation on journal (correlation_id);
