"""The record of a company: registered, and its profile changed (ACCT-1)."""

from dataclasses import asdict, replace
from typing import Any, ClassVar, Protocol
from uuid import UUID

from services.leads.domain.account.state import KEPT_BY, PROFILE, ActiveAccount, NoAccount, Profile, account
from services.leads.domain.contact_points import normalised
from services.leads.domain.fields import Country, Domain, Headcount, Word
from shared.domain.aggregate import Decision
from shared.domain.context import Context
from shared.domain.fields import Name
from shared.domain.history import stated
from shared.domain.merge_patch import absent, given
from shared.domain.references import AnyAccountId, MemberId
from shared.domain.rejection import Reason, all_at_once, refuse_all
from shared.domain.roles import SELLING
from shared.domain.working_time.reminders import after_hand_over
from shared.events.definition import value
from shared.events.leads.account import AccountChanged, AccountHandedOver, AccountOpened


@value
class Neighbours:
    """What a profile meets: who holds its domain, and what the parent is that a command names."""

    domain_holder: UUID | None = None
    parent_exists: bool = True
    """Of history; what an ordinary command names is a reference."""
    circular: bool = False
    """Whether the account would belong to itself, now or at any time."""


@value
class Keeper:
    """Whose a new account becomes."""

    member_id: UUID | None = None
    team: UUID | None = None


@value
class RegisterAccount:
    """Enter a company."""

    name: Name
    domain: Domain | None = None
    """A host or web address; the registrable domain is kept, and one account has it at a time."""
    industry: Word | None = None
    size: Headcount | None = None
    """People employed."""
    country: Country | None = None
    """ISO 3166-1, two letters."""
    parent_id: AnyAccountId | None = None
    """The company that it belongs to."""
    owner: MemberId | None = None
    """The member who keeps it; default: whoever asks."""

    example: ClassVar[dict[str, object]] = {
        "name": "Northwind Tooling",
        "domain": "northwind.example",
        "industry": "manufacturing",
        "size": 420,
        "country": "DE",
    }


@value
class ChangeAccount:
    """Change the profile of an account; what is left out stays, null empties."""

    name: Name = absent()
    domain: Domain | None = absent()
    industry: Word | None = absent()
    size: Headcount | None = absent()
    country: Country | None = absent()
    parent_id: AnyAccountId | None = absent()

    example: ClassVar[dict[str, object]] = {"size": 460, "industry": None}


class Company(Protocol):
    """What is told about a company."""

    @property
    def name(self) -> str: ...

    @property
    def domain(self) -> str | None: ...

    @property
    def industry(self) -> str | None: ...

    @property
    def size(self) -> int | None: ...

    @property
    def country(self) -> str | None: ...

    @property
    def parent_id(self) -> UUID | None: ...


@account.decides(allow=SELLING)
def register(
    state: NoAccount, command: RegisterAccount, context: Context, neighbours: Neighbours, keeper: Keeper
) -> Decision:
    """Enter a company as an account of whoever asks, or of the member who is named."""
    all_at_once(lambda: said_by(command), lambda: check_place(context.aggregate_id, neighbours))
    profile = said_by(command)
    return [opened(context.aggregate_id, profile, owner=keeper.member_id, team=keeper.team)]


@account.decides(allow=SELLING, method="PATCH")
def change(state: ActiveAccount, command: ChangeAccount, neighbours: Neighbours) -> Decision:
    """Change the profile of an account; what is left out stays, what is null is emptied."""
    all_at_once(lambda: changed(state.profile, command), lambda: check_place(state.id, neighbours))
    profile = changed(state.profile, command)
    if profile == state.profile:
        return []
    reminded = state.reminded_follow_ups if profile.name != state.profile.name else ()
    return [replace(became(state.id, profile), reminded_follow_ups=reminded or None)]


@account.already
def is_registered(state: ActiveAccount, command: RegisterAccount) -> bool:
    return state.profile == said_by(command) and command.owner in (None, state.owner)


@account.evolves
def became_known(state: NoAccount, event: AccountOpened) -> ActiveAccount:
    profile = Profile(**stated(event, PROFILE, first=True))
    return ActiveAccount(
        id=event.account_id, profile=profile, owner=event.owner, team=event.team, lead_id=event.lead_id
    )


@account.evolves
def is_now(state: ActiveAccount, event: AccountChanged) -> ActiveAccount:
    profile = replace(state.profile, **stated(event, PROFILE))
    return replace(state, profile=profile, lead_id=event.lead_id or state.lead_id)


@account.evolves
def was_so_later(state: ActiveAccount, event: AccountOpened) -> ActiveAccount:
    """What was told as the first about it may turn out not to be: then it was so from that day on."""
    profile = replace(state.profile, **stated(event, PROFILE))
    kept = kept_by(state, stated(event, KEPT_BY))
    return replace(kept, profile=profile, lead_id=event.lead_id or state.lead_id)


@account.evolves
def is_kept_by(state: ActiveAccount, event: AccountHandedOver) -> ActiveAccount:
    return kept_by(state, stated(event, KEPT_BY))


def kept_by(state: ActiveAccount, whose: dict[str, Any]) -> ActiveAccount:
    """The account once it is another one's, who is reminded of what is due."""
    kept = replace(state, **whose)
    before, now = (state.owner, state.team), (kept.owner, kept.team)
    return replace(kept, reminders=after_hand_over(state.reminders, before=before, now=now))


def became(
    account_id: UUID, profile: Profile, *, lead_id: UUID | None = None, said: tuple[str, ...] | None = None
) -> AccountChanged:
    """The fact that the profile of an account is now this, as far as it is said."""
    return AccountChanged(account_id=account_id, lead_id=lead_id, said=said, **asdict(profile))


def opened(
    account_id: UUID,
    profile: Profile,
    *,
    owner: UUID | None,
    team: UUID | None,
    lead_id: UUID | None = None,
    said: tuple[str, ...] | None = None,
) -> AccountOpened:
    """The fact that an account with this profile is known."""
    return AccountOpened(account_id=account_id, owner=owner, team=team, lead_id=lead_id, said=said, **asdict(profile))


def said_by(command: Company, *, leave_out: bool = False) -> Profile:
    """The profile that a command gives, in normal form. What cannot be read is refused, or left out."""
    points = normalised(domain=command.domain, country=command.country, leave_out=leave_out)
    return Profile(
        name=command.name,
        domain=points.domain,
        industry=command.industry,
        size=command.size,
        country=points.country,
        parent_id=command.parent_id,
    )


def changed(profile: Profile, command: ChangeAccount) -> Profile:
    """The profile with what a command sets and empties."""
    news = given(command)
    points = normalised(domain=news.get("domain"), country=news.get("country"))
    normal = {"domain": points.domain, "country": points.country}
    return replace(profile, **{name: normal.get(name, said) for name, said in news.items()})


def check_place(account_id: UUID, neighbours: Neighbours) -> None:
    """Raise `Rejected` where another account has the domain or the account would stand below itself."""
    reasons = domain_taken(account_id, neighbours)
    if not neighbours.parent_exists:
        reasons.append(Reason(code="unknown-account", message="There is no such account.", field="parent_id"))
    elif neighbours.circular:
        reasons.append(
            Reason(code="circular-hierarchy", message="An account does not belong to itself.", field="parent_id")
        )
    refuse_all("invalid-profile", "The profile is invalid.", reasons)


def domain_taken(account_id: UUID, neighbours: Neighbours) -> list[Reason]:
    """The reason against a domain that another account has (LEAD-2)."""
    if neighbours.domain_holder in (None, account_id):
        return []
    return [Reason(code="domain-taken", message="Another account has this domain.", field="domain")]
