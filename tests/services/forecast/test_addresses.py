"""REC-5: notices are sent to an address once its owner has confirmed it: the rules."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.forecast.deliveries import deliveries
from services.forecast.domain.address import (
    ASKED_AT_MOST,
    ConfirmationCode,
    ConfirmedNoticeAddress,
    ConfirmNoticeAddress,
    SendNotices,
    StopSendingNotices,
    UnconfirmedNoticeAddress,
    asked_again_from,
    code_of,
    is_asked,
    is_sent,
    notice_address,
)
from services.forecast.outside import confirmation_letter
from shared.events.forecast.notice_address import (
    NoticeAddressConfirmationAsked,
    NoticeAddressConfirmed,
    NoticeAddressRemoved,
    NoticeAddressStated,
)
from shared.eventstore.claims import ClaimHasher
from shared.languages.catalogue import Catalogue
from shared.languages.shipped import SHIPPED
from shared.testing.scenario import CONTEXT, Scenario, scenario
from tests.services.forecast.facts import ANNA, day, fact

NOW, HOUR = CONTEXT.now, timedelta(hours=1)
MAILBOX: dict[str, Any] = {"address_id": CONTEXT.aggregate_id, "member_id": ANNA, "mailbox_id": UUID(int=9)}
STATED = NoticeAddressStated(**MAILBOX, email="a@example.com", language=None, needs_confirmation=True)
ASKED = NoticeAddressConfirmationAsked(**MAILBOX, at=NOW)
CONFIRMED = NoticeAddressConfirmed(**MAILBOX, at=NOW)
REMOVED = NoticeAddressRemoved(**MAILBOX)
OF_BEFORE = replace(STATED, needs_confirmation=False)
"""As it was told before there were codes."""
CODE = ConfirmationCode(text="7K3QD-01W2M")
RIGHT, WRONG = ConfirmNoticeAddress(code=CODE.text), ConfirmNoticeAddress(code="7K3QD-01W2N")

ADDRESS = scenario(notice_address).by(replace(CONTEXT.actor, member=ANNA)).knowing(code=CODE)
UNCONFIRMED = ADDRESS.given(STATED, ASKED)
SAME, OTHER = SendNotices(email="a@example.com"), SendNotices(email="b@example.com")


def kinds(known: Scenario, command: Any) -> list[type]:
    return [type(each.event) for each in known.when(command).facts]


# -- stating one ------------------------------------------------------------------------------------------------------


def test_an_address_that_is_stated_is_asked_for_confirmation() -> None:
    told = ADDRESS.when(SendNotices(email="a@example.com", language="de"))
    mailbox = told.facts[0].event.mailbox_id
    told.then(replace(STATED, mailbox_id=mailbox, language="de"), replace(ASKED, mailbox_id=mailbox))


@pytest.mark.parametrize("known", [(STATED, ASKED), (STATED, ASKED, CONFIRMED), (OF_BEFORE,)])
def test_another_address_erases_the_one_before_and_waits_to_be_confirmed(known: tuple[Any, ...]) -> None:
    """DATA-4."""
    told = ADDRESS.given(*known).when(OTHER)
    mailbox = told.facts[1].event.mailbox_id
    assert mailbox != REMOVED.mailbox_id
    stated = replace(STATED, mailbox_id=mailbox, email="b@example.com")
    told.then(REMOVED, stated, replace(ASKED, mailbox_id=mailbox))
    assert isinstance(told.state, UnconfirmedNoticeAddress)


def test_the_same_address_is_asked_again_after_an_hour_at_the_earliest() -> None:
    UNCONFIRMED.when(SAME).then()
    UNCONFIRMED.at(NOW + HOUR - timedelta(seconds=1)).when(SAME).then()
    again = replace(ASKED, at=NOW + HOUR)
    UNCONFIRMED.at(NOW + HOUR).when(SAME).then(again)
    UNCONFIRMED.given(again).at(NOW + HOUR).when(SAME).then()
    state = notice_address.fold([STATED, ASKED, again])
    assert asked_again_from(state) == NOW + 2 * HOUR


def test_another_language_is_no_other_address() -> None:
    """No letter earlier because of it, and what is confirmed stays so."""
    german = SendNotices(email="a@example.com", language="de")
    UNCONFIRMED.when(german).then(replace(STATED, language="de"))
    told = UNCONFIRMED.given(CONFIRMED).when(german).then(replace(OF_BEFORE, language="de"))
    assert isinstance(told.state, ConfirmedNoticeAddress)
    assert (told.state.language, told.state.confirmed_at) == ("de", NOW)


def test_a_confirmed_address_is_stated_once() -> None:
    UNCONFIRMED.given(CONFIRMED).at(NOW + 2 * HOUR).when(SAME).then()
    ADDRESS.given(OF_BEFORE).at(NOW + 2 * HOUR).when(SAME).then()


def test_one_member_has_no_more_than_some_addresses_written_to_within_an_hour() -> None:
    known = ADDRESS
    for number in range(ASKED_AT_MOST):
        told = known.when(SendNotices(email=f"stranger-{number}@example.com"))
        known = known.given(*(each.event for each in told.facts))
    refused = known.when(OTHER).then_rejected("too-many-letters", "too-many-letters")
    assert refused.rejected is not None
    assert refused.rejected.reasons[0].field == "email"
    stopped = known.given(*(each.event for each in known.when(StopSendingNotices()).facts))
    stopped.when(OTHER).then_rejected("too-many-letters")
    assert kinds(stopped.at(NOW + HOUR), OTHER) == [NoticeAddressStated, NoticeAddressConfirmationAsked]


# -- confirming it ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", ["7K3QD-01W2M", "7k3qd01w2m", " 7k3qd - OIw2m", "7K3QDOLW2M"])
def test_whoever_has_the_code_confirms_the_address(said: str) -> None:
    """Case, dashes and spaces do not matter, nor what people take for a nought and a one."""
    told = UNCONFIRMED.when(ConfirmNoticeAddress(code=said)).then(CONFIRMED)
    assert isinstance(told.state, ConfirmedNoticeAddress)


@pytest.mark.parametrize("said", ["7K3QD-01W2N", "7K3QD", "-", "ü", "7K3QD-01W2M0"])
@pytest.mark.parametrize("known", [(STATED, ASKED), (STATED, ASKED, CONFIRMED), (OF_BEFORE,)])
def test_a_wrong_code_is_refused_with_its_field(known: tuple[Any, ...], said: str) -> None:
    refused = ADDRESS.given(*known).when(ConfirmNoticeAddress(code=said)).then_rejected("wrong-code", "wrong-code")
    assert refused.rejected is not None
    assert refused.rejected.reasons[0].field == "code"


def test_what_is_confirmed_is_confirmed_once() -> None:
    UNCONFIRMED.given(CONFIRMED).when(RIGHT).then()


def test_what_was_removed_is_not_confirmed() -> None:
    UNCONFIRMED.given(REMOVED).when(RIGHT).then_rejected("not-in-this-state")
    ADDRESS.when(RIGHT).then_rejected("does-not-exist")


def test_sending_is_stopped_before_and_after_it_is_confirmed() -> None:
    """DATA-4."""
    UNCONFIRMED.when(StopSendingNotices()).then(REMOVED)
    UNCONFIRMED.given(CONFIRMED).when(StopSendingNotices()).then(REMOVED)
    UNCONFIRMED.given(REMOVED).when(StopSendingNotices()).then()
    ADDRESS.when(StopSendingNotices()).then()


@pytest.mark.parametrize("email", ["no address", "a@", "@example.com"])
def test_what_is_no_address_is_refused(email: str) -> None:
    ADDRESS.when(SendNotices(email=email)).then_rejected("no-address", "no-address")


# -- codes ------------------------------------------------------------------------------------------------------------


def test_a_code_is_told_by_the_secret_and_the_mailbox_alone() -> None:
    hashed, other = ClaimHasher(b"0123456789abcdef"), ClaimHasher(b"another secret of it")
    codes = {code_of(hashed, UUID(int=number)).text for number in range(1000)}
    assert len(codes) == 1000
    assert code_of(hashed, UUID(int=1)) == code_of(hashed, UUID(int=1)) != code_of(other, UUID(int=1))
    assert {len(code) for code in codes} == {11}
    assert set("".join(codes)) == set("0123456789ABCDEFGHJKMNPQRSTVWXYZ-")
    assert {code[5] for code in codes} == {"-"}


# -- what is sent -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ((), False),
        ((STATED, ASKED), False),
        ((STATED, ASKED, CONFIRMED), True),
        ((OF_BEFORE,), True),
        ((STATED, ASKED, CONFIRMED, REMOVED), False),
    ],
)
def test_notices_are_sent_where_that_is_confirmed(known: tuple[Any, ...], expected: bool) -> None:
    assert is_sent(notice_address.fold(known)) is expected


@pytest.mark.parametrize(
    ("known", "raised_at", "expected"),
    [
        ((STATED, ASKED, CONFIRMED), NOW - timedelta(seconds=1), False),
        ((STATED, ASKED, CONFIRMED), NOW, True),
        ((OF_BEFORE,), NOW - timedelta(days=9), True),
    ],
)
def test_what_was_raised_before_is_not_sent_later(known: tuple[Any, ...], raised_at: datetime, expected: bool) -> None:
    assert is_sent(notice_address.fold(known), raised_at=raised_at) is expected


@pytest.mark.parametrize(
    ("known", "expected"),
    [((STATED, ASKED), True), ((STATED, ASKED, CONFIRMED), False), ((OF_BEFORE,), False), ((STATED, REMOVED), False)],
)
def test_a_code_is_sent_where_it_is_waited_for(known: tuple[Any, ...], expected: bool) -> None:
    assert is_asked(notice_address.fold(known), STATED.mailbox_id) is expected
    assert not is_asked(notice_address.fold(known), UUID(int=10)), "of another mailbox"


def test_a_code_goes_to_the_mailbox_and_to_no_webhook() -> None:
    noted = fact(1, ASKED, day("2026-03-16"))
    (asked,) = deliveries.of(noted)
    assert (asked.channel, asked.kind, asked.to) == ("mail", "address-confirmation", ASKED.mailbox_id)
    assert dict(asked.data) == {"member_id": ANNA}
    assert deliveries.of(fact(1, STATED, day("2026-03-16"))) == []


@pytest.mark.parametrize("words", SHIPPED.values(), ids=lambda each: each.language)
def test_the_letter_has_the_code_in_every_language(words: Catalogue) -> None:
    made = confirmation_letter(CODE, "anna@example.com", words, "https://sales.example")
    assert (made.to, made.language) == ("anna@example.com", words.language)
    assert CODE.text in made.text
    assert CODE.text not in made.subject, "a subject is shown on locked screens"
    assert "https://sales.example" in made.text
    assert "{" not in made.subject + made.text
