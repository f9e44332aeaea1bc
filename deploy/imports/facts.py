"""The import format: JSON Lines of dated facts with ids of the system that they come from (DATA-5).

    {"fact": "member", "id": "anna", "on": "2025-06-02", "name": "Anna", "subject": "anna", "role": "rep", "team": "n"}
    {"fact": "deal", "id": "D-17", "on": "2025-07-01", "name": "Press line", "owner": "anna", "amount": {…}}
    {"fact": "deal-won", "id": "D-17", "on": "2025-09-30"}

`id` is the outside id of what the fact is about; `on` is the company's day on which it happened, `at` the instant where
it is known. Other fields are those of the command that takes the fact in; a field that names something else carries its
outside id (`owner`, `team`, `account` …), and that must be there already or come with the same import.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any
from uuid import UUID, uuid5

from pydantic import TypeAdapter, ValidationError

from services.contracts.domain.contract import history as contracts
from services.contracts.domain.contract.state import contract, contract_of
from services.deals.domain import product as products
from services.deals.domain import target as targets
from services.deals.domain.deal import history as deals
from services.deals.domain.deal.state import deal
from services.leads.domain.account import history as accounts
from services.leads.domain.account.state import account
from services.leads.domain.lead import history as leads
from services.leads.domain.lead.state import lead
from services.leads.domain.organisation import member as members
from services.leads.domain.organisation import team as teams
from services.receivables.domain import invoicing as invoices
from services.receivables.domain.ledger import receipts
from services.receivables.domain.ledger.state import ledger, ledger_of
from shared.domain.aggregate import Aggregate
from shared.domain.calendar import FIRST_DAY, LAST_DAY
from shared.web.problems import words_of

OUTSIDE = UUID("5b0c9c0e-6f0c-5c52-9d5d-3c1a6b6f1d57")
"""The namespace of ids that are derived from outside ids."""

NAMES_REMEMBERED = 100_000
DEEPEST = 20
"""Levels of objects and lists in a line; no fact has more than three."""
SURROGATE = re.compile("[\ud800-\udfff]")

Ids = Callable[[str, str], UUID]
"""`(kind, outside id) -> id`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactPlace:
    """Where a fact stands."""

    file: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """What stands where a fact should, and why it is none."""

    reason: str
    content: Mapping[str, Any]


Line = tuple[FactPlace, Mapping[str, Any] | Unreadable]
"""A fact and its place."""


def ids_of(source: str) -> Ids:
    """The ids of one source: the same outside id is the same thing, however often and from wherever it is read."""

    @lru_cache(maxsize=NAMES_REMEMBERED)
    def derive(kind: str, outside: str) -> UUID:
        return uuid5(OUTSIDE, f"{source}/{kind}/{outside}")

    return derive


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of fact: which command of which aggregate takes it in.

    `about` is the kind of thing whose outside id the fact carries as `id`; `references` maps a field of the line to the
    command's field and the kind of thing that it names; `own` is the command's field that takes an id derived from
    `id` where the aggregate is another one (`within`).
    """

    service: str
    aggregate: Aggregate
    command: type
    about: str
    references: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    own: str | None = None
    within: str | None = None


OWNED = {"owner": ("owner", "member"), "team": ("team", "team")}
LEADS, DEALS, CONTRACTS, RECEIVABLES = "leads", "deals", "contracts", "receivables"


def _deal(command: type, references: Mapping[str, tuple[str, str]] | None = None, own: str | None = None) -> Kind:
    refers = references or {}
    return Kind(service=DEALS, aggregate=deal, command=command, about="deal", references=refers, own=own)


def _lead(command: type, references: Mapping[str, tuple[str, str]] | None = None, own: str | None = None) -> Kind:
    return Kind(service=LEADS, aggregate=lead, command=command, about="lead", references=references or {}, own=own)


KINDS: Mapping[str, Kind] = {
    "team": Kind(
        service=LEADS,
        aggregate=teams.team,
        command=teams.ImportTeam,
        about="team",
        references={"parent": ("parent_id", "team")},
    ),
    "member": Kind(
        service=LEADS,
        aggregate=members.member,
        command=members.ImportMember,
        about="member",
        references={"team": ("team_id", "team")},
    ),
    "team-manager": Kind(
        service=LEADS,
        aggregate=teams.team,
        command=teams.ImportManager,
        about="team",
        references={"member": ("member_id", "member")},
    ),
    "member-moved": Kind(
        service=LEADS,
        aggregate=members.member,
        command=members.ImportMove,
        about="member",
        references={"team": ("team_id", "team")},
    ),
    "member-left": Kind(service=LEADS, aggregate=members.member, command=members.ImportDeparture, about="member"),
    "leave": Kind(service=LEADS, aggregate=members.member, command=members.ImportLeave, about="member"),
    "account": Kind(
        service=LEADS,
        aggregate=account,
        command=accounts.ImportAccount,
        about="account",
        references={**OWNED, "parent": ("parent_id", "account"), "lead": ("lead_id", "lead")},
    ),
    "contact": Kind(
        service=LEADS,
        aggregate=account,
        command=accounts.ImportContact,
        about="contact",
        own="contact_id",
        within="account",
    ),
    "lead": _lead(leads.ImportLead, OWNED),
    "lead-activity": _lead(leads.ImportLeadActivity, {"by": ("by", "member"), "activity": ("activity_id", "activity")}),
    "lead-qualification": _lead(leads.ImportLeadQualification),
    "lead-converted": _lead(
        leads.ImportLeadConversion,
        {"account": ("account_id", "account"), "contact": ("contact_id", "contact"), "deal": ("deal_id", "deal")},
    ),
    "lead-disqualified": _lead(leads.ImportLeadDisqualification),
    "product": Kind(service=DEALS, aggregate=products.product, command=products.AddImportedProduct, about="product"),
    "target": Kind(
        service=DEALS,
        aggregate=targets.target,
        command=targets.SetImportedTarget,
        about="target",
        references={"team": ("team", "team"), "member": ("member", "member")},
    ),
    "deal": _deal(deals.OpenImportedDeal, {**OWNED, "account": ("account_id", "account"), "lead": ("lead_id", "lead")}),
    "deal-moved": _deal(deals.MoveImportedDeal),
    "deal-changed": _deal(deals.ChangeImportedDeal),
    "deal-activity": _deal(
        deals.LogImportedActivity, {"by": ("by", "member"), "activity": ("activity_id", "activity")}
    ),
    "deal-node-completed": _deal(deals.CompleteImportedNode),
    "deal-won": _deal(deals.WinImportedDeal),
    "deal-lost": _deal(deals.LoseImportedDeal),
    "deal-abandoned": _deal(deals.AbandonImportedDeal),
    "deal-reopened": _deal(deals.ReopenImportedDeal),
    "contract": Kind(
        service=CONTRACTS,
        aggregate=contract,
        command=contracts.ImportContract,
        about="contract",
        references={**OWNED, "deal": ("deal_id", "deal"), "account": ("account_id", "account")},
    ),
    "invoice": Kind(
        service=RECEIVABLES,
        aggregate=ledger,
        command=invoices.ImportInvoice,
        about="invoice",
        references={**OWNED, "deal": ("deal_id", "deal"), "contract": ("contract_id", "contract")},
        own="invoice_id",
        within="account",
    ),
    "receipt": Kind(
        service=RECEIVABLES,
        aggregate=ledger,
        command=receipts.ImportReceipt,
        about="receipt",
        within="account",
    ),
}
"""Every kind of fact that can be imported."""

THINGS: Mapping[str, Kind] = {name: kind for name, kind in KINDS.items() if name == kind.about and not kind.within}
"""The kinds whose facts bring something into being that others may name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Something that a fact names by its outside id: in which field, and of which kind it is."""

    field: str
    about: str
    outside: str
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A fact that was understood: the command that takes it in, where, and what else has to be there."""

    kind: Kind
    aggregate_id: UUID
    command: Any
    names: Sequence[Named] = ()


class NotAFact(ValueError):
    """A line that is no fact; the message says why, one reason after the other."""


def read_fact(line: Mapping[str, Any], ids: Ids, currency: str) -> Taken:
    """Understand one line. Raises NotAFact with every reason."""
    fields = dict(line)
    name, outside = fields.pop("fact", None), fields.pop("id", None)
    kind = KINDS.get(str(name))
    if kind is None:
        raise NotAFact(f"fact: {name!r} is no kind of fact; there are {', '.join(KINDS)}")
    if not isinstance(outside, str) or not outside:
        raise NotAFact("id: the outside id is missing")
    names: list[Named] = []
    if kind.about in THINGS and name != kind.about:
        names.append(Named(field="id", about=kind.about, outside=outside, id=_thing(ids, kind.about, outside)))
    for said, (field_name, about) in kind.references.items():
        named = fields.pop(said, None)
        if named is not None:
            names.append(Named(field=said, about=about, outside=str(named), id=_thing(ids, about, str(named))))
            fields[field_name] = str(names[-1].id)
    place = outside
    if kind.within:
        place = str(fields.pop(kind.within, "") or "")
        if not place:
            raise NotAFact(f"{kind.within}: the outside id is missing")
        names.append(Named(field=kind.within, about=kind.within, outside=place, id=_thing(ids, kind.within, place)))
    if kind.own:
        fields[kind.own] = str(ids(kind.about, outside))
    aggregate_id = _thing(ids, kind.within or kind.about, place)
    if kind.aggregate is ledger:
        fields["account_id"] = str(aggregate_id)
        aggregate_id = ledger_of(aggregate_id, currency)
    try:
        command = _adapter(kind.command).validate_python(fields)
    except ValidationError as error:
        reasons = [
            f"{'.'.join(map(str, fault['loc']))}: {words_of(fault)[1].removesuffix('.')}"
            for fault in error.errors(include_url=False)
        ]
        raise NotAFact("; ".join(reasons)) from error
    at = getattr(command, "at", None)
    if at is not None and not FIRST_DAY <= at.date() <= LAST_DAY:
        raise NotAFact(f"at: an instant lies between {FIRST_DAY} and {LAST_DAY}")
    return Taken(kind=kind, aggregate_id=aggregate_id, command=command, names=names)


def brought(lines: Iterable[Line], ids: Ids) -> set[UUID]:
    """The ids of everything that these facts bring into being."""
    found: set[UUID] = set()
    for _, fact in lines:
        if isinstance(fact, Unreadable):
            continue
        name, outside = fact.get("fact"), fact.get("id")
        if isinstance(name, str) and name in THINGS and isinstance(outside, str):
            found.add(_thing(ids, name, outside))
    return found


def flaw_of(line: Mapping[str, Any]) -> str | None:
    """Why a line cannot be kept, whatever it says: texts that no database takes, or nesting without sense."""
    rest: list[tuple[str, Any, int]] = [("", line, 0)]
    while rest:
        place, held, depth = rest.pop()
        if isinstance(held, str):
            # Lone surrogates have no UTF-8, and PostgreSQL keeps no NUL in a text.
            if "\x00" in held or SURROGATE.search(held):
                return f"{place or 'a name'}: NUL and halves of characters cannot be kept"
        elif depth > DEEPEST:
            return f"{place}: more than {DEEPEST} levels deep"
        elif isinstance(held, Mapping):
            rest += [("", name, depth) for name in held]
            rest += [(place or name, each, depth + 1) for name, each in held.items()]
        elif isinstance(held, list):
            rest += [(place, each, depth + 1) for each in held]
    return None


def _thing(ids: Ids, about: str, outside: str) -> UUID:
    """The id of something named by its outside id. A contract carries the outside id of its deal, so that the contract
    that a won deal brings about later is the same one."""
    return contract_of(ids("deal", outside)) if about == "contract" else ids(about, outside)


@cache
def _adapter(command: type) -> TypeAdapter[Any]:
    return TypeAdapter(command)
