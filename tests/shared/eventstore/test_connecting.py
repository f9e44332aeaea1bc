"""What is set for `psql` decides nothing about where a service connects, and how."""

import asyncio
import ssl
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from shared.eventstore.connecting import connect
from shared.eventstore.pool import create_pool
from shared.ops.settings import SettingsError
from shared.testing.servers import DatabaseServer
from tests.shared.http.test_issuer_client import certified

SSL_REQUEST = (8).to_bytes(4) + (80877103).to_bytes(4)
FOREIGN = {
    "PGHOST": "elsewhere.invalid",
    "PGPORT": "1,2",
    "PGUSER": "somebody",
    "PGPASSWORD": "foreign",
    "PGDATABASE": "elsewhere",
    "PGSERVICE": "elsewhere",
    "PGSSLMODE": "verify-full",
    "PGSSLNEGOTIATION": "direct",
    "PGSSLROOTCERT": "/none/root.crt",
    "PGSSLCERT": "/none/client.crt",
    "PGSSLKEY": "/none/client.key",
    "PGSSLMINPROTOCOLVERSION": "SSLv3",
    "PGTARGETSESSIONATTRS": "standby",
    "PGKRBSRVNAME": "elsewhere",
    "PGGSSLIB": "nonsense",
    "SSLKEYLOGFILE": "/none/keys",
}


@pytest.fixture
def foreign(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment of somebody who works with another server, whose files are broken besides."""
    for name, value in FOREIGN.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".postgresql").mkdir()
    for name in ("root.crt", "root.crl", "postgresql.crt", "postgresql.key"):
        (tmp_path / ".postgresql" / name).write_text("nonsense")


@pytest.mark.usefixtures("foreign")
@pytest.mark.parametrize("mode", ["", "disable", "prefer", "allow"])
async def test_a_connection_is_what_its_address_says(postgres: DatabaseServer, mode: str) -> None:
    """The server here knows no TLS: without a mode, and with one that leaves it open, there is none."""
    parts = urlsplit(postgres.url)
    url = parts._replace(query=f"sslmode={mode}" if mode else "").geturl()
    connection = await connect(url)
    assert await connection.fetchval("select current_user || '@' || current_database()") == "postgres@postgres"
    await connection.close()
    async with await create_pool(url, name="foreign", size=1) as pool:
        assert await pool.fetchval("select current_setting('application_name')") == "throughline-foreign"


@pytest.mark.usefixtures("foreign")
async def test_encryption_that_is_wanted_is_not_left_out(postgres: DatabaseServer) -> None:
    if await answered(postgres.url, "show ssl") == "on":
        pytest.skip("The given server knows TLS.")
    with pytest.raises(ConnectionError, match="rejected SSL upgrade"):
        await connect(urlsplit(postgres.url)._replace(query="sslmode=require").geturl())


@asynccontextmanager
async def encrypted(postgres: DatabaseServer, tls: ssl.SSLContext) -> AsyncIterator[tuple[int, list[str]]]:
    """The server behind one that speaks TLS with whoever asks for it; its port, and how each connection came."""
    parts, came = urlsplit(postgres.url), list[str]()

    async def pass_on(source: asyncio.StreamReader, drain: asyncio.StreamWriter) -> None:
        while told := await source.read(65536):
            drain.write(told)
        drain.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.readexactly(8)
        came.append("encrypted" if first == SSL_REQUEST else "plain")
        if first == SSL_REQUEST:
            writer.write(b"S")
            await writer.start_tls(tls)
            first = b""
        behind, ahead = await asyncio.open_connection(parts.hostname, parts.port)
        ahead.write(first)
        await asyncio.gather(pass_on(reader, ahead), pass_on(behind, writer), return_exceptions=True)

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1], came


async def answered(url: str, question: str = "select 'answered'") -> str:
    connection = await connect(url, timeout=10)
    try:
        return str(await connection.fetchval(question))
    finally:
        await connection.close()


@pytest.mark.usefixtures("foreign")
async def test_a_server_is_verified_as_the_address_says(postgres: DatabaseServer, tmp_path: Path) -> None:
    file, tls = certified(tmp_path)
    _, other = certified(Path(tempfile.mkdtemp(dir=tmp_path)))
    parts = urlsplit(postgres.url)

    def address(port: int, query: str) -> str:
        login = parts.netloc.rpartition("@")[0]
        return parts._replace(netloc=f"{login}@127.0.0.1:{port}", query=query).geturl()

    verified = [f"sslmode={mode}&sslrootcert={file}" for mode in ("require", "verify-ca", "verify-full")]
    async with encrypted(postgres, tls) as (port, came):
        for query in ("", "sslmode=prefer", "sslmode=require", *verified):
            assert await answered(address(port, query)) == "answered", query
        assert came == ["encrypted"] * 6
        assert await answered(address(port, "sslmode=disable")) == "answered"
        assert came[6:] == ["plain"]
        with pytest.raises(ssl.SSLCertVerificationError):
            await answered(address(port, "sslmode=verify-full&sslrootcert=system"))
    async with encrypted(postgres, other) as (port, came):
        for query in verified:
            with pytest.raises(ssl.SSLCertVerificationError):
                await answered(address(port, query))
        assert came == ["encrypted"] * 3


async def test_a_password_is_looked_for_in_the_file_that_the_address_names_alone(
    postgres: DatabaseServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    parts = urlsplit(postgres.url)
    file = tmp_path / ".pgpass"
    file.touch(mode=0o600)
    file.write_text(f"*:*:*:*:{parts.password}")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PGPASSFILE", str(file))
    without = parts._replace(netloc=f"postgres@{parts.hostname}:{parts.port}")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await connect(without.geturl())
    connection = await connect(without._replace(query=f"sslmode=disable&passfile={file}").geturl())
    await connection.close()


@pytest.mark.usefixtures("foreign")
async def test_an_address_without_a_host_is_a_sentence_and_not_the_server_of_somebody_else() -> None:
    with pytest.raises(SettingsError, match="it names no host"):
        await connect("postgresql://u:p@/deals")
