"""Lists over HTTP: routes of listings, and pages of what hand-written routes list."""
