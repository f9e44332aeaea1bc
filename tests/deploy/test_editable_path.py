"""An installed checkout starts in a folder of any name under any locale."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy import editable_path

SCRIPT = Path(editable_path.__file__)


@pytest.mark.usefixtures("processes")
def test_a_folder_with_an_umlaut_is_found_in_a_locale_without(tmp_path: Path) -> None:
    checkout = tmp_path / "größe 'x' \\"
    checkout.mkdir()
    (checkout / "found.py").touch()
    pth = tmp_path / "site" / "_editable_impl.pth"
    pth.parent.mkdir()
    pth.write_text(f"{checkout}\n{checkout}\n", encoding="utf-8")
    for _ in range(2):  # the second time there is nothing to do
        subprocess.run((sys.executable, "-I", "-S", SCRIPT, pth), check=True)
        assert pth.read_bytes().isascii()
        assert len(pth.read_bytes().splitlines()) == 1

    plain = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    load = f"import site; site.addsitedir({str(pth.parent)!r}); import found"
    told = subprocess.run((sys.executable, "-S", "-c", load), env=plain, capture_output=True, check=False)
    assert told.returncode == 0, told.stderr
