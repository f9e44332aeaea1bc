"""What a report on a period says of its figures and stages: how they stand, what is abnormal, where it is narrow
(PROC-6). Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from services.forecast.health.rules import NODE_COMPLETION, Band, Measured, band, judged_by, shown
from shared.events.forecast.policy import HealthLimits
from shared.events.forecast.review import ReportedFigure, ReportedStage


def reported_figures(values: Mapping[str, Measured], limits: HealthLimits) -> tuple[ReportedFigure, ...]:
    """The metrics as they are reported, judged by limits."""
    return tuple(
        ReportedFigure(
            metric=each.metric,  # type: ignore[arg-type]
            numerator=values[each.metric].numerator,
            denominator=values[each.metric].denominator,
            sample=values[each.metric].n,
            value=None if (value := values[each.metric].value) is None else shown(each, value),
            state=band(each, values[each.metric], limits.smallest_sample).value,
        )
        for each in judged_by(limits)
    )


def judged_stages(stages: Iterable[ReportedStage], limits: HealthLimits) -> tuple[ReportedStage, ...]:
    """The stages, with what is abnormal about them, and which of each version is the bottleneck."""
    (completion,) = (each for each in judged_by(limits) if each.metric == NODE_COMPLETION.metric)
    known = list(stages)
    narrowest = _narrowest(known, limits.smallest_sample)
    return tuple(
        replace(
            each,
            abnormal=band(completion, _share(each.completed, each.due), limits.smallest_sample) is Band.ALERT,
            bottleneck=_key(each) in narrowest,
        )
        for each in known
    )


def _narrowest(stages: Iterable[ReportedStage], smallest_sample: int) -> set[tuple[UUID, int, str]]:
    """Of each version of a process the stages at whose gates the least pass at the first attempt; none where everybody
    does, or too few tried to say."""
    rates = defaultdict[tuple[UUID, int], dict[tuple[UUID, int, str], Decimal]](dict)
    for each in stages:
        if each.attempts >= smallest_sample:
            rates[each.process_id, each.process_version][_key(each)] = Decimal(each.passes) / each.attempts
    least = {version: min(each.values()) for version, each in rates.items()}
    return {key for version, each in rates.items() for key, rate in each.items() if rate == least[version] and rate < 1}


def _key(stage: ReportedStage) -> tuple[UUID, int, str]:
    return stage.process_id, stage.process_version, stage.stage


def _share(part: int, whole: int) -> Measured:
    return Measured(numerator=Decimal(part), denominator=Decimal(whole), n=whole)
