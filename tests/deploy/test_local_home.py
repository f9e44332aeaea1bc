"""What stands in the way of a start is one sentence and what to do about it."""

import os
import pwd
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local import home as home_module
from deploy.local import ports
from deploy.local.control import SUPERVISOR, is_supervised
from deploy.local.fault import LocalError
from deploy.local.home import Home
from deploy.local.postgres import UNPRIVILEGED, PostgresPlace, private_folder
from deploy.local.program import record_of
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
    assert [path.name for path in home.path.parent.iterdir()] == [home.path.name]


def test_what_need_not_outlive_the_machine_is_in_memory_where_there_is_enough(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home_module, "MEMORY", tmp_path)
    monkeypatch.setattr(home_module, "LEAST_MEMORY_BYTES", 1)
    lasting, volatile = (PostgresPlace(home, 5432, durable) for durable in (True, False))
    assert lasting.folder == home.postgres
    assert volatile.folder.parent == tmp_path
    assert Home(home.path.parent / "another").volatile != home.volatile

    monkeypatch.setattr(home_module, "LEAST_MEMORY_BYTES", 1 << 60)
    assert volatile.folder == home.postgres
    monkeypatch.setattr(home_module, "MEMORY", tmp_path / "none")
    assert volatile.folder == home.postgres


def test_data_in_memory_goes_with_the_home(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home_module, "MEMORY", tmp_path)
    monkeypatch.setattr(home_module, "LEAST_MEMORY_BYTES", 1)
    home.volatile.mkdir()
    (home.volatile / "data").touch()
    home.remove()
    assert not home.volatile.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="Only root can give a folder to somebody else.")
@pytest.mark.parametrize("link", [False, True])
def test_a_folder_that_somebody_else_was_faster_to_make_is_refused(tmp_path: Path, link: bool) -> None:
    """Where everybody may make one: what is written into it would be theirs to read."""
    folder, closed = tmp_path / "data", tmp_path / "closed"
    closed.mkdir(mode=0o700)
    folder.symlink_to(closed) if link else folder.mkdir()
    os.chown(folder, pwd.getpwnam("daemon").pw_uid, -1, follow_symlinks=False)
    with pytest.raises(LocalError, match="belongs to somebody else"):
        private_folder(folder, UNPRIVILEGED)
    assert closed.stat().st_uid == 0


@contextmanager
def kept_out_of(folder: Path) -> Iterator[None]:
    """Be somebody who may not write into a folder; root may, so the real user is another one meanwhile."""
    mode = folder.stat().st_mode
    folder.chmod(0o500)
    if os.geteuid() == 0:
        os.setreuid(pwd.getpwnam("nobody").pw_uid, -1)
    try:
        yield
    finally:
        if os.geteuid() == 0:
            os.setreuid(0, -1)
        folder.chmod(mode)


def test_a_home_that_is_read_only_is_refused(home: Home) -> None:
    with kept_out_of(home.logs), pytest.raises(LocalError, match=r"cannot be written \(Permission denied\)"):
        home.prepare()
    home.prepare()


def test_a_home_whose_name_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="is not UTF-8"):
        Home(Path(os.fsdecode(bytes(tmp_path) + b"/gr\xf6\xdfe"))).prepare()


@pytest.mark.parametrize("text", ["", "{", "17", "[]"])
def test_a_damaged_file_is_named(home: Home, text: str) -> None:
    file = record_of(home, SUPERVISOR)
    file.write_text(text)
    with pytest.raises(LocalError, match=r"supervisor\.json is damaged") as refused:
        is_supervised(home)
    assert refused.value.remedy == "Remove it, then try again."
    file.unlink()


def test_a_file_that_is_no_record_is_named(home: Home) -> None:
    file = record_of(home, SUPERVISOR)
    file.write_text('{"pid": "somebody"}')
    with pytest.raises(LocalError, match=r"supervisor\.json is no record of a process"):
        is_supervised(home)
    file.unlink()


def test_data_of_homes_within_goes_with_a_home(tmp_path: Path) -> None:
    """Those of tests lie in the home of their checkout; PostgreSQL's data may lie elsewhere."""
    outer, inner = Home(tmp_path / "home"), Home(tmp_path / "home" / "test-2" / "stack")
    for home in (outer, inner):
        home.prepare()
        home.postgres.mkdir(parents=True, exist_ok=True)
    other = Home(tmp_path / "other")
    other.prepare()
    other.postgres.mkdir(parents=True, exist_ok=True)
    outer.remove()
    assert not any(folder.exists() for folder in (outer.path, outer.postgres, inner.path, inner.postgres))
    assert other.postgres.exists()
    other.remove()
