"""What stands in the way of a start is one sentence and what to do about it."""

import socket
from pathlib import Path

import pytest

from deploy.local import home as home_module
from deploy.local import ports
from deploy.local.fault import LocalError
from deploy.local.home import Home
from deploy.local.stack import Stack


def test_a_busy_port_is_named_with_its_holder_and_another_way() -> None:
    with socket.socket() as holder:
        holder.bind((ports.LOOPBACK, 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(LocalError) as refused:
            ports.require_free(port)
    assert refused.value.sentence.startswith(f"Port {port} is in use by ")
    assert f"make demo PORT={port + 1}" in refused.value.remedy
    ports.require_free(port)


def test_data_of_another_version_is_refused(home: Home) -> None:
    (home.path / "layout").write_text("throughline 0: postgresql 15\n")
    with pytest.raises(LocalError) as refused:
        Stack.at(home.path)
    assert "another version (throughline 0: postgresql 15)" in refused.value.sentence
    assert "make clean" in refused.value.remedy


def test_a_full_disk_is_refused(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home_module, "LEAST_FREE_BYTES", 1 << 60)
    with pytest.raises(LocalError, match="MiB left, and the servers need 1 GiB"):
        home.prepare()


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LocalError, match="cannot be written"):
        Home(tmp_path / "file" / "stack").prepare()


def test_ports_are_remembered_until_somebody_else_takes_them(home: Home) -> None:
    first = ports.remembered(home, ["a", "b"])
    assert first["a"] != first["b"]
    assert ports.remembered(home, ["a", "b"]) == first
    with socket.socket() as holder:
        holder.bind((ports.LOOPBACK, first["a"]))
        holder.listen()
        assert ports.remembered(home, ["a", "b"], choose=False) == first
        second = ports.remembered(home, ["a", "b"])
    assert second["a"] != first["a"]
    assert second["b"] == first["b"]


def test_a_secret_is_made_once_and_is_its_owners_alone(home: Home) -> None:
    assert home.secret("x") == home.secret("x") != home.secret("y")
    assert (home.path / "x.secret").stat().st_mode & 0o077 == 0


def test_only_one_command_holds_a_home(home: Home) -> None:
    with home.claim() as first, home.claim() as second:
        assert (first, second) == (True, False)
    with home.claim() as again:
        assert again
