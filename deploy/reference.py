"""The OpenAPI documents under docs/reference/openapi, one for each service and one of all.

python -m deploy.reference
"""

import importlib
import json
from collections.abc import Mapping
from pathlib import Path

from deploy.local.stack import SERVICES
from shared.web.merging import merged
from shared.web.service import service_document

FOLDER = Path(__file__).parents[1] / "docs" / "reference" / "openapi"


def files() -> Mapping[str, str]:
    """Every document by the name of its file."""
    documents = {name: service_document(importlib.import_module(f"services.{name}.app").SERVICE) for name in SERVICES}
    documents["throughline"] = merged(documents)
    return {f"{name}.json": json.dumps(told, indent=1, ensure_ascii=False) + "\n" for name, told in documents.items()}


def write() -> None:
    """Write the documents."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, content in files().items():
        (FOLDER / name).write_text(content)


if __name__ == "__main__":
    write()
