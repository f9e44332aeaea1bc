"""Display names of events: what one of a type says happened, in the language of whoever asks."""

from shared.languages.catalogue import Catalogue


def event_text(words: Catalogue, type_name: str) -> str:
    """What an event of a type says happened: "deals.deal-won" is "Deal won". One that a later release knows says it by
    its name."""
    key = f"event.{type_name}"
    return words.say(key) if key in words else spelled(type_name.rpartition(".")[2])


def spelled(key: str) -> str:
    """A key of the company's own data, in words: the stage "first-contact" is "First contact"."""
    words = key.replace("-", " ").replace("_", " ")
    return words[:1].upper() + words[1:]
