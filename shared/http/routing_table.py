"""Trie of routes: a request is matched against the few routes whose addresses can be its own, not against all of a
service.

The framework asks every route in turn, and the hundreds of a service made that a tenth of what a command costs. The
table leaves the decision to the routes: of those that it finds, the first that fits answers, as without it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

CHOSEN = "throughline.route"
"""Under this name a request knows which route was found for it."""


@dataclass(slots=True)
class _Segment:
    """What may follow a segment of an address, and the routes that end with it, by their place among all."""

    named: "dict[str, _Segment]" = field(default_factory=dict)
    any: "_Segment | None" = None
    """What follows a parameter."""
    ends: list[int] = field(default_factory=list)

    def then(self, segment: str) -> "_Segment":
        """What follows a segment of a route's address; anything where that holds a parameter."""
        if "{" not in segment:
            return self.named.setdefault(segment, _Segment())
        self.any = self.any or _Segment()
        return self.any

    def reached(self, path: Sequence[str]) -> Iterator[int]:
        """The routes that a path can be meant for."""
        if not path:
            yield from self.ends
            return
        first, *rest = path
        for following in (self.named.get(first), self.any):
            if following is not None:
                yield from following.reached(rest)


class RoutingTable(BaseRoute):
    """Some routes as one. Those whose parameter may hold slashes are matched against every request."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = tuple(routes)
        self._root = _Segment()
        self._always = tuple(place for place, route in enumerate(self.routes) if ":path}" in route.path)
        for place, route in enumerate(self.routes):
            if place not in self._always:
                self._end_of(route.path).ends.append(place)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """The first route that fits; else the first that fits but for the method."""
        partial: tuple[Match, Scope] = Match.NONE, {}
        for place in sorted((*self._always, *self._root.reached(_path(scope).split("/")))):
            route = self.routes[place]
            match, child = route.matches(scope)
            if match is Match.FULL:
                return match, {**child, CHOSEN: route}
            if match is Match.PARTIAL and partial[0] is Match.NONE:
                partial = match, {**child, CHOSEN: route}
        return partial

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the route answer that was found."""
        await scope[CHOSEN].handle(scope, receive, send)

    def _end_of(self, path: str) -> _Segment:
        found = self._root
        for segment in path.split("/"):
            found = found.then(segment)
        return found


def _path(scope: Scope) -> str:
    """The path below where the application stands (ASGI's `root_path`): cut at a segment, as routes do."""
    path: str = scope["path"]
    below = path.removeprefix(scope.get("root_path", ""))
    return below if below.startswith("/") or not below else path
