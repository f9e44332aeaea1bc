"""Policy: a rule with its numbers as a versioned document, in force from a day on (effectivity; Fowler, 2004).

    PAYMENT_TERMS = Policy("payment-terms", PaymentTermsPolicy, default=…, allow=SETTING_TERMS, faults=terms_faults)
    POLICIES = policies("contract", ContractPolicySet, PAYMENT_TERMS)

    @contract.decides(allow=SELLING)
    def draft(state: NoContract, command: DraftContract, terms: InForce[PaymentTermsPolicy]) -> Decision:
        counts = terms.of(team=command.team)

There is one stream for each kind, which holds the versions of all scopes; its event has a field of the kind's name with
the document. What a policy decides names its version, so that it is known later by which numbers that was.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, make_dataclass
from datetime import date
from typing import Any, Generic, Literal, TypeVar
from uuid import NAMESPACE_URL, UUID, uuid5

from shared.domain.aggregate import Aggregate, Decision
from shared.domain.context import Company, Context
from shared.domain.fields import Day, Text
from shared.domain.references import AnyTeamId, ProcessId
from shared.domain.rejection import Reason, refuse_all
from shared.domain.roles import EVERYBODY, Permission
from shared.events.definition import described, value
from shared.events.registry import service_of

Document = TypeVar("Document")
Scope = Literal["company", "team", "process"]

DEFAULT = 0
"""The number of what counts as long as nobody has set anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version(Generic[Document]):
    """A document that was set. `number` counts from 1 in its kind; without a document, the next wider scope counts from
    that day on."""

    number: int
    valid_from: date
    document: Document | None
    team: UUID | None
    process: UUID | None
    set_on: date
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts(Generic[Document]):
    """The document that counts for something, and its version; `DEFAULT` is the product's own."""

    document: Document
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce(Generic[Document]):
    """What is in force of a kind on a day, as a handler is given it."""

    default: Document
    on: date
    versions: Sequence[Version[Document]] = ()
    above: Mapping[UUID, UUID] = field(default_factory=dict)
    """Team → the team above it, as far as it matters."""

    def of(self, *, team: UUID | None = None, process: UUID | None = None) -> Counts[Document]:
        """What counts for a team and a process: set for the process, else for the team or the nearest above it, else
        for the company, else the default. Of versions of one scope the one that became valid last counts, of one day
        the one that was set last."""
        counting = {_scope_of(each): each for each in in_force(self.versions, self.on)}
        for scope in self._scopes(team, process):
            found = counting.get(scope)
            if found is not None and found.document is not None:
                return Counts(document=found.document, version=found.number)
        return Counts(document=self.default, version=DEFAULT)

    def _scopes(self, team: UUID | None, process: UUID | None) -> Iterator[tuple[UUID | None, UUID | None]]:
        if process is not None:
            yield None, process
        passed = set[UUID]()
        while team is not None and team not in passed:  # a hierarchy that was told in another order may be a ring
            yield team, None
            passed.add(team)
            team = self.above.get(team)
        yield None, None


def in_force(versions: Sequence[Version[Document]], on: date) -> list[Version[Document]]:
    """The versions that count on a day, one for each scope that has a document of its own then."""
    last: dict[tuple[UUID | None, UUID | None], Version[Document]] = {}
    for version in sorted(versions, key=lambda each: (each.valid_from, each.number)):
        if version.valid_from <= on:
            last[_scope_of(version)] = version
    return [version for version in last.values() if version.document is not None]


def _scope_of(version: Version[Any]) -> tuple[UUID | None, UUID | None]:
    return version.team, version.process


Faults = Callable[[Any], Iterable[Reason]]


def no_faults(document: Any) -> Iterable[Reason]:
    """The types say it all."""
    return ()


@dataclass(frozen=True, slots=True)
class Policy(Generic[Document]):
    """A kind of policy: its document, what counts by default, and who sets it.

    `faults` gives every reason why a document cannot be, each with its field in the document; `scopes` are those that
    it may be set for beside the company.
    """

    kind: str
    document: type[Document]
    default: Document | Callable[[Company], Document] = field(kw_only=True)
    """What counts as long as nothing is set, maybe by company; `default_of` says it."""
    allow: Permission = field(kw_only=True)
    example: Mapping[str, Any] = field(kw_only=True)
    scopes: tuple[Scope, ...] = field(default=("company", "team"), kw_only=True)
    faults: Faults = field(default=no_faults, kw_only=True)

    def default_of(self, company: Company) -> Document:
        """What counts in a company as long as nothing is set."""
        return self.default(company) if callable(self.default) else self.default

    @property
    def event_field(self) -> str:
        """The field of the event that has its documents."""
        return event_field_of(self.kind)

    @property
    def title(self) -> str:
        """Its name in schemas, like PaymentTerms."""
        return "".join(word.capitalize() for word in self.kind.split("-"))

    @property
    def summary(self) -> str:
        """What it rules, in a sentence: the first line of its document's docstring."""
        return (self.document.__doc__ or self.kind).strip().split("\n")[0]


def event_field_of(kind: str) -> str:
    """The field of the event that has the documents of a kind."""
    return kind.replace("-", "_")


@value
class NoPolicy:
    """Nothing was set: the default counts."""


@value
class StatedPolicy:
    """What was set of a kind, in its order."""

    id: UUID
    kind: str
    versions: tuple[Version[Any], ...]


def versions_of(state: Any) -> tuple[Version[Any], ...]:
    """What was set of a kind, in its order."""
    return state.versions if isinstance(state, StatedPolicy) else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """The policies of a service: their family, and its kinds with the commands that set them."""

    family: Aggregate
    kinds: Mapping[str, Policy[Any]]
    commands: Mapping[str, type]

    def id_of(self, policy: Policy[Any]) -> UUID:
        """The stream of a kind."""
        return stream_of(service_of(next(iter(self.family.events))), policy.kind)


def stream_of(service: str, kind: str) -> UUID:
    """The stream of a kind of a service."""
    return uuid5(NAMESPACE_URL, f"urn:throughline:{service}:policy/{kind}")


def policies(singular: str, told: type[Any], *kinds: Policy[Any]) -> Policies:
    """The policies of a service. `told` is its event, `singular` the word before `-policies` in their addresses."""
    family = Aggregate("policy", plural=f"{singular}-policies", start=NoPolicy, readers=EVERYBODY)
    commands = {policy.kind: _command(policy) for policy in kinds}
    for policy in kinds:
        _decides(family, policy, commands[policy.kind], told)

    def was_set(state: NoPolicy | StatedPolicy, event: Any) -> StatedPolicy:
        return _with(state, event)

    was_set.__annotations__["event"] = told
    family.evolves(was_set)
    return Policies(family=family, kinds={policy.kind: policy for policy in kinds}, commands=commands)


def _decides(family: Aggregate, policy: Policy[Any], command: type, told: type[Any]) -> None:
    """Register how a kind is set: what else is written as a function with annotations."""

    def set_(state: NoPolicy | StatedPolicy, command: Any, context: Context) -> Decision:
        refuse_all("invalid-policy", "The policy cannot be set like this.", list(_faults(policy, command, context)))
        versions = versions_of(state)
        valid_from = command.valid_from or context.today
        team, process = getattr(command, "team", None), getattr(command, "process", None)
        if _says_so_already(versions, command.document, (team, process), valid_from):
            return []
        happened = told(
            policy_id=context.aggregate_id,
            kind=policy.kind,
            number=len(versions) + 1,
            on=context.today,
            valid_from=valid_from,
            team=team,
            process=process,
            reason=command.reason,
            **{policy.event_field: command.document},
        )
        return [happened]

    set_.__name__ = f"set_{policy.event_field}"
    set_.__doc__ = f"Set the policy {policy.kind} from a day on."
    set_.__annotations__["command"] = command
    family.decides(allow=policy.allow, routed=False)(set_)


def _faults(policy: Policy[Any], command: Any, context: Context) -> Iterator[Reason]:
    if command.valid_from is not None and command.valid_from < context.today:
        message = f"What was decided stays: a policy is valid from today, {context.today}, on at the earliest."
        yield Reason(code="in-the-past", message=message, field="valid_from")
    if getattr(command, "team", None) is not None and getattr(command, "process", None) is not None:
        yield Reason(code="two-scopes", message="A policy is set for a team or a process.", field="process")
    if command.document is not None:
        for reason in policy.faults(command.document):
            where = f"document.{reason.field}" if reason.field else "document"
            yield Reason(code=reason.code, message=reason.message, field=where, details=reason.details)


def _says_so_already(
    versions: Sequence[Version[Any]],
    document: Any,
    scope: tuple[UUID | None, UUID | None],
    valid_from: date,
) -> bool:
    """Whether what a scope has from a day on is this already, and nothing was planned for it from a later day on."""
    own = [each for each in versions if _scope_of(each) == scope]
    last = max(own, key=lambda each: (each.valid_from, each.number), default=None)
    return (last.document if last else None) == document and (last is None or last.valid_from <= valid_from)


def _with(state: NoPolicy | StatedPolicy, event: Any) -> StatedPolicy:
    version = Version(
        number=event.number,
        valid_from=event.valid_from,
        document=getattr(event, event_field_of(event.kind), None),
        team=event.team,
        process=event.process,
        set_on=event.on,
        reason=event.reason,
    )
    return StatedPolicy(id=event.policy_id, kind=event.kind, versions=(*versions_of(state), version))


def _command(policy: Policy[Any]) -> type:
    """The command that sets a kind: its document, for whom and from when on."""
    scopes = {
        "team": described(AnyTeamId | None, "The team that it is for, with those below it; default: the company."),
        "process": described(ProcessId | None, "The process that it is for; default: the company."),
    }
    made = make_dataclass(
        f"Set{policy.title}Policy",
        [
            (
                "document",
                described(
                    policy.document | None,
                    "What counts from that day on; null: what the next wider scope says, for the company the default.",
                ),
            ),
            ("valid_from", described(Day | None, "Today or later; default: today."), field(default=None)),
            *((scope, scopes[scope], field(default=None)) for scope in policy.scopes if scope != "company"),
            ("reason", Text | None, field(default=None)),
        ],
        namespace={"example": {"document": policy.example}},
        frozen=True,
        slots=True,
        kw_only=True,
    )
    made.__module__, made.__doc__ = __name__, policy.summary
    made.__pydantic_config__ = {"extra": "forbid"}  # type: ignore[attr-defined]
    return made
