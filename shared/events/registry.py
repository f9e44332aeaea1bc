"""Event registry: which events exist, by type and version, and where each is published."""

import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import chain
from types import ModuleType

from shared.events.approvals import APPROVING, approval_events
from shared.events.definition import Upcast
from shared.events.follow_ups import published

SERVICES = ("leads", "deals", "contracts", "receivables", "forecast")
"""The services that own events; each has a package of its name beside this one, with a module for each
aggregate, and a second one for what keeps the record of a big one."""

UNREADABLE = "unreadable"
"""The type under which a record that is no event of ours is journaled: it may have been anything, so it parks its own
aggregate and no other."""


class Registry:
    """Event classes by (type, version), with the upcasts that turn an old version's data into the next one's."""

    def __init__(self, classes: Iterable[type], upcasters: Iterable[Upcast] = ()) -> None:
        self.classes: tuple[type, ...] = tuple(sorted(classes, key=_name_of))
        self._by_type: dict[tuple[str, int], type] = {_name_of(found): found for found in self.classes}
        if len(self._by_type) < len(self.classes):
            raise ValueError("two event classes share a type and a version")
        self.upcasters: Mapping[tuple[str, int], Upcast] = {_upcasts_of(function): function for function in upcasters}
        self._newest = {type_of(found): version_of(found) for found in self.classes}
        for name, version in self.upcasters:
            if self._newest.get(name, 0) <= version:
                raise ValueError(f"the upcast of {name} version {version} leads to no event class")

    def of(self, type_name: str, version: int) -> type | None:
        """The class of exactly this type and version, or None."""
        return self._by_type.get((type_name, version))

    def topics(self, service: str | None = None) -> tuple[str, ...]:
        """The topics of a service, or of all, in order."""
        classes = (found for found in self.classes if service in (None, service_of(found)))
        return tuple(sorted({topic_of_class(found) for found in classes}))


def registry_of(*services: str) -> Registry:
    """The events of these services (default: of all)."""
    modules = [module for service in services or SERVICES for module in modules_of(service)]
    return Registry(
        [
            *(found for module in modules for found in _events_in(module)),
            *(found for service in services or SERVICES for found in published(service)),
            *(
                found
                for service in APPROVING
                if service in (services or SERVICES)
                for found in approval_events(service).every
            ),
        ],
        [found for module in modules for found in vars(module).values() if hasattr(found, "upcasts")],
    )


def told_by(service: str) -> tuple[type, ...]:
    """The events of families that services have alike: what follows from events, and approvals."""
    return (*published(service), *(approval_events(service).every if service in APPROVING else ()))


def modules_of(service: str) -> list[ModuleType]:
    """The modules in which a service defines its events."""
    package = importlib.import_module(f"shared.events.{service}")
    names = sorted(found.name for found in pkgutil.iter_modules(package.__path__))
    return [importlib.import_module(f"{package.__name__}.{name}") for name in names]


def retraction_of(event_class: type) -> type | None:
    """The class of events that take back facts of the family of an event class, if such can be taken back."""
    return _retraction(event_class.__module__, event_class.aggregate)  # type: ignore[attr-defined]


@cache
def _retraction(module: str, family: str) -> type | None:
    service = module.removeprefix("shared.events.").split(".")[0]
    modules = modules_of(service) if service in SERVICES else [importlib.import_module(module)]
    found = chain.from_iterable(map(_events_in, modules))
    return next((each for each in found if each.retracts and each.aggregate == family), None)  # type: ignore[attr-defined]


def types_read(event_classes: Iterable[type]) -> frozenset[str]:
    """The names of the types that a fold of these classes reads: theirs, and those that take them back."""
    classes = tuple(event_classes)
    retractions = {each for each in map(retraction_of, classes) if each is not None}
    return frozenset(map(type_of, {*classes, *retractions}))


def topic_of(service: str, aggregate: str) -> str:
    """The topic of a service's aggregate type."""
    return f"{service}.{aggregate}.v1"


def topic_of_class(event_class: type) -> str:
    """The topic that an event class is published in."""
    return topic_of(service_of(event_class), event_class.aggregate)  # type: ignore[attr-defined]


def service_of(event_class: type) -> str:
    """The service that owns an event class."""
    return type_of(event_class).split(".", 1)[0]


def type_of(event_class: type) -> str:
    """The published name of an event class, like "deals.deal-won"."""
    return event_class.type  # type: ignore[attr-defined,no-any-return]


def version_of(event_class: type) -> int:
    """The version of an event class."""
    return event_class.version  # type: ignore[attr-defined,no-any-return]


def _events_in(module: ModuleType) -> list[type]:
    found = (member for member in vars(module).values() if isinstance(member, type))
    return [member for member in found if member.__module__ == module.__name__ and hasattr(member, "retracts")]


def _name_of(event_class: type) -> tuple[str, int]:
    return type_of(event_class), version_of(event_class)


def _upcasts_of(function: Upcast) -> tuple[str, int]:
    return function.upcasts  # type: ignore[attr-defined,no-any-return]
