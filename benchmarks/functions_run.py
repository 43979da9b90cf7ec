"""The function wing alone: cold starts, a hundred at once, what a hot call adds, what the SDK costs inside a function.

Real environments in a service of this process, on a loop of its own; costs of the SDK are processor time of the
function itself, against a table that answers at once. Medians, or the best of many short rounds where it says so.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from statistics import median
from typing import Any

from trine.aws.arn import Place
from trine.aws.ids import SystemIds
from trine.aws.invoke import InvokeRequest
from trine.awslambda.environments.memory import shared_out_bytes
from trine.awslambda.service import Service
from trine.clock import SystemClock
from trine.http.loop import new_event_loop
from trine.http.message import Request, Response
from trine.http.server import serve
from trine.iam.access import Access
from trine.trace import TraceBook

COLD_STARTS = 20
AT_ONCE = 100
BUSY_SECONDS = 1.5
HOT_CALLS = 3_000
GOALS = {"hello": 15.0, "boto3 with a client": 40.0, "hello in Node.js": 70.0, "first client": 10.0}
"""Milliseconds."""
AT_ONCE_GOAL_SECONDS = 1.5
OVERHEAD_GOAL_MICROS = 150.0
SDK_GOALS = {"quick": 200.0, "straight": 70.0}
"""Microseconds of processor time for a get_item."""
SDK_WORK = ("get_item", "put_item", "query of 10", "Table.get_item", "Table.query of 10")

_CODE = {
    "hello.py": "def handler(event, context):\n    return {'statusCode': 200}\n",
    "busy.py": f"import time\ndef handler(event, context):\n    time.sleep({BUSY_SECONDS})\n",
    "client.py": (
        "import time\nimport boto3\nbegan = time.perf_counter()\nclient = boto3.client('dynamodb')\n"
        "spent = (time.perf_counter() - began) * 1000\ndef handler(event, context):\n    return spent\n"
    ),
    "calls.py": (
        "import time\nimport boto3\nfrom boto3.dynamodb.conditions import Key\n"
        "client = boto3.client('dynamodb')\ntable = boto3.resource('dynamodb').Table('t')\n"
        "item = {'id': {'S': 'user'}, 'n': {'N': '12'}, 'tags': {'L': [{'S': 'a'}, {'S': 'b'}]}}\n"
        "WORK = {\n"
        "    'get_item': lambda: client.get_item(TableName='t', Key={'id': {'S': 'user'}}),\n"
        "    'put_item': lambda: client.put_item(TableName='t', Item=item),\n"
        "    'query of 10': lambda: client.query(TableName='t', KeyConditionExpression='id = :i',\n"
        "                                        ExpressionAttributeValues={':i': {'S': 'user'}}),\n"
        "    'Table.get_item': lambda: table.get_item(Key={'id': 'user'}),\n"
        "    'Table.query of 10': lambda: table.query(KeyConditionExpression=Key('id').eq('user')),\n"
        "}\n"
        "def handler(event, context):\n    call = WORK[event['work']]\n"
        "    for _ in range(100):\n        call()\n    best = 1e9\n    for _ in range(event['rounds']):\n"
        "        began = time.process_time()\n        for _ in range(20):\n            call()\n"
        "        best = min(best, (time.process_time() - began) / 20)\n    return best * 1e6\n"
    ),
    "hello.js": "exports.handler = async () => ({ statusCode: 200 });\n",
}
_ITEM = {"id": {"S": "user"}, "name": {"S": "Name"}, "n": {"N": "12"}, "tags": {"L": [{"S": "a"}, {"S": "b"}]}}
_TRUST = {
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]
}


class Bench:
    """One service and the means to drive it."""

    def __init__(self, folder: Path) -> None:
        self._runner = asyncio.Runner(loop_factory=new_event_loop)
        self.code = folder / "code"
        self.code.mkdir()
        for name, text in _CODE.items():
            (self.code / name).write_text(text)
        clock, ids = SystemClock(), SystemIds()
        access = Access(clock, ids)
        self.role = access.put_role({"AssumeRolePolicyDocument": _TRUST}, "function-role")
        self.service = Service(
            clock, ids, access, Place(), TraceBook(clock), folder / "state", "http://127.0.0.1:9", throttling=False
        )
        self._made = 0
        self.run(self._open())

    async def _open(self) -> None:
        # A table that answers at once, in a thread of its own so that it does not wait for this loop.
        bodies = {
            name: json.dumps(value).encode()
            for name, value in (
                ("GetItem", {"Item": _ITEM}), ("PutItem", {}), ("Query", {"Items": [_ITEM] * 10, "Count": 10}))
        }  # fmt: skip
        ready = threading.Event()
        port: list[int] = []

        async def answer() -> None:
            headers = [(b"content-type", b"application/x-amz-json-1.0")]

            def handle(request: Request) -> Response:
                target = request.headers.get(b"x-amz-target") or b""
                return Response(200, list(headers), bodies[target.rpartition(b".")[2].decode()])

            server = await serve(handle, clock=SystemClock())
            port.append(server.port)
            ready.set()
            await asyncio.Event().wait()

        threading.Thread(target=lambda: asyncio.run(answer()), daemon=True).start()
        await asyncio.to_thread(ready.wait)
        self.service.machinery.starter.endpoint_url = f"http://127.0.0.1:{port[0]}"
        self.service.start()
        await self.service.warm()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run `work` to its end."""
        return self._runner.run(work)

    def put(self, handler: str, runtime: str = f"python3.{sys.version_info.minor}", **variables: str) -> str:
        """A new function of its own; its name."""
        self._made += 1
        name = f"bench-{self._made}"
        properties = {
            "FunctionName": name, "Handler": handler, "Runtime": runtime, "Role": self.role, "MemorySize": 1024,
            "Timeout": 60, "Environment": {"Variables": variables},
        }  # fmt: skip

        async def inside() -> None:
            self.service.deployment.put_function(properties, self.code)

        self.run(inside())
        return name

    async def invoke(self, name: str, event: Any = None) -> Any:
        """The answer of one call. RuntimeError when the function failed."""
        response = await self.service.invoke(InvokeRequest(name, json.dumps(event).encode()))
        if response.function_error is not None:
            raise RuntimeError(response.payload.decode())
        return json.loads(response.payload)

    def timed(self, name: str, event: Any = None) -> tuple[float, Any]:
        """(milliseconds, answer) of one call."""
        began = time.perf_counter()
        answer = self.run(self.invoke(name, event))
        return (time.perf_counter() - began) * 1000, answer

    def close(self) -> None:
        """End everything."""
        self.run(self.service.close())
        self._runner.close()


def cold(bench: Bench) -> dict[str, float]:
    """Milliseconds of first calls by what the function does; the first client of a cold environment on its own."""
    found: dict[str, float] = {}
    kinds: dict[str, tuple[str, dict[str, str]]] = {
        "hello": ("hello.handler", {}),
        "boto3 with a client": ("client.handler", {}),
    }
    if shutil.which("node"):
        kinds["hello in Node.js"] = ("hello.handler", {"runtime": "nodejs20.x"})
    for title, (handler, more) in kinds.items():
        calls = [bench.timed(bench.put(handler, **more)) for _ in range(COLD_STARTS)]
        found[title] = median(spent for spent, _ in calls)
        if handler == "client.handler":
            found["first client"] = median(float(answer) for _, answer in calls)
    return found


def at_once(bench: Bench) -> tuple[float, int, float]:
    """(seconds that a hundred cold environments take beside their work, how many there were, MiB of each with shared
    pages counted once). Each is held at work for a while, so that none can answer for another."""
    name = bench.put("busy.handler")

    async def everything() -> float:
        began = time.perf_counter()
        await asyncio.gather(*(bench.invoke(name) for _ in range(AT_ONCE)))
        return time.perf_counter() - began - BUSY_SECONDS

    seconds = bench.run(everything())
    pool = bench.service.registry.find(name)[0].pool
    pids = [environment.supervisor_pid for environment in pool.environments]
    shares = [shared_out_bytes(pid) / 1_048_576 for pid in pids if pid is not None]
    return seconds, len(pids), median(shares)


def hot(bench: Bench) -> tuple[float, float]:
    """Microseconds (p50) of a hot call through HTTP and the function, and of the handler in a loop."""
    name = bench.put("hello.handler")

    async def load() -> float:
        def handle(_: Request) -> Any:
            future = asyncio.get_running_loop().create_future()
            done = bench.service.invoke(InvokeRequest(name, b"{}"))
            done.add_done_callback(lambda found: future.set_result(Response(200, [], found.result().payload)))
            return future

        server = await serve(handle, clock=SystemClock())
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        spent = []
        for _ in range(HOT_CALLS):
            began = time.perf_counter()
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            await reader.readuntil(b"}")
            spent.append(time.perf_counter() - began)
        writer.close()
        await server.close()
        return median(spent) * 1e6

    namespace: dict[str, Callable[..., Any]] = {}
    exec(_CODE["hello.py"], namespace)
    began = time.perf_counter()
    for _ in range(HOT_CALLS):
        namespace["handler"]({}, None)
    alone = (time.perf_counter() - began) / HOT_CALLS * 1e6
    return bench.run(load()), alone


def sdk(bench: Bench) -> dict[str, dict[str, float]]:
    """Microseconds of processor time for calls inside a function, by work and way: stock, by default and by choice."""
    ways = {"stock": {"TRINE_SDK": "stock"}, "quick": {}, "straight": {"TRINE_SDK": "straight"}}
    names = {way: bench.put("calls.handler", **variables) for way, variables in ways.items()}
    found = {work: dict.fromkeys(ways, float("inf")) for work in SDK_WORK}
    for work, costs in found.items():
        for _ in range(5 if work == "get_item" else 2):  # in turns: other work on the machine then hits all of them
            for way, name in names.items():
                costs[way] = min(costs[way], float(bench.timed(name, {"work": work, "rounds": 10})[1]))
    return found


def _verdict(value: float, goal: float, unit: str) -> str:
    return f"{value:.4g} {unit} (goal ≤ {goal:g}): {'reached' if value <= goal else '**missed**'}"


def run() -> str:
    """Measure everything; Markdown."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        try:
            lines = [
                f"- first call, {title}: {_verdict(spent, GOALS[title], 'ms')}" for title, spent in cold(bench).items()
            ]
            seconds, count, each = at_once(bench)
            lines.append(
                f"- {count} cold environments at once: {_verdict(seconds, AT_ONCE_GOAL_SECONDS, 's')}; "
                f"{each:.1f} MiB each, what they share with the zygote counted once"
            )
            through, alone = hot(bench)
            lines.append(f"- a hot call adds, p50: {_verdict(through - alone, OVERHEAD_GOAL_MICROS, 'µs')}")
            work = sdk(bench)
            costs = work.pop("get_item")
            lines.append(f"- get_item in a function, stock: {costs['stock']:.0f} µs of processor time")
            lines += [
                f"- get_item in a function, {way}: {_verdict(costs[way], goal, 'µs')}"
                for way, goal in SDK_GOALS.items()
            ]
            lines += [
                f"- {name} in a function: {each['stock']:.0f} µs stock, {each['quick']:.0f} by default, "
                f"{each['straight']:.0f} straight"
                for name, each in work.items()
            ]
        finally:
            bench.close()
    return "\n".join(lines)
