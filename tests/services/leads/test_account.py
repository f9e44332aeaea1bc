"""Accounts and contacts (ACCT-1), and the erasure of a contact (DATA-4)."""

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from services.leads.domain.account import account
from services.leads.domain.account.contacts import AddContact, EraseContact
from services.leads.domain.account.history import ImportAccount, ImportContact
from services.leads.domain.account.record import ChangeAccount, Keeper, Neighbours, RegisterAccount
from services.leads.domain.contact_points import Known, KnownUnder
from services.leads.domain.forgetting import Traces
from services.leads.domain.reminders import RemindedToday
from services.leads.projections.traces import contacts_of
from shared.domain.aggregate import Claim
from shared.domain.context import Moment
from shared.events.leads.account import AccountChanged, AccountHandedOver, AccountOpened, ContactErased
from shared.testing.scenario import CONTEXT, scenario
from tests.services.leads.known import HERE, NORTH, OTHER, ROSA, SAM, SOUTH, ada, after, opened

ALONE = Neighbours()
new = scenario(account).knowing(neighbours=ALONE, keeper=Keeper(member_id=ROSA, team=SOUTH))
known = scenario(account).given(opened).knowing(neighbours=ALONE, reminded=RemindedToday())
northwind = RegisterAccount(name="Northwind Tooling", domain="www.northwind.example", country="de")


def test_acct_1_an_account_is_registered_for_whoever_keeps_it() -> None:
    new.when(northwind).then(opened)


def test_acct_1_registering_the_same_again_records_nothing() -> None:
    new.given(opened).when(northwind).then()
    new.given(opened).when(replace(northwind, owner=ROSA)).then()


def test_acct_1_registering_something_else_under_the_same_id_is_refused() -> None:
    new.given(opened).when(replace(northwind, size=3)).then_rejected("not-in-this-state")
    new.given(opened).when(replace(northwind, owner=OTHER)).then_rejected("not-in-this-state")


def test_lead_2_two_accounts_do_not_have_one_domain() -> None:
    taken = Neighbours(domain_holder=OTHER)
    scenario(account).knowing(neighbours=taken, keeper=Keeper()).when(northwind).then_rejected(
        "invalid-profile", "domain-taken"
    )


def test_acct_1_all_that_is_wrong_with_a_profile_is_told_at_once() -> None:
    wrong = Neighbours(domain_holder=OTHER, circular=True)
    codes = ("invalid-contact-points", "unknown-country", "domain-taken", "circular-hierarchy")
    new.knowing(neighbours=wrong).when(replace(northwind, country="XX")).then_rejected(*codes)
    change = ChangeAccount(country="XX", domain="northwind.example")
    known.knowing(neighbours=wrong).when(change).then_rejected(*codes)


def test_acct_1_what_cannot_be_read_is_named() -> None:
    new.when(replace(northwind, domain="co.uk", country="XX")).then_rejected(
        "invalid-contact-points", "unknown-country", "invalid-domain"
    )


def test_acct_1_a_profile_changes_and_what_is_left_out_stays() -> None:
    outcome = known.when(ChangeAccount(size=460, domain=None))
    outcome.then(AccountChanged(account_id=HERE, name="Northwind Tooling", size=460, country="DE"))
    assert (outcome.state.owner, outcome.state.team) == (ROSA, SOUTH)


def test_acct_1_a_change_to_what_is_so_already_records_nothing() -> None:
    known.when(ChangeAccount(name="Northwind Tooling", domain="northwind.example")).then()
    known.when(ChangeAccount()).then()


@pytest.mark.parametrize(
    ("neighbours", "reason"),
    [
        (Neighbours(domain_holder=OTHER), "domain-taken"),
        (Neighbours(parent_exists=False), "unknown-account"),
        (Neighbours(circular=True), "circular-hierarchy"),
    ],
)
def test_acct_1_a_profile_that_cannot_be_is_refused(neighbours: Neighbours, reason: str) -> None:
    change = ChangeAccount(domain="other.example", parent_id=OTHER)
    scenario(account).given(opened).knowing(neighbours=neighbours).when(change).then_rejected("invalid-profile", reason)


def test_acct_1_an_account_does_not_belong_to_itself() -> None:
    circular = known.knowing(neighbours=Neighbours(circular=True))
    circular.when(ChangeAccount(parent_id=HERE)).then_rejected("invalid-profile", "circular-hierarchy")


def test_acct_1_an_account_belongs_to_another() -> None:
    outcome = known.when(ChangeAccount(parent_id=OTHER))
    assert outcome.facts[0].event.parent_id == OTHER


# -- contacts -------------------------------------------------------------------------------------------------------

unheld = scenario(account).given(opened).knowing(known=KnownUnder())
add_ada = AddContact(
    name="Ada Moreno",
    email="ADA@northwind.example",
    phone="030 901820",
    title="Head of production",
    buying_role="champion",
)


def test_acct_1_a_contact_is_added_with_their_role_in_buying() -> None:
    unheld.when(add_ada).then(replace(ada, contact_id=CONTEXT.derived_id("contact")))


def test_acct_1_the_same_contact_again_records_nothing() -> None:
    held = scenario(account).given(opened, ada).knowing(known=KnownUnder(people=(Known(id=HERE, kind="account"),)))
    held.when(add_ada).then()


@pytest.mark.parametrize("kind", ["lead", "account"])
def test_lead_2_nobody_is_entered_twice_under_an_address(kind: str) -> None:
    somebody = Known(id=OTHER, kind=kind, name="Ada M.")
    held = scenario(account).given(opened, ada).knowing(known=KnownUnder(people=(somebody,)))
    held.when(replace(add_ada, name="ada m.")).then_rejected("email-taken")


def test_lead_2_people_who_share_an_address_are_told_apart_by_their_names() -> None:
    others = KnownUnder(people=(Known(id=OTHER, name="Ben Moreno"), Known(id=HERE, kind="account", name="Carla")))
    outcome = scenario(account).given(opened, ada).knowing(known=others).when(replace(add_ada, name="Adam"))
    (added,) = (fact.event for fact in outcome.facts)
    assert (added.name, added.candidates) == ("Adam", (OTHER,))
    beside = {claim.key: claim.beside for claim in account.claims_of(outcome.state)}
    assert beside["ada@northwind.example"] == {OTHER}


def test_acct_1_an_account_holds_its_domain_and_its_contacts_addresses() -> None:
    assert account.claims_of(after(account, opened, ada)) == {
        Claim(kind="domain", key="northwind.example"),
        Claim(kind="email", key="ada@northwind.example"),
    }


def test_acct_1_what_was_never_registered_has_no_contacts() -> None:
    scenario(account).knowing(known=KnownUnder()).when(add_ada).then_rejected("does-not-exist")


erased = ContactErased(account_id=HERE, contact_id=ada.contact_id)


def of(*history: object) -> Traces:
    """The traces of somebody who is this one contact."""
    return Traces(contacts=tuple(contacts_of(after(account, *history))))


def test_data_4_a_contact_is_erased_and_their_role_stays() -> None:
    outcome = unheld.given(ada).knowing(traces=of(opened, ada)).when(EraseContact(contact_id=ada.contact_id))
    outcome.then(erased)
    (contact,) = outcome.state.contacts
    assert (contact.buying_role, contact.erased) == ("champion", True)
    assert "Moreno" not in str(outcome.state)
    assert account.claims_of(outcome.state) == {Claim(kind="domain", key="northwind.example")}


def test_data_4_erasing_a_contact_twice_records_nothing() -> None:
    twice = unheld.given(ada, erased).knowing(traces=of(opened, ada, erased))
    twice.when(EraseContact(contact_id=ada.contact_id)).then()


def test_data_4_a_contact_who_is_not_there_is_not_erased() -> None:
    unheld.knowing(traces=Traces()).when(EraseContact(contact_id=OTHER)).then_rejected("unknown-contact")


# -- history --------------------------------------------------------------------------------------------------------

PAST = date(2025, 5, 6)


def test_data_5_an_account_of_the_past_comes_in_dated_and_once() -> None:
    told = ImportAccount(
        on=PAST, name="Northwind Tooling", domain="northwind.example", country="DE", owner=ROSA, team=SOUTH
    )
    outcome = scenario(account).knowing(neighbours=ALONE, reminded=RemindedToday()).when(told)
    outcome.then(replace(opened, said=("name", "domain", "country", "owner", "team")))
    assert outcome.facts[0].at == Moment(CONTEXT.company.end_of(PAST), by_day=True)
    assert known.when(told).state == after(account, opened)


def test_data_5_what_a_later_export_says_of_an_account_counts_from_its_day_on() -> None:
    told = ImportAccount(on=PAST, name="Northwind", domain="odd", country="DE", owner=SAM, team=NORTH)
    outcome = known.when(told)
    outcome.then(
        AccountChanged(account_id=HERE, name="Northwind", country="DE", said=("name", "country")),
        AccountHandedOver(account_id=HERE, owner=SAM, team=NORTH, owner_before=ROSA, team_before=SOUTH),
    )
    assert (outcome.state.owner, outcome.state.team) == (SAM, NORTH)
    # The domain cannot be read, and size and industry are not told: they stay.
    assert outcome.state.profile == replace(after(account, opened).profile, name="Northwind")
    assert {fact.at for fact in outcome.facts} == {Moment(CONTEXT.company.end_of(PAST), by_day=True)}


def test_data_5_whose_an_account_is_stays_where_nobody_tells() -> None:
    known.when(ImportAccount(on=PAST, name="Northwind", size=500)).then(
        AccountChanged(account_id=HERE, name="Northwind", size=500, said=("name", "size"))
    )
    handed = known.when(ImportAccount(on=PAST, name="Northwind", owner=SAM))
    assert (handed.state.owner, handed.state.team) == (SAM, SOUTH)


def test_data_5_an_opening_that_came_later_leaves_what_it_does_not_say() -> None:
    later = AccountOpened(account_id=HERE, name="Northwind", size=500, said=("name", "size"))
    state = after(account, opened, later)
    assert state.profile == replace(after(account, opened).profile, name="Northwind", size=500)
    assert (state.owner, state.team) == (ROSA, SOUTH)


def test_data_5_a_contact_of_the_past_comes_in_dated_and_once() -> None:
    told = ImportContact(
        on=PAST,
        contact_id=UUID(int=21),
        name="Ada Moreno",
        email="ada@northwind.example",
        phone="+4930901820",
        title="Head of production",
        buying_role="champion",
    )
    unheld.when(told).then(ada)
    outcome = unheld.when(replace(told, phone="ask for Ada"))
    outcome.then(replace(ada, phone=None))
