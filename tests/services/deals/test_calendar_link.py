"""DEAL-6: an address for a calendar that can send no token: the rules."""

import hashlib
import hmac
from uuid import UUID

import pytest

from services.deals.domain.calendar_link import (
    ActiveCalendarLink,
    AnyCalendarLink,
    MakeCalendarLink,
    RevokeCalendarLink,
    calendar_link,
    link_of,
    opens,
    secret_of,
)
from shared.domain.context import Actor
from shared.events.deals.calendar_link import CalendarLinkMade, CalendarLinkRevoked
from shared.testing.scenario import CONTEXT, SOMEBODY, scenario

ID, ME = CONTEXT.aggregate_id, SOMEBODY.member
assert ME is not None
MADE = CalendarLinkMade(link_id=ID, member_id=ME, generation=1)
AGAIN = CalendarLinkMade(link_id=ID, member_id=ME, generation=2)
REVOKED = CalendarLinkRevoked(link_id=ID, member_id=ME, generation=1)
LINK = ActiveCalendarLink(id=ID, member_id=ME, generation=1)


def keyed_hash(kind: str, key: str) -> bytes:
    return hmac.digest(b"a deployment's secret", f"{kind} {key}".encode(), hashlib.sha256)


def after(*events: object) -> AnyCalendarLink:
    found: AnyCalendarLink = calendar_link.fold(events)
    return found


def test_deal_6_a_link_is_made_made_anew_and_revoked() -> None:
    scenario(calendar_link).when(MakeCalendarLink()).then(MADE)
    scenario(calendar_link).given(MADE).when(MakeCalendarLink()).then(AGAIN)
    scenario(calendar_link).given(MADE).when(RevokeCalendarLink()).then(REVOKED)
    scenario(calendar_link).given(MADE, REVOKED).when(RevokeCalendarLink()).then()
    scenario(calendar_link).given(MADE, REVOKED).when(MakeCalendarLink()).then(AGAIN)
    scenario(calendar_link).when(RevokeCalendarLink()).then_rejected("does-not-exist")


def test_deal_6_only_a_member_has_an_agenda() -> None:
    outsider = Actor(subject="somebody", roles=SOMEBODY.roles)
    scenario(calendar_link).by(outsider).when(MakeCalendarLink()).then_rejected("not-a-member")


def test_deal_6_a_secret_opens_its_own_link_as_long_as_that_shows_something() -> None:
    secret = secret_of(keyed_hash, LINK)
    assert opens(keyed_hash, after(MADE), secret)
    for dead in (after(), after(MADE, REVOKED), after(MADE, AGAIN), after(MADE, REVOKED, AGAIN)):
        assert not opens(keyed_hash, dead, secret)


@pytest.mark.parametrize("wrong", ["", "é", "A" * 43])
def test_deal_6_what_is_no_secret_opens_nothing(wrong: str) -> None:
    assert not opens(keyed_hash, LINK, wrong)
    assert not opens(keyed_hash, LINK, secret_of(keyed_hash, LINK)[:-1])


def test_deal_6_a_secret_is_another_one_for_each_link_and_each_making() -> None:
    """It has 256 bits, and is written in what an address may hold."""
    links = [
        ActiveCalendarLink(id=link_of(UUID(int=who)), member_id=UUID(int=who), generation=number)
        for who in (1, 2)
        for number in (1, 2, 11)
    ]
    found = [secret_of(keyed_hash, link) for link in links]
    assert len(set(found)) == len(links)
    assert {len(secret) for secret in found} == {43}
    assert all(secret.replace("-", "").replace("_", "").isalnum() for secret in found)
