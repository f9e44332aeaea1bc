"""The event store on PostgreSQL: append, streams and snapshots, the ordered log, claims, leases, migrations."""
