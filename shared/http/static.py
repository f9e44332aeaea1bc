"""Static pages of a service, fingerprinted: a page names its files below a path that is the hash of all of them.

Files load nothing from outside and are served without sign-in. Modules import each other by relative paths, so whoever
has a page has the files of one release, whole, and a browser may keep them for ever; those of another are not found.
They are read once: a process serves the files that it was started with, whatever an update puts on the disk meanwhile.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from shared.http.problems import Problem

TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
"""What is served, by suffix; not asked of the machine, whose own table may call modules something else."""

PLACEHOLDER = b"{release}"
"""Stands for the fingerprint in index.html."""
FINGERPRINT = 16

POLICY = {"Content-Security-Policy": "default-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"}
REVALIDATED = {**POLICY, "Cache-Control": "no-cache"}
KEPT = {**POLICY, "Cache-Control": "public, max-age=31536000, immutable"}


def page_routes(folder: Path) -> list[BaseRoute]:
    """`GET /` is the folder's index.html, `/<folder's name>/<fingerprint>/<file>` a file of this release for ever, and
    `/<folder's name>/<file>` the file of whichever release answers."""
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.suffix in TYPES
    }
    release = _fingerprint(files)
    page = files.pop("index.html").replace(PLACEHOLDER, release.encode())

    async def show(request: Request) -> Response:
        # Asked for again each time, and answered 304 while it is the same. On the way the tag may get a suffix.
        headers = {**REVALIDATED, "ETag": f'"{release}"'}
        if release in request.headers.get("If-None-Match", ""):
            return Response(status_code=304, headers=headers)
        return Response(page, media_type=TYPES[".html"], headers=headers)

    async def file(request: Request) -> Response:
        path: str = request.path_params["file"]
        name = path.removeprefix(f"{release}/")
        if name not in files:
            raise Problem("not-found", "There is no such file.")
        headers = REVALIDATED if name == path else KEPT
        return Response(files[name], media_type=TYPES[Path(name).suffix], headers=headers)

    return [Route("/", show), Route(f"/{folder.name}/{{file:path}}", file)]


def _fingerprint(files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        digest.update(f"{name}\n{len(content)}\n".encode() + content)
    return digest.hexdigest()[:FINGERPRINT]
