"""Validation of the buyer's journey in a process: everything that is wrong with it, each with its position (PROC-7)."""

from collections.abc import Iterator

from services.deals.domain.journey import BUYER_STAGES
from shared.domain.criteria import blank, misspelt, repeated
from shared.domain.rejection import Reason
from shared.domain.roles import MACHINERY, Role
from shared.events.process import JourneyStage, ProcessDefinition

DEPARTMENTS = tuple(role.value for role in Role if role not in MACHINERY)
"""The roles that have a part in a stage."""


def journey_faults(definition: ProcessDefinition, root: str) -> Iterator[Reason]:
    """What is wrong with the journey; a key of a touchpoint is one in the whole of it, for content names it."""
    placed = [(f"{root}.journey.{index}", stage) for index, stage in enumerate(definition.journey)]
    touchpoints = [
        (f"{where}.touchpoints.{index}", touchpoint)
        for where, stage in placed
        for index, touchpoint in enumerate(stage.touchpoints)
    ]
    keys = [(f"{at}.key", touchpoint.key) for at, touchpoint in touchpoints]
    yield from misspelt(keys)
    yield from repeated(keys)
    yield from repeated([(f"{where}.key", stage.key) for where, stage in placed])
    yield from blank([(f"{at}.name", touchpoint.name) for at, touchpoint in touchpoints])
    for where, stage in placed:
        yield from _stage_faults(stage, where)


def unknown_buyer_stage(stage: str, where: str) -> Iterator[Reason]:
    """A stage of the buyer that there is not."""
    if stage not in BUYER_STAGES:
        message = f"The buyer's journey has no stage {stage!r}; it has {', '.join(BUYER_STAGES)}."
        yield Reason(code="unknown-buyer-stage", message=message, field=where)


def unknown_role(role: str, where: str) -> Iterator[Reason]:
    """A role that nobody has."""
    if role not in DEPARTMENTS:
        message = f"There is no role {role!r}; there are {', '.join(DEPARTMENTS)}."
        yield Reason(code="unknown-role", message=message, field=where)


def _stage_faults(stage: JourneyStage, where: str) -> Iterator[Reason]:
    yield from unknown_buyer_stage(stage.key, f"{where}.key")
    if stage.responsible is not None:
        yield from unknown_role(stage.responsible, f"{where}.responsible")
    for name in ("needs", "pains", "channels"):
        yield from blank([(f"{where}.{name}.{index}", each) for index, each in enumerate(getattr(stage, name))])
    said = [(f"{where}.{name}", getattr(stage, name)) for name in ("action", "deliverable")]
    yield from blank([(at, text) for at, text in said if text is not None])
