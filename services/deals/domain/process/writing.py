"""Criteria of the built-in processes, written shortly."""

from shared.events.criteria import Criterion, FactValue, Predicate


def criterion(
    key: str,
    name: str,
    fact: str | None = None,
    operator: str | None = None,
    value: FactValue = None,
    *,
    any_of: tuple[tuple[str, str, FactValue], ...] = (),
) -> Criterion:
    """A criterion of one comparison, or of several of which one has to hold."""
    if any_of:
        parts = tuple(Predicate(fact=asked, operator=how, value=wanted) for asked, how, wanted in any_of)
        return Criterion(key=key, name=name, when=Predicate(any_of=parts))
    return Criterion(key=key, name=name, when=Predicate(fact=fact, operator=operator, value=value))


def done(key: str, name: str, fact: str) -> Criterion:
    """A criterion that something is so."""
    return criterion(key, name, fact, "is", True)
