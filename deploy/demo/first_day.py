"""The first day of the demo company: what its people know of the open deals of Key Accounts beyond their history.

No import tells what was found out and who helps, so they enter it over HTTP, once, after the history came in. What is
entered is decided from the facts of the history alone, and so is the same however often this is tried again.
"""

import asyncio
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256
from itertools import cycle
from random import Random
from typing import Literal

import httpx

from deploy.demo.casework import (
    SOURCES,
    Offered,
    answer_to_request,
    assessment,
    findings,
    guidance,
    offer,
    question,
    support,
)
from deploy.demo.cast import DIRECTOR, EVERYBODY, FINANCE, LEGAL, MANAGERS, MARKETING, PRODUCT, Line
from deploy.demo.courses import BY_FULL
from deploy.demo.decisions import Do, complete, known
from deploy.demo.desk import Answer, Desk, NotAnswered
from deploy.demo.market import PRODUCTS
from deploy.imports.kinds import id_of
from services.deals.domain.process.full import CUSTOM_SOLUTION, FULL, FULL_ID
from shared.domain.imports import Ids

Scene = Literal["refused", "waived", "flexible", "asked", "guided", "unwinnable", "too-dear", "onwards"]
"""What is special about a deal: a gate refuses it, or lets it pass without a criterion; a flexible node binds it; help
is asked for, or was given as well; an exit is proposed; it goes on to the next stage."""
SCENES: Sequence[Sequence[Scene]] = (
    ("refused", "asked", "too-dear", "onwards"),
    ("flexible", "refused", "guided", "onwards"),
    ("waived", "flexible", "refused", "onwards", "asked"),
    ("guided", "unwinnable", "asked"),
)
"""By the place of the stage; the deals of a stage have them in turn."""
Offer = Literal["drafted", "waiting", "sent", "accepted"]
OFFERS: Sequence[Offer] = ("drafted", "waiting", "sent", "accepted")
"""What becomes of the quotes that are written, in turn."""
OFFERED_FROM = 2
"""The place of the stage from which on deals are quoted."""
LARGE = 250_000
"""From so much on the director approves a price, too: so says the policy `quotes`, as long as nobody sets it."""
SUPPORT = (
    ("market-report", MARKETING),
    ("market-report", MARKETING),
    ("price-approval", FINANCE),
    ("legal-review", LEGAL),
)
"""What is asked of another department by the place of the stage, and who answers there."""
KNOWN: Sequence[Sequence[str]] = (
    ("intent_to_cooperate", "nurture_passed"),
    ("background_gaps", "pains", "willing_to_solve", "severity_agreed", "goal", "budget", "decision_chain_known"),
    ("solution_accepted",),
    (),
)
"""The facts that are noted on the way to a stage, by its place."""
ASK_SUPPORT = 0.6
STANCES = ("supportive", "neutral", "neutral", "opposed", "unknown")
CLOSED_STREET = "The plant is to be closed within the year."
RUN = "first-day"
UNKNOWN_SECONDS = 0.2
PATIENCE, PATIENCE_FOR_CONTACTS = 150, 25
"""So often somebody looks whether the services know of them by now, and says again who a contact is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An open deal by the full process, as the facts of the history tell it."""

    id: str
    rep: str
    place: int
    amount: Mapping[str, str]
    done: frozenset[str]
    """The tasks and deliverables that were completed."""
    offered: Offered
    """The product that is offered for it."""
    contacts: Sequence[tuple[str, str]]
    """Id and part in buying of those who are known at the customer's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What somebody enters: a command below an address; `then` is what others do about the thing that it makes, or
    about what that names in a field."""

    by: str
    path: str
    do: Do
    named_in: str = "id"
    then: tuple["Entry", ...] = ()


def cases(facts: Iterable[Line], ids: Ids) -> list[Case]:
    """The open deals by the full process, in the order of their opening."""
    deals, stages, ended = dict[str, Line](), dict[str, str](), set[str]()
    done, contacts = dict[str, set[str]](), dict[str, list[tuple[str, str]]]()
    for fact in facts:
        kind, key = fact["fact"], fact["id"]
        if kind == "deal" and fact.get("process_id") == str(FULL_ID):
            deals[key] = dict(fact)
            stages[key] = FULL.stages[0].key
        elif kind == "contact":
            contacts.setdefault(fact["account"], []).append((str(id_of(ids, "contact", key)), fact["buying_role"]))
        elif key in deals and kind == "deal-moved":
            stages[key] = fact["stage"]
        elif key in deals and kind == "deal-changed" and "amount" in fact:
            deals[key]["amount"] = fact["amount"]
        elif key in deals and kind == "deal-node-completed":
            done.setdefault(key, set()).add(fact["key"])
        elif kind in ("deal-won", "deal-lost", "deal-abandoned"):
            ended.add(key)
    return [
        Case(
            id=str(id_of(ids, "deal", key)),
            rep=deal["owner"],
            place=FULL.index(stages[key]),
            amount=deal["amount"],
            done=frozenset(done.get(key, ())),
            offered=_offered(ids, deal["amount"]),
            contacts=contacts.get(deal["account"], ()),
        )
        for key, deal in deals.items()
        if key not in ended
    ]


def entries(random: Random, told: Sequence[Case], today: date) -> dict[str, list[Entry]]:
    """What is entered about the deals of each rep, in order: facts and findings, people, help, and what is special."""
    entered: dict[str, list[Entry]] = {}
    turn, offers = [cycle(scenes) for scenes in SCENES], cycle(OFFERS)
    for case in told:
        mine = entered.setdefault(case.rep, [])
        mine += _known(random, case, today)
        if random.random() < ASK_SUPPORT:
            mine.append(_request(random, case))
        mine += _scene(random, next(turn[case.place]), case, today)
        if case.place >= OFFERED_FROM:
            mine.append(_offer(random, next(offers), case))
    return entered


def _known(random: Random, case: Case, today: date) -> Iterator[Entry]:
    """What had to be known for a deal to stand where it does, some of what its stage asks for, and who has a say."""
    facts = [fact for passed in KNOWN[: case.place + 1] for fact in passed]
    facts += [fact for ahead in KNOWN[case.place + 1 : case.place + 2] for fact in ahead if random.random() < 0.4]
    yield _of(case, Do(verb="note-facts", body={"facts": known(random, facts, case.amount)}))
    found = findings(random, case.amount, today)
    for do in random.sample(found, random.randint(2 + case.place, len(found))):
        yield _of(case, do)
    for contact, role in case.contacts:
        body = {"contact_id": contact, "role": role, "stance": random.choice(STANCES)}
        yield _of(case, Do(verb="set-contact", body=body))


def _request(random: Random, case: Case) -> Entry:
    """Help that is asked of a department; it is taken up by most, and delivered by some."""
    kind, colleague = SUPPORT[case.place]
    answers = ("accept", "deliver")[: random.choice((0, 1, 1, 2))]
    dos = (answer_to_request(random, "asked" if each == "accept" else "accepted") for each in answers)
    return Entry(
        by=case.rep,
        path="/v1/support-requests",
        do=Do(verb="", body=support(case.id, kind)),
        then=tuple(Entry(by=colleague.subject, path="/v1/support-requests", do=do) for do in dos),
    )


def _offer(random: Random, becomes: Offer, case: Case) -> Entry:
    """A quote of what the deal is about, as far as it comes: written; submitted, and assessed by some; approved and
    sent; accepted, which fixes what the deal is worth."""

    def does(by: str, do: Do) -> Entry:
        return Entry(by=by, path="/v1/quotes", do=do)

    def approves(by: str) -> Entry:
        return Entry(by=by, path="/v1/deal-approvals", do=Do(verb="approve", body={}), named_in="approval_id")

    steps = [
        does(case.rep, Do(verb="submit", body={})),
        does(PRODUCT.subject, assessment(random)),
        approves(MANAGERS[BY_FULL].subject),
        *([approves(DIRECTOR.subject)] if Decimal(case.amount["amount"]) >= LARGE else []),
        does(case.rep, Do(verb="send", body={"channel": "e-mail"})),
        does(case.rep, Do(verb="accept", body={"evidence": "Their order, filed with the deal."})),
    ]
    taken = {"drafted": 0, "waiting": random.choice((1, 2)), "sent": len(steps) - 1, "accepted": len(steps)}[becomes]
    body = offer(random, case.id, case.offered, case.amount)
    return Entry(by=case.rep, path="/v1/quotes", do=Do(verb="", body=body), then=tuple(steps[:taken]))


def _offered(ids: Ids, amount: Mapping[str, str]) -> Offered:
    """The dearest product that costs no more than what a deal is thought to be worth; else the cheapest."""
    by_price = sorted(PRODUCTS, key=lambda product: product.price)
    fits = [product for product in by_price if product.price <= Decimal(amount["amount"])] or by_price[:1]
    return Offered(product_id=str(id_of(ids, "product", fits[-1].code)), list_price=fits[-1].price)


def _scene(random: Random, which: Scene, case: Case, today: date) -> Iterator[Entry]:
    manager = MANAGERS[BY_FULL].subject
    if which == "refused":
        yield _of(case, _move(case))
    elif which == "onwards":
        yield from _onwards(random, case, today)
    elif which == "waived":
        stage = FULL.stages[case.place]
        body = {
            "gate": f"exit of {stage.key}",
            "criterion": random.choice(stage.exit).key,
            "until": (today + timedelta(days=21)).isoformat(),
            "reason": "Their board meets in three weeks; the work on the contract begins before.",
        }
        yield _of(case, Do(verb="waive-criterion", body=body), by=manager)
    elif which == "flexible":
        reason = "They want it controlled by their own system, which we have never done."
        body = {"key": CUSTOM_SOLUTION.key, "reason": reason}
        yield _of(case, Do(verb="add-flexible-node", body=body), by=manager)
        yield _of(case, complete("custom-solution-assessment", today))
    elif which in ("asked", "guided"):
        yield _of(case, question(random))
        if which == "guided":
            yield _of(case, guidance(random), by=manager)
    elif which == "unwinnable":
        body = {"kind": "insurmountable", "text": CLOSED_STREET, "evidence": random.choice(SOURCES)}
        yield _of(case, Do(verb="state-customer-event", body=body))
    elif which == "too-dear":
        cost = {**case.amount, "amount": f"{Decimal(case.amount['amount']) / 2:.2f}"}
        yield _of(case, Do(verb="assess-exit", body={"remaining_cost": cost}))


def _onwards(random: Random, case: Case, today: date) -> Iterator[Entry]:
    """Everything that the gates ahead ask for is found out and done, and the next stage is entered."""
    facts = [fact for passed in KNOWN[: case.place + 2] for fact in passed]
    yield _of(case, Do(verb="note-facts", body={"facts": known(random, facts, case.amount)}))
    for stage in FULL.stages[: case.place + 1]:
        brought = [task.deliverable for task in stage.tasks]
        for node in (*stage.tasks, *(each for each in stage.deliverables if each.key not in brought)):
            for key in (node.deliverable, node.key):
                if key and node.required and key not in case.done:
                    yield _of(case, complete(key, today))
    yield _of(case, _move(case))


def _move(case: Case) -> Do:
    return Do(verb="move", body={"stage": FULL.stages[case.place + 1].key})


def _of(case: Case, do: Do, *, by: str | None = None) -> Entry:
    return Entry(by=by or case.rep, path=f"/v1/deals/{case.id}", do=do)


# -- entering it ------------------------------------------------------------------------------------------------------


async def enter(
    told: Mapping[str, Sequence[Entry]], client: httpx.AsyncClient, secret: str, random: Random
) -> list[Answer]:
    """Enter everything, what is told of a rep's deals in order, and that of several reps beside each other; gives the
    answers. Harmless to repeat. Raises NotAnswered."""
    stopping = asyncio.Event()
    desks = {
        person.subject: Desk(person, client, secret=secret, random=random, run=RUN, stopping=stopping)
        for person in EVERYBODY
    }
    every = [entry for entries in told.values() for entry in entries]
    for subject in sorted({each.by for entry in every for each in (entry, *entry.then)}):
        await _until_known(desks[subject])
    done = await asyncio.gather(*(_enter_all(desks, entries) for entries in told.values()))
    return [answer for answers in done for answer in answers]


async def _until_known(desk: Desk) -> None:
    """Wait until the services know who somebody is."""
    for _ in range(PATIENCE):
        if await desk.whoami():
            return
        await desk.rest(UNKNOWN_SECONDS)
    raise NotAnswered(f"/v1/me of {desk.person.subject}")


async def _enter_all(desks: Mapping[str, Desk], entries: Sequence[Entry]) -> list[Answer]:
    answers: list[Answer] = []
    for entry in entries:
        began = await _enter(desks[entry.by], entry.path, entry.do)
        answers.append(began)
        for then in entry.then if began.ok else ():
            if thing := await _named(desks[entry.by], entry.path, began, then.named_in):
                answers.append(await _enter(desks[then.by], f"{then.path}/{thing}", then.do))
    return answers


async def _named(desk: Desk, path: str, began: Answer, field: str) -> str | None:
    """The id of what was made, or of what that names in another field, as long as it does."""
    made = str(began.body["id"])
    return made if field == "id" else (await desk.read(f"{path}/{made}")).body.get(field)


async def _enter(desk: Desk, path: str, do: Do) -> Answer:
    """Send a command under a key of its own content; a contact that the service does not know yet is said again."""
    address = f"{path}/{do.verb}".removesuffix("/")
    key = sha256(json.dumps([address, do.body], sort_keys=True).encode()).hexdigest()
    for _ in range(PATIENCE_FOR_CONTACTS):
        answer = await desk.do(address, do.body, key=key)
        if answer.ok or do.verb != "set-contact":
            break
        await desk.rest(UNKNOWN_SECONDS)
    return answer
