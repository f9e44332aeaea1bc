#!/usr/bin/env bash
# openapi-python-client 0.29.1: a `oneOf` with a `discriminator` is read as the first of its schemas that does not fail.
#
# One would write from memory: an answer whose discriminator says `won` becomes the class that the mapping names for it.
# Seen: the generated client never looks at `discriminator`. It tries the schemas of `oneOf` in their order and takes the
# first whose required fields are there; what that one does not know lands in `additional_properties`. A won deal is read as
# an open one, without a warning at generation and without an error at run time, and `isinstance(deal, WonDeal)` is False.
# With `const` on the property of each schema, which the generated code does check, the right class comes out.
#
# So whoever publishes states that share their fields writes the word of each as a `const`, and does not rest on the
# discriminator alone.
#
# Source: openapi_python_client/parser/properties/union.py, templates/property_templates/union_property.py.jinja. Fails when
# that changes.
set -euo pipefail

place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT

"${PYTHON:-python3}" -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check openapi-python-client==0.29.1

cat > "$place/seen.py" <<'PY'
import importlib
import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import httpx

place = Path(sys.argv[1])
sys.path.insert(0, str(place))


def state(name, word, more, told):
    """A state of a deal; its word is told by the discriminator alone, or as a constant too."""
    properties = {"status": {"type": "string", **({"const": word} if told else {})}, "name": {"type": "string"}, **more}
    return {"type": "object", "title": name, "required": list(properties), "properties": properties}


def document(told):
    reference = "#/components/schemas/"
    ref = {"$ref": f"{reference}Deal"}
    day = {"won_on": {"type": "string", "format": "date"}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "sales", "version": "1"},
        "paths": {
            "/deals/{id}": {
                "get": {
                    "operationId": "getDeal",
                    "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                    "responses": {"200": {"description": "A deal.", "content": {"application/json": {"schema": ref}}}},
                }
            }
        },
        "components": {
            "schemas": {
                "Deal": {
                    "oneOf": [{"$ref": f"{reference}OpenDeal"}, {"$ref": f"{reference}WonDeal"}],
                    "discriminator": {
                        "propertyName": "status",
                        "mapping": {"open": f"{reference}OpenDeal", "won": f"{reference}WonDeal"},
                    },
                },
                "OpenDeal": state("OpenDeal", "open", {}, told),
                "WonDeal": state("WonDeal", "won", day, told),
            }
        },
    }


def read(package, told):
    """The class that a won deal is read as."""
    (place / f"{package}.json").write_text(json.dumps(document(told)))
    made = subprocess.run(
        [place / "venv/bin/openapi-python-client", "generate", "--path", place / f"{package}.json",
         "--meta", "none", "--output-path", place / package],
        check=True, capture_output=True, text=True,
    )
    assert "WARNING" not in made.stdout.upper(), made.stdout
    answer = {"status": "won", "name": "Press line", "won_on": "2026-11-02"}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=answer))
    client = importlib.import_module(f"{package}.client").Client(base_url="http://sales.test")
    client.set_httpx_client(httpx.Client(base_url="http://sales.test", transport=transport))
    return importlib.import_module(f"{package}.api.default.get_deal").sync(id="1", client=client)


by_discriminator, by_constant = read("by_discriminator", False), read("by_constant", True)
print("openapi-python-client", version("openapi-python-client"))
print("won deal, discriminator alone:", type(by_discriminator).__name__, by_discriminator.additional_properties)
print("won deal, with const:", type(by_constant).__name__, by_constant.won_on)
assert (type(by_discriminator).__name__, by_discriminator.status) == ("OpenDeal", "won")
assert by_discriminator.additional_properties == {"won_on": "2026-11-02"}
assert type(by_constant).__name__ == "WonDeal"
PY

"$place/venv/bin/python" "$place/seen.py" "$place"
