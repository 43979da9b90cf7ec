"""A runtime by its name: `python3.12`, `nodejs22.x`, `provided.al2023`."""

from __future__ import annotations

import re
from functools import lru_cache

from trine.awslambda.runtimes.custom import Custom
from trine.awslambda.runtimes.dotnet import Dotnet
from trine.awslambda.runtimes.java import Java
from trine.awslambda.runtimes.nodejs import Nodejs
from trine.awslambda.runtimes.python import Python
from trine.awslambda.runtimes.runtime import Runtime

_KNOWN: dict[str, Runtime] = {one.family: one for one in (Python(), Nodejs(), Java(), Dotnet(), Custom())}
_OTHER = Runtime()
_FAMILY = re.compile(r"[0-9.]")
_VERSION = re.compile(r"[a-z]+(\d+(?:\.\d+)*)(?:\.x)?")


@lru_cache(maxsize=64)
def runtime_of(name: str) -> Runtime:
    """The runtime of a name; one that is not run here when nothing is known of it."""
    return _KNOWN.get(_FAMILY.split(name, maxsplit=1)[0], _OTHER)


def has_snap_start(name: str) -> bool:
    """Whether AWS lets functions of this runtime ask for SnapStart."""
    since, version = runtime_of(name).snap_start_since, _VERSION.fullmatch(name)
    return since is not None and version is not None and tuple(map(int, version[1].split("."))) >= since
