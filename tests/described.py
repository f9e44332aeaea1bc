"""Whether an answer is what the published document says of it: the schemas that clients are generated from."""

import json
import re
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from shared.http.openapi.pages import MERGED


def as_described(path: str, answer: Any) -> Any:
    """An answer of GET to a path, which the document has to describe."""
    found = _validator(_template(path)).iter_errors(answer)
    faults = [f"{'/'.join(map(str, fault.absolute_path))}: {fault.message}" for fault in found]
    assert not faults, f"{path}: {faults[0]}"
    return answer


@cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(MERGED.read_text(encoding="utf-8"))
    return document


def _template(path: str) -> str:
    """The path of the document that a path is one of."""
    paths: dict[str, Any] = _document()["paths"]
    if path in paths:
        return path
    return next(each for each in paths if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", each), path))


@cache
def _validator(template: str) -> Draft202012Validator:
    document = _document()
    media = document["paths"][template]["get"]["responses"]["200"]["content"]["application/json"]
    return Draft202012Validator({**media["schema"], "components": document["components"]})
