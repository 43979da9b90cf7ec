"""Interpreters started before the server has loaded: which, that they are taken over, that none is left behind."""

from __future__ import annotations

import asyncio
import select
import sys
from pathlib import Path

import pytest

from tests.waiting import still_running
from trine.awslambda import head_start as room
from trine.awslambda.environments.interpreters import Interpreters
from trine.awslambda.head_start import executables_for, head_start, start_interpreter
from trine.clock import SystemClock

OWN = f"python{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    places = {OWN.removeprefix("python"): sys.executable, "3.77": "/opt/python3.77", "3.78": "/opt/python3.78"}
    monkeypatch.setattr(room, "find", places.get)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Runtime: python3.77", ["/opt/python3.77"]),
        ("Runtime: python3.99", [sys.executable]),
        (f"Runtime: {OWN}\nRuntime: python3.77\nRuntime: python3.78", [sys.executable, "/opt/python3.77"]),
        ("Runtime: nodejs20.x", [sys.executable]),
        ("Runtime: python3.77\nRuntime: nodejs20.x", ["/opt/python3.77"]),
        ('{"Runtime": "provided.al2023"}', [sys.executable]),
        ("Description: a table only", []),
    ],
)
def test_the_interpreters_that_a_template_names(text: str, found: list[str]) -> None:
    assert executables_for(text) == found


def test_a_template_that_cannot_be_read_starts_nothing(tmp_path: Path) -> None:
    assert head_start(tmp_path / "none.yaml", [], tmp_path) == {}


def test_what_runs_already_is_taken_over_and_what_nobody_asked_for_ends(tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    template.write_text(f"Runtime: {OWN}")
    started = head_start(template, [], tmp_path)
    unasked = start_interpreter(sys.executable, "", sandboxed=False)
    wanted = started[sys.executable].popen.pid

    async def scene() -> tuple[int, list[str]]:
        interpreters = Interpreters(
            SystemClock(),
            tmp_path,
            sandboxed=True,
            quick_sdk=True,
            head_starts={**started, "/opt/python3.77": unasked},
        )
        interpreters.start()
        zygote = interpreters.zygote(OWN)
        late = await interpreters.ready(20)
        assert zygote.is_ready
        assert unasked.popen.poll() is not None
        popen = zygote._popen
        assert popen is not None
        await interpreters.close()
        return popen.pid, late

    pid, late = asyncio.run(scene())
    assert (pid, late) == (wanted, [])
    assert still_running({wanted, unasked.popen.pid}) == set()


def test_a_zygote_reads_nothing_of_the_persons_own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "work")
    monkeypatch.setenv("SECRET", "x")
    started = start_interpreter(sys.executable, "", sandboxed=False)
    assert select.select([started.socket], [], [], 20)[0]  # it runs
    variables = Path(f"/proc/{started.popen.pid}/environ").read_bytes().split(b"\0")
    started.end()
    names = {variable.partition(b"=")[0] for variable in variables} - {b"", b"LD_LIBRARY_PATH"}
    assert names == {b"PATH", b"LANG", b"AWS_CONFIG_FILE", b"AWS_SHARED_CREDENTIALS_FILE"}


def test_without_functions_there_is_no_zygote_and_nothing_to_wait_for(tmp_path: Path) -> None:
    async def scene() -> list[str]:
        interpreters = Interpreters(SystemClock(), tmp_path, sandboxed=True, quick_sdk=True)
        interpreters.start()
        late = await interpreters.ready(0)
        assert interpreters._zygotes == {}
        assert interpreters.layers.namespaces is False
        await interpreters.close()
        return late

    assert asyncio.run(scene()) == []


def test_an_interpreter_that_takes_longer_is_named(tmp_path: Path) -> None:
    async def scene() -> list[str]:
        interpreters = Interpreters(SystemClock(), tmp_path, sandboxed=False, quick_sdk=False)
        interpreters.start()
        interpreters.zygote(OWN)
        late = await interpreters.ready(0)
        await interpreters.close()
        return late

    assert asyncio.run(scene()) == [sys.executable]
