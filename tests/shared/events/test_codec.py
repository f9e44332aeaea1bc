"""Events as bytes and back (DATA-2, DATA-4)."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from shared.events.codec import Codec, UnknownEvent, Unreadable, erased
from shared.events.definition import Exact, FreeText, Personal, event, upcasts, value
from shared.events.registry import Registry, registry_of

SOMEBODY = UUID(int=5)


@value
class Amount:
    """Money."""

    amount: Exact
    currency: str


@event("shop.thing-sold", aggregate="thing", version=2, person="buyer_id")
class ThingSold:
    """Somebody bought something."""

    buyer_id: UUID | None
    price: Amount
    on: date
    at: datetime
    tags: frozenset[str] = frozenset()
    name: Personal[str] = None
    address: Personal[str] = None


@event("shop.thing-returned", aggregate="thing")
class ThingReturned:
    """Somebody brought it back."""

    thing_id: UUID
    why: FreeText[str] = ""
    note: FreeText[str | None] = None


@upcasts("shop.thing-sold", 1)
def with_currency(data: dict[str, Any]) -> dict[str, Any]:
    return {**data, "price": {"amount": data["price"], "currency": "EUR"}}


SOLD = ThingSold(
    buyer_id=SOMEBODY,
    price=Amount(amount=Decimal("10.50"), currency="EUR"),
    on=date(2026, 3, 16),
    at=datetime(2026, 3, 16, 10, 0, tzinfo=UTC),
    tags=frozenset({"b", "a"}),
    name="Ann Ähnlich",
)
CODEC = Codec(Registry([ThingSold], [with_currency]))


def test_decimals_and_dates_are_strings_and_sets_have_one_order() -> None:
    data = CODEC.encode(SOLD).data
    assert b'"amount":"10.50"' in data
    assert b'"on":"2026-03-16"' in data
    assert b'"at":"2026-03-16T10:00:00Z"' in data
    assert b'"tags":["a","b"]' in data


def test_an_event_reads_back() -> None:
    encoded = CODEC.encode(SOLD)
    assert CODEC.decode("shop.thing-sold", 2, encoded.data, encoded.personal) == SOLD
    assert CODEC.decode("shop.thing-sold", 2, encoded.data.decode(), (encoded.personal or b"").decode()) == SOLD


def test_what_is_personal_stands_apart_and_reads_as_none_without_it() -> None:
    """DATA-4"""
    encoded = CODEC.encode(SOLD)
    assert "Ann" not in encoded.data.decode()
    assert b"name" not in encoded.data
    assert (encoded.person, encoded.personal) == (SOMEBODY, '{"name":"Ann Ähnlich"}'.encode())
    assert CODEC.decode("shop.thing-sold", 2, encoded.data).name is None


def test_personal_data_of_nobody_is_a_mistake() -> None:
    nobody = ThingSold(buyer_id=None, price=SOLD.price, on=SOLD.on, at=SOLD.at, name="?")
    with pytest.raises(ValueError, match="personal data of nobody"):
        CODEC.encode(nobody)
    assert CODEC.encode(ThingSold(buyer_id=None, price=SOLD.price, on=SOLD.on, at=SOLD.at)).personal is None


def test_free_text_stands_apart_with_nobodys_name_and_reads_as_its_default_without_it() -> None:
    """DATA-4: what was required once is published empty, so that older readers go on."""
    codec = Codec(Registry([ThingReturned]))
    returned = ThingReturned(thing_id=SOMEBODY, why="Ann did not like it", note="Call Ann")
    encoded = codec.encode(returned)
    assert json.loads(encoded.data) == {"thing_id": str(SOMEBODY), "why": ""}
    assert (encoded.person, json.loads(encoded.personal or b"")) == (
        None,
        {"why": "Ann did not like it", "note": "Call Ann"},
    )
    assert codec.decode("shop.thing-returned", 1, encoded.data, encoded.personal) == returned
    assert codec.decode("shop.thing-returned", 1, encoded.data) == erased(returned)
    assert erased(returned) == ThingReturned(thing_id=SOMEBODY)
    assert codec.encode(ThingReturned(thing_id=SOMEBODY)).personal is None


def test_free_text_that_was_published_once_reads_as_it_did() -> None:
    codec = Codec(Registry([ThingReturned]))
    published = json.dumps({"thing_id": str(SOMEBODY), "why": "Broken", "note": "Twice"})
    assert codec.decode("shop.thing-returned", 1, published).why == "Broken"
    assert codec.decode("shop.thing-returned", 1, published).note == "Twice"


def test_unknown_fields_are_ignored() -> None:
    data = CODEC.encode(SOLD).data[:-1] + b',"later":{"x":1}}'
    assert CODEC.decode("shop.thing-sold", 2, data).on == SOLD.on


def test_an_older_version_is_read_as_the_newest() -> None:
    data = b'{"buyer_id":null,"price":"7","on":"2026-03-16","at":"2026-03-16T10:00:00Z"}'
    sold = CODEC.decode("shop.thing-sold", 1, data)
    assert sold.price == Amount(amount=Decimal(7), currency="EUR")


def test_unknown_types_and_versions_are_told_from_damage() -> None:
    for type_name, version in (("shop.thing-lost", 1), ("shop.thing-sold", 3)):
        with pytest.raises(UnknownEvent):
            CODEC.decode(type_name, version, b"{}")
    for version, data in ((2, b"{}"), (2, b"{"), (1, b"{}"), (1, b"[]")):
        with pytest.raises(Unreadable):
            CODEC.decode("shop.thing-sold", version, data)


def test_event_classes_that_would_leak_are_refused() -> None:
    """DATA-4"""

    @value
    class Contact:
        """Somebody."""

        email: Personal[str] = None

    @event("shop.contact-added", aggregate="shop", person="contact_id")
    class ContactAdded:
        """Hides an address in a value."""

        contact_id: UUID
        contact: Contact

    @event("shop.note-added", aggregate="shop")
    class NoteAdded:
        """Does not say whose note it is."""

        note: Personal[str] = None

    @event("shop.name-given", aggregate="shop", person="shop_id")
    class NameGiven:
        """Cannot be read without the name."""

        shop_id: UUID
        name: Personal[str]

    @event("shop.thing-praised", aggregate="shop", person="buyer_id")
    class ThingPraised:
        """Has two owners of one row."""

        buyer_id: UUID
        name: Personal[str] = None
        why: FreeText[str] = ""

    @event("shop.thing-blamed", aggregate="shop")
    class ThingBlamed:
        """Cannot be read without the text."""

        thing_id: UUID
        why: FreeText[str]

    for wrong, message in (
        (ContactAdded, "email stands apart"),
        (NoteAdded, "whose"),
        (NameGiven, "default None"),
        (ThingPraised, "both"),
        (ThingBlamed, "default None"),
    ):
        with pytest.raises(ValueError, match=message):
            Codec(Registry([wrong]))


def test_a_registry_has_each_type_and_version_once() -> None:
    with pytest.raises(ValueError, match="share a type"):
        Registry([ThingSold, ThingSold])
    with pytest.raises(ValueError, match="leads to no event class"):
        Registry([], [with_currency])


def test_every_published_event_can_be_written() -> None:
    """DATA-2"""
    published = registry_of()
    Codec(published)
    assert len(published.classes) > 50
    assert "deals.deal.v1" in published.topics()
    assert published.topics("deals") == tuple(name for name in published.topics() if name.startswith("deals."))


def test_a_field_that_would_hide_what_is_said_of_every_event_is_refused() -> None:
    with pytest.raises(TypeError, match=r"type.*every event"):

        @event("shop.thing-lost", aggregate="thing")
        class ThingLost:
            """It cannot be read back: its type is a field of its own."""

            thing_id: UUID
            type: str
