"""Lists and look-ups for this service's own use."""
