"""Migrations: the open deals of some versions of a process go over to another version, each in the stage that a mapping
gives it (PROC-2). Planned, tried as often as anybody likes, started, and worked off in steps.

Importing the package registers every capability on the aggregate.
"""

from services.deals.domain.process_migration import planning, running
from services.deals.domain.process_migration.state import process_migration

__all__ = ["planning", "process_migration", "running"]
