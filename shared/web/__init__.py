"""HTTP: routes that follow from handlers, problems, who asks, preconditions, event streams, the reference."""
