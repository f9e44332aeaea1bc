"""Lists for the service's own use, and look-ups for its handlers."""
