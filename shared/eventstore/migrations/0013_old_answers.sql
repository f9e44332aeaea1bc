-- compatible-with: 0010
-- Old answers are found among those that are ever forgotten, however many of imports lie beside them and stay: the
-- blocks of what is old are all blocks there.
create index idempotency_forgotten on idempotency (created_at) where principal <> 'service:import';
drop index idempotency_created;
