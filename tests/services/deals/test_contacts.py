"""DEAL-5: who at the customer's decides about a deal, and how they stand to it."""

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from services.deals.domain.deal.contacts import KnownContact, KnownContacts, RemoveContact, SetContact
from services.deals.domain.deal.facts import facts_of
from services.deals.domain.exchange_rate import Conversion
from shared.domain.roles import Role
from shared.events.deals.deal_record import DealContactRemoved, DealContactSet
from tests.services.deals.conftest import Office, Team
from tests.services.deals.facts import (
    ACCOUNT,
    CHAMPION,
    FRIDAY,
    ID,
    OPENED,
    PROCESS,
    REP,
    STRANGER,
    TEAM,
    THE_DEAL,
    TODAY,
)
from tests.services.deals.test_service import DEAL, codes

OPEN = THE_DEAL.given(replace(OPENED, account_id=ACCOUNT))
SET = SetContact(contact_id=CHAMPION, role="economic-buyer", stance="neutral")
WAS_SET = DealContactSet(deal_id=ID, contact_id=CHAMPION, role="economic-buyer", stance="neutral", on=TODAY)
REMOVE = RemoveContact(contact_id=CHAMPION)
REMOVED = DealContactRemoved(deal_id=ID, contact_id=CHAMPION)


def test_deal_5_a_contact_has_a_part_in_deciding_and_a_stance() -> None:
    OPEN.when(SET).then(WAS_SET)
    OPEN.given(WAS_SET).when(SET).then()
    won_over = replace(SET, stance="supportive")
    outcome = OPEN.given(WAS_SET).when(won_over).then(replace(WAS_SET, stance="supportive"))
    (contact,) = outcome.state.contacts
    assert (contact.role, contact.stance, contact.on) == ("economic-buyer", "supportive", TODAY)


def test_deal_5_a_contact_is_removed_once() -> None:
    outcome = OPEN.given(WAS_SET).when(REMOVE).then(REMOVED)
    assert outcome.state.contacts == ()
    OPEN.given(WAS_SET, REMOVED).when(REMOVE).then()


def test_deal_5_what_was_found_out_before_takes_no_place_of_what_is_known() -> None:
    OPEN.when(replace(SET, on=FRIDAY)).then(replace(WAS_SET, on=FRIDAY))
    OPEN.given(WAS_SET).when(replace(SET, on=FRIDAY)).then_rejected("known-since")
    OPEN.when(replace(SET, on=date(2026, 3, 17))).then_rejected("in-the-future")


def test_deal_5_a_contact_is_at_the_account_of_the_deal() -> None:
    wrong = replace(SET, contact_id=STRANGER, on=date(2026, 3, 17))
    outcome = OPEN.when(wrong).then_rejected("invalid-contact", "other-account", "in-the-future")
    assert outcome.rejected is not None
    assert outcome.rejected.reasons[0].field == "contact_id"


@pytest.mark.parametrize(("team", "refused"), [(TEAM, False), (UUID(int=99), True)], ids=["seen", "not-seen"])
def test_deal_5_of_a_deal_without_account_a_contact_is_at_one_that_is_seen(team: UUID, refused: bool) -> None:
    seen = KnownContacts(of={CHAMPION: KnownContact(account_id=ACCOUNT, owner=REP.member if team == TEAM else None)})
    outcome = THE_DEAL.given(OPENED).knowing(contacts=seen).by(REP).when(SET)
    assert (outcome.rejected is not None) is refused
    if outcome.rejected:
        assert outcome.rejected.reasons[0].code == "unknown-contact"


def test_proc_3_criteria_count_those_who_decide_and_those_of_them_who_are_for_it() -> None:
    others = [
        replace(WAS_SET, contact_id=UUID(int=number), role=role, stance=stance)
        for number, role, stance in ((1, "economic-buyer", "supportive"), (2, "champion", "supportive"))
    ]
    state = OPEN.given(WAS_SET, *others).when(SET).state
    facts = facts_of(state, PROCESS, Conversion(currency="EUR", factors={}))
    assert (facts["decision_makers"], facts["supportive_decision_makers"]) == (2, 1)
    assert facts_of(OPEN.when(REMOVE).state, PROCESS, Conversion(currency="EUR", factors={}))["decision_makers"] == 0


async def test_deal_5_contacts_of_the_account_are_known_to_deals(office: Office, team: Team) -> None:
    leads = office.operations()
    account, other = [await leads.makes("/v1/accounts", {"name": f"{name} {team.id}"}) for name in ("Acme", "Bolt")]
    added = [await leads.does(f"/v1/accounts/{each}/add-contact", {"name": "Ada"}) for each in (account, other)]
    known, later = ({"Consistency-Token": answer.headers["Consistency-Token"]} for answer in added)
    ours, theirs = [(await leads.sees(f"/v1/accounts/{each}"))["contacts"][0]["id"] for each in (account, other)]
    desk = office.somebody(Role.SALES_OPERATIONS)
    body = {"contact_id": ours, "role": "economic-buyer", "stance": "supportive"}
    opened = await desk.does("/v1/deals", {**DEAL, "account_id": account}, **known)
    made = opened.json()["id"]
    answer = await desk.does(f"/v1/deals/{made}/set-contact", body, **known)
    assert answer.status_code == 200, answer.text
    await desk.makes(f"/v1/deals/{made}/log-activity", {"kind": "meeting", "contacts": [ours]})
    found = await desk.sees(f"/v1/deals/{made}")
    (contact,) = found["contacts"]
    assert (contact["contact_id"], contact["role"], contact["stance"]) == (ours, "economic-buyer", "supportive")
    assert found["activities"][0]["contacts"] == [ours]
    refused = await desk.does(f"/v1/deals/{made}/set-contact", {**body, "contact_id": theirs}, **later)
    assert (refused.status_code, codes(refused)) == (422, ["other-account"])
    refused = await desk.does(f"/v1/deals/{made}/set-contact", {**body, "contact_id": made})
    assert (refused.status_code, codes(refused)) == (422, ["unknown-contact"])
    await desk.makes(f"/v1/deals/{made}/remove-contact", {"contact_id": ours})
    assert (await desk.sees(f"/v1/deals/{made}"))["contacts"] == []
