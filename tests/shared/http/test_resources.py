"""Resource representations: what is published of a state, and of the values in it, is declared apart from the state."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest

from shared.domain.aggregate import Aggregate
from shared.domain.roles import EVERYBODY
from shared.events.definition import event, value
from shared.http.resources import Resource


@event("boxes.box-packed", aggregate="box")
class BoxPacked:
    box_id: UUID


@value
class NoBox:
    """Not there yet."""


@value
class Thing:
    """As the rules know it."""

    name: str
    packed_by: str
    around: "Thing | None" = None


@value
class PackedBox:
    """As the rules know it."""

    id: UUID
    first: Thing | None
    things: Sequence[Thing]
    said_before: tuple[str, ...] = ()


box = Aggregate("box", plural="boxes", start=NoBox, readers=EVERYBODY)


@box.evolves
def packed(state: NoBox, event: BoxPacked) -> PackedBox:
    return PackedBox(id=event.box_id, first=None, things=())


class Published:
    """What clients see."""

    @value
    class Thing:
        """A thing in the box."""

        name: str
        around: "Published.Thing | None"

    @value
    class PackedBox:
        """A box."""

        first: "Published.Thing | None"
        things: "tuple[Published.Thing, ...]"


def resource_of(**fields: object) -> Resource:
    shape = value(type("PackedBox", (), {"__doc__": "A box.", "__annotations__": fields, "__module__": __name__}))
    return Resource(box, shape)


def test_only_what_is_declared_is_published() -> None:
    resource = Resource(box, Published.PackedBox)
    cup = Thing(name="cup", packed_by="ada", around=Thing(name="spoon", packed_by="ben"))
    shown = resource.of(PackedBox(id=uuid4(), first=None, things=[cup], said_before=("a cup",)))
    spoon = Published.Thing(name="spoon", around=None)
    assert shown == {"first": None, "things": (Published.Thing(name="cup", around=spoon),)}


def test_a_shape_has_a_state_and_no_field_more_than_it() -> None:
    with pytest.raises(ValueError, match="one shape for each state: PackedBox"):
        Resource(box)
    with pytest.raises(ValueError, match="one shape for each state: Thing"):
        Resource(box, Published.PackedBox, Published.Thing)
    with pytest.raises(ValueError, match=r"publishes \['weight'\], which PackedBox does not have"):
        resource_of(weight=int)
