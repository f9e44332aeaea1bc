"""A database's address says everything, or is refused; it shows no password."""

import re
from pathlib import Path

import pytest

from shared.ops.database_url import parse


@pytest.mark.parametrize(
    ("url", "hosts", "ports", "login", "database"),
    [
        ("postgresql://u:p@db/deals", ("db",), (5432,), ("u", "p"), "deals"),
        ("postgres://u@db:6000/deals", ("db",), (6000,), ("u", ""), "deals"),
        ("postgresql://u:p%40%2F@[::1]:6000/deals", ("::1",), (6000,), ("u", "p@/"), "deals"),
        ("postgresql://u@a:1,b/deals?port=7", ("a", "b"), (1, 7), ("u", ""), "deals"),
        ("postgresql://u@%2Frun%2Fpostgresql/deals", ("/run/postgresql",), (5432,), ("u", ""), "deals"),
        ("postgresql:///deals?host=/run/x&user=u&password=p", ("/run/x",), (5432,), ("u", "p"), "deals"),
        ("postgresql://u@db/?dbname=deals", ("db",), (5432,), ("u", ""), "deals"),
    ],
)
def test_an_address_is_read_as_libpq_reads_it(
    url: str, hosts: tuple[str, ...], ports: tuple[int, ...], login: tuple[str, str], database: str
) -> None:
    said = parse(url)
    assert (said.hosts, said.ports, (said.user, said.password), said.database) == (hosts, ports, login, database)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("mysql://u:hidden@db/deals", "begins with postgresql://"),
        ("postgresql://u:hidden@/deals", "names no host"),
        ("postgresql://u:hidden@,db/deals", "names no host"),
        ("postgresql://db/deals", "names no user"),
        ("postgresql://u:hidden@db", "names no database"),
        ("postgresql://u:hidden@db:many/deals", "a port is a number from 1 to 65535"),
        ("postgresql://u:hidden@db/deals?sslmode", "name=value"),
        ("postgresql://u:hidden@db/deals?sslmode=yes", "sslmode that is none of disable, prefer"),
        ("postgresql://u:hidden@db/deals?sslmode=verify-full", "and no sslrootcert"),
        ("postgresql://u:hidden@db/deals?sslcert=/none/x.crt", "sslcert=/none/x.crt, where no file is"),
        ("postgresql://u:hidden@db/deals?gsslib=x", "gsslib, which is one of gssapi, sspi"),
        ("postgresql://u:hidden@db/deals?service=x", "a service file is not read"),
    ],
)
def test_an_address_that_leaves_something_out_is_refused(url: str, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)) as refused:
        parse(url)
    assert "hidden" not in str(refused.value)


def test_what_is_said_beside_the_database_is_kept(tmp_path: Path) -> None:
    root = tmp_path / "root.crt"
    root.touch()
    said = parse(f"postgresql://u:hidden@db/deals?sslmode=verify-full&sslrootcert={root}&application_name=x")
    assert (said.sslmode, said.options) == ("verify-full", {"sslrootcert": str(root), "application_name": "x"})
    assert "hidden" not in repr(said)
    assert parse("postgresql://u@db/deals?sslmode=verify-full&sslrootcert=system").sslmode == "verify-full"
