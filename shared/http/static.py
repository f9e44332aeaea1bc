"""Static pages of a service, fingerprinted: a page names its files below a path that is its language and their hash.

Files load nothing from outside and are served without sign-in. Modules import each other by relative paths, so whoever
has a page has the files of one release and the words of one language, whole, and a browser may keep them for ever;
those of another release are not found. They are read once: a process serves the files that it was started with,
whatever an update puts on the disk meanwhile.

A text of index.html is the key of a message in braces. What modules say is a module that is made of the language's
catalogue: `words.js`.
"""

import hashlib
import html
import json
import re
from collections.abc import Mapping
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from shared.http.problems import Problem
from shared.languages.catalogue import Catalogue
from shared.languages.shipped import Languages

TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
"""What is served, by suffix; not asked of the machine, whose own table may call modules something else."""

PAGE = "index.html"
WORDS = "words.js"
"""The module of the page's texts; it exports `language`, `texts` and `languages`, the names of all that there are."""
SAID_BY_PAGES = "page."
"""Messages whose keys begin like this are those of pages; others are said by answers and letters."""
PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9.-]*)\}")
"""Stands for a text in index.html, and for `release` and `language`."""
FINGERPRINT = 16
ASKED = "language"
"""The query parameter by which somebody asks for another language than their browser does."""

POLICY = {"Content-Security-Policy": "default-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"}
REVALIDATED = {**POLICY, "Cache-Control": "no-cache"}
KEPT = {**POLICY, "Cache-Control": "public, max-age=31536000, immutable"}


def page_routes(folder: Path, languages: Languages) -> list[BaseRoute]:
    """`GET /` is the folder's index.html in the language that is preferred, `/<folder's name>/<release>/<file>` a file
    of this release for ever, and `/<folder's name>/<file>` the file of whichever release answers. Raises KeyError for a
    text that there is not."""
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.suffix in TYPES
    }
    page = files.pop(PAGE).decode()
    words = {language: _words(catalogue, languages) for language, catalogue in languages.catalogues.items()}
    fingerprint = _fingerprint({**files, **words, PAGE: page.encode()})
    releases = {f"{language}-{fingerprint}": {**files, WORDS: words[language]} for language in words}
    pages = {
        language: _page(page, catalogue, f"{language}-{fingerprint}")
        for language, catalogue in languages.catalogues.items()
    }

    async def show(request: Request) -> Response:
        accepted = ",".join(request.headers.getlist("Accept-Language"))
        language = (languages.named(request.query_params.get(ASKED, "")) or languages.asked(accepted)).language
        release = f"{language}-{fingerprint}"
        # Asked for again each time, and answered 304 while it is the same. On the way the tag may get a suffix.
        headers = {
            **REVALIDATED,
            "ETag": f'"{release}"',
            "Content-Language": language,
            "Vary": "Accept-Language",
        }
        if f'"{release}' in request.headers.get("If-None-Match", ""):
            return Response(status_code=304, headers=headers)
        return Response(pages[language], media_type=TYPES[".html"], headers=headers)

    async def file(request: Request) -> Response:
        path: str = request.path_params["file"]
        release, _, name = path.partition("/")
        kept = name in releases.get(release, ())
        content = releases[release][name] if kept else files.get(path)
        if content is None:
            raise Problem("not-found", "There is no such file.")
        return Response(content, media_type=TYPES[Path(path).suffix], headers=KEPT if kept else REVALIDATED)

    return [Route("/", show), Route(f"/{folder.name}/{{file:path}}", file)]


def _words(catalogue: Catalogue, languages: Languages) -> bytes:
    """The module of a language's texts for pages."""
    exported = {
        "language": catalogue.language,
        "languages": {language: each.name for language, each in sorted(languages.catalogues.items())},
        "texts": {key: text for key, text in catalogue.texts.items() if key.startswith(SAID_BY_PAGES)},
    }
    lines = (f"export const {name} = {json.dumps(told, ensure_ascii=False)};\n" for name, told in exported.items())
    return "".join(lines).encode()


def _page(page: str, catalogue: Catalogue, release: str) -> bytes:
    """The page in a language: texts are escaped, so that they stand in elements and in attributes."""
    given = {"release": release, "language": catalogue.language}
    return PLACEHOLDER.sub(
        lambda found: given.get(found[1]) or html.escape(catalogue.say(found[1])),
        page,
    ).encode()


def _fingerprint(files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        digest.update(f"{name}\n{len(content)}\n".encode() + content)
    return digest.hexdigest()[:FINGERPRINT]
