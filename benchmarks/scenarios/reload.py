"""A saved file: how long until a call is answered by what was saved, with one call after the other from then on."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

from benchmarks.front_servers import FrontServer
from benchmarks.load import LoadFailed
from benchmarks.wire import Wire

PATH = "/hello"
GOAL_MILLISECONDS = 50.0
SAVES = 10
PATIENCE_SECONDS = 10.0
HANDLER = """import json

def handler(event, context):
    return {{"statusCode": 200, "headers": {{"content-type": "application/json"}}, "body": json.dumps({{"saved": {}}})}}
"""


def measure(server: FrontServer, source: Path) -> float:
    """Milliseconds from a save of `source`, the function's file, to the first answer of the new code; the median of
    some. The file is as before afterwards. Raises LoadFailed."""
    before = source.read_text()
    spent = []
    try:
        with Wire(server.port) as wire:
            for number in range(SAVES):
                source.write_text(HANDLER.format(number))
                since = time.perf_counter()
                while wire.ask_json(server.request(PATH)) != (200, {"saved": number}):
                    if time.perf_counter() - since > PATIENCE_SECONDS:
                        raise LoadFailed(f"a saved file did not answer within {PATIENCE_SECONDS:g} s")
                spent.append(time.perf_counter() - since)
    finally:
        source.write_text(before)
    return median(spent) * 1000
