"""Rewrite the `.pth` file of an editable install in ASCII: Python then starts in a folder of any name under any locale.

Before 3.13 Python reads such a file in the encoding of the locale, and pip writes UTF-8: under another locale every
start fails in a folder whose name has an umlaut. A line that begins with `import` is executed, so the path is escaped.
Run by its file name with `-I -S`, before anything of this checkout can be imported.
"""

import os
import sys
from pathlib import Path


def in_ascii(content: bytes) -> bytes:
    """Each path once, as a statement that adds it; what is a statement already stays."""
    lines = dict.fromkeys(line.strip() for line in content.splitlines() if line.strip())
    return b"".join(
        line + b"\n"
        if line.startswith(b"import ")
        else f"import os, sys; sys.path.append(os.fsdecode({line!r}))\n".encode()
        for line in lines
    )


if __name__ == "__main__":
    for name in sys.argv[1:]:
        file = Path(os.fsdecode(name))
        file.write_bytes(in_ascii(file.read_bytes()))
