"""The runtime hooks of SnapStart: their module `snapshot_restore_py`, which AWS's Python runtimes bring, and their run.

A function that has the package from PyPI uses that one. The interface is AWS's: developer guide, "Implement code before
or after Lambda function snapshots"; the order in which hooks run is `awslambdaric`'s.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from .faults import Fault

MODULE = "snapshot_restore_py"
Hook = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]


def _module() -> ModuleType:
    before: list[Hook] = []
    after: list[Hook] = []
    module = ModuleType(MODULE)

    def register_before_snapshot(func: Callable[..., Any], *args: Any, **kwargs: Any) -> Callable[..., Any]:
        before.append((func, args, kwargs))
        return func

    def register_after_restore(func: Callable[..., Any], *args: Any, **kwargs: Any) -> Callable[..., Any]:
        after.append((func, args, kwargs))
        return func

    vars(module).update(
        register_before_snapshot=register_before_snapshot,
        register_after_restore=register_after_restore,
        get_before_snapshot=lambda: before,
        get_after_restore=lambda: after,
    )
    return module


class _Last:
    """Found when nobody else has such a module."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return importlib.util.spec_from_loader(name, self) if name == MODULE else None  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _module()

    def exec_module(self, module: ModuleType) -> None:
        """It is complete already."""


def offer() -> None:
    """From now on `import snapshot_restore_py` succeeds."""
    sys.meta_path.append(_Last())


def run_before_snapshot() -> None:
    """Those that prepare for the snapshot, last registered first. Raises Fault with the error of one that fails."""
    hooks = _registered("get_before_snapshot")
    while hooks:
        _run(hooks.pop(), "Runtime.BeforeSnapshotError")


def run_after_restore() -> None:
    """Those that follow a restore, in their order. Raises Fault with the error of one that fails."""
    for hook in _registered("get_after_restore"):
        _run(hook, "Runtime.AfterRestoreError")


def _registered(getter: str) -> list[Hook]:
    if MODULE not in sys.modules:
        return []  # nobody asked for it, so nobody registered
    found: list[Hook] = getattr(importlib.import_module(MODULE), getter)()
    return found


def _run(hook: Hook, error_type: str) -> None:
    function, positional, named = hook
    try:
        function(*positional, **named)
    except Exception as error:
        raise Fault(error_type, f"{type(error).__name__}: {error}") from error
