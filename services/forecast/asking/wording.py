"""Display names: what answers call keys and events in the language of whoever asks. The keys stand beside them, for
programs.

Whoever shows an answer needs no list of types, states or fields of their own, and none has to change for a new one.
What is said stands in the catalogues (`shared/languages/catalogues`).
"""

from shared.languages.catalogue import Catalogue


def outcome_title(words: Catalogue, outcome: str) -> str:
    """The outcome of a deal."""
    return words.say(f"outcome.{outcome}")


def category_title(words: Catalogue, category: str) -> str:
    """A forecast category."""
    return words.say(f"category.{category}")


def leg_title(words: Catalogue, leg: str) -> str:
    """A leg of the pipeline changes."""
    return words.say(f"leg.{leg}")


def field_title(words: Catalogue, field: str) -> str:
    """A field of a deal."""
    return words.say(f"field.{field}")


def role_title(words: Catalogue, role: str | None) -> str:
    """A role; nothing without one."""
    return words.say(f"role.{role}") if role else ""
