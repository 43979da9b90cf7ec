"""A streamed answer between its writer and its reader."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from trine.aws.answer_stream import HIGH_WATER_BYTES, AnswerStream, StreamEnd
from trine.aws.invoke import StreamedResponse


@given(st.lists(st.binary(max_size=50)))
def test_every_byte_comes_out_in_order(pieces: list[bytes]) -> None:
    async def scenario() -> bytes:
        stream = AnswerStream()

        async def write() -> None:
            for piece in pieces:
                stream.feed(piece)
                await asyncio.sleep(0)
            stream.finish(StreamEnd())

        writing = asyncio.ensure_future(write())
        read = [piece async for piece in stream]
        await writing
        assert all(read)
        return b"".join(read)

    assert asyncio.run(scenario()) == b"".join(pieces)


def test_a_slow_reader_holds_the_writer_back() -> None:
    async def scenario() -> list[bool]:
        held: list[bool] = []
        stream = AnswerStream(held.append)
        stream.feed(bytes(HIGH_WATER_BYTES - 1))
        assert held == []
        stream.feed(b"x")
        assert held == [True]
        await anext(stream)
        return held

    assert asyncio.run(scenario()) == [True, False]


def test_a_reader_that_goes_away_lets_the_writer_run_on() -> None:
    async def scenario() -> list[bool]:
        held: list[bool] = []
        stream = AnswerStream(held.append)
        stream.feed(bytes(HIGH_WATER_BYTES))
        await stream.aclose()
        for _ in range(5):
            stream.feed(bytes(HIGH_WATER_BYTES))
        assert [piece async for piece in stream] == []
        stream.finish(StreamEnd("Unhandled", b"{}"))
        return held

    assert asyncio.run(scenario()) == [True, False]


def test_a_failure_behind_a_first_piece_is_no_early_one() -> None:
    """Both may have come before anybody looked."""
    early, midway = (StreamedResponse("id", "1", "text/plain", AnswerStream()) for _ in range(2))
    midway.body.feed(b"first")
    for answer in (early, midway):
        answer.body.finish(StreamEnd("Unhandled", b"{}"))
    assert (early.failed_early, midway.failed_early) == (True, False)
