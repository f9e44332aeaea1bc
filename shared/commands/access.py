"""Authorisation: who may carry out a command, decided on the state that the command meets (API-4)."""

from typing import Any

from shared.commands.request import CommandRequest, Forbidden, NotFound
from shared.domain.aggregate import Aggregate, Handler
from shared.domain.context import Actor
from shared.domain.permissions import may, reach_of, role_missing, sees
from shared.domain.rejection import Reason, Rejected


def authorise(request: CommandRequest, handler: Handler, state: Any) -> None:
    """Raise `NotFound` for what the actor may not know of, `Forbidden` for what they see and may not do."""
    if isinstance(state, request.aggregate.start):
        if reach_of(request.actor, handler.allow) is None:
            raise Forbidden(role_missing(handler.allow))
        return
    owner, team = getattr(state, "owner", None), getattr(state, "team", None)
    if not is_seen(request.actor, request.aggregate, state):
        raise NotFound(request.aggregate.name, request.aggregate_id)
    if reason := may(request.actor, handler.allow, owner, team):
        raise Forbidden(reason)


def is_seen(actor: Actor, aggregate: Aggregate, state: Any) -> bool:
    """Whether an actor sees a thing: by its owner and team, or as one of those whom the state names, like an
    approver."""
    if actor.member is not None and actor.member in getattr(state, "known_to", ()):
        return True
    return sees(actor, aggregate.readers, getattr(state, "owner", None), getattr(state, "team", None))


def obstacle(actor: Actor, aggregate: Aggregate, state: Any, command: type) -> Reason | None:
    """Why an actor may not give commands of a class to something that they see, as far as their role, its owner and
    team, its state, and the guard of the command in that state say; None where they may. What is decided on a command's
    own content is not known here."""
    handler = aggregate.handler_of(state, command)
    allow = (handler or aggregate.handlers[command][0]).allow
    if reason := may(actor, allow, getattr(state, "owner", None), getattr(state, "team", None)):
        return Reason(code="not-allowed", message=reason)
    if handler is None:
        return aggregate.not_possible(state, command).reasons[0]
    try:
        if handler.guard is not None:
            handler.guard(state, actor)
    except Rejected as refusal:
        return Reason(code=refusal.code, message=refusal.message)
    return None


def authorise_created(request: CommandRequest, handler: Handler, created: Any) -> None:
    """Nobody may create what they could not change: it has to be theirs, or their team's."""
    if isinstance(created, request.aggregate.start):
        return
    if reason := may(request.actor, handler.allow, getattr(created, "owner", None), getattr(created, "team", None)):
        raise Forbidden(reason)
