"""A folder that is made anew as a whole, or not at all: code, layers, bundles and packages all come to lie this way.

Enters where it shall lie, leaves an empty folder beside that place to fill; the swap follows when that is done.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def made_anew(into: Path) -> Iterator[Path]:
    """An empty folder to fill, which takes the place of `into` at the end: who looks finds the old one or the new one,
    and the old one stays when anything fails. Raises OSError for what the disk refuses."""
    fresh, old = (into.with_name(f"{into.name}.{os.getpid()}{end}") for end in ("", ".old"))
    try:
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        yield fresh
        if into.exists():
            into.rename(old)
        fresh.rename(into)
    finally:
        for folder in (fresh, old):
            shutil.rmtree(folder, ignore_errors=True)
