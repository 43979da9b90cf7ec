"""Ten thousand mixed calls: every one is answered, nothing leaks, no process is left."""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import still_running
from trine.aws.errors import AwsError

from .conftest import HANDLERS
from .environments.test_process import descendants


@pytest.mark.slow
def test_ten_thousand_mixed_calls(own_lab: Any) -> None:
    lab = own_lab
    draw = random.Random(7)
    names = {
        "app.hello": 88,
        "app.echo": 6,
        "app.fail": 3,
        "app.write_lines": 2,
        "app.leave": 0.4,
        "app.exit_politely": 0.3,
        "app.datetimes": 0.2,
        "broken_import.handler": 0.1,
        "bad.crash": 0.1,
        "bad.close_link": 0.1,
        "bad.unserializable": 0.1,
        "bad.spawn_forever": 0.2,
        "bad.leave_thread_that_speaks": 0.2,
        "app.flood": 0.05,
        "app.leave_children": 0.1,
        "node:app.hello": 2,
        "node:app.throws": 0.2,
        "node:app.exit": 0.05,
        "node:bad.leaveChildren": 0.1,
    }
    for handler in names:
        language, _, named = handler.rpartition(":")
        more = {"code": HANDLERS / "node", "Runtime": "nodejs20.x"} if language else {}
        lab.put(named, handler.replace(".", "-").replace(":", "-"), Timeout=20, **more)
    lab.put("app.loop_for_ever", Timeout=1)
    before = len(os.listdir("/proc/self/fd"))
    seen: Counter[str] = Counter()

    async def one() -> None:
        chosen = draw.choices([*names, "app.loop_for_ever"], [*names.values(), 0.02])[0]
        try:
            response = await lab.send(chosen.replace(".", "-").replace(":", "-"), {"name": "x", "lines": 5_000})
        except AwsError as error:
            seen[error.code] += 1
        else:
            seen[response.function_error or "fine"] += 1

    async def worker() -> None:
        for _ in range(500):
            await one()

    async def everything() -> None:
        await asyncio.gather(*(worker() for _ in range(20)))

    lab.run(everything(), timeout_seconds=280)
    assert sum(seen.values()) == 10_000
    assert set(seen) == {"fine", "Unhandled"}
    environments = sum(
        len(lab.service.registry.describe_environments(f.name)) for f in lab.service.deployment.functions()
    )
    assert len(os.listdir("/proc/self/fd")) - before <= environments * 4 + 10
    zygote = lab.service.machinery.interpreters.own._popen.pid
    family = descendants(zygote)
    assert len(family) > environments  # some leave processes behind that live as long as their environment, no longer
    lab.run(lab.service.close())
    assert still_running(family | {zygote}) == set()
    assert not Path(lab.state / "tmp").exists()
