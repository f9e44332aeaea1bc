#!/usr/bin/env bash
# standardwebhooks 1.1.0 (the reference library in Python): `verify` answers with the parsed body, so a body with a right
# signature that is no JSON is an error of another class, and amounts written as numbers come back as floats.
#
# One would write from memory: `verify` says whether the signature is right, raises WebhookVerificationError when it is not, and
# leaves the body alone; the standard signs bytes of any kind.
# Seen: after the signature was found right it calls `json.loads`. A text or CSV body raises json.JSONDecodeError, which is no
# WebhookVerificationError: a receiver that answers 400 to the one and 500 to the other is sent the same message again until its
# sender gives up. 12345678901234567.89 becomes 1.2345678901234568e+16.
#
# So a receiver keeps the raw body, takes `verify` as a check, and parses by itself (`parse_float=Decimal`); a sender writes
# amounts as strings.
#
# Source: standard-webhooks/standard-webhooks, libraries/python/standardwebhooks/webhooks.py. Fails when that changes.
set -euo pipefail

place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT

"${PYTHON:-python3}" -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check standardwebhooks==1.1.0

"$place/venv/bin/python" - <<'PY'
import json
from base64 import b64encode
from datetime import datetime, timezone
from importlib.metadata import version

from standardwebhooks import Webhook, WebhookVerificationError

print("standardwebhooks", version("standardwebhooks"))
webhook = Webhook(b64encode(b"a key of twenty-four by.").decode())


def verified(body: str) -> object:
    now = datetime.now(timezone.utc)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": webhook.sign("msg_1", now, body),
    }
    return webhook.verify(body, headers)


amounts = verified('{"amount": 12345678901234567.89, "safe": "12345678901234567.89"}')
print("amounts:", amounts)
assert amounts == {"amount": 1.2345678901234568e16, "safe": "12345678901234567.89"}
try:
    verified("paid;INV-26-0001;40.00")
except json.JSONDecodeError as error:
    print("a text:", type(error).__name__, error)
    assert not isinstance(error, WebhookVerificationError)
else:
    raise AssertionError("it changed: a body that is no JSON is verified now")
print("As described.")
PY
