"""Answers leave together at the end of a loop's round, or at once where only one is to be expected."""

from __future__ import annotations

import asyncio

import pytest

from trine.http.loop import run
from trine.http.outbox import GATHERED_MAX, STRAIGHT_COUNT, Outbox


class Recorder:
    def __init__(self) -> None:
        self.writes = 0

    def write(self) -> None:
        self.writes += 1


async def _round() -> None:
    """Let the loop run what is planned now."""
    await asyncio.sleep(0)


def test_answers_of_one_round_leave_at_its_end() -> None:
    async def scenario() -> None:
        outbox = Outbox(asyncio.get_running_loop())
        writers = [Recorder() for _ in range(3)]
        for writer in writers:
            outbox.add(writer)
        assert [writer.writes for writer in writers] == [0, 0, 0]
        await _round()
        assert [writer.writes for writer in writers] == [1, 1, 1]
        await _round()
        assert [writer.writes for writer in writers] == [1, 1, 1]

    run(scenario())


def test_a_full_outbox_does_not_wait_for_the_end() -> None:
    async def scenario() -> None:
        outbox = Outbox(asyncio.get_running_loop())
        writers = [Recorder() for _ in range(GATHERED_MAX + 1)]
        for writer in writers:
            outbox.add(writer)
        assert [writer.writes for writer in writers] == [1] * GATHERED_MAX + [0]
        await _round()
        assert [writer.writes for writer in writers] == [1] * (GATHERED_MAX + 1)

    run(scenario())


def test_after_a_lone_answer_the_next_ones_go_straight_out() -> None:
    async def scenario() -> None:
        outbox = Outbox(asyncio.get_running_loop())
        writer = Recorder()
        outbox.add(writer)
        assert writer.writes == 0
        await _round()
        for number in range(STRAIGHT_COUNT):
            outbox.add(writer)
            assert writer.writes == number + 2
        outbox.add(writer)
        assert writer.writes == STRAIGHT_COUNT + 1  # tried again
        await _round()
        assert writer.writes == STRAIGHT_COUNT + 2

    run(scenario())


def test_two_answers_keep_gathering() -> None:
    async def scenario() -> None:
        outbox = Outbox(asyncio.get_running_loop())
        first, second = Recorder(), Recorder()
        for number in range(3):
            outbox.add(first)
            outbox.add(second)
            assert (first.writes, second.writes) == (number, number)
            await _round()

    run(scenario())


def test_a_writer_that_fails_keeps_nobody_else_back(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def write(self) -> None:
            raise RuntimeError("on purpose")

    async def scenario() -> None:
        outbox = Outbox(asyncio.get_running_loop())
        writer = Recorder()
        outbox.add(Broken())
        outbox.add(writer)
        await _round()
        assert writer.writes == 1

    run(scenario())
    assert "could not be written" in caplog.text
