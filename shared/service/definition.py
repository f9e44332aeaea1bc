"""The definition of a service: the list of what it consists of, as data."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from fastapi import APIRouter
from starlette.routing import BaseRoute

from shared.commands.executor import CommandExecutor
from shared.commands.loaders import Provider
from shared.commands.references import Listed, OnStream
from shared.deliveries.delivery import Channel, Deliveries, Receivers
from shared.directory.approvals import approval_of, subject_of
from shared.directory.hours import hours_in_force
from shared.directory.organisation import NAME as ORGANISATION
from shared.directory.organisation import organisation
from shared.directory.policies import provided_by
from shared.directory.references import PEOPLE
from shared.domain.aggregate import Aggregate
from shared.domain.approval.requesting import Approvals, OwnApproval, Subject
from shared.domain.follow_up import follow_up
from shared.domain.policy import InForce, Policies
from shared.events.leads.team import TeamFormed
from shared.events.registry import Registry, registry_of, service_of, topic_of_class
from shared.events.working_hours import WorkingHours
from shared.eventstore.batching import RELAXED, Pace
from shared.http.context import ServiceContext
from shared.http.resources import Resource
from shared.languages.catalogue import Catalogue
from shared.languages.shipped import SHIPPED
from shared.projections.lists import Listing
from shared.projections.projection import Projection
from shared.projections.read_snapshot import Projections
from shared.reactions.registry import Reactions

Part = Literal["web", "workers"]
"""A part of what a process of a service does: it answers requests, or does what follows from them."""

Seed = Callable[[CommandExecutor], Awaitable[None]]
"""Something that has to be there, like a built-in process; runs at every start and must be repeatable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedSource:
    """Where a service's event stream comes from: the names of the projections that it reads, what follows a position
    (and up to where that is all), and the newest position."""

    reads: Sequence[str]
    read: Callable[[Projections, int, int], Awaitable[tuple[Sequence[tuple[int, Any]], int]]]
    head: Callable[[Projections], Awaitable[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What a service sends outside because of its own events: what follows from each, who gets it, and the ways that
    there are in this deployment."""

    deliveries: Deliveries
    receivers: Callable[[ServiceContext], Receivers]
    channels: Callable[[ServiceContext], Mapping[str, Channel]]
    reads: Sequence[str] = ()
    """The projections that receivers and channels ask."""


@dataclass(frozen=True, slots=True)
class Service:
    """What a service consists of; `shared.service.build` makes it run."""

    name: str
    aggregates: tuple[Aggregate, ...] = field(default=(), kw_only=True)
    policies: Policies | None = field(default=None, kw_only=True)
    """The rules with numbers that people set; handlers are given those in force by their types."""
    approvals: Approvals | None = field(default=None, kw_only=True)
    """What it has approved by chains; their family is an aggregate beside the others."""
    bulk: tuple[type, ...] = field(default=(), kw_only=True)
    """The commands that may be given for many things at once."""
    resources: tuple[Resource, ...] = field(default=(), kw_only=True)
    """What is published of the aggregates; one without is not shown."""
    reactions: Reactions | None = field(default=None, kw_only=True)
    projections: tuple[Projection, ...] = field(default=(), kw_only=True)
    """The projection of the organisation is added to every service."""
    listings: tuple[Listing, ...] = field(default=(), kw_only=True)
    routes: tuple[APIRouter | BaseRoute, ...] = field(default=(), kw_only=True)
    """Hand-written routes. A router's routes sign in and check roles as `operation` says; a bare Starlette route or
    mount (static files) does neither."""
    provides: Mapping[type, Provider] = field(default_factory=dict, kw_only=True)
    """How parameters of handlers are loaded, by their type."""
    knows: tuple[OnStream | Listed, ...] = field(default=PEOPLE, kw_only=True)
    """How it is known what commands name beside their own aggregate; by default people and teams are."""
    reads: tuple[type, ...] | None = field(default=(), kw_only=True)
    """Event classes of other services that it journals; None for all that there are, its own among them: what it reads
    of the whole it reads in one way, from topics."""
    seeds: tuple[Seed, ...] = field(default=(), kw_only=True)
    outside: Outside | None = field(default=None, kw_only=True)
    feed: FeedSource | None = field(default=None, kw_only=True)
    """What its event stream tells."""
    pace: Pace = field(default=RELAXED, kw_only=True)
    """How its journal and its projections keep pace with what happens."""
    journal_pace: Pace | None = field(default=None, kw_only=True)
    """The same for its journal and what is folded of it, where that differs."""
    pages: Path | None = field(default=None, kw_only=True)
    """A folder of static files that everybody may load; its index.html is the page at `/`."""
    catalogues: Mapping[str, Catalogue] = field(default_factory=lambda: SHIPPED, kw_only=True)
    """What it says to people, by language."""
    tags: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    """The subjects by which its operations are grouped in the reference, with a sentence each."""
    description: str = field(kw_only=True)
    """What it does, for the reference."""

    @property
    def every_aggregate(self) -> tuple[Aggregate, ...]:
        """Its aggregates, and the family of its approvals."""
        return (*self.aggregates, *((self.approvals.family,) if self.approvals else ()))

    @property
    def families(self) -> tuple[Aggregate, ...]:
        """Every aggregate, its policies, and what it tells of the things that it does by itself."""
        by_itself = self.reactions is not None or any(aggregate.has_timers for aggregate in self.every_aggregate)
        told = (follow_up(self.name),) if by_itself else ()
        return (*self.every_aggregate, *((self.policies.family,) if self.policies else ()), *told)


def registry_for(service: Service) -> Registry:
    """The published events, and those of the service's aggregates should they not be among them."""
    published = registry_of()
    own = {event for aggregate in service.families for event in aggregate.events} - set(published.classes)
    return Registry([*published.classes, *own]) if own else published


def projections_of(service: Service) -> tuple[Projection, ...]:
    """The projections of a service; everybody has the organisation."""
    if any(projection.name == ORGANISATION for projection in service.projections):
        return service.projections
    return (organisation("log" if service.name == service_of(TeamFormed) else "journal"), *service.projections)


def journaled_topics(service: Service, registry: Registry) -> frozenset[str]:
    """The topics that a service keeps in its journal."""
    if service.reads is None:
        return frozenset(registry.topics())
    projections = [projection for projection in projections_of(service) if projection.source == "journal"]
    classes = {*service.reads, *(event for projection in projections for event in projection.events)}
    classes |= set(service.reactions.reads) if service.reactions else set()
    return frozenset(topic_of_class(event) for event in classes if service_of(event) != service.name)


def providers_of(service: Service) -> Mapping[type, Provider]:
    """How the parameters of handlers are loaded: what the service says, its policies, and what is approved."""
    return {
        **service.provides,
        **(provided_by(service.policies) if service.policies else {}),
        **(_of_approvals(service.approvals) if service.approvals else {}),
    }


def _of_approvals(approvals: Approvals) -> dict[type, Provider]:
    return {
        Subject: subject_of(approvals),
        OwnApproval: approval_of(approvals),
        InForce[WorkingHours]: hours_in_force,
    }
