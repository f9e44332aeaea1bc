#!/usr/bin/env bash
# aiosmtplib 5.1.3: STARTTLS that is asked for and not offered raises the bare SMTPException, and no SMTPNotSupported.
#
# One would write from memory: `SMTP(start_tls=True)` beside a server without STARTTLS fails with `SMTPNotSupported`, as
# smtplib's `starttls()` does with `SMTPNotSupportedError`; the library has that class, and raises it where AUTH or SMTPUTF8
# are not offered. Seen: `connect()` raises `SMTPException` itself, which has no code and is no `SMTPResponseException`
# either. Whoever sorts failures into "never works like this" and "again later" by class takes it for the second, and a
# letter to a server that will never offer TLS is tried again and again; and a handler of SMTPNotSupported that tells
# operators what to set right is never reached.
#
# So whoever sorts failures asks `supports_extension("starttls")` after a plain `connect()` and EHLO, or takes the bare class
# as final. Compared with smtplib of the same Python, beside one server.
#
# Source: aiosmtplib/smtp.py (`connect`, `starttls`). Fails when that changes.
set -euo pipefail

place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT

"${PYTHON:-python3}" -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check aiosmtplib==5.1.3 aiosmtpd==1.4.6

cat >"$place/look.py" <<'PY'
import asyncio
import smtplib
import socket

import aiosmtplib
from aiosmtpd.controller import Controller


class Taker:
    async def handle_DATA(self, server, session, envelope):
        return "250 OK"


with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
server = Controller(Taker(), hostname="127.0.0.1", port=port)
server.start()


async def asked_for():
    client = aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=True)
    try:
        await client.connect()
    except aiosmtplib.SMTPException as error:
        return type(error).__name__, isinstance(error, aiosmtplib.SMTPNotSupported)


def of_the_standard_library():
    with smtplib.SMTP("127.0.0.1", port) as client:
        try:
            client.starttls()
        except smtplib.SMTPException as error:
            return type(error).__name__


print(*asyncio.run(asked_for()), of_the_standard_library(), sep="; ")
server.stop()
PY

seen="$("$place/venv/bin/python" "$place/look.py")"
printf 'aiosmtplib; is it SMTPNotSupported; smtplib:  %s\n' "$seen"
[ "$seen" = "SMTPException; False; SMTPNotSupportedError" ] || { echo "it changed: look whether the finding still holds" >&2; exit 1; }
echo "As described."
