"""One OpenAPI document of all services: what frontend teams generate their client from (API-5)."""

from collections.abc import Mapping
from operator import itemgetter

from shared.http.openapi.parts import SECURITY, SERVERS, VERSION, Document

GUIDE = """\
From lead to cash, at one origin.

- **Commands** are POST, PATCH and PUT. A POST carries `Idempotency-Key`: the same key and body again give the first
  answer. The answer has the id and the version; its `ETag` is the version, which PATCH and PUT carry back as
  `If-Match`.
- **Before a command**: a single thing lists its `commands`, and whether role, owner and state allow each of them now to
  whoever asks. What one would do is asked with its body at `POST /v1/dry-runs/` and the rest of its address: nothing is
  written, and what it would be refused for is told.
- **For many things at once** some commands have an address with `bulk` in place of the id: rows of ids and commands,
  each decided by itself, with a result of its own. The same request again does nothing twice.
- **Read your own writes**: send the `Consistency-Token` of an answer with the next read, of any service. What it
  names is waited for two seconds; after that the answer is 503 `read-model-behind`, or an older one with `Prefer:
  handling=lenient`.
- **Lists** have `limit`, `sort` (with `-` in front: descending) and `cursor`, which is `next` of the page before. A
  filter that is given several times takes one of several values. `team` stands for a team and those below it, with
  `own_team_only` for itself. What has an owner is narrowed to what is yours (`mine`) or nobody's (`unassigned`). With
  `totals=true` everything that the filters leave is counted, and its amounts are summed by currency. Beside the ids
  of owners, teams and accounts stands what they are called now; a single thing, which is told from its events, has ids
  alone.
- **To keep a copy** of a list, ask for `updated_since` with `sort=updated_at`, page by page, and the next time from a
  minute before the last `updated_at` that you have: what is recorded at one time may be shown a moment later. Names
  beside ids, and what follows from the day, change without it; what is taken back is gone without it.
- **Money** is a decimal as a string with its currency (ISO 4217). Lists and single things show it as it was agreed;
  figures are in the company's currency, tell at which exchange `rates`, and count as `unconverted` what has none.
- **Time**: instants are UTC, days are the company's. Figures answer for any instant: `as_of` is what was true then,
  `known_at` what was known then.
- **Languages**: texts for people, like titles, sentences and what an event says happened, are in the language that
  `Accept-Language` prefers of those that ship, else in the company's; `Content-Language` tells which, and a stream
  stays with that of the request that opened it. Codes and keys are the same in all, and stand beside every text. What
  the company named itself, like stages and teams, is as it named it. Problems are in English: clients have their codes.
- **Problems** are those of RFC 9457: `code` is stable, `errors` names every field (`pointer`) or `parameter` that is
  wrong.
"""
"""What every operation has in common, for whoever reads the document first."""


def merged(documents: Mapping[str, Document]) -> Document:
    """One document of all services.

    Raises ValueError when two services own one path or operation id, or call two different things the same: a name that
    is given to one of them here would be in no class, and differ from the one in the service's own document.
    """
    whole: Document = {
        "openapi": "3.1.0",
        "info": {"title": "Throughline", "version": VERSION, "description": GUIDE},
        "servers": SERVERS,
        "tags": sorted((tag for own in documents.values() for tag in own["tags"]), key=itemgetter("name")),
        "paths": {},
        "components": {"schemas": {}, "securitySchemes": SECURITY},
        "security": [{"bearer": []}, {"session": []}],
    }  # fmt: skip
    schemas: Document = whole["components"]["schemas"]
    owners: dict[str, str] = {}
    for service, own in documents.items():
        for name, schema in own["components"]["schemas"].items():
            if schemas.setdefault(name, schema) != schema:
                raise ValueError(f"{service} and {owners[f'schema {name}']} both call something {name}")
            owners.setdefault(f"schema {name}", service)
        for path, operations in own["paths"].items():
            for key in (path, *(told["operationId"] for told in operations.values())):
                if key in owners:
                    raise ValueError(f"{service} and {owners[key]} both own {key}")
                owners[key] = service
            whole["paths"][path] = operations
    whole["paths"] = dict(sorted(whole["paths"].items()))
    whole["components"]["schemas"] = dict(sorted(schemas.items()))
    return whole
