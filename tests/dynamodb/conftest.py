"""Attribute values as hypothesis draws them (`data.draw(drawn.items)`), and a table server on a free port."""

from __future__ import annotations

import asyncio
import itertools
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.config import Config
from hypothesis import strategies as st

from tests.waiting import PATIENCE_SECONDS
from trine.aws.arn import Place
from trine.aws.ids import SeededIds
from trine.clock import SystemClock
from trine.dynamodb.endpoint import DynamoDB
from trine.http.server import serve
from trine.iam.access import Access
from trine.kv.memory import MemoryStore
from trine.trace import TraceBook

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)
binaries = st.binary(max_size=12).map(lambda data: b64encode(data).decode())
numbers = st.one_of(
    st.integers(-(10**12), 10**12).map(str),
    st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9).map(str),
)
scalars = st.one_of(
    texts.map(lambda text: {"S": text}),
    numbers.map(lambda number: {"N": number}),
    binaries.map(lambda data: {"B": data}),
    st.booleans().map(lambda answer: {"BOOL": answer}),
    st.just({"NULL": True}),
    st.lists(texts, min_size=1, max_size=4, unique=True).map(lambda found: {"SS": found}),
    st.lists(st.integers(-99, 99).map(str), min_size=1, max_size=4, unique=True).map(lambda found: {"NS": found}),
    st.lists(binaries, min_size=1, max_size=4, unique=True).map(lambda found: {"BS": found}),
)


def _nested(children: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.one_of(
        st.lists(children, max_size=3).map(lambda found: {"L": found}),
        st.dictionaries(names, children, max_size=3).map(lambda found: {"M": found}),
    )


values = st.recursive(scalars, _nested, max_leaves=8)
items = st.dictionaries(names, values, max_size=5)
anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), texts),
    lambda children: st.one_of(
        st.lists(children, max_size=3),
        st.dictionaries(
            st.one_of(st.sampled_from(["S", "N", "B", "SS", "NS", "BS", "M", "L", "BOOL", "NULL"]), texts),
            children,
            max_size=3,
        ),
    ),
    max_leaves=10,
)


@pytest.fixture(scope="session")
def drawn() -> SimpleNamespace:
    """Strategies: `values`, `items` (valid), `scalars`, `names`, `anything` (any JSON, almost right or not)."""
    return SimpleNamespace(values=values, items=items, scalars=scalars, names=names, anything=anything)


class TableServer:
    """A table endpoint over memory in a thread of its own, with real sockets and signatures."""

    def __init__(self) -> None:
        self.port = 0
        self.loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._ready.wait(PATIENCE_SECONDS)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self._serve())
        self.loop.close()

    async def _serve(self) -> None:
        clock, ids = SystemClock(), SeededIds(7)
        self.access = Access(clock, ids)
        self.key = self.access.owner_credentials()
        self.traces = TraceBook(clock)
        self.table = DynamoDB(MemoryStore(clock), clock, ids, self.access, Place(), self.traces, throttling=False)
        self.table.start()
        server = await serve(self.table.handle, clock=clock, error_response=self.table.error_response)
        self.port = server.port
        self._ready.set()
        await self._stop.wait()
        await server.close()
        await self.table.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def credentials(self) -> dict[str, str]:
        return {
            "aws_access_key_id": self.key.access_key_id,
            "aws_secret_access_key": self.key.secret_access_key,
            "region_name": "us-east-1",
        }

    def client(self, service: str = "dynamodb", **config: Any) -> Any:
        settings = Config(retries={"max_attempts": 0}, parameter_validation=False, **config)
        return boto3.client(service, endpoint_url=self.url, config=settings, **self.credentials)

    def call(self, work: Callable[[], Any]) -> Any:
        """Run `work` on the server's loop; what it returns, awaited when it is awaitable."""

        async def run() -> Any:
            done = work()
            return await done if hasattr(done, "__await__") else done

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(PATIENCE_SECONDS)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(PATIENCE_SECONDS)


@pytest.fixture(scope="session")
def table_server() -> Iterator[TableServer]:
    server = TableServer()
    yield server
    server.close()


@pytest.fixture(scope="session")
def client(table_server: TableServer) -> Any:
    """A boto3 client that leaves all validation to the server."""
    return table_server.client()


_numbers = itertools.count(1)
_DEFINED = {"p": "S", "s": "S", "n": "N", "b": "B", "g": "S", "h": "N", "l": "S"}


@pytest.fixture
def new_table(client: Any) -> Callable[..., str]:
    """Makes a table with a name of its own: `new_table("p", "s", GlobalSecondaryIndexes=[...])`; types by letter."""

    def make(*key: str, **more: Any) -> str:
        name = f"Table{next(_numbers)}"
        used = {*key}
        for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
            used |= {element["AttributeName"] for index in more.get(kind, ()) for element in index["KeySchema"]}
        client.create_table(
            **{
                "TableName": name,
                "BillingMode": "PAY_PER_REQUEST",
                "KeySchema": [
                    {"AttributeName": attribute, "KeyType": role}
                    for attribute, role in zip(key, ("HASH", "RANGE"), strict=False)
                ],
                "AttributeDefinitions": [
                    {"AttributeName": attribute, "AttributeType": _DEFINED[attribute]} for attribute in sorted(used)
                ],
                **more,
            }
        )
        return name

    return make
