"""HTTP: routes that follow from handlers, problems, authentication, event streams."""
