"""The law of follow-ups: what readers wait for is what the services answer, and whoever has timers tells of them."""

from deploy.services import definition_of
from shared.events.follow_ups import FOLLOWERS, TIMED
from shared.events.registry import SERVICES
from shared.service.definition import Service

OWNERS: list[Service] = [definition_of(name) for name in SERVICES]


def test_what_readers_wait_for_is_what_services_answer() -> None:
    """Waited for and not answered, an effect would be waited for for ever; answered and not waited for, a command would
    be called done too early."""
    answered = {
        (event, service.name, reaction.when, reaction.imported)
        for service in OWNERS
        if service.reactions
        for reaction in service.reactions.every
        for event in reaction.events
    }
    known = [(event, each) for event, followers in FOLLOWERS.items() for each in followers]
    told = {(event, each.service, each.when, each.imported) for event, each in known}
    assert told == answered


def test_whoever_has_timers_tells_of_those_that_are_refused() -> None:
    timed = {service.name for service in OWNERS if any(aggregate.has_timers for aggregate in service.every_aggregate)}
    assert timed == set(TIMED)
