"""Which of the SDK's functions may be replaced: those whose source is the very one a replacement was written for.

A version of botocore whose function reads differently runs stock. Fingerprints are of the source text, so they hold for
every Python version.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import inspect
import linecache
from collections.abc import Callable
from typing import Any

from . import sdk_sign, sdk_wire

PIECES: dict[str, tuple[Callable[[], Callable[[], None]], tuple[str, ...]]] = {
    "agent": (
        sdk_sign.install_agent,
        (
            "botocore.useragent:UserAgentString",
            "botocore.useragent:modify_components",
        ),
    ),
    "key": (sdk_sign.install_key, ("botocore.auth:SigV4Auth.signature", "botocore.auth:SigV4Auth._sign")),
    "wire": (
        sdk_wire.install,
        (
            "botocore.httpsession:URLLib3Session",
            "botocore.awsrequest:AWSResponse",
            "botocore.awsrequest:AWSConnection",
        ),
    ),
}
"""Name of each replacement → (what puts it in place, the source that it stands for)."""

KNOWN: dict[str, frozenset[str]] = {
    "agent": frozenset({"bd508eaad45c651d"}),
    "key": frozenset({"d504b3e9aa1b68a2"}),
    "wire": frozenset({"06d3b061caa8e1d0"}),
}
"""Fingerprints that each piece was tested with."""


def fingerprint(names: tuple[str, ...]) -> str:
    """Hash of the source of `module:object` names; '' when one is missing."""
    digest = hashlib.sha256()
    try:
        for name in names:
            module, _, path = name.partition(":")
            found: Any = functools.reduce(getattr, path.split("."), importlib.import_module(module))
            for function in _functions(found):
                digest.update(_source(function))
    except (ImportError, AttributeError, OSError, TypeError):
        return ""
    return digest.hexdigest()[:16]


def _functions(found: Any) -> list[Any]:
    # A class stands for all functions it defines, in a fixed order.
    if not inspect.isclass(found):
        return [found]
    members = [getattr(member, "fget", None) or member for _, member in sorted(vars(found).items())]
    return [
        getattr(member, "__func__", member)
        for member in members
        if hasattr(getattr(member, "__func__", member), "__code__")
    ]


def _source(function: Any) -> bytes:
    # The lines from its first to its last instruction: inspect.getsource would tokenize the file, which costs more.
    code = function.__code__
    last = max((line for _, _, line in code.co_lines() if line is not None), default=code.co_firstlineno)
    lines = linecache.getlines(code.co_filename)
    if not lines:
        raise OSError(code.co_filename)
    return "".join(lines[code.co_firstlineno - 1 : last]).encode()


def install() -> dict[str, Callable[[], None]]:
    """Put in place what fits this SDK; name → what takes it away again."""
    installed = {}
    for name, (put, names) in PIECES.items():
        if fingerprint(names) in KNOWN.get(name, frozenset()):
            installed[name] = put()
    return installed
