"""The import format: JSON Lines of dated facts with ids of the system that they come from (DATA-5).

    {"fact": "member", "id": "anna", "on": "2025-06-02", "name": "Anna", "subject": "anna", "role": "rep", "team": "n"}
    {"fact": "deal", "id": "D-17", "on": "2025-07-01", "name": "Press line", "owner": "anna", "amount": {…}}
    {"fact": "deal-won", "id": "D-17", "on": "2025-09-30"}

`id` is the outside id of what the fact is about; `on` is the company's day on which it happened, `at` the instant where
it is known. Other fields are those of the command that takes the fact in; a field that names something else carries its
outside id (`owner`, `team`, `account` …), and that must be there already or come with the same import.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from functools import cache, lru_cache
from typing import Any
from uuid import UUID, uuid5

from pydantic import TypeAdapter, ValidationError

from services.contracts.domain.contract import history as contracts
from services.contracts.domain.contract.state import contract, contract_of
from services.deals.domain import exchange_rate as exchange_rates
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
from shared.domain.fields import FIRST_DAY, LAST_DAY
from shared.events.chronology import Rank
from shared.http.problems import words_of

OUTSIDE = UUID("5b0c9c0e-6f0c-5c52-9d5d-3c1a6b6f1d57")
"""The namespace of ids that are derived from outside ids."""

NAMES_REMEMBERED = 100_000

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
    `id` where the aggregate is another one (`within`). `again` says by which fields one of several facts of this kind
    about one thing is known where it has no `fact_id`: by when it happened where it is empty; None where there is only
    one such fact. Kinds of one `series` with the same `fact_id` are one fact, whichever of them it is. `thing_of` says
    what a fact is about whose command tells that, and whose line has no `id`.
    """

    service: str
    aggregate: Aggregate
    command: type
    about: str
    rank: Rank
    again: tuple[str, ...] | None = None
    references: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    own: str | None = None
    within: str | None = None
    series: str | None = None
    thing_of: Callable[[Any], UUID] | None = None


COMMON = {"fact", "id", "fact_id", "on", "at"}
"""The fields that every line may have."""
OWNED = {"owner": ("owner", "member"), "team": ("team", "team")}
LEADS, DEALS, CONTRACTS, RECEIVABLES = "leads", "deals", "contracts", "receivables"


WHEN: tuple[str, ...] = ()
"""Known by when it happened."""
WHEN_AND_WHAT = ("*", "judged_by")
"""Known by when it happened, and by which fields it names."""


def _about(service: str, aggregate: Aggregate, about: str) -> Callable[..., Kind]:
    """Makes the kinds of facts about things of one aggregate, most of which may be told several times."""

    def kind(
        command: type,
        rank: Rank,
        references: Mapping[str, tuple[str, str]] | None = None,
        again: tuple[str, ...] | None = WHEN,
        series: str | None = None,
    ) -> Kind:
        return Kind(
            service=service,
            aggregate=aggregate,
            command=command,
            about=about,
            rank=rank,
            references=references or {},
            again=again,
            series=series,
        )

    return kind


_deal = _about(DEALS, deal, "deal")
_lead = _about(LEADS, lead, "lead")
_of_member = _about(LEADS, members.member, "member")


KINDS: Mapping[str, Kind] = {
    "team": Kind(
        service=LEADS,
        aggregate=teams.team,
        command=teams.ImportTeam,
        about="team",
        rank=Rank.OPENING,
        again=WHEN,
        references={"parent": ("parent_id", "team")},
    ),
    "member": _of_member(members.ImportMember, Rank.OPENING, {"team": ("team_id", "team")}),
    "team-manager": Kind(
        service=LEADS,
        aggregate=teams.team,
        command=teams.ImportTeamManager,
        about="team",
        rank=Rank.CHANGE,
        references={"member": ("member_id", "member")},
        again=WHEN,
    ),
    "member-moved": _of_member(members.ImportMemberMove, Rank.MOVE, {"team": ("team_id", "team")}),
    "member-left": _of_member(members.ImportMemberDeparture, Rank.END),
    "leave": _of_member(members.ImportMemberLeave, Rank.CHANGE, again=("start",)),
    "account": Kind(
        service=LEADS,
        aggregate=account,
        command=accounts.ImportAccount,
        about="account",
        rank=Rank.OPENING,
        again=WHEN,
        references={**OWNED, "parent": ("parent_id", "account"), "lead": ("lead_id", "lead")},
    ),
    "contact": Kind(
        service=LEADS,
        aggregate=account,
        command=accounts.ImportContact,
        about="contact",
        rank=Rank.CHANGE,
        own="contact_id",
        within="account",
    ),
    "lead": _lead(leads.ImportLead, Rank.OPENING, OWNED, again=None),
    "lead-activity": _lead(
        leads.ImportLeadActivity,
        Rank.ACTIVITY,
        {"by": ("by", "member"), "activity": ("activity_id", "activity")},
        again=("activity",),
    ),
    "lead-qualification": _lead(leads.ImportLeadQualification, Rank.CHANGE),
    "lead-converted": _lead(
        leads.ImportLeadConversion,
        Rank.END,
        {"account": ("account_id", "account"), "contact": ("contact_id", "contact"), "deal": ("deal_id", "deal")},
        again=None,
    ),
    "lead-disqualified": _lead(leads.ImportLeadDisqualification, Rank.END),
    "product": Kind(
        service=DEALS,
        aggregate=products.product,
        command=products.ImportProduct,
        about="product",
        rank=Rank.OPENING,
        again=WHEN,
    ),
    "target": Kind(
        service=DEALS,
        aggregate=targets.target,
        command=targets.ImportTarget,
        about="target",
        rank=Rank.CHANGE,
        again=WHEN,
        references={"team": ("team", "team"), "member": ("member", "member")},
    ),
    "exchange-rates": Kind(
        service=DEALS,
        aggregate=exchange_rates.exchange_rate,
        command=exchange_rates.ImportExchangeRates,
        about="exchange-rate",
        rank=Rank.CHANGE,
        again=WHEN,
        thing_of=lambda command: exchange_rates.table_of(command.base, command.on),
    ),
    "deal": _deal(
        deals.ImportDeal,
        Rank.OPENING,
        {**OWNED, "account": ("account_id", "account"), "lead": ("lead_id", "lead")},
        again=None,
    ),
    "deal-moved": _deal(deals.ImportDealMove, Rank.MOVE),
    "deal-changed": _deal(deals.ImportDealChange, Rank.CHANGE, again=WHEN_AND_WHAT),
    "deal-activity": _deal(
        deals.ImportDealActivity,
        Rank.ACTIVITY,
        {"by": ("by", "member"), "activity": ("activity_id", "activity")},
        again=("activity",),
    ),
    "deal-node-completed": _deal(deals.ImportDealNode, Rank.NODE, again=("key",)),
    "deal-won": _deal(deals.ImportDealWin, Rank.END, series="deal-end"),
    "deal-lost": _deal(deals.ImportDealLoss, Rank.END, series="deal-end"),
    "deal-abandoned": _deal(deals.ImportDealAbandonment, Rank.END, series="deal-end"),
    "deal-reopened": _deal(deals.ImportDealReopening, Rank.REOPENING),
    "contract": Kind(
        service=CONTRACTS,
        aggregate=contract,
        command=contracts.ImportContract,
        about="contract",
        rank=Rank.OPENING,
        references={**OWNED, "deal": ("deal_id", "deal"), "account": ("account_id", "account")},
    ),
    "invoice": Kind(
        service=RECEIVABLES,
        aggregate=ledger,
        command=invoices.ImportInvoice,
        about="invoice",
        rank=Rank.OPENING,
        references={**OWNED, "deal": ("deal_id", "deal"), "contract": ("contract_id", "contract")},
        own="invoice_id",
        within="account",
    ),
    "receipt": Kind(
        service=RECEIVABLES,
        aggregate=ledger,
        command=receipts.ImportReceipt,
        about="receipt",
        rank=Rank.CHANGE,
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
    """A fact that was understood: the command that takes it in, where, and what else has to be there.

    `thing` is what it is about. Two lines about one thing are the same fact when they have one `name`; it is published
    with the events, and holds no outside id but that of the fact itself.
    """

    kind: Kind
    aggregate_id: UUID
    command: Any
    thing: UUID
    name: str
    names: Sequence[Named] = ()

    @property
    def brings(self) -> UUID | None:
        """What comes into being by it that others may name."""
        return self.aggregate_id if self.kind.about in THINGS and self.kind.rank is Rank.OPENING else None


def with_article(thing: str) -> str:
    """A thing with its article: "an account"."""
    return f"a{'n' * (thing[0] in 'aeiou')} {thing}"


class NotAFact(ValueError):
    """A line that is no fact; the message says why, one reason after the other."""


def read_fact(line: Mapping[str, Any], ids: Ids) -> Taken:
    """Understand one line. Raises NotAFact with every reason."""
    fields = dict(line)
    name, fact_id = fields.pop("fact", None), fields.pop("fact_id", None)
    kind = KINDS.get(str(name))
    is_told = kind is not None and kind.thing_of is not None
    outside = "" if is_told else _outside("id", fields.pop("id", None))
    if kind is None:
        raise NotAFact(f"fact: {name!r} is no kind of fact; there are {', '.join(KINDS)}")
    if fact_id is not None and (kind.again is None or not isinstance(fact_id, str) or not fact_id):
        once = f"there is only one {name} of {with_article(kind.about)}"
        only = "is a text that is not empty" if kind.again is not None else once
        raise NotAFact(f"fact_id: {only}")
    names: list[Named] = []
    if kind.about in THINGS and name != kind.about:
        names.append(Named(field="id", about=kind.about, outside=outside, id=_thing(ids, kind.about, outside)))
    for said, (field_name, about) in kind.references.items():
        if fields.get(said) is not None:
            named = _outside(said, fields.pop(said))
            names.append(Named(field=said, about=about, outside=named, id=_thing(ids, about, named)))
            fields[field_name] = str(names[-1].id)
        else:
            fields.pop(said, None)
    place = outside
    if kind.within:
        place = _outside(kind.within, fields.pop(kind.within, None))
        names.append(Named(field=kind.within, about=kind.within, outside=place, id=_thing(ids, kind.within, place)))
    if kind.own:
        fields[kind.own] = str(ids(kind.about, outside))
    aggregate_id = _thing(ids, kind.within or kind.about, place)
    if kind.aggregate is ledger:
        if own := {"account_id", "outside_id"} & fields.keys():
            raise NotAFact("; ".join(f"{field}: there is no such field" for field in sorted(own)))
        fields |= {"account_id": str(aggregate_id), "outside_id": outside}
    try:
        command = _adapter(kind.command).validate_python(fields)
    except ValidationError as error:
        reasons = [
            f"{'.'.join(map(str, fault['loc']))}: {words_of(fault)[1].removesuffix('.')}"
            for fault in error.errors(include_url=False)
        ]
        raise NotAFact("; ".join(reasons)) from error
    thing = kind.thing_of(command) if kind.thing_of else _thing(ids, kind.about, outside)
    at = getattr(command, "at", None)
    if at is not None and not FIRST_DAY <= at.date() <= LAST_DAY:
        raise NotAFact(f"at: an instant lies between {FIRST_DAY} and {LAST_DAY}")
    return Taken(
        kind=kind,
        aggregate_id=_taking_in(kind, aggregate_id, thing, command),
        command=command,
        thing=thing,
        name="/".join(
            (
                (kind.series if fact_id and kind.series else str(name)),
                *((str(thing),) if kind.within else ()),
                *_distinguished(line, kind, fact_id, command),
            )
        ),
        names=names,
    )


def _taking_in(kind: Kind, named: UUID, thing: UUID, command: Any) -> UUID:
    """The aggregate that takes a fact in: the one that its line names, of a customer the ledger in the fact's currency;
    or what the command is about."""
    if kind.aggregate is ledger:
        return ledger_of(named, command.amount.currency)
    return thing if kind.thing_of else named


def _outside(field: str, said: Any) -> str:
    """An outside id wherever one stands: a text, or a whole number, which is the text of its digits."""
    if said is None or said == "":
        raise NotAFact(f"{field}: the outside id is missing")
    if isinstance(said, int) and not isinstance(said, bool):
        return str(said)
    if not isinstance(said, str):
        raise NotAFact(f"{field}: an outside id is a text or a whole number, not {said!r}")
    return said


def _distinguished(line: Mapping[str, Any], kind: Kind, fact_id: str | None, command: Any) -> Iterator[str]:
    """What tells a fact from others of its kind about the same thing."""
    if kind.again is None:
        return
    if fact_id is not None:
        yield f"={uuid5(OUTSIDE, fact_id)}"  # as a hash: nobody knows what they hold
        return
    if not kind.again or "*" in kind.again:
        at = command.at
        yield at.astimezone(UTC).isoformat() if at and at.tzinfo else command.on.isoformat()
    for said in kind.again:
        own = kind.references.get(said, (said,))[0]
        yield "+".join(sorted(line.keys() - COMMON)) if said == "*" else str(getattr(command, own, None))


def _thing(ids: Ids, about: str, outside: str) -> UUID:
    """The id of something named by its outside id. A contract carries the outside id of its deal, so that the contract
    that a won deal brings about later is the same one."""
    return contract_of(ids("deal", outside)) if about == "contract" else ids(about, outside)


@cache
def _adapter(command: type) -> TypeAdapter[Any]:
    return TypeAdapter(command)
