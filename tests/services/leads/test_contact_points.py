"""E-mail, phone and domain in one spelling each (LEAD-1, LEAD-2)."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from services.leads.domain.contact_points import email_key, normal_domain, normal_email, normal_phone, normalised
from shared.domain.rejection import Rejected


@pytest.mark.parametrize(
    ("given_", "normal"),
    [
        ("Ada@Northwind.EXAMPLE", "ada@northwind.example"),
        ("  ada@northwind.example ", "ada@northwind.example"),
        ("ADA+fair@gmail.com", "ada+fair@gmail.com"),
    ],
)
def test_lead_2_an_address_has_one_spelling(given_: str, normal: str) -> None:
    assert normal_email(given_) == normal


@pytest.mark.parametrize("given_", ["ada", "ada@", "@northwind.example", "a b@northwind.example", "ada@localhost"])
def test_lead_1_what_is_no_address_is_refused(given_: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        normal_email(given_)
    assert email_key(given_) is None


@pytest.mark.parametrize(
    ("given_", "country", "normal"),
    [
        ("+49 (30) 901820", None, "+4930901820"),
        ("030 901820", "DE", "+4930901820"),
        ("(202) 555-0100", "US", "+12025550100"),
        ("+1 202 555 0100", "DE", "+12025550100"),
        ("0049 30 901820", None, "+4930901820"),
        ("0049 30 901820", "US", "+4930901820"),
        ("+49 30 901820 ext. 12", None, "+4930901820;ext=12"),
        ("+49 30 901820 x13", None, "+4930901820;ext=13"),
        ("+4930901820;ext=12", None, "+4930901820;ext=12"),
        ("+52 1 55 1234 5678", None, "+525512345678"),
        ("+52 55 1234 5678", None, "+525512345678"),
    ],
)
def test_lead_1_a_phone_number_is_kept_in_e_164(given_: str, country: str | None, normal: str) -> None:
    assert normal_phone(given_, country) == normal


@pytest.mark.parametrize(("given_", "country"), [("030 901820", None), ("12", "DE"), ("call me", "DE")])
def test_lead_1_what_is_no_phone_number_is_refused(given_: str, country: str | None) -> None:
    with pytest.raises(ValueError, match=r".+"):
        normal_phone(given_, country)


@pytest.mark.parametrize(
    ("given_", "normal"),
    [
        ("https://www.acme.co.uk/about?x=1", "acme.co.uk"),
        ("Shop.Northwind.example", "northwind.example"),
        ("northwind.example:8080", "northwind.example"),
        ("Bücher.de", "xn--bcher-kva.de"),
        ("straße.de", "xn--strae-oqa.de"),
        ("xn--strae-oqa.de", "xn--strae-oqa.de"),
        ("strasse.de", "strasse.de"),
        ("https://acme.onmicrosoft.com/", "acme.onmicrosoft.com"),
        ("mail.acme.onmicrosoft.com", "acme.onmicrosoft.com"),
        ("acme.my.salesforce.com", "acme.my.salesforce.com"),
        ("www.salesforce.com", "salesforce.com"),
    ],
)
def test_lead_2_a_domain_is_the_registrable_one(given_: str, normal: str) -> None:
    assert normal_domain(given_) == normal


@pytest.mark.parametrize("given_", ["co.uk", "acme", "not a domain", "http://", "[", "-acme.com", "onmicrosoft.com"])
def test_lead_1_what_is_no_domain_is_refused(given_: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        normal_domain(given_)


def test_lead_1_every_field_that_cannot_be_read_is_named_at_once() -> None:
    with pytest.raises(Rejected) as refusal:
        normalised(email="ada", phone="x", domain="co.uk", country="XX", domain_field="company_domain")
    assert [(reason.code, reason.field) for reason in refusal.value.reasons] == [
        ("unknown-country", "country"),
        ("invalid-email", "email"),
        ("invalid-phone", "phone"),
        ("invalid-domain", "company_domain"),
    ]


@given(some.text(max_size=60))
@example("000000")
def test_lead_2_normal_forms_are_stable_and_nothing_else_escapes(text: str) -> None:
    for normal in (normal_email, normal_domain, lambda given_: normal_phone(given_, "DE")):
        try:
            once = normal(text)
        except ValueError:
            continue
        assert normal(once) == once


@given(some.emails())
def test_lead_2_the_normal_form_of_an_address_is_its_own(address: str) -> None:
    key = email_key(address)
    assert key is None or email_key(key.upper()) == key == email_key(key)
