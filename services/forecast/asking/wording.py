"""Display names: what answers call keys and events in the language of whoever asks. The keys stand beside them, for
programs.

Whoever shows an answer needs no list of types, states or fields of their own, and none has to change for a new one.
What is said stands in the catalogues (`shared/languages/catalogues`).
"""

from shared.languages.catalogue import Catalogue


def event_text(words: Catalogue, type_name: str) -> str:
    """What an event of a type says happened: "deals.deal-won" is "Deal won". One that a later release knows says it by
    its name."""
    key = f"event.{type_name}"
    return words.say(key) if key in words else spelled(type_name.rpartition(".")[2])


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


def spelled(key: str) -> str:
    """A key of the company's own data, in words: the stage "first-contact" is "First contact"."""
    words = key.replace("-", " ").replace("_", " ")
    return words[:1].upper() + words[1:]
