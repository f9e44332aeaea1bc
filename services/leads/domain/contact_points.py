"""E-mail addresses, phone numbers and company domains in one spelling each: the exact keys of duplicates (LEAD-2)."""

import re
from collections.abc import Callable
from urllib.parse import urlsplit
from uuid import UUID

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from publicsuffixlist import PublicSuffixList

from shared.domain.rejection import Reason, refuse_all
from shared.events.definition import value

SUFFIXES = PublicSuffixList()
HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")


@value
class ContactPoints:
    """How a person and their company are reached, in normal form."""

    email: str | None = None
    phone: str | None = None
    domain: str | None = None
    country: str | None = None


@value
class EmailHolder:
    """What already holds the e-mail address that a command names: an open lead or an account; nothing when `id` is
    None."""

    id: UUID | None = None
    kind: str = "lead"
    """lead or account."""
    owner: UUID | None = None
    team: UUID | None = None


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
    """The number in E.164, like +493012345678. A national number needs the country. ValueError when it is none."""
    try:
        number = phonenumbers.parse(given, country)
    except phonenumbers.NumberParseException as wrong:
        raise ValueError("A phone number starts with + and the country's code, or comes with a country.") from wrong
    # A local number without its area code would be another number elsewhere.
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        raise ValueError("No phone number of that country has this length.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def normal_domain(given: str) -> str:
    """The registrable domain of a host or web address: acme.co.uk for https://www.acme.co.uk/about.

    ValueError when it is no host, or a public suffix like co.uk itself.
    """
    text = given.strip().lower()
    host = (urlsplit(text if "//" in text else f"//{text}").hostname or "").rstrip(".")
    host = host.encode("idna").decode("ascii")
    domain = SUFFIXES.privatesuffix(host) if HOST.fullmatch(host) else None
    if domain is None:
        raise ValueError("A domain looks like acme.com.")
    return str(domain)


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
) -> ContactPoints:
    """All of them in normal form. `Rejected("invalid")` with one reason for each field that cannot be read."""
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
    refuse_all("invalid", "Some fields cannot be read.", reasons)
    return points
