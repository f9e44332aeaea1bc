"""The kernel of Throughline: everything that the services have in common."""
