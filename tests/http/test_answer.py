"""The future whose listener hears of it at once."""

from __future__ import annotations

import asyncio
from asyncio import Future
from typing import Any

from trine.http.answer import Answer, when_settled


def test_the_listener_is_called_within_set_result() -> None:
    async def scene() -> None:
        heard: list[int] = []
        answer: Answer[int] = Answer(loop=asyncio.get_running_loop())
        when_settled(answer, lambda done: heard.append(done.result()))
        answer.set_result(7)
        assert heard == [7]
        assert await answer == 7

    asyncio.run(scene())


def test_the_listener_is_called_within_set_exception() -> None:
    async def scene() -> None:
        heard: list[BaseException | None] = []
        answer: Answer[int] = Answer(loop=asyncio.get_running_loop())
        when_settled(answer, lambda done: heard.append(done.exception()))
        answer.set_exception(ValueError("no"))
        assert [str(error) for error in heard] == ["no"]

    asyncio.run(scene())


def test_a_cancelled_answer_tells_its_listener_in_the_next_round() -> None:
    async def scene() -> None:
        heard: list[bool] = []
        answer: Answer[int] = Answer(loop=asyncio.get_running_loop())
        when_settled(answer, lambda done: heard.append(done.cancelled()))
        assert answer.cancel()
        assert not answer.cancel()
        assert heard == []
        await asyncio.sleep(0)
        assert heard == [True]

    asyncio.run(scene())


def test_a_second_listener_and_a_settled_answer_wait_for_the_next_round() -> None:
    async def scene() -> None:
        heard: list[str] = []
        answer: Answer[int] = Answer(loop=asyncio.get_running_loop())
        when_settled(answer, lambda _: heard.append("first"))
        when_settled(answer, lambda _: heard.append("second"))
        answer.set_result(1)
        when_settled(answer, lambda _: heard.append("late"))
        assert heard == ["first"]
        await asyncio.sleep(0)
        assert heard == ["first", "second", "late"]

    asyncio.run(scene())


def test_any_other_future_works_as_before() -> None:
    async def scene() -> None:
        heard: list[int] = []
        future: Future[int] = asyncio.get_running_loop().create_future()
        when_settled(future, lambda done: heard.append(done.result()))
        future.set_result(3)
        await asyncio.sleep(0)
        assert heard == [3]

    asyncio.run(scene())


def test_a_fault_of_the_listener_is_not_the_answerer_s() -> None:
    async def scene() -> None:
        loop, reported = asyncio.get_running_loop(), list[dict[str, Any]]()
        loop.set_exception_handler(lambda _, context: reported.append(context))
        answer: Answer[int] = Answer(loop=loop)

        def fail(_: Future[int]) -> None:
            raise RuntimeError("broken")

        when_settled(answer, fail)
        answer.set_result(1)
        assert [str(context["exception"]) for context in reported] == ["broken"]
        assert answer.result() == 1

    asyncio.run(scene())


def test_a_listener_never_overtakes_a_callback_that_was_there_before() -> None:
    async def scene() -> None:
        heard: list[str] = []
        answer: Answer[int] = Answer(loop=asyncio.get_running_loop())
        answer.add_done_callback(lambda done: heard.append("callback"))
        when_settled(answer, lambda done: heard.append("listener"))
        answer.set_result(1)
        assert heard == []
        await asyncio.sleep(0)
        assert heard == ["callback", "listener"]

    asyncio.run(scene())
