"""No id of a command leads anywhere unsaid: each is a reference, which is checked, or free, with the reason (API-1)."""

import pytest

from deploy.services import SERVICES, definition_of
from shared.domain.aggregate import Aggregate
from shared.domain.references import ids_of
from shared.events.references import Free

FAMILIES = [family for service in SERVICES for family in definition_of(service).families]

AS_TOLD = {
    ("ImportDeal", ("lines", "*", "product_id")): "history tells lines as they stand in events",
}
"""Ids of values of the published language, which stands below `shared.domain`. Only what tells the past has them."""


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_every_id_of_a_command_is_a_reference_or_free(family: Aggregate) -> None:
    found = {(command.__name__, path): mark for command in family.handlers for path, mark in ids_of(command)}
    unsaid = {name for name, mark in found.items() if mark is None} - set(AS_TOLD)
    assert not unsaid, "MemberId, TeamId …, or Annotated[UUID, Free(why)]: what the id leads to"
    assert all(mark.why for mark in found.values() if isinstance(mark, Free))


def test_ids_as_told_stand_in_commands() -> None:
    commands = {command.__name__: command for family in FAMILIES for command in family.handlers}
    assert all(path in dict(ids_of(commands[name])) for name, path in AS_TOLD)
    assert all(name.startswith("Import") for name, _ in AS_TOLD)
