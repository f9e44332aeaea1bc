"""Where mail is handed over."""

import pytest

from shared.ops.mail_server import MailServer, mail_server


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtps://mail.example", MailServer(host="mail.example", port=465, security="tls")),
        ("smtp://mail.example", MailServer(host="mail.example", port=587, security="starttls")),
        ("smtp+plain://127.0.0.1:1025", MailServer(host="127.0.0.1", port=1025, security="none")),
        (
            "smtp://us%40er:p%2Fw@mail.example:25",
            MailServer(host="mail.example", port=25, security="starttls", user="us@er", password="p/w"),
        ),
    ],
)
def test_an_address_of_a_mail_server_says_how_it_is_reached(url: str, expected: MailServer) -> None:
    assert mail_server(url) == expected
    assert "p/w" not in repr(mail_server(url))


@pytest.mark.parametrize(
    "url",
    [
        "mail.example",
        "http://mail.example",
        "smtp://",
        "smtp://h/x",
        "smtp://h?a",
        "smtp+plain://u:p@h",
        "smtp://h:x",
        "smtp://[",
        "smtp://h:99999",
    ],
)
def test_what_does_not_say_so_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="smtp"):
        mail_server(url)
