"""How the issuer's keys are fetched is decided by settings, and by nothing else of the environment."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from shared.http.authentication import fetch_keys, issuer_client
from shared.ops.settings import Settings

KEYS: dict[str, list[str]] = {"keys": []}
GIVEN = {"DATABASE_URL_DEALS": "postgresql://u@127.0.0.1/deals", "CLAIM_SECRET": "x" * 32}
PROXIES = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")


def settings(**given: str) -> Settings:
    return Settings.from_environment("deals", {**GIVEN, "OIDC_ISSUER": "https://issuer.test", **given})


@asynccontextmanager
async def answering(tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[str, list[str]]]:
    """A server that gives the keys whatever it is asked; its address, and what it was asked."""
    asked: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        asked.append(head.split(b"\r\n")[0].decode())
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\nConnection: close\r\n\r\n{"keys":[]}')
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls) as server:
        yield f"http{'s' if tls else ''}://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:9", "socks5://127.0.0.1:9"])
async def test_the_proxies_of_the_environment_are_nothing_to_it(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    for name in PROXIES:
        monkeypatch.setenv(name, proxy)
    async with answering() as (address, asked), issuer_client(settings()) as client:
        assert await fetch_keys(client, "", f"{address}/jwks")() == KEYS
    assert asked == ["GET /jwks HTTP/1.1"]


async def test_a_proxy_that_is_set_is_used() -> None:
    async with answering() as (proxy, asked), issuer_client(settings(OIDC_PROXY=proxy)) as client:
        assert await fetch_keys(client, "", "http://issuer.invalid/jwks")() == KEYS
    assert asked == ["GET http://issuer.invalid/jwks HTTP/1.1"]


async def test_an_issuer_is_trusted_by_the_certificates_that_are_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file, tls = certified(tmp_path)
    async with answering(tls) as (address, _):
        async with issuer_client(settings(SSL_CERT_FILE=str(file))) as client:
            assert await fetch_keys(client, "", f"{address}/jwks")() == KEYS
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        async with issuer_client(settings()) as client:
            with pytest.raises(httpx.ConnectError):
                await fetch_keys(client, "", f"{address}/jwks")()


def certified(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate that vouches for itself, and a server that shows it."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file, secret = folder / "issuer.pem", folder / "issuer.key"
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    kind = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    secret.write_bytes(key.private_bytes(*kind))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, secret)
    return file, context
