"""The generated documents: under docs/reference OpenAPI of each service and of all, AsyncAPI, the schemas of events,
the facts of an import; beside it the requirements with the tests that prove them.

python -m deploy.reference
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deploy import requirements
from deploy.imports import reference as facts
from deploy.services import SERVICES, definition_of
from shared.events.registry import registry_of
from shared.http.openapi.merge import merged
from shared.kafka import asyncapi
from shared.service.build import service_document

FACTS = "reference/import-facts.md"
REQUIREMENTS = "requirements.md"
SAMPLES = Path(__file__).parents[1] / "tests" / "shared" / "events" / "golden"
FOLDER = Path(__file__).parents[1] / "docs"


def files() -> Mapping[str, str]:
    """Every document by its path below `FOLDER`."""
    documents = {name: service_document(definition_of(name)) for name in SERVICES}
    documents["throughline"] = merged(documents)
    told = {
        f"openapi/{name}.json": json.dumps(document, indent=1, ensure_ascii=False) + "\n"
        for name, document in documents.items()
    } | asyncapi.files(registry_of(), samples())
    reference = {f"reference/{path}": content for path, content in told.items()}
    return {**reference, FACTS: facts.page(), REQUIREMENTS: requirements.page()}


def samples() -> Mapping[tuple[str, int], Mapping[str, Any]]:
    """The golden samples of events, by type and version."""
    found = {}
    for path in SAMPLES.glob("*.json"):
        name, version = path.stem.rsplit(".v", 1)
        found[name, int(version)] = json.loads(path.read_text(encoding="utf-8"))
    return found


def committed() -> set[str]:
    """The paths of the generated documents that are there."""
    there = {path.relative_to(FOLDER).as_posix() for path in (FOLDER / "reference").rglob("*.json")}
    return there | {page for page in (FACTS, REQUIREMENTS) if (FOLDER / page).exists()}


def write() -> None:
    """Write the documents, and remove those of what is no more."""
    wanted = files()
    for stale in committed() - set(wanted):
        (FOLDER / stale).unlink()
    for path, content in wanted.items():
        (FOLDER / path).parent.mkdir(parents=True, exist_ok=True)
        (FOLDER / path).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    write()
