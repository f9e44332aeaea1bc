"""The published language: one definition for every event, owned by the service of the package's name."""
