"""Settings are read once and refused whole."""

from datetime import date

import pytest

from shared.ops.settings import Settings, SettingsError

GOOD = {
    "DATABASE_URL_DEALS": "postgresql://user:hidden-password@127.0.0.1/deals",
    "CLAIM_SECRET": "hidden-secret-hidden-secret-hidden",
    "OIDC_ISSUER": "https://issuer.test/",
}


def test_defaults_make_a_service() -> None:
    settings = Settings.from_environment("deals", GOOD)
    assert settings.service == "deals"
    assert settings.oidc_issuer == "https://issuer.test"
    assert settings.company_currency == "EUR"
    assert not settings.development


@pytest.mark.parametrize(("given", "on"), [("0", False), ("1", True), ("false", False), ("True", True)])
def test_a_switch_is_on_or_off(given: str, on: bool) -> None:
    assert Settings.from_environment("deals", {**GOOD, "DEVELOPMENT": given}).development is on


def test_secrets_are_never_shown() -> None:
    assert "hidden" not in repr(Settings.from_environment("deals", GOOD))


def test_everything_wrong_is_said_at_once() -> None:
    wrong = {
        "DATABASE_URL_LEADS": "postgresql://x",
        "CLAIM_SECRET": "short",
        "PORT": "99999",
        "SERVICE_PORT": "-1",
        "COMPANY_CURRENCY": "EURO",
        "COMPANY_TIMEZONE": "Mars",
        "COMPANY_HOLIDAYS": "XX",
        "COMPANY_LANGUAGE": "tlh",
        "COMPANY_NAME": "Lantern\nSons",
        "DEVELOPMENT": "yes",
        "LOG_LEVEL": "loud",
        "RATE_LIMIT": "many",
        "OIDC_ISSUER": "issuer",
        "OIDC_PROXY": "socks5://127.0.0.1:1080",
        "SMTP_URL": "http://short@mail.example",
        "SMTP_FROM": "nobody",
        "WEBHOOK_NETWORKS": "inside",
        "DELIVERY_HOURS": "0",
        "SSL_CERT_FILE": "/none/certificates.pem",
        "SSL_CERT_DIR": "/none/certificates",
    }
    with pytest.raises(SettingsError) as refused:
        Settings.from_environment("deals", wrong)
    told = str(refused.value)
    for name in (*wrong, "DATABASE_URL_DEALS"):
        assert (name in told) is (name != "DATABASE_URL_LEADS"), name
    assert len(told.splitlines()) == len(wrong)
    assert "short" not in told


def test_production_says_who_issues_tokens() -> None:
    without = {name: value for name, value in GOOD.items() if name != "OIDC_ISSUER"}
    with pytest.raises(SettingsError, match="OIDC_ISSUER"):
        Settings.from_environment("deals", without)
    assert Settings.from_environment("deals", {**without, "DEVELOPMENT": "1"}).development


def test_who_sends_mail_says_from_whom_it_comes() -> None:
    with pytest.raises(SettingsError, match="SMTP_FROM is missing"):
        Settings.from_environment("deals", {**GOOD, "SMTP_URL": "smtp://mail.example"})
    both = {"SMTP_URL": "smtp://u:hidden@mail.example", "SMTP_FROM": "a@exämple.com"}
    settings = Settings.from_environment("deals", {**GOOD, **both})
    assert settings.smtp_from == "a@xn--exmple-cua.com"
    assert "hidden" not in repr(settings)


def test_the_company_follows_from_the_settings() -> None:
    company = Settings.from_environment(
        "deals", {**GOOD, "COMPANY_HOLIDAYS": "DE", "COMPANY_TIMEZONE": "Europe/Berlin"}
    ).company
    assert not company.calendar.is_working(date(2026, 12, 25))
    assert company.calendar.is_working(date(2026, 12, 23))
    assert company.timezone == "Europe/Berlin"


@pytest.mark.parametrize(("given", "country", "subdivision"), [("", "", ""), ("CN", "CN", ""), ("GB-ENG", "GB", "ENG")])
def test_a_company_keeps_the_days_of_a_country_or_of_a_part_of_it(given: str, country: str, subdivision: str) -> None:
    company = Settings.from_environment("deals", {**GOOD, "COMPANY_HOLIDAYS": given}).company
    assert (company.calendar.country, company.calendar.subdivision) == (country, subdivision)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("XX", "is empty, a country of ISO 3166 like DE, or one with a subdivision like DE-BY"),
        ("-BY", "is empty, a country of ISO 3166 like DE, or one with a subdivision like DE-BY"),
        ("GB-", "names a subdivision of GB: ENG, NIR, SCT, WLS"),
        ("GB-LON", "names a subdivision of GB: ENG, NIR, SCT, WLS"),
        ("IL-TA", "names a subdivision of IL: there is none"),
    ],
)
def test_a_place_without_a_calendar_is_refused(given: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=f"COMPANY_HOLIDAYS {sentence}"):
        Settings.from_environment("deals", {**GOOD, "COMPANY_HOLIDAYS": given})


@pytest.mark.parametrize("given", ["de", "de-AT", "EN-gb"])
def test_the_company_s_language_is_one_that_ships(given: str) -> None:
    assert Settings.from_environment("deals", {**GOOD, "COMPANY_LANGUAGE": given}).company_language == given


@pytest.mark.parametrize("given", ["fr", "", "de_DE", "de en"])
def test_a_language_that_does_not_ship_is_refused(given: str) -> None:
    with pytest.raises(SettingsError, match=r"COMPANY_LANGUAGE is a language \(BCP 47\) that texts ship in: de, en\."):
        Settings.from_environment("deals", {**GOOD, "COMPANY_LANGUAGE": given})
