"""What a PostgreSQL URL says: libpq's connection string, without the variables and files that libpq fills it from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

SCHEMES = ("postgresql", "postgres")
DEFAULT_PORT = 5432
PERHAPS_ENCRYPTED = ("prefer", "allow")
VERIFIED = ("verify-ca", "verify-full")
MODES = ("disable", *PERHAPS_ENCRYPTED, "require", *VERIFIED)
FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl", "passfile")
CHOICES = {
    "sslnegotiation": ("postgres", "direct"),
    "target_session_attrs": ("any", "primary", "standby", "prefer-standby", "read-write", "read-only"),
    "gsslib": ("gssapi", "sspi"),
    "ssl_min_protocol_version": ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"),
    "ssl_max_protocol_version": ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"),
}
SYSTEM = "system"
"""The value of sslrootcert for the authorities that the machine trusts."""
FORM = "is an address like postgresql://user:password@host/database"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseUrl:
    """A database and how it is reached."""

    hosts: tuple[str, ...]
    """Names, addresses, or folders of Unix sockets; the first that answers."""
    ports: tuple[int, ...]
    """One for each host."""
    user: str
    database: str
    password: str = field(default="", repr=False)
    sslmode: str = "prefer"
    options: Mapping[str, str] = field(default_factory=dict)
    """What else it says after the question mark, as text."""


def parse(url: str) -> DatabaseUrl:
    """Raises ValueError, which says what is wrong and never shows a password."""
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        raise ValueError("is an address that begins with postgresql://")
    try:
        options = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
    except ValueError:
        raise ValueError(f"{FORM}; after the question mark it has name=value, joined by &") from None
    login, _, places = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    hosts, ports = _places(places or options.pop("host", ""), options.pop("port", ""))
    names = {
        "user": unquote(user) or options.pop("user", ""),
        "database": unquote(parts.path.removeprefix("/")) or options.pop("dbname", options.pop("database", "")),
    }
    for name, value in {"host": hosts, **names}.items():
        if not value:
            raise ValueError(f"{FORM}: it names no {name}")
    return DatabaseUrl(
        hosts=hosts,
        ports=ports,
        **names,
        password=unquote(password) or options.pop("password", ""),
        sslmode=_sslmode(options),
        options=_checked(options),
    )


def _places(given: str, port: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Hosts and ports of a list with commas; a port of its own counts before the one for all."""
    ports_given = port.split(",") if port else [str(DEFAULT_PORT)]
    hosts, ports = [], []
    for number, place in enumerate(given.split(",") if given else ()):
        if place.startswith("["):  # an address of IPv6
            host, _, own = place[1:].partition("]")
            own = own.removeprefix(":")
        elif place.startswith("/"):
            host, own = place, ""
        else:
            host, _, own = place.partition(":")
        text = unquote(own) or ports_given[min(number, len(ports_given) - 1)]
        if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65_535:
            raise ValueError(f"{FORM}; a port is a number from 1 to 65535")
        hosts.append(unquote(host))
        ports.append(int(text))
    return (tuple(hosts), tuple(ports)) if all(hosts) else ((), ())


def _sslmode(options: dict[str, str]) -> str:
    mode = options.pop("sslmode", "prefer")
    if mode not in MODES:
        raise ValueError(f"has an sslmode that is none of {', '.join(MODES)}")
    if mode in VERIFIED and "sslrootcert" not in options:
        raise ValueError(f"has sslmode={mode}, and no sslrootcert, a file or {SYSTEM}, by which it is verified")
    return mode


def _checked(options: dict[str, str]) -> dict[str, str]:
    for name, choices in CHOICES.items():
        if options.get(name, choices[0]) not in choices:
            raise ValueError(f"has {name}, which is one of {', '.join(choices)}")
    for name in FILES:
        given = options.get(name, SYSTEM)
        if given != SYSTEM and not Path(given).is_file():
            raise ValueError(f"has {name}={options[name]}, where no file is")
    if "service" in options:
        raise ValueError(f"{FORM}; a service file is not read")
    return options
