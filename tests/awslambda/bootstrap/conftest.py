"""The Node.js client is tested where Node.js is installed; the SDK without what other tests hang into it."""

from __future__ import annotations

import shutil

import botocore.handlers
import pytest

collect_ignore = [] if shutil.which("node") else ["test_node.py"]


@pytest.fixture(autouse=True)
def _no_stubs(monkeypatch: pytest.MonkeyPatch) -> None:
    # moto, once imported, hooks itself into every later client, for which the straight way then is (rightly) closed.
    own = [entry for entry in botocore.handlers.BUILTIN_HANDLERS if not type(entry[1]).__module__.startswith("moto")]
    monkeypatch.setattr(botocore.handlers, "BUILTIN_HANDLERS", own)
