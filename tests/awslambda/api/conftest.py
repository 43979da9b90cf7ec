"""The Lambda API behind a real socket, and boto3 to talk to it."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import botocore.config
import botocore.exceptions
import pytest

from trine.awslambda.endpoint import lambda_api
from trine.http.server import serve
from trine.iam.door import ServiceDoor


def package(answer: str) -> bytes:
    """A zip with a handler that answers `answer`."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        entry = zipfile.ZipInfo("app.py")  # of a fixed date: made again, it is the same package
        entry.external_attr = 0o644 << 16
        archive.writestr(entry, f"def handler(event, context):\n    return {answer!r}\n")
    return packed.getvalue()


class Api:
    """A boto3 client of the endpoint; calls run while the lab's loop does."""

    def __init__(self, lab: Any) -> None:
        self.lab = lab
        endpoint = ServiceDoor(lambda_api(lab.service, lab.ids), lab.access, lab.ids, lab.traces)
        self.server = lab.run(serve(endpoint.handle, "127.0.0.1", 0, clock=lab.clock))
        self.client = self.client_with(lab.access.owner_credentials())

    def client_with(self, key: Any) -> Any:
        """A boto3 client with the access key or session of someone."""
        return boto3.client(
            "lambda",
            region_name="us-east-1",
            endpoint_url=f"http://127.0.0.1:{self.server.port}",
            aws_access_key_id=key.access_key_id,
            aws_secret_access_key=key.secret_access_key,
            aws_session_token=getattr(key, "session_token", None),
            config=botocore.config.Config(retries={"max_attempts": 0}),
        )

    def close(self) -> None:
        """End the server."""
        self.lab.run(self.server.close())

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**members: Any) -> Any:
            return self.lab.run(asyncio.to_thread(getattr(self.client, name), **members))

        return call

    def refused(self, name: str, **members: Any) -> str:
        """The error code that a call ends with."""
        with pytest.raises(botocore.exceptions.ClientError) as error:
            getattr(self, name)(**members)
        return str(error.value.response["Error"]["Code"])

    def answer(self, name: str, **members: Any) -> Any:
        """What a function answers."""
        return json.loads(self.invoke(FunctionName=name, **members)["Payload"].read())


@pytest.fixture(scope="module")
def api(lab: Any) -> Iterator[Api]:
    """The shared lab behind the Lambda API."""
    made = Api(lab)
    yield made
    made.close()
