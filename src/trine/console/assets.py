"""The console's files: pages, scripts and styles as they lie in the package; nothing is built, nothing is fetched.

Enters a name below `/_trine/assets/`, leaves a response. Names are looked up in a table made from the folder, so that
no path can lead out of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from trine.console.browser import SECURITY_HEADERS
from trine.http.message import Request, Response

_FOLDER = Path(__file__).with_name("assets")
_TYPES = {
    ".html": b"text/html; charset=utf-8",
    ".css": b"text/css; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".svg": b"image/svg+xml",
}


class Asset(NamedTuple):
    """One file, ready to send."""

    body: bytes
    type: bytes
    tag: bytes


def asset(name: str) -> Asset | None:
    """The file of that name, read once; None when there is none."""
    file = _files().get(name)
    return None if file is None else _read(file)


@cache
def _files() -> Mapping[str, Path]:
    return {file.relative_to(_FOLDER).as_posix(): file for file in _FOLDER.rglob("*") if file.suffix in _TYPES}


@cache
def _read(file: Path) -> Asset:
    # Remembered by file and not by the name that was asked for: names come from anybody.
    body = file.read_bytes()
    return Asset(body, _TYPES[file.suffix], b'"%s"' % hashlib.sha256(body).hexdigest()[:32].encode())


def respond(found: Asset, request: Request) -> Response:
    """The file, or 304 when the browser has it."""
    headers = [
        (b"Content-Type", found.type),
        (b"ETag", found.tag),
        (b"Cache-Control", b"no-cache"),
        *SECURITY_HEADERS,
    ]
    if request.headers.get(b"if-none-match") == found.tag:
        return Response(304, headers)
    return Response(200, headers, found.body)
