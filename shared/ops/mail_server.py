"""Where mail is handed over, and what an address of mail is: SMTP as settings say it."""

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import unquote, urlsplit

from email_validator import EmailNotValidError, validate_email

Security = Literal["tls", "starttls", "none"]
SCHEMES: dict[str, tuple[Security, int]] = {
    "smtps": ("tls", 465),
    "smtp": ("starttls", 587),
    "smtp+plain": ("none", 25),
}
FORM = "is empty, or smtps://, smtp:// (with STARTTLS) or smtp+plain://, and user:password@host:port"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Whom mail is handed to."""

    host: str
    port: int
    security: Security
    user: str = ""
    password: str = field(default="", repr=False)


def mail_server(url: str) -> MailServer:
    """The mail server of an address: `smtps://` (TLS), `smtp://` (STARTTLS, and nothing without it), or `smtp+plain://`
    (neither, for one on the same machine). Raises ValueError, which does not quote it."""
    try:
        parts = urlsplit(url)
        host, given = parts.hostname, parts.port
    except ValueError:
        raise ValueError(FORM) from None
    if parts.scheme not in SCHEMES or not host or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(FORM)
    security, port = SCHEMES[parts.scheme]
    if parts.username and security == "none":
        raise ValueError("signs in over smtps:// or smtp:// only: smtp+plain:// would show the password")
    return MailServer(
        host=host,
        port=given or port,
        security=security,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


def mail_address(given: str) -> str:
    """An address as mail servers take it, its domain in ASCII. Raises ValueError, which does not quote it."""
    try:
        found = validate_email(given, check_deliverability=False, allow_smtputf8=True)
    except EmailNotValidError:
        raise ValueError("is an e-mail address, like notices@example.com") from None
    return found.ascii_email or f"{found.local_part}@{found.ascii_domain}"
