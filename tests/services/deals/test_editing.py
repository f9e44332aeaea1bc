"""DEAL-1: what an open deal is about is edited: its customer, source, industry and product lines."""

from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from services.deals.domain.deal.changes import HandOver, UpdateDeal
from services.deals.domain.deal.closing import WinDeal
from services.deals.domain.deal.contacts import KnownContact, KnownContacts
from services.deals.domain.deal.opening import LineWanted
from shared.domain.roles import Role
from shared.events.deals.deal import DealAmountChanged, DealLine, DealMoved
from shared.events.deals.deal_edit import DealAccountChanged, DealClassified, DealLinesChanged
from shared.events.deals.deal_record import DealContactSet
from shared.events.money import Money
from tests.services.deals.conftest import Office, Team
from tests.services.deals.facts import (
    ACCOUNT,
    CHAMPION,
    FRIDAY,
    ID,
    OPENED,
    OPENED_FRIDAY,
    OTHER,
    RETIRED,
    SERVER,
    STRANGER,
    TALKED,
    THE_DEAL,
    TODAY,
    UNKNOWN,
    eur,
    usd,
)
from tests.services.deals.test_service import DEAL, codes, patched, seen
from tests.shared.http.waiting import until

ELSEWHERE = UUID(int=22)
OPEN = THE_DEAL.given(replace(OPENED, account_id=ACCOUNT, account_name="Acme"))
CONTACTS = [
    DealContactSet(deal_id=ID, contact_id=contact, role="economic-buyer", stance="neutral", on=TODAY)
    for contact in (CHAMPION, STRANGER)
]
WENT = DealAccountChanged(deal_id=ID, account_before=ACCOUNT, account_id=ELSEWHERE, account_name=None, on=TODAY)


def line(quantity: str, price: str = "4800.00", product: UUID = SERVER) -> DealLine:
    return DealLine(product_id=product, quantity=Decimal(quantity), price=eur(price))


def wanted(quantity: str, price: Money | None = None, product: UUID = SERVER) -> LineWanted:
    return LineWanted(product_id=product, quantity=Decimal(quantity), price=price)


def relined(*lines: DealLine, before: tuple[DealLine, ...] = ()) -> DealLinesChanged:
    return DealLinesChanged(deal_id=ID, before=before, lines=lines, on=TODAY)


# -- the customer -----------------------------------------------------------------------------------------------------


def test_deal_1_a_deal_goes_to_another_account_and_the_name_before_goes() -> None:
    outcome = OPEN.when(UpdateDeal(account_id=ELSEWHERE)).then(WENT)
    assert (outcome.state.account_id, outcome.state.account_name) == (ELSEWHERE, None)
    OPEN.given(WENT).when(UpdateDeal(account_id=ELSEWHERE)).then()
    OPEN.when(UpdateDeal(account_id=ACCOUNT)).then()
    OPEN.when(UpdateDeal(account_id=ELSEWHERE, account_name="Bolt")).then(replace(WENT, account_name="Bolt"))
    named = replace(WENT, account_id=ACCOUNT, account_name="Acme Ltd")
    OPEN.when(UpdateDeal(account_name="Acme Ltd")).then(named)


def test_deal_5_contacts_who_are_not_at_the_new_account_leave_the_deal_and_the_event_names_them() -> None:
    """One of whom nothing is known is not there either; who is at the new account stays."""
    known = KnownContacts(of={STRANGER: KnownContact(account_id=ELSEWHERE)})
    with_both = OPEN.given(*CONTACTS).knowing(contacts=known)
    outcome = with_both.when(UpdateDeal(account_id=ELSEWHERE)).then(replace(WENT, contacts_removed=(CHAMPION,)))
    assert [contact.contact_id for contact in outcome.state.contacts] == [STRANGER]


def test_deal_5_a_deal_without_account_keeps_its_contacts() -> None:
    outcome = OPEN.given(*CONTACTS).when(UpdateDeal(account_id=None))
    outcome.then(replace(WENT, account_id=None))
    assert len(outcome.state.contacts) == 2


# -- source and industry ----------------------------------------------------------------------------------------------


def test_deal_1_source_and_industry_change_and_what_is_left_out_stays() -> None:
    classified = DealClassified(deal_id=ID, source="referral", industry="steel", on=TODAY)
    OPEN.when(UpdateDeal(industry="steel")).then(classified)
    OPEN.given(classified).when(UpdateDeal(source="referral", industry="steel")).then()
    OPEN.given(classified).when(UpdateDeal(source=None)).then(replace(classified, source=None))


# -- product lines ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("opened", "expected"),
    [
        (eur("9600.00"), eur("14400.00")),
        (eur("9000.00"), None),
        (usd("9600.00"), None),
    ],
    ids=["sum-stays-sum", "agreed-stays", "of-another-currency"],
)
def test_deal_1_an_amount_that_is_the_sum_of_the_lines_stays_so(opened: Money, expected: Money | None) -> None:
    begun = replace(OPENED, amount=opened, lines=(line("2"),))
    three = replace(wanted("3"), price=Money(amount=Decimal(4800), currency=opened.currency))
    outcome = THE_DEAL.given(begun).when(UpdateDeal(lines=(three,)))
    amounts = [fact.event.amount for fact in outcome.facts if isinstance(fact.event, DealAmountChanged)]
    assert amounts == ([expected] if expected else [])
    assert [each.quantity for each in outcome.state.lines] == [Decimal(3)]


def test_deal_1_an_amount_that_is_named_along_with_lines_counts() -> None:
    begun = THE_DEAL.given(replace(OPENED, amount=eur("9600.00"), lines=(line("2"),)))
    outcome = begun.when(UpdateDeal(lines=(wanted("3"),), amount=eur("14000")))
    assert outcome.state.amount == eur("14000.00")
    in_dollars = UpdateDeal(lines=(wanted("3", usd("5000")),), amount=usd("15000"))
    assert begun.when(in_dollars).state.lines[0].price == usd("5000.00")


def test_deal_1_lines_repeated_record_nothing_and_none_are_worth_nothing() -> None:
    begun = THE_DEAL.given(replace(OPENED, amount=eur("9600.00"), lines=(line("2"),)))
    begun.when(UpdateDeal(lines=(wanted("2"),))).then()
    begun.when(UpdateDeal(lines=())).then(
        relined(before=(line("2"),)),
        DealAmountChanged(deal_id=ID, before=eur("9600.00"), amount=eur("0.00"), on=TODAY),
    )


def test_deal_1_lines_are_refused_each_by_its_place_as_at_an_opening() -> None:
    lines = (wanted("0"), wanted("1", usd("1")), wanted("1", product=RETIRED), wanted("1", eur("-1")))
    outcome = OPEN.when(UpdateDeal(lines=lines, expected_close=FRIDAY)).then_rejected(
        "invalid-deal-change", "in-the-past", "invalid-quantity", "other-currency", "inactive-product", "negative"
    )
    assert outcome.rejected is not None
    assert [reason.field for reason in outcome.rejected.reasons[1:]] == [
        "lines.0.quantity",
        "lines.1.price.currency",
        "lines.2.product_id",
        "lines.3.price.amount",
    ]


def test_deal_1_a_product_that_is_no_longer_sold_may_stay_on_the_deal() -> None:
    old = line("1", "10.00", RETIRED)
    begun = THE_DEAL.given(replace(OPENED, lines=(old,)))
    begun.when(UpdateDeal(lines=(wanted("4", product=RETIRED),))).then(
        relined(line("4", "10.00", RETIRED), before=(old,))
    )


# -- together ---------------------------------------------------------------------------------------------------------


def test_deal_9_the_gate_sees_the_lines_and_the_customer_of_the_same_update() -> None:
    command = UpdateDeal(account_id=ELSEWHERE, industry="steel", lines=(wanted("1"),), stage="needs-confirmed")
    outcome = OPEN.given(TALKED).when(command).then_rejected("invalid-deal-change", "criterion-unmet")
    assert outcome.facts == ()
    moved = DealMoved(
        deal_id=ID,
        before="initial-contact",
        stage="needs-confirmed",
        direction="forward",
        skipped=(),
        probability=Decimal("0.3"),
        probability_before=Decimal("0.1"),
        category="pipeline",
        amount=OPENED.amount,
        on=TODAY,
    )
    back = replace(command, stage="initial-contact")
    kinds = [type(fact.event) for fact in OPEN.given(moved).when(back).facts]
    assert kinds == [DealAccountChanged, DealClassified, DealLinesChanged, DealMoved]


@pytest.mark.parametrize(
    "change",
    [UpdateDeal(account_id=None), UpdateDeal(source="fair"), UpdateDeal(lines=(wanted("1"),)), HandOver(owner=OTHER)],
    ids=str,
)
def test_deal_9_a_deal_did_not_end_before_it_was_edited_or_handed_over(change: UpdateDeal | HandOver) -> None:
    """Else its end would come before the change, and say what was so after it."""
    begun = THE_DEAL.given(replace(OPENED_FRIDAY, account_id=ACCOUNT))
    events = [fact.event for fact in begun.when(change).facts]
    assert begun.when(WinDeal(on=FRIDAY)).rejected is None
    begun.given(*events).when(WinDeal(on=FRIDAY)).then_rejected("changed-since")


# -- on real parts ----------------------------------------------------------------------------------------------------


async def test_deal_1_an_edited_deal_shows_in_the_list_and_its_support_requests_go_with_it(
    office: Office, team: Team
) -> None:
    leads = office.operations()
    before, after = [await leads.makes("/v1/accounts", {"name": f"{name} {team.id}"}) for name in ("Acme", "Bolt")]
    added = [await leads.does(f"/v1/accounts/{each}/add-contact", {"name": "Ada"}) for each in (before, after)]
    known = {"Consistency-Token": added[-1].headers["Consistency-Token"]}
    contact = (await leads.sees(f"/v1/accounts/{before}"))["contacts"][0]["id"]
    desk = office.somebody(Role.SALES_OPERATIONS)
    product = await desk.makes(
        "/v1/products",
        {"code": f"E-{team.id}", "name": "Server", "list_price": {"amount": "4800.00", "currency": "EUR"}},
    )
    opened = await desk.does("/v1/deals", {**DEAL, "account_id": before, "account_name": "Acme"}, **known)
    deal = opened.json()["id"]
    await desk.makes(
        f"/v1/deals/{deal}/set-contact", {"contact_id": contact, "role": "champion", "stance": "supportive"}
    )
    request = await desk.makes("/v1/support-requests", {"deal_id": deal, "department": "presales", "what": "A demo"})
    version = (await desk.sees(f"/v1/deals/{deal}"))["version"]
    body: dict[str, Any] = {
        "account_id": after,
        "source": "fair",
        "industry": "steel",
        "lines": [{"product_id": product, "quantity": "2"}],
    }
    changed = await patched(desk, f"/v1/deals/{deal}", version, body)
    assert changed.status_code == 200, changed.text
    found = await desk.sees(f"/v1/deals/{deal}")
    assert (found["account_id"], found["account_name"], found["contacts"]) == (after, f"Bolt {team.id}", [])
    assert (found["source"], found["industry"], found["lines"][0]["quantity"]) == ("fair", "steel", "2")
    assert found["amount"] == {"amount": "120000.00", "currency": "EUR"}
    (row,) = (await seen(desk, changed, "/v1/deals", account=after))["items"]
    assert (row["source"], row["industry"]) == ("fair", "steel")

    async def followed() -> bool:
        shown: bool = (await desk.sees(f"/v1/support-requests/{request}"))["account_id"] == after
        return shown

    await until(followed, 60)
    refused = await patched(desk, f"/v1/deals/{deal}", changed.json()["version"], {"account_id": str(UNKNOWN)})
    assert (refused.status_code, codes(refused)) == (422, ["unknown-account"])
