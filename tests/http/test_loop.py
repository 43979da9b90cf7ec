"""The event loop that is chosen runs what it is given."""

from __future__ import annotations

import asyncio

import pytest

from trine.http.loop import new_event_loop, run


async def answer() -> int:
    await asyncio.sleep(0)
    return 42


def test_run_brings_the_result() -> None:
    assert run(answer()) == 42


def test_run_passes_errors_on() -> None:
    async def fails() -> None:
        raise LookupError("no")

    with pytest.raises(LookupError):
        run(fails())


def test_uvloop_where_it_exists() -> None:
    loop = new_event_loop()
    try:
        try:
            import uvloop
        except ImportError:
            assert isinstance(loop, asyncio.AbstractEventLoop)
        else:
            assert isinstance(loop, uvloop.Loop)
        assert loop.run_until_complete(answer()) == 42
    finally:
        loop.close()
