"""What the ids of a command lead to is told by their types (API-1)."""

from typing import Annotated, Any, ClassVar
from uuid import UUID

import pytest
from pydantic import TypeAdapter

from shared.domain.merge_patch import absent
from shared.domain.references import (
    EACH,
    AccountId,
    ActivityId,
    Free,
    MemberId,
    Reference,
    TeamId,
    ids_of,
    reference_of,
)
from shared.events.definition import value


@value
class Part:
    """A part of something."""

    by: MemberId
    within: "tuple[Part, ...]" = ()


@value
class Rename:
    """A command that names all kinds of things."""

    owner: MemberId | None = None
    account_id: AccountId | None = absent()
    activity_id: ActivityId | None = None
    parts: tuple[Part, ...] = ()
    teams: Annotated[tuple[TeamId, ...], "many"] = ()
    unsaid: UUID | None = None
    hidden: "dict[str, MemberId] | None" = None

    example: ClassVar[dict[str, Any]] = {}


def test_every_id_is_found_with_what_its_type_says() -> None:
    marks = dict(ids_of(Rename))
    assert marks[("owner",)] == Reference("member")
    assert marks[("account_id",)] == Reference("account")
    assert isinstance(marks[("activity_id",)], Free)
    assert marks[("parts", EACH, "by")] == Reference("member")
    assert marks[("teams", EACH)] == Reference("team")
    assert marks[("unsaid",)] is None
    assert marks[("hidden",)] is None, "no check would look into it"


@pytest.mark.parametrize("annotation", [MemberId, MemberId | None, tuple[MemberId, ...], Annotated[MemberId, "more"]])
def test_what_an_annotation_refers_to_is_read_from_it(annotation: Any) -> None:
    found = reference_of(annotation)
    assert found is not None
    assert found.thing == "member"
    assert reference_of(ActivityId) is None
    assert reference_of(UUID) is None


def test_a_reference_is_an_id_for_everybody_else() -> None:
    assert TypeAdapter(MemberId).json_schema() == TypeAdapter(UUID).json_schema()
    assert TypeAdapter(MemberId).validate_json('"0192f0c1-0000-7000-8000-000000000007"') == UUID(
        "0192f0c1-0000-7000-8000-000000000007"
    )
