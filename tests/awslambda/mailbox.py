"""A messenger for tests of the function wing: keeps what is sent, refuses what it is told to."""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Mapping
from typing import Any

from trine.aws.actor import Actor
from trine.aws.errors import AwsError
from trine.aws.queues import Outgoing


class Mailbox:
    """Messages by target."""

    def __init__(self, refusal: AwsError | None = None) -> None:
        self.sent: list[tuple[Outgoing, Actor]] = []
        self.refusal = refusal

    def send(self, message: Outgoing, actor: Actor) -> Future[None]:
        done: Future[None] = asyncio.get_running_loop().create_future()
        if self.refusal is not None:
            done.set_exception(self.refusal)
            return done
        self.sent.append((message, actor))
        done.set_result(None)
        return done

    def messages(self, arn: str) -> list[Mapping[str, Any]]:
        return [
            {"body": message.body, "attributes": dict(message.attributes)}
            for message, _ in self.sent
            if message.target_arn == arn
        ]
