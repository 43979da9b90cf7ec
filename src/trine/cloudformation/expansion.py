"""The template read and expanded: from the cache when nothing changed, else by the child process `expand`.

A cache entry is the child's answer, named by the hash of everything it depends on. A hit costs a few file reads and
imports neither PyYAML nor aws-sam-translator.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import importlib.util
import json
import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from trine import __version__
from trine.cloudformation.document import Positions
from trine.cloudformation.faults import Fault
from trine.cloudformation.limits import CACHE_ENTRIES, EXPANSION_TIMEOUT_SECONDS, TEMPLATE_SIZE_BYTES
from trine.cloudformation.places import Places

_OWN_FILES = (
    "document.py", "yaml_document.py", "json_document.py", "sam.py", "sam_imports.py", "route_order.py", "expand.py",
    "limits.py", "includes.py", "property_types.py", "assets.py", "loops.py",
)  # fmt: skip


class Expansion(Struct, frozen=True):
    """A template in CloudFormation's own terms. `sources`: logical id → the SAM resource that it was made of.

    `faults` spoil the whole of it; `entry_faults` are about single entries; those are taken out and
    their names are `unread`.
    """

    template: dict[str, Any]
    positions: Positions
    sources: Mapping[str, str]
    transforms: tuple[str, ...]
    places: Places
    property_types: Mapping[str, Mapping[str, str]]
    attribute_names: Mapping[str, list[str]]
    arn_types: frozenset[str]
    literals: Mapping[str, Any]
    faults: list[Fault]
    entry_faults: list[Fault]
    unread: frozenset[str]
    warnings: list[Fault]
    from_cache: bool


def expand_template(path: Path, parameters: Mapping[str, str], region: str, cache_directory: Path | None) -> Expansion:
    """Read `path` and expand its transforms. Faults come back in the result, never as exceptions."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        text = path.read_bytes() if status.st_size <= TEMPLATE_SIZE_BYTES else b""
    except OSError as error:
        hint = "give the folder or file of a template, such as template.yaml"
        return _failed(path, Fault(str(path), 0, 0, f"cannot be read: {error.strerror}", hint, "template/file"))
    key = _key(path, text, parameters, region)
    entry = cache_directory / f"template-{key}.json" if cache_directory else None
    if entry is not None:
        answer = _cached(entry)
        if answer is not None:
            return _expansion(path, answer, True)
    request = {"path": str(path), "parameters": dict(parameters), "region": region}
    raw, fault = run_child("trine.cloudformation.expand", request, EXPANSION_TIMEOUT_SECONDS, path)
    if fault is not None:
        return _failed(path, fault)
    answer = _loads(raw)
    if entry is not None and not answer["faults"] and not answer["entry_faults"]:
        _store(entry, raw)
    return _expansion(path, answer, False)


def run_child(
    module: str, request: Mapping[str, Any], timeout_seconds: float, path: Path
) -> tuple[bytes, Fault | None]:
    """Run a module of this wing with `request` on its stdin. The child is gone when this returns."""
    import subprocess  # a cache hit needs none: 5 ms of start-up

    name = str(path)
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", module],  # -P: a yaml.py in the user's folder must not be imported
            input=json.dumps(request).encode(),
            capture_output=True,
            timeout=timeout_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        message = f"reading the template took longer than {timeout_seconds:g} s and was stopped"
        return b"", Fault(name, 0, 0, message, "is it very large, or full of aliases?", "template/timeout")
    if done.returncode != 0:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        message = f"the template reader ended with status {done.returncode}: {last}"
        return b"", Fault(name, 0, 0, message, "this is a bug of Trine: please report it", "template/reader")
    return done.stdout, None


def _key(path: Path, text: bytes, parameters: Mapping[str, str], region: str) -> str:
    found = hashlib.sha256(text)
    for part in (str(path), region, __version__, sys.version, _stamp(), json.dumps(dict(parameters), sort_keys=True)):
        found.update(b"\0" + part.encode(errors="surrogatepass"))
    return found.hexdigest()[:40]


def _stamp() -> str:
    """The versions of the code that expands, told by its files: reading package metadata would cost 10 ms."""
    parts = []
    for package in ("samtranslator", "yaml"):
        spec = importlib.util.find_spec(package)
        origin = spec.origin if spec else None
        parts.append(f"{origin}:{os.stat(origin).st_mtime_ns}" if origin else package)
    here = Path(__file__).parent
    for name in _OWN_FILES:
        with contextlib.suppress(OSError):
            parts.append(f"{name}:{os.stat(here / name).st_mtime_ns}")
    return "|".join(parts)


def _loads(raw: bytes) -> dict[str, Any]:
    import orjson

    answer = orjson.loads(raw)
    assert isinstance(answer, dict)
    return answer


def _cached(entry: Path) -> dict[str, Any] | None:
    """The stored answer, unless a file that it read has changed since, or the entry is damaged."""
    try:
        answer = _loads(entry.read_bytes())
        for name, digest in answer["dependencies"]:
            if hashlib.sha256(Path(name).read_bytes()).hexdigest() != digest:
                return None
    except (OSError, ValueError, KeyError, AssertionError):
        return None
    return answer


def _store(entry: Path, raw: bytes) -> None:
    """Keep `raw`, whole or not at all; the oldest entries go. A full or read-only disk only costs the next start."""
    with contextlib.suppress(OSError):
        entry.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = entry.with_suffix(f".{os.getpid()}")
        draft.write_bytes(raw)
        draft.chmod(0o600)
        draft.replace(entry)
        entries = sorted(entry.parent.glob("template-*.json"), key=lambda each: each.stat().st_mtime_ns)
        for old in entries[:-CACHE_ENTRIES]:
            old.unlink()


def _expansion(path: Path, answer: Mapping[str, Any], from_cache: bool) -> Expansion:
    positions = Positions(list(answer["files"]), answer["positions"])
    declared = answer["template"].get("Resources") if isinstance(answer["template"], dict) else None
    return Expansion(
        answer["template"],
        positions,
        answer["sources"],
        tuple(answer["transforms"]),
        Places(positions, answer["sources"], declared if isinstance(declared, dict) else {}),
        answer.get("property_types", {}),
        answer.get("attribute_names", {}),
        frozenset(answer.get("arn_types", ())),
        answer.get("literals", {}),
        [Fault.from_document(fault) for fault in answer["faults"]],
        [Fault.from_document(fault) for fault in answer["entry_faults"]],
        frozenset(answer["unread"]),
        [Fault.from_document(fault) for fault in answer["warnings"]],
        from_cache,
    )


def _failed(path: Path, fault: Fault) -> Expansion:
    positions = Positions([str(path)])
    places, nothing = Places(positions, {}, {}), frozenset[str]()
    return Expansion({}, positions, {}, (), places, {}, {}, nothing, {}, [fault], [], frozenset(), [], False)
