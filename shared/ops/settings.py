"""What a deployment decides: every setting, read once from the environment (docs/settings.md has the table)."""

import ipaddress
import os
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

import limits

from shared.domain.context import Company
from shared.domain.fields import LANGUAGE_TAG
from shared.domain.money import minor_unit
from shared.domain.periods import FiscalYear
from shared.domain.working_days import calendar_of
from shared.domain.working_time.hours import known_timezones
from shared.languages.preference import lookup
from shared.languages.shipped import SHIPPED
from shared.ops.database_url import parse as parse_database_url
from shared.ops.mail_server import mail_address, mail_server

SHORTEST_SECRET = 32
LONGEST_NAME = 100


class SettingsError(Exception):
    """The environment does not describe a deployment; the message has one line for each wrong setting."""


def _text(given: str) -> str:
    return given


def _number(low: int, high: int) -> Callable[[str], int]:
    def parse(given: str) -> int:
        if not given.isascii() or not given.isdigit() or not low <= int(given) <= high:
            raise ValueError(f"is a whole number from {low} to {high}")
        return int(given)

    return parse


def _optional(parse: Callable[[str], int]) -> Callable[[str], int | None]:
    def parse_any(given: str) -> int | None:
        return parse(given) if given else None

    return parse_any


def switch(given: str) -> bool:
    """What a variable that is on or off says. Raises ValueError."""
    if given.lower() not in ("0", "1", "false", "true"):
        raise ValueError("is 0 or 1")
    return given.lower() in ("1", "true")


def _address(given: str) -> str:
    if not given.startswith(("http://", "https://")):
        raise ValueError("is an address that begins with http:// or https://")
    return given.rstrip("/")


def _proxy(given: str) -> str:
    if given and not given.startswith(("http://", "https://")):
        raise ValueError("is empty, or the address of a proxy that begins with http:// or https://")
    return given


def _certificates(given: str) -> str:
    try:
        if given:
            ssl.create_default_context(cafile=given)
    except OSError:  # an SSLError too
        raise ValueError("is empty or a file of certificates (PEM) that can be read") from None
    return given


def _folder(given: str) -> str:
    if given and not (Path(given).is_dir() and os.access(given, os.R_OK | os.X_OK)):
        raise ValueError("is empty or a folder that can be read")
    return given


def _database(given: str) -> str:
    parse_database_url(given)
    return given


def _currency(given: str) -> str:
    try:
        minor_unit(given)
    except ValueError:
        raise ValueError("is a currency of ISO 4217 in which accounts are kept, like EUR") from None
    return given


def _timezone(given: str) -> str:
    if given not in known_timezones():
        raise ValueError("is the name of a time zone, like Europe/Berlin")
    return given


def _language(given: str) -> str:
    if not LANGUAGE_TAG.fullmatch(given) or lookup(given, SHIPPED) is None:
        raise ValueError(f"is a language (BCP 47) that texts ship in: {', '.join(sorted(SHIPPED))}")
    return given


def _name(given: str) -> str:
    if len(given) > LONGEST_NAME or not given.isprintable() or given != given.strip():
        raise ValueError(f"is empty, or a name on one line of at most {LONGEST_NAME} characters")
    return given


def _edge(given: str) -> str:
    if given not in ("start", "end"):
        raise ValueError("is start or end")
    return given


def _place(given: str) -> str:
    return calendar_of(given).place


def _secret(given: str) -> str:
    if len(given) < SHORTEST_SECRET:
        raise ValueError(f"has at least {SHORTEST_SECRET} random characters")
    return given


def _level(given: str) -> str:
    if given not in ("debug", "info", "warning", "error"):
        raise ValueError("is debug, info, warning or error")
    return given


def _rate(given: str) -> str:
    if given:
        try:
            limits.parse(given)
        except ValueError:
            raise ValueError("is empty or a rate like 200/second") from None
    return given


def _networks(given: str) -> str:
    try:
        for network in given.split(",") if given else ():
            ipaddress.ip_network(network.strip())
    except ValueError:
        raise ValueError("is empty, or addresses and networks with commas, like 127.0.0.1,10.0.0.0/8") from None
    return given


def _mail(given: str) -> str:
    if given:
        mail_server(given)
    return given


def _sender(given: str) -> str:
    return mail_address(given) if given else given


def _setting(parse: Callable[[str], Any], default: str | None = None, *, secret: bool = False) -> Any:
    """A field read from the environment. Without a default it is required; a secret is never shown."""
    shown = {"parse": parse, "default": default}
    if default is None:
        return field(metadata=shown, repr=not secret)
    return field(metadata=shown, default=parse(default), repr=not secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one service's process. The environment's names are the fields' in capitals; the database's
    carries the service: `DATABASE_URL_DEALS`."""

    service: str
    """Which service this process is; said on the command line, not in the environment."""

    database_url: str = _setting(_database, secret=True)
    """The service's own PostgreSQL database (15 or later), like postgresql://user:password@host/deals."""
    claim_secret: str = _setting(_secret, secret=True)
    """The key under which claimed values (e-mail addresses) are hashed, cursors are signed, and the secrets of webhooks
    and calendar links, and the codes that confirm addresses, are derived; the same for all processes, kept as long as
    the data."""
    kafka_bootstrap: str = _setting(_text, "127.0.0.1:9092")
    """Where Kafka is first asked: host:port, several with commas."""
    kafka_replication: int = _setting(_number(1, 9), "1")
    """On how many brokers each topic is kept."""
    kafka_partitions: int = _setting(_number(1, 1000), "12")
    """Over how many partitions each topic is spread; the same for all processes, and frozen once anything was
    published."""
    relay_page: int = _setting(_number(1, 10_000), "1000")
    """How many events the relay publishes at once."""
    host: str = _setting(_text, "127.0.0.1")
    """The interface on which this process listens. In the local stack it is the gateway's; what stands behind it stays
    on 127.0.0.1."""
    port: int = _setting(_number(1, 65_535), "8080")
    """The port of the one origin that clients see (the gateway)."""
    service_port: int = _setting(_number(0, 65_535), "0")
    """The port of this process; 0 takes a free one."""
    health_port: int | None = _setting(_optional(_number(1, 65_535)), "")
    """A further port, on which this process alone answers probes and Prometheus: where several processes share
    SERVICE_PORT (`serve --workers`), each has one of its own, counted up from here. Empty for none."""
    origin: str = _setting(_address, "http://127.0.0.1:8080")
    """The address that clients see; it guards the session cookie. In the local stack it follows from HOST and PORT."""
    company_currency: str = _setting(_currency, "EUR")
    """The company's currency: that of targets, budgets and costs. All other amounts may be in any."""
    company_timezone: str = _setting(_timezone, "UTC")
    """The time zone that cuts days, periods and working days."""
    company_language: str = _setting(_language, "en")
    """The company's language (BCP 47), of those that ship: that of letters and documents, and of answers and the page
    for whoever asks for none of them."""
    company_name: str = _setting(_name, "")
    """What the company is called on what it hands to customers, like a printed quote; empty: they do not say it."""
    company_fiscal_year_start: int = _setting(_number(1, 12), "1")
    """The month in which fiscal years begin: 1 is January. Quarters are those of the fiscal year."""
    company_fiscal_year_named_after: Literal["start", "end"] = _setting(_edge, "end")
    """Which of its calendar years a fiscal year is named after, where it lies in two: that of its start or of its
    end."""
    company_holidays: str = _setting(_place, "")
    """The country, or its subdivision like DE-BY or GB-ENG, whose weekends and public holidays are no working days;
    empty for Monday to Friday."""
    oidc_issuer: str = _setting(_address, "http://127.0.0.1:8080/identity")
    """Who issues bearer tokens: the exact value of their claim `iss`. The default is the development issuer."""
    oidc_audience: str = _setting(_text, "throughline")
    """For whom tokens are issued: the value that their claim `aud` holds."""
    oidc_jwks_url: str = _setting(_text, "")
    """Where the issuer's keys are; empty asks its discovery document."""
    oidc_proxy: str = _setting(_proxy, "", secret=True)
    """The proxy (http:// or https://) through which the issuer's keys are fetched; empty goes straight. HTTPS_PROXY and
    its kin are not read."""
    ssl_cert_file: str = _setting(_certificates, "")
    """A file of certificates (PEM) that vouch for the issuer, in place of those that come along."""
    ssl_cert_dir: str = _setting(_folder, "")
    """A folder of such certificates by OpenSSL's hashes, with the file or alone."""
    development: bool = _setting(switch, "0")
    """Whether the development issuer is accepted and the company clock may be moved (API-6). Never in production."""
    log_level: str = _setting(_level, "info")
    """What is logged: debug, info, warning or error."""
    rate_limit: str = _setting(_rate, "200/second")
    """How many requests one caller may make at one process of a service; each row of a bulk command counts as one.
    Empty for no limit."""
    trusted_proxies: str = _setting(_networks, "127.0.0.1")
    """Whose X-Forwarded-For says from which address a caller comes: addresses and networks, with commas."""
    stream_limit: int = _setting(_number(1, 10_000), "20")
    """How many event streams one caller may have open at one process of a service."""
    body_limit: int = _setting(_number(1024, 1 << 30), str(1 << 20))
    """The largest request body in bytes."""
    smtp_url: str = _setting(_mail, "", secret=True)
    """The mail server: smtps:// (TLS), smtp:// (STARTTLS, and nothing without it) or smtp+plain:// (neither, on the
    same machine), like smtp://user:password@mail.example:587. Empty: no mail is sent, and none waits to be."""
    smtp_from: str = _setting(_sender, "")
    """The address that mail comes from; needed with SMTP_URL. Its domain is that of each Message-ID."""
    webhook_networks: str = _setting(_networks, "")
    """Networks of the inside that webhooks may go to, with commas, like 10.20.0.0/16. All else that is private, local
    or reserved is refused."""
    delivery_hours: int = _setting(_number(1, 8760), "72")
    """How long it is tried to send something outside (e-mail, webhook) before it is dead, in hours."""

    @classmethod
    def from_environment(cls, service: str, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read every setting. Raises SettingsError with all faults at once."""
        values: dict[str, Any] = {"service": service}
        faults: list[str] = []
        for setting in fields(cls)[1:]:
            name = environment_name(setting.name, service)
            given = environment.get(name, setting.metadata["default"])
            if given is None:
                faults.append(f"{name} is missing.")
                continue
            try:
                values[setting.name] = setting.metadata["parse"](given)
            except ValueError as error:
                faults.append(f"{name} {error}.")
        if not faults and not values["development"] and "OIDC_ISSUER" not in environment:
            faults.append("OIDC_ISSUER is missing; only DEVELOPMENT=1 does with the development issuer.")
        if not faults and values["smtp_url"] and not values["smtp_from"]:
            faults.append("SMTP_FROM is missing; SMTP_URL says that mail is sent.")
        if faults:
            raise SettingsError("\n".join(faults))
        return cls(**values)

    @property
    def company(self) -> Company:
        """What rules need to know of the deployment."""
        year = FiscalYear(start=self.company_fiscal_year_start, named_after=self.company_fiscal_year_named_after)
        return Company(
            currency=self.company_currency,
            timezone=self.company_timezone,
            calendar=calendar_of(self.company_holidays),
            fiscal_year=year,
        )


def environment_name(setting: str, service: str) -> str:
    """The environment's name of a setting."""
    if setting == "database_url":
        return f"DATABASE_URL_{service.upper()}"
    return setting.upper()
