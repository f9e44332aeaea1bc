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
    MemberId,
    TeamId,
    ids_of,
    named_by,
    reference_of,
)
from shared.events.definition import value
from shared.events.references import Free, Reference


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
    assert marks[("owner",)] == reference_of(MemberId)
    assert marks[("account_id",)] == Reference("account")
    assert isinstance(marks[("activity_id",)], Free)
    assert marks[("parts", EACH, "by")] == reference_of(MemberId)
    assert marks[("teams", EACH)] == Reference("team")
    assert marks[("unsaid",)] is None
    assert marks[("hidden",)] is None, "no check would look into it"
    assert marks[("parts", EACH, "within", EACH)] is None, "nor down without end"


@pytest.mark.parametrize("annotation", [MemberId, MemberId | None, tuple[MemberId, ...], Annotated[MemberId, "more"]])
def test_what_an_annotation_refers_to_is_read_from_it(annotation: Any) -> None:
    found = reference_of(annotation)
    assert found is not None
    assert found.thing == "member"
    assert reference_of(ActivityId) is None
    assert reference_of(UUID) is None


def test_what_a_command_names_is_read_with_the_place_of_each() -> None:
    first, second, third = (UUID(int=number) for number in range(1, 4))
    command = Rename(
        owner=first,
        activity_id=third,
        parts=(Part(by=second), Part(by=third)),
        teams=(third,),
    )
    assert [(naming.field, naming.key) for naming in named_by(command)] == [
        ("owner", ("member", first)),
        ("parts.0.by", ("member", second)),
        ("parts.1.by", ("member", third)),
        ("teams.0", ("team", third)),
    ]
    assert named_by(Rename()) == []


def test_a_reference_is_an_id_for_everybody_else() -> None:
    assert TypeAdapter(MemberId).json_schema() == TypeAdapter(UUID).json_schema()
    assert TypeAdapter(MemberId).validate_json('"0192f0c1-0000-7000-8000-000000000007"') == UUID(
        "0192f0c1-0000-7000-8000-000000000007"
    )
