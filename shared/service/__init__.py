"""A service: its definition, its composition into a process, its workers and its server."""
