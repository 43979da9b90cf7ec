"""The first call of a function that imports boto3 and makes a client, on a server just started."""

from __future__ import annotations

import time

from benchmarks.front_servers import FrontServer
from benchmarks.load import LoadFailed
from benchmarks.scenarios import get_user
from benchmarks.wire import Wire

PATH = "/users/u7"
GOAL_MILLISECONDS = 40.0


def measure(server: FrontServer) -> float:
    """Milliseconds from request to answer; to be called once for each start. Raises LoadFailed."""
    with Wire(server.port) as wire:
        since = time.perf_counter()
        status, answer = wire.ask_json(server.request(PATH))
        spent = time.perf_counter() - since
    if status != 200 or not get_user.check(PATH, answer):
        raise LoadFailed(f"{status} {answer}")
    return spent * 1000
