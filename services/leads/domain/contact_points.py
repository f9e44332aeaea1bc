"""E-mail addresses, phone numbers and company domains in one spelling each: the exact keys of duplicates (LEAD-2)."""

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import urlsplit
from uuid import UUID

import idna
import phonenumbers
from email_validator import EmailNotValidError, validate_email
from publicsuffixlist import PublicSuffixList

from shared.domain.rejection import Reason, refuse_all
from shared.events.definition import value

SUFFIXES = PublicSuffixList()
SHARED_HOSTS = frozenset(
    {
        *("onmicrosoft.com", "sharepoint.com", "my.salesforce.com", "lightning.force.com", "myshopify.com"),
        *("zendesk.com", "freshdesk.com", "atlassian.net", "slack.com", "hubspot.com", "okta.com", "auth0.com"),
        *("wixsite.com", "squarespace.com", "weebly.com", "jimdosite.com", "webnode.page", "bamboohr.com"),
    }
)
"""Hosts below which each company has a name of its own, and which the Public Suffix List does not name."""
INTERNATIONAL_PREFIX = re.compile(r"^\s*00(?=\s*[1-9])")
"""What is dialled before a country's code in most of the world."""
MEXICO, MEXICAN_DIGITS = 52, 10
HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")


@value
class ContactPoints:
    """How a person and their company are reached, in normal form."""

    email: str | None = None
    phone: str | None = None
    domain: str | None = None
    country: str | None = None


KnownKind = Literal["lead", "account"]


@value
class Known:
    """Somebody who is known under an e-mail address: an open lead, or a person at an account."""

    id: UUID
    """The lead's or the account's."""
    kind: str = "lead"
    """lead or account (`KnownKind`)."""
    name: str | None = None
    since: datetime | None = None
    """Since when; None when that does not matter."""
    owner: UUID | None = None
    team: UUID | None = None
    reminded_follow_up: UUID | None = None
    """The follow-up of the lead that somebody was reminded of."""


@value
class KnownUnder:
    """Everybody who is known under the e-mail address that a command names."""

    people: tuple[Known, ...] = ()

    def without(self, own: UUID) -> "KnownUnder":
        """All but those of a lead or account."""
        return KnownUnder(people=tuple(each for each in self.people if each.id != own))

    def named(self, name: str | None) -> list[Known]:
        """Those who may be a person of this name, whoever came first before the others: they have the same one, or one
        of both has none (LEAD-2)."""
        return sorted((each for each in self.people if is_same_name(each.name, name)), key=first_known)

    @property
    def ids(self) -> tuple[UUID, ...]:
        """The leads and accounts."""
        return tuple(sorted({each.id for each in self.people}))


def first_known(known: Known) -> tuple[datetime, UUID]:
    """Who came first; at one instant the id decides."""
    return known.since or datetime.min.replace(tzinfo=UTC), known.id


def is_same_name(one: str | None, other: str | None) -> bool:
    """Whether two names may be those of one person; one that is missing may be any."""
    return not one or not other or name_key(one) == name_key(other)


def name_key(name: str) -> str:
    """A name whatever its capitals, spaces and composition."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def normal_email(given: str) -> str:
    """The address in lower case and composed Unicode. ValueError when it is none; the network is not asked."""
    try:
        found = validate_email(given.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError as wrong:
        raise ValueError(str(wrong)) from wrong
    return found.normalized.lower()


def email_key(given: str | None) -> str | None:
    """The normal form of an address, or None where there is no address to speak of."""
    try:
        return normal_email(given) if given else None
    except ValueError:
        return None


def normal_country(given: str) -> str:
    """The country's two capital letters (ISO 3166-1). ValueError when there is no such country."""
    country = given.strip().upper()
    if country not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError("This is no country of ISO 3166-1, like DE or US.")
    return country


def normal_phone(given: str, country: str | None) -> str:
    """The number in E.164 like +493012345678, with an extension as in RFC 3966: +493012345678;ext=12.

    A national number needs the country. ValueError when it is none.
    """
    try:
        number = phonenumbers.parse(INTERNATIONAL_PREFIX.sub("+", given), country)
    except phonenumbers.NumberParseException as wrong:
        raise ValueError("A phone number starts with + and the country's code, or comes with a country.") from wrong
    if number.country_code == MEXICO and len(str(number.national_number)) == MEXICAN_DIGITS + 1:
        # The 1 before mobile numbers was dropped in 2019, and is still written.
        number.national_number = int(str(number.national_number).removeprefix("1"))
    # A local number without its area code would be another number elsewhere.
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        raise ValueError("No phone number of that country has this length.")
    extension = f";ext={number.extension}" if number.extension else ""
    number.extension = None
    normal = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    # Of zeros that lead a number some may be taken for the prefix of a trunk line once it is read again.
    if phonenumbers.format_number(phonenumbers.parse(normal), phonenumbers.PhoneNumberFormat.E164) != normal:
        raise ValueError("No phone number of that country begins with these zeros.")
    return f"{normal}{extension}"


def normal_domain(given: str) -> str:
    """The registrable domain of a host or web address: acme.co.uk for https://www.acme.co.uk/about. Below a host that
    many companies share, the company's own name there: acme.onmicrosoft.com.

    International names are kept as IDNA 2008 writes them (UTS 46, not transitional), so that straße and strasse stay
    two. ValueError when it is no host, a public suffix like co.uk itself, or a shared host itself.
    """
    text = given.strip().lower()
    host = (urlsplit(text if "//" in text else f"//{text}").hostname or "").rstrip(".")
    try:
        host = idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError as wrong:
        raise ValueError("A domain looks like acme.com.") from wrong
    domain = SUFFIXES.privatesuffix(host) if HOST.fullmatch(host) else None
    if domain is None:
        raise ValueError("A domain looks like acme.com.")
    if host in SHARED_HOSTS:
        raise ValueError(f"{host} is shared by many companies.")
    labels = host.split(".")
    own = (".".join(labels[at:]) for at in range(len(labels)) if ".".join(labels[at + 1 :]) in SHARED_HOSTS)
    return next(own, str(domain))


def domain_key(given: str | None) -> str | None:
    """The normal form of a domain, or None where there is no domain to speak of."""
    try:
        return normal_domain(given) if given else None
    except ValueError:
        return None


def normalised(
    *,
    email: str | None = None,
    phone: str | None = None,
    domain: str | None = None,
    country: str | None = None,
    domain_field: str = "domain",
    leave_out: bool = False,
) -> ContactPoints:
    """All of them in normal form. `Rejected("invalid-contact-points")` with one reason for each field that cannot be
    read; history comes in without those (`leave_out`): one odd number must not lose a record."""
    reasons: list[Reason] = []

    def read(field: str, code: str, given: str | None, function: Callable[[str], str]) -> str | None:
        if given is None:
            return None
        try:
            return function(given)
        except ValueError as wrong:
            reasons.append(Reason(code=code, message=str(wrong), field=field))
            return None

    home = read("country", "unknown-country", country, normal_country)
    points = ContactPoints(
        email=read("email", "invalid-email", email, normal_email),
        phone=read("phone", "invalid-phone", phone, lambda given: normal_phone(given, home)),
        domain=read(domain_field, "invalid-domain", domain, normal_domain),
        country=home,
    )
    refuse_all("invalid-contact-points", "Some fields cannot be read.", [] if leave_out else reasons)
    return points
