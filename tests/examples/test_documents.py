"""The samples of docs/testing.md, run as they stand there."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
(CODE,) = re.findall(r"^```python\n(.*?)^```$", (ROOT / "docs" / "testing.md").read_text(), re.MULTILINE | re.DOTALL)
NAMES = re.findall(r"^def (test_\w+)", CODE, re.MULTILINE)


def test_there_are_samples() -> None:
    assert len(NAMES) == 2


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_passes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    room: dict[str, Any] = {}
    exec(compile(CODE, "docs/testing.md", "exec"), room)
    sample: Callable[[], None] = room[name]
    sample()
