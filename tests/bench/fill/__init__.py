"""Large histories: what the services wrote of a small one, stamped out by COPY (`python -m tests.bench.fill`)."""
