"""The languages that ship: every file of `catalogues` is one, named by its tag (BCP 47). A further one is a file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec
from babel import UnknownLocaleError

from shared.languages.catalogue import Catalogue, Text
from shared.languages.completeness import faults_of
from shared.languages.preference import lookup, preferred

FOLDER = Path(__file__).parent / "catalogues"
SOURCE = "en"
"""The language that texts are written in first: what it says, all others say."""


class CatalogueError(Exception):
    """A catalogue is not whole; the message has one line for each fault."""


@dataclass(frozen=True, slots=True)
class Languages:
    """The languages that there are, by their tags, and the company's own, for whoever asks for none of them."""

    catalogues: Mapping[str, Catalogue]
    company: str

    @property
    def own(self) -> Catalogue:
        """The company's language, as far as it ships: `de` where it is `de-AT`."""
        return self.catalogues[lookup(self.company, self.catalogues) or SOURCE]

    def asked(self, accepted: str | None) -> Catalogue:
        """The language that an Accept-Language header prefers."""
        return self.catalogues[preferred(accepted, self.catalogues, self.own.language)]

    def named(self, tag: str) -> Catalogue | None:
        """The language that a tag names, or that serves whoever asks for it; None where none does."""
        found = lookup(tag, self.catalogues)
        return None if found is None else self.catalogues[found]


def read_catalogues(folder: Path) -> Mapping[str, Catalogue]:
    """The catalogues of a folder, by language. Raises CatalogueError with every fault of all of them."""
    files = {file.stem: file for file in sorted(folder.glob("*.json"))}
    found, faults = {}, []
    for language, file in files.items():
        try:
            found[language] = Catalogue(language, MappingProxyType(_texts(file.read_bytes())))
        except (ValueError, UnknownLocaleError, msgspec.ValidationError) as error:
            faults.append(f"{file.name}: {error}")
    if not faults:
        source = found[SOURCE]
        faults = [f"{name}.json: {fault}" for name, each in found.items() for fault in faults_of(each, source)]
    if faults:
        raise CatalogueError("\n".join(faults))
    return MappingProxyType(found)


def _texts(content: bytes) -> dict[str, Text]:
    """The texts of a file. Raises ValueError for what is none."""
    texts: dict[str, Text] = msgspec.convert(
        json.loads(content, object_pairs_hook=_once), dict[str, str | dict[str, str]]
    )
    return texts


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The members of an object. Raises ValueError for a key that stands twice: one of its texts would be lost."""
    read: dict[str, Any] = {}
    for name, value in pairs:
        if name in read:
            raise ValueError(f"{name} stands twice")
        read[name] = value
    return read


SHIPPED = read_catalogues(FOLDER)
