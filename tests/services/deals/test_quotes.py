"""DEAL-8: quotes in versions, decided before they are sent, until one is accepted: the rules. NOW is a Monday."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from services.deals.domain.approvals import APPROVALS
from services.deals.domain.deal import deal
from services.deals.domain.deal.changes import ChangeAmount, UpdateDeal
from services.deals.domain.deal.closing import WinDeal
from services.deals.domain.deal.erasure import EraseTexts
from services.deals.domain.deal.following import BringInLine
from services.deals.domain.deal.opening import LineWanted
from services.deals.domain.exchange_rate import Conversion
from services.deals.domain.policies import POLICIES, QUOTE_FACTS, QUOTES
from services.deals.domain.product import Catalogue
from services.deals.domain.quote import quote
from services.deals.domain.quote.approving import AssessDelivery, RecallQuote, ReturnQuote, SubmitQuote, facts_about
from services.deals.domain.quote.following import QuotesOfDeal
from services.deals.domain.quote.offering import (
    AcceptQuote,
    DeclineQuote,
    ExpireQuote,
    NoteOpened,
    SendQuote,
    SetQuoteAside,
    WithdrawQuote,
)
from services.deals.domain.quote.state import (
    AcceptedQuote,
    ApprovedQuote,
    DeclinedQuote,
    DraftedQuote,
    EndedVersion,
    QuotedDeal,
    SentQuote,
    SubmittedQuote,
)
from services.deals.domain.quote.writing import DraftQuote, LineOffered, ReviseQuote, UpdateQuote
from shared.domain.aggregate import status_of
from shared.domain.approval.chain import Approvers
from shared.domain.approval.family import Approve, Delegate, ReturnForRework
from shared.domain.approval.requesting import NO_STEP, Outcome, OwnApproval, Subject
from shared.domain.context import Actor, Company, Moment
from shared.domain.policy import InForce, Version
from shared.domain.rejection import Rejected
from shared.domain.roles import Role
from shared.domain.working_time.hours import usual_hours
from shared.events.approval_chain import ApprovalChain
from shared.events.approvals import Slot, approval_events
from shared.events.deals.deal import (
    AgreedLine,
    DealAmountChanged,
    DealHandedOver,
    DealLine,
    DealLost,
    DealQuote,
    DealRenamed,
    DealWon,
)
from shared.events.deals.deal_edit import DealLinesChanged, DealQuoteAccepted, DealQuoteSetAside
from shared.events.deals.policy import DiscountLimit, QuoteRules, Winning
from shared.events.deals.product import PriceTier, ProductPrice
from shared.events.deals.quote import (
    QuoteAccepted,
    QuoteApproved,
    QuoteChanged,
    QuoteDealChanged,
    QuoteDeclined,
    QuoteDeliveryAssessed,
    QuoteDiscount,
    QuoteDrafted,
    QuoteExpired,
    QuoteLine,
    QuoteOpened,
    QuotePriceApproved,
    QuoteRecalled,
    QuoteReturned,
    QuoteRevised,
    QuoteSent,
    QuoteSetAside,
    QuoteSubmitted,
    QuoteTextsErased,
    QuoteWithdrawn,
)
from shared.testing.scenario import CONTEXT, NOW, Scenario
from tests.services.deals.facts import (
    ACCOUNT,
    CATALOGUE,
    ID,
    OPENED,
    OTHER,
    OTHER_TEAM,
    OWNER,
    REP,
    RETIRED,
    SERVER,
    TEAM,
    THE_DEAL,
    TODAY,
    UNKNOWN,
    eur,
    usd,
)

QUOTE, ANOTHER, ANNA = UUID(int=80), UUID(int=81), UUID(int=61)
CHEF, CHIEF = UUID(int=62), UUID(int=63)
"""Who leads the rep's team, and who leads them."""
OFFERED = QuotedDeal(
    name=OPENED.name,
    status="open",
    amount=eur("120000.00"),
    process_id=OPENED.process_id,
    owner=OWNER,
    team=TEAM,
    account_id=ACCOUNT,
    others=frozenset({ANOTHER}),
)
RULES = QUOTES.default_of(Company())
TOLD = approval_events("deals")
TOMORROW = TODAY + timedelta(days=1)


def in_force(document: QuoteRules = RULES) -> InForce[QuoteRules]:
    return InForce(default=document, on=TODAY)


THERE = (
    Scenario(aggregate=quote, context=replace(CONTEXT, aggregate_id=QUOTE))
    .by(REP)
    .knowing(
        deal=OFFERED,
        rules=in_force(),
        catalogue=CATALOGUE,
        conversion=Conversion(currency="EUR", factors={}),
        approvers=Approvers(superiors=(CHEF, CHIEF)),
        hours=InForce(default=usual_hours(Company().calendar), on=TODAY),
        approval=OwnApproval(),
    )
)
PRODUCT = Actor(subject="pia", roles=frozenset({Role.PRODUCT}), member=ANNA)
MANAGER = Actor(subject="max", roles=frozenset({Role.MANAGER}), member=CHEF, team=TEAM, teams=frozenset({TEAM}))
DIRECTOR = Actor(subject="dora", roles=frozenset({Role.SALES_DIRECTOR}), member=CHIEF)


def percent(share: str) -> QuoteDiscount:
    return QuoteDiscount(percent=Decimal(share))


def servers(quantity: str = "2", **more: Any) -> LineOffered:
    return LineOffered(product_id=SERVER, quantity=Decimal(quantity), **more)


def custom(price: str = "1200.00", **more: Any) -> LineOffered:
    return LineOffered(name="Installation", unit="day", quantity=Decimal("1.5"), price=eur(price), **more)


def drafted(*lines: LineOffered, discount: QuoteDiscount | None = None, **more: Any) -> QuoteDrafted:
    """The draft that comes of lines."""
    wanted = DraftQuote(deal_id=ID, lines=lines or (servers(),), discount=discount, **more)
    return THERE.when(wanted).facts[0].event  # type: ignore[no-any-return]


def fields(outcome: Any) -> list[tuple[str, str | None]]:
    assert outcome.rejected is not None
    return [(reason.code, reason.field) for reason in outcome.rejected.reasons]


# -- writing ----------------------------------------------------------------------------------------------------------


def test_deal_8_a_quote_is_drafted_with_list_prices_and_comes_to_totals() -> None:
    wanted = DraftQuote(deal_id=ID, lines=(servers("2.5"), custom(tax_percent=Decimal(19))), discount=percent("10"))
    outcome = THERE.when(wanted)
    (told,) = outcome.facts
    event = told.event
    assert event.lines == (
        QuoteLine(
            product_id=SERVER,
            product_name="Server",
            name="Server",
            unit="piece",
            quantity=Decimal("2.5"),
            list_price=eur("4800"),
            price=eur("4800"),
            tax_percent=Decimal(0),
        ),
        QuoteLine(
            unit="day",
            quantity=Decimal("1.5"),
            price=eur("1200.00"),
            tax_percent=Decimal(19),
        ),
    )
    assert event.names == ("", "Installation")
    assert [line.name for line in outcome.state.lines] == ["Server", "Installation"]
    assert (event.totals.gross, event.totals.net, event.totals.tax) == tuple(
        map(Decimal, ("13800.00", "12420.00", "307.80"))
    )
    assert (event.quote_version, event.currency, event.policy_version) == (1, "EUR", 0)
    assert (event.owner, event.team, event.account_id, event.others) == (OWNER, TEAM, ACCOUNT, (ANOTHER,))
    assert outcome.state.amount == eur("12420.00")


def test_deal_8_rounding_and_tax_are_those_of_the_policy() -> None:
    third = custom("33.33")
    wanted = DraftQuote(deal_id=ID, lines=(third, third, third))
    taxed = replace(RULES, tax_percent=Decimal("7.7"))
    by_line, in_total = (
        THERE.knowing(rules=in_force(replace(taxed, rounding=rounding))).when(wanted).facts[0].event
        for rounding in ("per-line", "in-total")
    )
    assert {line.tax_percent for line in by_line.lines} == {Decimal("7.7")}
    assert by_line.totals.net != in_total.totals.net
    for event in (by_line, in_total):
        assert sum(line.net for line in event.totals.lines) == event.totals.net


def test_deal_8_all_that_is_wrong_with_a_quote_is_named() -> None:
    wrong = DraftQuote(
        deal_id=ID,
        lines=(LineOffered(quantity=Decimal(1)), LineOffered(product_id=RETIRED, quantity=Decimal(1))),
        valid_until=TODAY - timedelta(days=1),
    )
    assert fields(THERE.when(wrong)) == [
        ("in-the-past", "valid_until"),
        ("name-needed", "lines.0.name"),
        ("price-needed", "lines.0.price"),
        ("inactive-product", "lines.1.product_id"),
    ]
    assert fields(THERE.when(DraftQuote(deal_id=ID, lines=()))) == [("no-lines", "lines")]
    closed = THERE.knowing(deal=replace(OFFERED, status="lost"))
    assert fields(closed.when(DraftQuote(deal_id=ID, lines=(servers(),)))) == [("deal-is-closed", "deal_id")]
    bad = DraftQuote(deal_id=ID, lines=(servers(discount=QuoteDiscount(percent=Decimal(101))),))
    assert fields(THERE.when(bad)) == [("out-of-range", "lines.0.discount.percent")]


def test_deal_8_a_list_price_in_another_currency_is_said_in_the_quotes() -> None:
    dollars = THERE.knowing(deal=replace(OFFERED, amount=usd("1")))
    assert fields(dollars.when(DraftQuote(deal_id=ID, lines=(servers(),)))) == [
        ("other-currency", "lines.0.price.currency")
    ]
    (told,) = dollars.when(DraftQuote(deal_id=ID, lines=(servers(price=usd("5000.00")),))).facts
    assert (told.event.lines[0].list_price, told.event.totals.net) == (None, Decimal("10000.00"))


def test_deal_8_nothing_is_quoted_on_what_is_no_deal() -> None:
    nowhere = THERE.knowing(deal=QuotedDeal())
    assert fields(nowhere.when(DraftQuote(deal_id=ID, lines=(servers(),)))) == [("unknown-deal", "deal_id")]


def test_deal_8_an_unknown_product_is_refused_by_its_reference_alone() -> None:
    unknown = LineOffered(product_id=UNKNOWN, quantity=Decimal(1))
    outcome = THERE.when(DraftQuote(deal_id=ID, lines=(servers(), unknown)))
    assert outcome.rejected is None


def test_deal_8_a_draft_changes_in_what_is_named_and_is_priced_anew() -> None:
    before = drafted(valid_until=TOMORROW)
    met = THERE.given(before)
    (told,) = met.when(UpdateQuote(discount=percent("5"))).facts
    assert isinstance(told.event, QuoteChanged)
    assert (told.event.lines, told.event.valid_until) == (before.lines, TOMORROW)
    assert told.event.totals.net == Decimal("9120.00")
    changed = met.given(told.event)
    changed.when(UpdateQuote(discount=percent("5"))).then()
    (back,) = changed.when(UpdateQuote(discount=None, valid_until=None)).facts
    assert (back.event.discount, back.event.valid_until, back.event.totals) == (None, None, before.totals)
    assert fields(met.when(UpdateQuote(lines=()))) == [("no-lines", "lines")]
    too_much = UpdateQuote(discount=QuoteDiscount(amount=eur("9600.01")))
    assert fields(met.when(too_much)) == [("above-amount", "discount.amount.amount")]


def test_deal_8_a_product_that_is_no_longer_sold_may_stay() -> None:
    before = drafted(servers(price=eur("1.00")))
    kept = replace(before, lines=(replace(before.lines[0], product_id=RETIRED),))
    (told,) = THERE.given(kept).when(UpdateQuote(lines=(LineOffered(product_id=RETIRED, quantity=Decimal(3)),))).facts
    assert told.event.totals.net == Decimal("30.00")


def test_api_2_a_quote_that_is_drafted_again_alike_is_the_same() -> None:
    wanted = DraftQuote(deal_id=ID, lines=(servers("2.5"), custom()), discount=percent("10"))
    met = THERE.given(THERE.when(wanted).facts[0].event)
    met.when(wanted).then()
    met.when(replace(wanted, lines=(servers("3"), custom()))).then_rejected("not-in-this-state")


# -- what is decided before it is sent --------------------------------------------------------------------------------


def submitted(*history: Any, by: Scenario = THERE) -> tuple[Scenario, Any]:
    """A submitted quote, as it is met next, and its approval."""
    outcome = by.given(*history).when(SubmitQuote())
    assert outcome.rejected is None, outcome.rejected
    own = [fact.event for fact in outcome.facts if fact.to is None]
    approval = APPROVALS.family.fold([fact.event for fact in outcome.facts if fact.to is not None])
    return by.given(*history, *own).knowing(approval=OwnApproval(state=approval)), approval


def decide(met: Scenario, approval: Any, command: Any, *people: Actor) -> tuple[Scenario, Any, list[Any]]:
    """What approvers decide, one after the other, and what that brings about for the quote."""
    brought: list[Any] = []
    for actor in people:
        decision = APPROVALS.family.decide(
            approval,
            command,
            replace(CONTEXT, actor=actor),
            {
                "subject": Subject(state=quote.fold([*met.history, *brought])),
                "hours": InForce(default=usual_hours(Company().calendar), on=TODAY),
            },
        )
        for each in decision:
            if getattr(each, "to", None) == QUOTE:
                brought.append(each.event)
            else:
                approval = APPROVALS.family.evolve(approval, getattr(each, "event", each))
    return met.given(*brought), approval, brought


def statuses(*scenarios: Scenario) -> list[str]:
    return [status_of(quote, quote.fold(each.history)) for each in scenarios]


def test_deal_8_what_needs_nothing_is_approved_at_once() -> None:
    outcome = THERE.given(drafted(discount=percent("10"))).when(SubmitQuote())
    sent_in, requested, granted, priced_, approved = (fact.event for fact in outcome.facts)
    assert isinstance(sent_in, QuoteSubmitted)
    assert (sent_in.steps, sent_in.needs_assessment, sent_in.discount_percent) == ((), False, Decimal("10.00"))
    assert isinstance(requested, TOLD.requested)
    assert isinstance(granted, TOLD.granted)
    assert (priced_.step, approved) == (
        NO_STEP,
        QuoteApproved(quote_id=QUOTE, deal_id=ID, quote_version=1, amount=eur("8640.00"), on=TODAY),
    )
    assert isinstance(outcome.state, ApprovedQuote)
    assert (requested.subject_kind, requested.part, requested.name) == ("quote", "version 1", f"{OPENED.name}: quote")


@pytest.mark.parametrize(
    ("lines", "discount", "steps", "assessed"),
    [
        ((servers(),), "10", (), False),
        ((servers(),), "10.01", ("manager",), False),
        ((servers(),), "24.99", ("manager",), False),
        ((servers(),), "25", ("manager", "sales-director"), False),
        ((servers(), custom()), None, ("manager",), True),
        ((servers("52.08"),), None, (), False),
        ((servers("52.09"),), None, ("manager", "sales-director"), True),
        ((servers(price=eur("4000.00")),), None, ("manager",), False),  # as dear as a discount of 16.67 percent
    ],
)
def test_deal_8_who_is_asked_follows_from_discount_amount_and_lines(
    lines: Sequence[LineOffered], discount: str | None, steps: tuple[str, ...], assessed: bool
) -> None:
    draft = drafted(*lines, discount=percent(discount) if discount else None)
    event = THERE.given(draft).when(SubmitQuote()).facts[0].event
    assert (event.steps, event.needs_assessment) == (steps, assessed)


def test_deal_8_a_policy_may_ask_others_and_call_nothing_large() -> None:
    nobody = replace(RULES, chain=ApprovalChain(steps=()), large_amount=None)
    much = drafted(servers("1000"), discount=percent("60"))
    outcome = THERE.knowing(rules=in_force(nobody)).given(much).when(SubmitQuote())
    assert isinstance(outcome.state, ApprovedQuote)


@pytest.mark.parametrize(
    ("off", "who", "steps"),
    [
        ("15", REP, ()),
        ("15.01", REP, ("manager",)),
        ("3", replace(REP, subject="anna", member=ANNA), ()),
        ("3.01", replace(REP, subject="anna", member=ANNA), ("manager",)),
        ("10", replace(REP, subject="otto", member=OTHER), ()),
        ("10.01", replace(REP, subject="otto", member=OTHER), ("manager",)),
        ("10.01", Actor(subject="nobody", roles=frozenset({Role.SALES_OPERATIONS})), ("manager",)),
    ],
)
def test_deal_8_a_discount_is_measured_by_the_limit_of_who_submits(
    off: str, who: Actor, steps: tuple[str, ...]
) -> None:
    """More or less than others; who has none of their own, or is no member, has the one of all."""
    limits = (
        DiscountLimit(members=(CHEF, OWNER), percent=Decimal(15)),
        DiscountLimit(members=(ANNA,), percent=Decimal(3)),
    )
    rules = in_force(replace(RULES, discount_limits=limits))
    outcome = THERE.knowing(rules=rules).given(drafted(discount=percent(off))).by(who).when(SubmitQuote())
    assert outcome.facts[0].event.steps == steps


def test_deal_8_limits_of_members_are_those_of_the_document_that_counts() -> None:
    """Those of the company say nothing where a team has rules of its own."""
    generous = replace(RULES, discount_limits=(DiscountLimit(members=(OWNER,), percent=Decimal(50)),))
    company = Version(number=1, valid_from=TODAY, document=generous, team=None, process=None, set_on=TODAY, reason=None)
    teams = replace(company, number=2, document=RULES, team=TEAM)
    met = THERE.given(drafted(discount=percent("20")))
    for versions, steps in (((company,), ()), ((company, teams), ("manager",))):
        rules = InForce(default=RULES, on=TODAY, versions=versions)
        assert met.knowing(rules=rules).when(SubmitQuote()).facts[0].event.steps == steps


def test_deal_8_the_rules_of_where_the_deal_is_today_count() -> None:
    """It went to another process and another team since the quote was drafted."""
    draft, new, there = drafted(discount=percent("5")), UUID(int=91), replace(OFFERED, process_id=UUID(int=91))
    strict = replace(RULES, discount_limit=Decimal(0), validity_days=7, tax_percent=Decimal(19))
    set_ = Version(number=1, valid_from=TODAY, document=strict, team=None, process=new, set_on=TODAY, reason=None)
    rules = InForce(default=RULES, on=TODAY, versions=(set_,))
    here, moved = THERE.knowing(rules=rules), THERE.knowing(rules=rules, deal=there)
    assert [met.given(draft).when(SubmitQuote()).facts[0].event.steps for met in (here, moved)] == [(), ("manager",)]
    handed = replace(set_, team=OTHER_TEAM, process=None)
    by_team = moved.knowing(rules=replace(rules, versions=(handed,)), deal=replace(OFFERED, team=OTHER_TEAM))
    assert by_team.given(draft).when(SubmitQuote()).facts[0].event.steps == ("manager",)
    change = UpdateQuote(lines=(servers("3"),))
    event = moved.given(draft).when(change).facts[0].event
    assert (event.policy_version, event.lines[0].tax_percent) == (1, Decimal(19))
    sent = replace(moved, history=approved_quote().history).when(SendQuote(channel="e-mail")).facts[0].event
    assert sent.valid_until == TODAY + timedelta(days=7)


def test_deal_8_an_amount_in_another_currency_needs_its_rate() -> None:
    dollars = THERE.knowing(deal=replace(OFFERED, amount=usd("1")))
    draft = dollars.when(DraftQuote(deal_id=ID, lines=(servers("100", price=usd("5000.00")),))).facts[0].event
    unknown = dollars.knowing(conversion=Conversion(currency="EUR", factors={"USD": None}))
    unknown.given(draft).when(SubmitQuote()).then_rejected("no-exchange-rate")
    for factor, large in (("0.5", True), ("0.4", False)):
        known = dollars.knowing(conversion=Conversion(currency="EUR", factors={"USD": Decimal(factor)}))
        assert known.given(draft).when(SubmitQuote()).facts[0].event.large is large


def test_deal_8_what_the_list_has_no_price_of_is_asked_about_at_any_price() -> None:
    """Nothing says how far it lies below the list, and product is not asked about what it delivers every day."""
    dollars = THERE.knowing(
        deal=replace(OFFERED, amount=usd("1")), conversion=Conversion(currency="EUR", factors={"USD": Decimal("0.9")})
    )
    draft = dollars.when(DraftQuote(deal_id=ID, lines=(servers(price=usd("1.00")),))).facts[0].event
    event = dollars.given(draft).when(SubmitQuote()).facts[0].event
    assert (event.discount_percent, event.unlisted_price) == (Decimal("0.00"), True)
    assert (event.steps, event.needs_assessment, event.custom_line) == (("manager",), False, False)
    own = THERE.given(drafted(servers(), custom())).when(SubmitQuote()).facts[0].event
    assert (own.unlisted_price, own.custom_line) == (False, True)


def listing(**changes: Any) -> Catalogue:
    """The catalogue once the server is otherwise."""
    return Catalogue(products=CATALOGUE.products | {SERVER: replace(CATALOGUE.products[SERVER], **changes)})


def test_deal_8_a_quote_is_judged_by_the_list_of_the_day_on_which_it_is_submitted() -> None:
    """And shows by what: also a further version, which says what the one before did."""
    met = sent_quote()
    revised = met.given(met.when(ReviseQuote()).facts[0].event).knowing(catalogue=listing(list_price=eur("9600")))
    outcome = revised.when(SubmitQuote())
    event = outcome.facts[0].event
    assert (event.steps, event.list_prices) == (("manager", "sales-director"), (eur("9600"),))
    assert event.discount_percent == outcome.state.totals.discount_percent == Decimal("55.00")
    (line,) = outcome.state.lines
    assert (line.list_price, line.price, outcome.state.amount) == (eur("9600"), eur("4800"), eur("8640.00"))
    assert outcome.state.versions[0].totals.discount_percent == Decimal("10.00")
    cheaper = THERE.given(drafted(discount=percent("20"))).knowing(catalogue=listing(list_price=eur("3840")))
    assert cheaper.when(SubmitQuote()).facts[0].event.steps == ()


def test_deal_8_a_product_that_is_no_longer_sold_is_not_submitted() -> None:
    met = THERE.given(drafted(custom(), servers())).knowing(catalogue=listing(active=False))
    assert fields(met.when(SubmitQuote())) == [("inactive-product", "lines.1.product_id")]


def test_deal_8_price_and_delivery_are_decided_beside_each_other_and_both_are_needed() -> None:
    met, approval = submitted(drafted(servers(), custom()))
    assess = AssessDelivery(difficulty=3, duration_days=40, reservations=("The hall has power.",))
    first = met.by(PRODUCT).when(assess)
    first.then(
        QuoteDeliveryAssessed(
            quote_id=QUOTE,
            quote_version=1,
            difficulty=3,
            duration_days=40,
            reservations=("The hall has power.",),
            assessed_by=ANNA,
            on=TODAY,
        )
    )
    approved, _, brought = decide(met.given(*(f.event for f in first.facts)), approval, Approve(), MANAGER)
    assert [type(each) for each in brought] == [QuotePriceApproved, QuoteApproved]
    assert statuses(approved) == ["approved"]
    # And the other way round.
    priced_, _, brought = decide(met, approval, Approve(), MANAGER)
    assert [type(each) for each in brought] == [QuotePriceApproved]
    assert statuses(priced_) == ["submitted"]
    last = priced_.by(PRODUCT).when(assess)
    assert [type(fact.event) for fact in last.facts] == [QuoteDeliveryAssessed, QuoteApproved]
    assert last.state.assessment.duration_days == 40


def test_deal_8_every_step_of_the_chain_is_needed() -> None:
    met, approval = submitted(drafted(discount=percent("30")))
    halfway, approval, brought = decide(met, approval, Approve(), MANAGER)
    assert (brought, statuses(halfway)) == ([], ["submitted"])
    whole, _, _ = decide(halfway, approval, Approve(), DIRECTOR)
    assert statuses(whole) == ["approved"]


def by_two(author: Actor, *lines: LineOffered, discount: str = "30") -> tuple[Scenario, Any]:
    """What the rep drafted and submitted, and somebody else wrote at in between, with its approval."""
    change = UpdateQuote(lines=lines or (servers(),), discount=percent(discount))
    draft = drafted(servers("1"))
    changed = THERE.by(author).given(draft).when(change).facts[0].event
    assert changed.changed_by == author.member
    return submitted(draft, changed)


def refused(met: Scenario, approval: Any, command: Any, actor: Actor) -> list[tuple[str, str | None]]:
    with pytest.raises(Rejected) as told:
        decide(met, approval, command, actor)
    return [(reason.code, reason.field) for reason in told.value.reasons]


@pytest.mark.parametrize("command", [Approve(), ReturnForRework(reason="Too cheap."), Delegate(to=OTHER)])
def test_deal_8_who_wrote_at_a_quote_does_not_decide_its_price_whoever_submits_it(command: Any) -> None:
    met, approval = by_two(DIRECTOR)
    met, approval, _ = decide(met, approval, Approve(), MANAGER)
    assert refused(met, approval, command, DIRECTOR) == [("own-work", None)]
    other_token = replace(DIRECTOR, subject="dora-at-home")
    assert refused(met, approval, command, other_token) == [("own-work", None)]
    another = replace(DIRECTOR, subject="dirk", member=UUID(int=64))
    assert statuses(decide(met, approval, Approve(), another)[0]) == ["approved"]


def test_deal_8_nobody_has_an_author_decide_in_their_place() -> None:
    met, approval = by_two(DIRECTOR)
    assert refused(met, approval, Delegate(to=CHIEF), MANAGER) == [("own-work", "to")]
    assert refused(met, approval, Delegate(to=OWNER), MANAGER) == [("own-submission", "to")]


def test_deal_8_an_author_whom_the_chain_names_is_passed_over_as_its_rules_say() -> None:
    """Else a quote that the manager corrected would wait for somebody who does not decide it."""
    _, approval = by_two(MANAGER)
    assert approval.steps[0].slots == (Slot(role=Role.SALES_DIRECTOR, instead="fallback"),)
    for rule, slots in (
        ({"self_approval": "skip"}, (Slot(member=CHEF, passed="self"),)),
        ({"empty_approver": "skip", "fallback": None}, (Slot(member=None, passed="empty"),)),
    ):
        own = replace(RULES, chain=replace(RULES.chain, **rule))
        changed = THERE.by(MANAGER).given(drafted()).when(UpdateQuote(discount=percent("30"))).facts[0].event
        _, approval = submitted(drafted(), changed, by=THERE.knowing(rules=in_force(own)))
        assert approval.steps[0].slots == slots
    alone = replace(RULES, chain=replace(RULES.chain, empty_approver="refuse", fallback=None))
    outcome = THERE.knowing(rules=in_force(alone)).given(drafted(), changed).when(SubmitQuote())
    outcome.then_rejected("nobody-to-approve")


def test_deal_8_what_a_version_took_over_is_still_of_those_who_wrote_it() -> None:
    """The one who drafted it, and the one who revised it."""
    first = THERE.by(DIRECTOR).when(DraftQuote(deal_id=ID, lines=(servers(),), discount=percent("30"))).facts[0].event
    met, approval = submitted(first)
    another = replace(DIRECTOR, subject="dirk", member=UUID(int=64))
    met, approval, _ = decide(met, approval, Approve(), MANAGER)
    met, approval, _ = decide(met, approval, Approve(), another)
    revised = met.by(another).when(ReviseQuote()).facts[0].event
    assert revised.revised_by == another.member
    met, approval = submitted(*met.history, revised)
    assert approval.authors == (CHIEF, another.member)
    met, approval, _ = decide(met, approval, Approve(), MANAGER)
    for author in (DIRECTOR, another):
        assert refused(met, approval, Approve(), author) == [("own-work", None)]


def test_data_2_of_changes_that_name_nobody_those_who_drafted_and_submitted_are_known() -> None:
    draft = THERE.by(DIRECTOR).when(DraftQuote(deal_id=ID, lines=(servers(),), discount=percent("30"))).facts[0].event
    changed = THERE.by(MANAGER).given(draft).when(UpdateQuote(discount=percent("40"))).facts[0].event
    met, approval = submitted(draft, replace(changed, changed_by=None))
    assert approval.authors == (CHIEF,)
    met, approval, _ = decide(met, approval, Approve(), MANAGER)
    assert refused(met, approval, Approve(), DIRECTOR) == [("own-work", None)]
    assert refused(met, approval, Approve(), REP) == [("own-submission", None)]
    unknown, approval = submitted(replace(draft, drafted_by=None))
    assert (quote.fold(unknown.history).authors, approval.authors) == (frozenset(), ())


@pytest.mark.parametrize("command", [AssessDelivery(difficulty=1, duration_days=5), ReturnQuote(reason="Too big.")])
def test_deal_8_who_wrote_or_submitted_a_quote_does_not_assess_its_delivery(command: Any) -> None:
    seller = replace(PRODUCT, roles=frozenset({Role.PRODUCT, Role.SALES_DIRECTOR}))
    met, _ = by_two(seller, servers(), custom(), discount="5")
    met.by(seller).when(command).then_rejected("own-work")
    own, _ = submitted(drafted(custom()), by=THERE.by(replace(seller, member=None)))
    own.by(replace(seller, member=None)).when(command).then_rejected("own-submission")
    assert met.by(replace(PRODUCT, subject="paul", member=UUID(int=65))).when(command).rejected is None


def test_deal_8_a_returned_price_makes_it_a_draft_that_needs_all_anew() -> None:
    met, approval = submitted(drafted(servers(), custom()))
    assessed = met.by(PRODUCT).when(AssessDelivery(difficulty=1, duration_days=5)).facts[0].event
    back, _, brought = decide(met.given(assessed), approval, ReturnForRework(reason="Too cheap."), MANAGER)
    assert brought == [
        QuoteReturned(quote_id=QUOTE, quote_version=1, over="price", by="max", reason="Too cheap.", on=TODAY)
    ]
    state = quote.fold(back.history)
    assert isinstance(state, DraftedQuote)
    assert (state.returned_over, state.returned_for, state.assessment) == ("price", "Too cheap.", None)
    again = back.when(SubmitQuote())
    assert (again.state.is_price_approved, again.state.assessment) == (False, None)


def test_deal_8_product_returns_what_cannot_be_delivered_and_nobody_is_asked_for_the_price() -> None:
    met, approval = submitted(drafted(custom()))
    outcome = met.by(PRODUCT).when(ReturnQuote(reason="Does not fit."))
    returned, recalled = (fact.event for fact in outcome.facts)
    assert (returned.over, returned.by, returned.reason) == ("delivery", "pia", "Does not fit.")
    assert isinstance(recalled, TOLD.recalled)
    assert outcome.facts[1].to == approval.id
    met.given(returned).by(PRODUCT).when(ReturnQuote(reason="Does not fit.")).then()


def test_deal_8_product_is_asked_once_and_only_where_that_is_needed() -> None:
    assess = AssessDelivery(difficulty=1, duration_days=5)
    plain, _ = submitted(drafted(discount=percent("20")))
    plain.by(PRODUCT).when(assess).then_rejected("no-assessment-needed")
    plain.by(PRODUCT).when(ReturnQuote(reason="No.")).then_rejected("no-assessment-needed")
    made, _ = submitted(drafted(custom()))
    done = made.given(made.by(PRODUCT).when(assess).facts[0].event).by(PRODUCT)
    done.when(assess).then()
    done.when(replace(assess, difficulty=2)).then_rejected("assessed-already")


def test_deal_8_what_is_submitted_stands_and_can_be_recalled() -> None:
    met, approval = submitted(drafted(custom()))
    met.when(UpdateQuote(discount=None)).then_rejected("not-in-this-state")
    met.when(SubmitQuote()).then()
    outcome = met.when(RecallQuote(reason="Another scope."))
    back, recalled = (fact.event for fact in outcome.facts)
    assert back == QuoteRecalled(quote_id=QUOTE, quote_version=1, by="rep", reason="Another scope.", on=TODAY)
    assert isinstance(recalled, TOLD.recalled)
    assert isinstance(outcome.state, DraftedQuote)
    ended = met.knowing(approval=OwnApproval(state=APPROVALS.family.evolve(approval, recalled)))
    assert len(ended.when(RecallQuote()).facts) == 1


def test_deal_8_an_approval_counts_for_its_version_alone() -> None:
    met, approval = submitted(drafted(discount=percent("20")))
    approved, _, _ = decide(met, approval, Approve(), MANAGER)
    revised = approved.given(approved.when(ReviseQuote()).facts[0].event)
    outcome = revised.when(SubmitQuote())
    assert isinstance(outcome.state, SubmittedQuote)
    assert outcome.facts[0].event.quote_version == 2
    assert (outcome.facts[1].event.part, outcome.state.is_price_approved) == ("version 2", False)
    # A decision about the first one that comes later changes nothing of the second.
    late = replace(outcome.state, approval_id=ANOTHER)
    decided = Outcome(approval_id=approval.id, step="manager", by="max", reason=None, on=TODAY)
    assert APPROVALS.subjects["quote"].granted(late, decided) == []


def test_deal_8_a_draft_whose_last_day_has_passed_is_not_submitted() -> None:
    met = THERE.given(drafted(valid_until=TODAY))
    met.at(NOW + timedelta(days=1)).when(SubmitQuote()).then_rejected("no-longer-valid")
    assert met.when(SubmitQuote()).rejected is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"discount_limit": Decimal("100.01")}, "discount_limit"),
        ({"tax_percent": Decimal(-1)}, "tax_percent"),
        ({"tax_percent": Decimal("7.1234567")}, "tax_percent"),
        ({"tax_percent": Decimal("9" * 40)}, "tax_percent"),
        ({"large_amount": Decimal(0)}, "large_amount"),
        ({"discount_limits": (DiscountLimit(members=(OWNER,), percent=Decimal(101)),)}, "discount_limits.0.percent"),
        ({"discount_limits": (DiscountLimit(members=(), percent=Decimal(1)),)}, "discount_limits.0.members"),
        ({"discount_limits": (DiscountLimit(members=(ANNA,), percent=Decimal(1)),) * 2}, "discount_limits.1.members.0"),
        ({"chain": replace(RULES.chain, self_approval="allow")}, "chain.self_approval"),
    ],
)
def test_deal_8_a_policy_of_quotes_that_cannot_be_is_named(change: dict[str, Any], field: str) -> None:
    assert [reason.field for reason in QUOTES.faults(replace(RULES, **change))] == [field]
    assert list(QUOTES.faults(RULES)) == []
    assert "quotes" in POLICIES.kinds


# -- with the customer ------------------------------------------------------------------------------------------------


def approved_quote(*lines: LineOffered, **more: Any) -> Scenario:
    draft = drafted(*(lines or (servers(discount=percent("10")),)), **more)
    outcome = THERE.given(draft).when(SubmitQuote())
    return THERE.given(draft, *(fact.event for fact in outcome.facts if fact.to is None))


def sent_quote(*lines: LineOffered, **more: Any) -> Scenario:
    met = approved_quote(*lines, **more)
    return met.given(met.when(SendQuote(channel="e-mail")).facts[0].event)


SENT = QuoteSent(
    quote_id=QUOTE,
    deal_id=ID,
    quote_version=1,
    contact_id=None,
    channel="e-mail",
    amount=eur("8640.00"),
    valid_until=TODAY + timedelta(days=30),
    expires_at=datetime(2026, 4, 16, tzinfo=UTC),
    on=TODAY,
)
ACCEPT = AcceptQuote(evidence="Order 4711")


def test_deal_8_an_approved_quote_is_sent_and_runs_by_the_policy_or_its_own_day() -> None:
    met = approved_quote()
    met.when(SendQuote(channel="e-mail")).then(SENT)
    own = approved_quote(servers(discount=percent("10")), valid_until=TOMORROW)
    own.when(SendQuote(channel="e-mail")).then(
        replace(SENT, valid_until=TOMORROW, expires_at=datetime(2026, 3, 18, tzinfo=UTC))
    )
    own.at(NOW + timedelta(days=2)).when(SendQuote(channel="e-mail")).then_rejected("no-longer-valid")
    assert fields(met.when(SendQuote(channel="e-mail", on=TOMORROW))) == [("in-the-future", "on")]
    assert fields(met.when(SendQuote(channel="e-mail", on=TODAY - timedelta(days=1)))) == [("before-it-began", "on")]
    THERE.given(drafted()).when(SendQuote(channel="e-mail")).then_rejected("not-in-this-state")
    sent_quote().when(SendQuote(channel="e-mail")).then()


def test_deal_8_conditions_of_the_chain_may_ask_what_is_known_of_a_quote() -> None:
    euros = Conversion(currency="EUR", factors={})
    assert facts_about(quote.fold([drafted()]), RULES, euros, OWNER).keys() == QUOTE_FACTS.keys()


def test_deal_8_a_list_price_is_that_of_the_day_for_so_many() -> None:
    """PROD-1: a discount is measured against what so many cost by the list."""
    tier = PriceTier(from_quantity=Decimal(10), price=eur("4000.00"))
    dated = ProductPrice(price=eur("4500.00"), valid_from=TODAY, tiers=(tier,))
    listed = replace(CATALOGUE.products[SERVER], prices=(dated,))
    there = THERE.knowing(catalogue=Catalogue(products={SERVER: listed}))
    few, many = (there.when(DraftQuote(deal_id=ID, lines=(servers(count),))).facts[0].event for count in ("9", "10"))
    assert [event.lines[0].price for event in (few, many)] == [eur("4500.00"), eur("4000.00")]
    assert [event.totals.discount_percent for event in (few, many)] == [Decimal("0.00"), Decimal("0.00")]


def test_deal_8_that_it_was_opened_is_told_once() -> None:
    met = sent_quote()
    met.when(NoteOpened()).then(QuoteOpened(quote_id=QUOTE, quote_version=1, on=TODAY))
    met.given(QuoteOpened(quote_id=QUOTE, quote_version=1, on=TODAY)).when(NoteOpened()).then()


def test_deal_8_an_accepted_quote_fixes_amount_and_lines_of_the_deal() -> None:
    outcome = sent_quote().when(ACCEPT)
    lines = (DealLine(product_id=SERVER, quantity=Decimal(2), price=eur("4320.00")),)
    outcome.then(
        QuoteAccepted(
            quote_id=QUOTE,
            deal_id=ID,
            quote_version=1,
            amount=eur("8640.00"),
            total=eur("8640.00"),
            lines=lines,
            on=TODAY,
            evidence="Order 4711",
        ),
        DealLinesChanged(deal_id=ID, before=(), lines=lines, on=TODAY),
        DealAmountChanged(deal_id=ID, before=eur("120000.00"), amount=eur("8640.00"), on=TODAY),
        DealQuoteAccepted(
            deal_id=ID,
            quote_id=QUOTE,
            amount=eur("8640.00"),
            lines=lines,
            quote_version=1,
            positions=(
                AgreedLine(
                    position=1,
                    product_id=SERVER,
                    unit="piece",
                    quantity=Decimal(2),
                    price=eur("4320.00"),
                    amount=eur("8640.00"),
                ),
            ),
            on=TODAY,
        ),
    )
    assert [fact.to for fact in outcome.facts] == [None, ID, ID, ID]
    assert isinstance(outcome.state, AcceptedQuote)
    taxed = sent_quote(servers(tax_percent=Decimal(19))).when(ACCEPT).facts[0].event
    assert (taxed.amount, taxed.total) == (eur("9600.00"), eur("11424.00"))


def test_deal_8_a_custom_position_leaves_the_lines_of_the_deal_free_and_the_deal_always_knows() -> None:
    custom_ = custom("1000.00")
    draft = drafted(custom_)
    met, approval = submitted(draft)
    met = met.given(met.by(PRODUCT).when(AssessDelivery(difficulty=1, duration_days=1)).facts[0].event)
    met, _, _ = decide(met, approval, Approve(), MANAGER)
    met = met.given(met.when(SendQuote(channel="e-mail")).facts[0].event)
    assert [type(fact.event) for fact in met.when(ACCEPT).facts] == [
        QuoteAccepted,
        DealAmountChanged,
        DealQuoteAccepted,
    ]
    same = met.knowing(deal=replace(OFFERED, amount=eur("1500"))).when(ACCEPT).facts
    assert [type(fact.event) for fact in same] == [QuoteAccepted, DealQuoteAccepted]
    assert same[1].event.lines == ()
    (position,) = same[1].event.positions
    assert (position.position, position.product_id, position.amount) == (1, None, eur("1500.00"))


def test_deal_8_all_that_stands_against_accepting_is_told_at_once() -> None:
    met = sent_quote()
    other = met.knowing(deal=replace(OFFERED, accepted=ANOTHER, status="won"))
    late = other.at(datetime(2026, 4, 16, tzinfo=UTC)).when(ACCEPT)
    late.then_rejected("not-acceptable", "deal-is-closed", "no-longer-valid", "other-quote-accepted")
    assert late.rejected is not None
    assert late.rejected.reasons[2].details == {"quote_id": str(ANOTHER)}
    assert met.at(datetime(2026, 4, 15, 23, 59, tzinfo=UTC)).when(ACCEPT).rejected is None
    approved_quote().when(ACCEPT).then_rejected("not-in-this-state")
    assert fields(met.when(replace(ACCEPT, on=TOMORROW))) == [("in-the-future", "on")]
    assert fields(met.when(replace(ACCEPT, on=TODAY - timedelta(days=1)))) == [("before-it-began", "on")]


def test_deal_8_a_quote_expires_as_its_last_day_ends() -> None:
    met = sent_quote()
    state = quote.fold(met.history)
    (timer,) = quote.timers_of(state).values()
    assert (timer.due, timer.command) == (SENT.expires_at, ExpireQuote())
    met.when(ExpireQuote()).then()
    outcome = met.at(SENT.expires_at).when(ExpireQuote())
    outcome.then(QuoteExpired(quote_id=QUOTE, deal_id=ID, quote_version=1, valid_until=SENT.valid_until))
    assert outcome.facts[0].at == Moment(SENT.expires_at)
    gone = met.given(outcome.facts[0].event)
    gone.when(ACCEPT).then_rejected("not-in-this-state")
    assert quote.timers_of(quote.fold(gone.history)) == {}


def test_deal_8_a_declined_quote_says_why_and_can_be_revised() -> None:
    met = sent_quote()
    told = QuoteDeclined(quote_id=QUOTE, deal_id=ID, quote_version=1, reason="Too dear.", on=TODAY)
    met.when(DeclineQuote(reason="Too dear.")).then(told)
    gone = met.given(told)
    gone.when(DeclineQuote(reason="Too dear.")).then()
    gone.when(DeclineQuote(reason="Other.")).then_rejected("not-in-this-state")
    assert gone.when(ReviseQuote()).facts[0].event.ended_as == "declined"


def test_deal_8_a_revision_is_a_draft_of_the_next_version_and_the_one_before_is_kept() -> None:
    met = sent_quote()
    revised = QuoteRevised(quote_id=QUOTE, deal_id=ID, quote_version=2, ended_as="sent", on=TODAY, revised_by=OWNER)
    outcome = met.when(ReviseQuote()).then(revised)
    before = quote.fold(met.history)
    state = outcome.state
    assert isinstance(state, DraftedQuote)
    assert isinstance(before, SentQuote)
    assert (state.quote_version, state.lines, state.valid_until) == (2, before.lines, None)
    (kept,) = state.versions
    assert (kept.quote_version, kept.ended_as, kept.totals, kept.valid_until) == (
        1,
        "sent",
        before.totals,
        SENT.valid_until,
    )
    later = met.at(NOW + timedelta(days=1)).when(ReviseQuote()).state
    assert (later.versions[0].drafted_on, later.drafted_on) == (TODAY, TOMORROW)
    again = met.given(revised)
    again.when(ReviseQuote()).then()
    again.when(ACCEPT).then_rejected("not-in-this-state")
    closed = met.knowing(deal=replace(OFFERED, status="lost"))
    closed.when(ReviseQuote()).then_rejected("invalid-quote", "deal-is-closed")
    THERE.given(drafted()).when(ReviseQuote()).then_rejected("not-in-this-state")


def test_deal_8_an_accepted_quote_is_set_aside_while_its_deal_is_open() -> None:
    met = sent_quote()
    taken = met.given(met.when(ACCEPT).facts[0].event)
    taken.when(ReviseQuote()).then_rejected("not-in-this-state")
    taken.when(WithdrawQuote()).then_rejected("not-in-this-state")
    aside = QuoteSetAside(quote_id=QUOTE, deal_id=ID, quote_version=1, reason="Half of it.", on=TODAY)
    freed = DealQuoteSetAside(deal_id=ID, quote_id=QUOTE, on=TODAY)
    outcome = taken.when(SetQuoteAside(reason="Half of it.")).then(aside, freed)
    assert [fact.to for fact in outcome.facts] == [None, ID]
    won = taken.knowing(deal=replace(OFFERED, status="won"))
    won.when(SetQuoteAside(reason="Half of it.")).then_rejected("deal-is-closed")
    taken.given(aside).when(SetQuoteAside(reason="Half of it.")).then()
    assert taken.given(aside).when(ReviseQuote()).facts[0].event.ended_as == "set-aside"


def test_deal_8_what_is_not_accepted_can_be_withdrawn_and_nobody_is_asked_any_more() -> None:
    gone = QuoteWithdrawn(quote_id=QUOTE, deal_id=ID, quote_version=1, cause="asked", on=TODAY)
    for met in (THERE.given(drafted()), approved_quote(), sent_quote()):
        met.when(WithdrawQuote()).then(gone)
        met.given(gone).when(WithdrawQuote()).then()
    met, approval = submitted(drafted(custom()))
    outcome = met.when(WithdrawQuote())
    assert outcome.facts[0].event == gone
    assert (type(outcome.facts[1].event), outcome.facts[1].to) == (TOLD.recalled, approval.id)


# -- with the deal ----------------------------------------------------------------------------------------------------

AGREED = (DealLine(product_id=SERVER, quantity=Decimal(2), price=eur("4320.00")),)
WITH_CUSTOM = DealQuoteAccepted(deal_id=ID, quote_id=QUOTE, amount=eur("8640.00"), lines=(), on=TODAY)
PRODUCTS = replace(WITH_CUSTOM, lines=AGREED)
FREED = DealQuoteSetAside(deal_id=ID, quote_id=QUOTE, on=TODAY)
OPEN = THE_DEAL.given(replace(OPENED, account_id=ACCOUNT))


def of_deal(*scenarios: Scenario, approvals: Sequence[Any] = ()) -> Scenario:
    """The deal with these quotes."""
    states = tuple(quote.fold(each.history) for each in scenarios)
    asked = [approval_id for state in states for approval_id in state.approvals]
    known = {each.id: each for each in approvals}
    ended = APPROVALS.family.start()
    held = {each: known.get(each, ended) for each in asked}
    return OPEN.knowing(quotes=QuotesOfDeal(quotes=states, approvals=held))


def test_deal_8_the_amount_of_a_deal_keeps_to_its_accepted_quote() -> None:
    fixed = OPEN.given(WITH_CUSTOM)
    refused = fixed.when(ChangeAmount(amount=eur("9000.00")))
    refused.then_rejected("amount-is-quoted")
    assert refused.rejected is not None
    assert str(QUOTE) in refused.rejected.message
    assert fields(fixed.when(UpdateDeal(amount=eur("1.00")))) == [("amount-is-quoted", "amount")]
    assert fixed.when(ChangeAmount(amount=eur("8640.00"))).rejected is None
    priced_ = replace(
        OPENED, lines=(DealLine(product_id=SERVER, quantity=Decimal(25), price=eur("4800.00")),), account_id=ACCOUNT
    )
    one = UpdateDeal(lines=(LineWanted(product_id=SERVER, quantity=Decimal(1)),))
    assert fields(THE_DEAL.given(priced_, WITH_CUSTOM).when(one)) == [("amount-is-quoted", "lines")]
    for free in (OPEN, fixed.given(FREED)):
        assert free.when(ChangeAmount(amount=eur("9000.00"))).rejected is None


def test_deal_8_the_lines_of_a_deal_keep_to_its_accepted_quote_where_all_of_it_are_products() -> None:
    agreed = OPEN.given(
        DealLinesChanged(deal_id=ID, before=(), lines=AGREED, on=TODAY),
        DealAmountChanged(deal_id=ID, before=OPENED.amount, amount=eur("8640.00"), on=TODAY),
    )
    # Another line, while the amount is named as it is.
    dear = LineWanted(product_id=SERVER, quantity=Decimal(900), price=eur("1.00"))
    other = UpdateDeal(amount=eur("8640.00"), lines=(dear,))
    refused = agreed.given(PRODUCTS).when(other)
    assert fields(refused) == [("lines-are-quoted", "lines")]
    assert refused.rejected is not None
    assert str(QUOTE) in refused.rejected.reasons[0].message
    same = LineWanted(product_id=SERVER, quantity=Decimal(2), price=eur("4320.00"))
    assert agreed.given(PRODUCTS).when(UpdateDeal(lines=(same,))).rejected is None
    for free in (agreed.given(WITH_CUSTOM), agreed.given(PRODUCTS, FREED), agreed):
        assert free.when(other).rejected is None


@pytest.mark.parametrize("end", ["LOST", "WON"])
def test_deal_8_a_deal_knows_its_accepted_quote_whatever_history_tells_meanwhile(end: str) -> None:
    """An end of an earlier day, told late, comes before the acceptance in the order of facts."""
    state = deal.fold([OPENED, {"LOST": LOST, "WON": WON}[end], PRODUCTS])
    assert state.accepted_quote.id == QUOTE
    assert deal.evolve(state, FREED).accepted_quote is None


def test_deal_9_by_policy_a_deal_is_won_once_a_quote_is_accepted() -> None:
    by_policy = OPEN.knowing(winning=InForce(default=Winning(needs="accepted-quote"), on=TODAY))
    by_policy.when(WinDeal()).then_rejected("quote-not-accepted")
    assert by_policy.given(PRODUCTS).when(WinDeal()).rejected is None
    by_policy.given(PRODUCTS, FREED).when(WinDeal()).then_rejected("quote-not-accepted")


LOST = DealLost(deal_id=ID, on=TODAY, amount=eur("1"), stage="initial-contact", reason="price")
WON = DealWon(deal_id=ID, name=OPENED.name, on=TODAY, amount=eur("1"), stage="initial-contact")


def test_deal_8_what_is_offered_goes_with_a_deal_that_ends_and_what_was_accepted_stays() -> None:
    waiting, approval = submitted(drafted(custom()))
    met = sent_quote()
    taken = met.given(met.when(ACCEPT).facts[0].event)
    for end, cause in ((LOST, "deal-lost"), (WON, "deal-won")):
        outcome = of_deal(waiting, met, taken, approvals=[approval]).given(end).when(BringInLine())
        told = [(type(each.event), getattr(each.event, "cause", None)) for each in outcome.facts]
        assert told == [(QuoteWithdrawn, cause), (TOLD.recalled, None), (QuoteWithdrawn, cause)]
    of_deal(waiting, met, taken, approvals=[approval]).when(BringInLine()).then()


def test_deal_8_a_quote_belongs_to_whom_the_deal_belongs_to_under_its_name() -> None:
    waiting, approval = submitted(drafted(custom()))
    handed = DealHandedOver(deal_id=ID, owner_before=OWNER, team_before=TEAM, owner=OTHER, team=OTHER_TEAM, reason="")
    outcome = of_deal(waiting, approvals=[approval]).given(handed).when(BringInLine())
    changed, over = (each.event for each in outcome.facts)
    assert changed == QuoteDealChanged(
        quote_id=QUOTE, deal_name=OPENED.name, owner=OTHER, team=OTHER_TEAM, account_id=ACCOUNT
    )
    assert TOLD.handed_over is not None
    assert isinstance(over, TOLD.handed_over)
    assert outcome.facts[1].to == approval.id
    renamed = of_deal(waiting, approvals=[approval]).given(DealRenamed(deal_id=ID, name="Plant")).when(BringInLine())
    assert [getattr(each.event, "deal_name", None) or each.event.name for each in renamed.facts] == [
        "Plant",
        "Plant: quote",
    ]


def test_data_4_what_was_written_about_quotes_goes_with_what_was_written_about_the_deal() -> None:
    met = sent_quote()
    taken = met.given(met.when(ACCEPT).facts[0].event)
    silent = THERE.given(drafted())
    outcome = of_deal(taken, silent).when(EraseTexts())
    assert [each.event for each in outcome.facts if each.to] == [QuoteTextsErased(quote_id=QUOTE)]
    state = quote.evolve(quote.fold(taken.history), QuoteTextsErased(quote_id=QUOTE))
    assert (state.evidence, state.written) == ("", False)


@pytest.mark.parametrize(
    ("kind", "left"),
    [
        (DeclinedQuote, {"reason": ""}),
        (DraftedQuote, {"returned_over": "price", "returned_for": ""}),
    ],
)
def test_data_4_a_process_that_knows_the_texts_forgets_them(kind: type, left: dict[str, Any]) -> None:
    met = sent_quote()
    declined = met.given(met.when(DeclineQuote(reason="Mr Miller says no.")).facts[0].event)
    waiting, approval = submitted(drafted(custom()))
    returned, _, _ = decide(waiting, approval, ReturnForRework(reason="Ask Mr Miller."), MANAGER)
    before = quote.fold((declined if kind is DeclinedQuote else returned).history)
    assert isinstance(before, kind)
    state = quote.evolve(before, QuoteTextsErased(quote_id=QUOTE))
    assert {name: getattr(state, name) for name in left} == left


def test_data_4_what_positions_were_called_is_a_text_in_every_version() -> None:
    """What a product is called is none: a position that was called otherwise is called so again."""
    lines = (servers(), servers(name="For Mr Miller"), custom())
    met = THERE.given(drafted(servers()))
    (changed,) = met.when(UpdateQuote(lines=lines)).facts
    assert [line.name for line in changed.event.lines] == ["Server", "Server", ""]
    assert changed.event.names == ("", "For Mr Miller", "Installation")
    before = quote.fold([*met.history, changed.event])
    assert ([line.name for line in before.lines], before.written) == (["Server", "For Mr Miller", "Installation"], True)
    ended = EndedVersion(
        quote_version=1,
        ended_as="sent",
        drafted_on=TODAY,
        lines=before.lines,
        discount=None,
        totals=before.totals,
        valid_until=None,
    )
    old = replace(before, versions=(ended,))
    after = quote.evolve(old, QuoteTextsErased(quote_id=QUOTE))
    assert after.written is False
    for shown in (after, *after.versions):
        assert [line.name for line in shown.lines] == ["Server", "Server", ""]
    folded = quote.fold([*met.history, replace(changed.event, names=None), QuoteTextsErased(quote_id=QUOTE)])
    assert folded.lines == after.lines


def test_deal_8_a_win_tells_the_positions_of_the_accepted_quote_until_it_is_set_aside() -> None:
    """CON-1: the contract is drafted by them."""
    agreed = (
        sent_quote(servers("3", discount=QuoteDiscount(amount=eur("0.01"))), servers("1")).when(ACCEPT).facts[-1].event
    )
    met = OPEN.given(agreed).knowing(winning=InForce(default=Winning(needs="nothing"), on=TODAY))
    won = met.when(WinDeal()).facts[0].event
    assert won.quote == DealQuote(quote_id=QUOTE, quote_version=1, positions=agreed.positions)
    assert sum(line.amount.amount for line in agreed.positions) == agreed.amount.amount
    assert met.given(replace(FREED, quote_id=QUOTE)).when(WinDeal()).facts[0].event.quote is None
