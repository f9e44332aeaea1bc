#!/usr/bin/env bash
# cloudevents 2.2.0: an event that its `core` writes for HTTP is read back changed by its own `v1`, and nothing says so.
#
# One would write from memory: the package carries its older interface along as `cloudevents.v1`, so both read what either
# writes, and an event survives the way from a service that has moved over to one that has not. Seen, in binary mode: `core`
# writes the subject "order 7" as "order%207" and a percent sign as %25, as section 3.1.3.2 of the HTTP binding wants it;
# `v1` neither writes nor reads that code, so that the older side holds "order%207" and "5%25%20off". The other way a value
# with a code of its own in it, "rebate%207", is sent as it is by `v1`, and `core` reads "rebate 7". No error on either side.
# Kafka is no such place: neither codes the values of its headers there.
#
# So whoever compares, filters or keys by subject or an extension keeps both ends on one of the two, or sends structured
# mode, in which both agree (the last line).
#
# Source: cloudevents/core/bindings/http.py (`_encode_header_value`), cloudevents/v1/sdk/event/base.py; across languages
# github.com/cloudevents/spec/issues/1397. Fails when that changes.
set -euo pipefail

place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT

"${PYTHON:-python3}" -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check cloudevents==2.2.0

cat >"$place/look.py" <<'PY'
from cloudevents.core.bindings import http
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from cloudevents.v1 import conversion
from cloudevents.v1.http import CloudEvent as Older
from cloudevents.v1.http import from_http

SAID = {"id": "e-1", "type": "shop.ordered", "source": "/shop", "datacontenttype": "application/json"}


def newer(subject):
    return CloudEvent({**SAID, "specversion": "1.0", "subject": subject}, {"amount": "1.00"})


def read_by_older(message):
    return from_http(message.headers, message.body)["subject"]


for subject in ("order 7", "5% off"):
    print(subject, "->", read_by_older(http.to_binary(newer(subject), JSONFormat())))
headers, body = conversion.to_binary(Older({**SAID, "subject": "rebate%207"}, {"amount": "1.00"}))
print("rebate%207", "->", http.from_binary(http.HTTPMessage(headers, body), JSONFormat()).get_subject())
print("order 7", "->", read_by_older(http.to_structured(newer("order 7"), JSONFormat())), "structured")
PY

seen="$("$place/venv/bin/python" "$place/look.py" 2>/dev/null)"
expected='order 7 -> order%207
5% off -> 5%25%20off
rebate%207 -> rebate 7
order 7 -> order 7 structured'
printf '%s\n' "$seen"
[ "$seen" = "$expected" ] || { echo "changed: cloudevents behaves otherwise now"; exit 1; }
