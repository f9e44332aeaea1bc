"""Whether an answer is what the published document says of it: the schemas that clients are generated from."""

import json
import re
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from shared.http.openapi.pages import MERGED


def as_described(path: str, answer: Any, method: str = "get") -> Any:
    """A good answer of a path, of GET unless said otherwise, which the document has to describe."""
    found = _validator(_template(path), method).iter_errors(answer)
    faults = [f"{'/'.join(map(str, fault.absolute_path))}: {fault.message}" for fault in found]
    assert not faults, f"{path}: {faults[0]}"
    return answer


@cache
def document() -> dict[str, Any]:
    """What is published of all services."""
    whole: dict[str, Any] = json.loads(MERGED.read_text(encoding="utf-8"))
    return whole


def _template(path: str) -> str:
    """The path of the document that a path is one of."""
    paths: dict[str, Any] = document()["paths"]
    if path in paths:
        return path
    return next(each for each in paths if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", each), path))


@cache
def _validator(template: str, method: str) -> Draft202012Validator:
    whole = document()
    media = whole["paths"][template][method]["responses"]["200"]["content"]["application/json"]
    return Draft202012Validator({**media["schema"], "components": whole["components"]})
