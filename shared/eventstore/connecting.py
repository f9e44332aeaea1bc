"""Connections to PostgreSQL: every parameter is stated, so that asyncpg takes none from the environment.

It would otherwise look into PGHOST, PGPORT, PGUSER, PGPASSWORD, PGPASSFILE, PGSSLMODE and others, `~/.pgpass` and
`~/.postgresql`: what somebody has set for `psql` would decide where a service writes, or that it cannot start.
"""

import ssl
from typing import Any

import asyncpg

from shared.ops.database_url import PERHAPS_ENCRYPTED, SYSTEM, VERIFIED, DatabaseUrl, parse
from shared.ops.settings import SettingsError

NOT_ENCRYPTED = "rejected SSL upgrade"
"""What asyncpg (0.32) says of a server that knows no TLS."""


async def connect(url: str, **more: Any) -> asyncpg.Connection:
    """A connection to the database that a URL names. Raises SettingsError for a URL that does not say enough."""
    try:
        said = parse(url)
    except ValueError as error:
        raise SettingsError(f"The address of a database {error}.") from None
    stated = arguments(said)
    settings = {**stated.pop("server_settings"), **more.pop("server_settings", {})}
    try:
        return await asyncpg.connect(**stated, **more, server_settings=settings)
    except ConnectionError as refused:
        if said.sslmode not in PERHAPS_ENCRYPTED or NOT_ENCRYPTED not in str(refused):
            raise
        return await asyncpg.connect(**{**stated, "ssl": False}, **more, server_settings=settings)


def arguments(said: DatabaseUrl) -> dict[str, Any]:
    """Each argument of asyncpg that decides where a connection leads, how and as whom."""
    options = dict(said.options)
    passfile = options.pop("passfile", None)
    return {
        "host": list(said.hosts),
        "port": list(said.ports),
        "user": said.user,
        # An empty password is one; without any, files would be searched for it.
        **({"passfile": passfile} if passfile and not said.password else {"password": said.password}),
        "database": said.database,
        "ssl": encryption(said.sslmode, options),
        "direct_tls": options.pop("sslnegotiation", "postgres") == "direct",
        "target_session_attrs": options.pop("target_session_attrs", "any"),
        "krbsrvname": options.pop("krbsrvname", "postgres"),
        "gsslib": options.pop("gsslib", "gssapi"),
        "server_settings": options,
    }


def encryption(mode: str, options: dict[str, str]) -> ssl.SSLContext | bool:
    """TLS as the options say, which are taken out; False for none."""
    names = ("sslrootcert", "sslcrl", "sslcert", "sslkey", "sslpassword")
    root, revoked, certificate, key, password = (options.pop(name, None) for name in names)
    lowest = options.pop("ssl_min_protocol_version", "TLSv1.2")
    highest = options.pop("ssl_max_protocol_version", "TLSv1.3")
    if mode == "disable":
        return False
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = mode == "verify-full"
    if root == SYSTEM:
        context.load_default_certs()
    elif root and mode not in PERHAPS_ENCRYPTED:
        context.load_verify_locations(cafile=root)
    else:
        assert mode not in VERIFIED, "such an address names who vouches for the server"
        context.verify_mode = ssl.CERT_NONE
    if revoked and context.verify_mode == ssl.CERT_REQUIRED:
        context.load_verify_locations(cafile=revoked)
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN
    if certificate:
        context.load_cert_chain(certificate, keyfile=key, password=lambda: password or "")
    context.minimum_version = ssl.TLSVersion[lowest.replace(".", "_")]
    context.maximum_version = ssl.TLSVersion[highest.replace(".", "_")]
    context.set_alpn_protocols(["postgresql"])
    return context
