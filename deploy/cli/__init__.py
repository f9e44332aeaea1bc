"""The `throughline` command: a module per verb."""
