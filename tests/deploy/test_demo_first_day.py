"""The first day of the demo company: what its people enter are commands that the services take, in every stage."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

import pytest
from pydantic import TypeAdapter

from deploy.demo.cast import EVERYBODY, REPS, Line
from deploy.demo.courses import BY_FULL
from deploy.demo.decisions import Do
from deploy.demo.first_day import Case, Entry, cases, entries
from deploy.demo.generator import facts
from deploy.imports.facts import ids_of, read_fact
from services.deals.app import SERVICE
from services.deals.domain.choice import ChosenProcess
from services.deals.domain.deal import deal
from services.deals.domain.deal.contacts import KnownContact, KnownContacts
from services.deals.domain.deal.state import OpenDeal
from services.deals.domain.process.full import FULL, FULL_ID
from services.deals.domain.process.state import Process
from shared.domain.aggregate import Aggregate, Decision, occurrences
from shared.domain.context import Company
from shared.domain.rejection import Rejected
from shared.http.bodies import parse
from shared.testing.scenario import CONTEXT
from tests.services.deals.facts import LOADED

MONDAY = date(2026, 11, 23)
IDS = ids_of("demo-company")


@pytest.fixture(scope="module")
def history() -> list[Line]:
    return list(facts(Random(1), MONDAY, Company()))


@pytest.fixture(scope="module")
def told(history: list[Line]) -> list[Case]:
    return cases(history, IDS)


def entered(told: list[Case]) -> list[Entry]:
    return [entry for of_rep in entries(Random(1), told, MONDAY).values() for entry in of_rep]


def test_the_cases_are_the_open_deals_of_one_team_in_every_stage(told: list[Case]) -> None:
    reps = {rep.subject for rep in REPS if rep.team == BY_FULL}
    assert {case.rep for case in told} <= reps
    assert {case.place for case in told} == {0, 1, 2, 3}
    assert any(case.contacts for case in told)
    work = {node.key for stage in FULL.stages for node in (*stage.tasks, *stage.deliverables)}
    assert set[str]().union(*(case.done for case in told)) <= work


def test_the_same_seed_enters_the_same_and_another_does_not(told: list[Case]) -> None:
    assert entries(Random(1), told, MONDAY) == entries(Random(1), told, MONDAY)
    assert entries(Random(2), told, MONDAY) != entries(Random(1), told, MONDAY)


def test_every_kind_of_work_of_the_process_is_there(told: list[Case]) -> None:
    """PROC-1, DEAL-4, DEAL-5, DEAL-6, DEAL-12: in some deal each."""
    verbs = Counter(entry.do.verb for entry in entered(told))
    assert set(verbs) >= {
        *("note-facts", "set-contact", "complete-node", "move", "waive-criterion", "add-flexible-node"),
        *("state-pain", "assess-inaction", "state-customer-event", "state-budget", "state-competition"),
        *("state-requirement", "assess-risk", "assess-exit", "ask-for-help", "give-guidance", ""),
    }, verbs
    answers = {then.do.verb for entry in entered(told) for then in entry.then}
    assert answers >= {"accept", "deliver"}


def test_each_entry_is_a_command_that_its_address_takes(told: list[Case]) -> None:
    families: dict[str, Aggregate] = {family.plural: family for family in SERVICE.aggregates}
    subjects = {person.subject for person in EVERYBODY}
    for each in entered(told):
        for entry in (each, *each.then):
            assert entry.by in subjects
            _, _, plural, *_ = entry.path.split("/")
            if plural == "deal-approvals":
                assert entry.do == Do(verb="approve", body={})
                continue
            body = json.dumps(entry.do.body).encode()
            parse(TypeAdapter(command_named(families[plural], entry.do.verb)), body)


def test_deal_8_there_are_quotes_in_every_state(told: list[Case]) -> None:
    quotes = [entry for entry in entered(told) if entry.path == "/v1/quotes"]
    came_to = Counter(entry.then[-1].do.verb if entry.then else "drafted" for entry in quotes)
    assert set(came_to) >= {"drafted", "send", "accept"}, came_to
    assert came_to["submit"] + came_to["assess-delivery"] >= 2
    amounts = {case.id: case.amount for case in told}
    prices = {case.offered.product_id: case.offered.list_price for case in told}
    for entry in quotes:
        lines = entry.do.body["lines"]
        worth = sum(Decimal(line["quantity"]) * Decimal(line["price"]["amount"]) for line in lines)
        assert worth == Decimal(amounts[entry.do.body["deal_id"]]["amount"])
        assert Decimal(lines[0]["price"]["amount"]) <= prices[lines[0]["product_id"]], (
            "no product is above its list price"
        )


def command_named(family: Aggregate, verb: str) -> type[Any]:
    handlers = [(handler.name, command) for command, found in family.handlers.items() for handler in found]
    names = {name.strip("_").replace("_", "-"): command for name, command in handlers}
    return names[verb or {"quotes": "draft"}.get(family.plural, "ask")]


def test_what_is_entered_is_accepted_by_the_rules_on_the_deals_of_the_history(
    history: list[Line], told: list[Case]
) -> None:
    """PROC-1, DEAL-3: nothing is refused but some of the moves, by the gates ahead."""
    deals = {case.id: Lived(case) for case in told}
    for taken in (read_fact(line, IDS) for line in history if line["fact"].startswith("deal")):
        if str(taken.aggregate_id) in deals:
            deals[str(taken.aggregate_id)].give(taken.command)
    refused = Counter[tuple[str, str]]()
    for entry in entered(told):
        _, _, plural, *rest = entry.path.split("/")
        if plural == "deals":
            command = parse(TypeAdapter(command_named(deal, entry.do.verb)), json.dumps(entry.do.body).encode())
            try:
                deals[rest[0]].give(command, live=True)
            except Rejected as refusal:
                refused[entry.do.verb, refusal.code] += 1
    assert refused.keys() == {("move", "gate-closed")}
    states = [lived.state for lived in deals.values()]
    assert all(isinstance(state, OpenDeal) for state in states)
    assert {state.stage for state in states} == {stage.key for stage in FULL.stages}
    for some in ("contacts", "waivers", "flexible_nodes", "help", "rules", "ready_on"):
        assert any(getattr(state, some) for state in states), some
    assert any(state.qualification.standing_exit for state in states)
    assert all(state.facts and state.qualification.answers for state in states)


class Lived:
    """A deal as commands on it left it."""

    def __init__(self, case: Case) -> None:
        self.state: Any = deal.start()
        self._contacts = [UUID(contact) for contact, _ in case.contacts]
        self._number = 0
        self._context = replace(CONTEXT, aggregate_id=UUID(case.id), now=datetime(2026, 11, 23, 9, 0, tzinfo=UTC))

    def give(self, command: Any, *, live: bool = False) -> None:
        """Decide a command, and what follows at once from it. Raises Rejected."""
        self._number += 1
        context = replace(self._context, command_id=UUID(int=self._number))
        handler = deal.handler_of(self.state, type(command))
        assert handler is not None, command
        self._follow(deal.decide(self.state, command, context, self._loaded(handler.parameters)))
        if live and (conclusion := deal.conclusion_of(self.state)):
            self._follow(conclusion.run(self.state, context, self._loaded(conclusion.parameters)))

    def _follow(self, decision: Decision) -> None:
        for fact in occurrences(decision):
            self.state = deal.evolve(self.state, fact.event)

    def _loaded(self, parameters: Mapping[str, type]) -> dict[str, Any]:
        account = getattr(self.state, "account_id", None)
        followed = Process(id=FULL_ID, version=1, definition=FULL)
        known = {
            **LOADED,
            "process": followed,
            "chosen": ChosenProcess(process=followed, rule="named"),
            "contacts": KnownContacts(of=dict.fromkeys(self._contacts, KnownContact(account_id=account))),
        }
        return {name: known[name] for name in parameters}
