"""The Lambda API's control plane with boto3: functions made and changed by it, versions, aliases, permissions."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore.config
import botocore.exceptions
import pytest

from trine.awslambda.endpoint import Endpoint
from trine.awslambda.function_store import FunctionStore, KeptFunction
from trine.http.server import serve


def package(answer: str) -> bytes:
    """A zip with a handler that answers `answer`."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", f"def handler(event, context):\n    return {answer!r}\n")
    return packed.getvalue()


class Api:
    """A boto3 client of the endpoint; calls run while the lab's loop does."""

    def __init__(self, lab: Any) -> None:
        self.lab = lab
        endpoint = Endpoint(lab.service, lab.access, lab.ids, lab.traces)
        self.server = lab.run(serve(endpoint.handle, "127.0.0.1", 0, clock=lab.clock))
        key = lab.access.owner_credentials()
        self.client = boto3.client(
            "lambda",
            region_name="us-east-1",
            endpoint_url=f"http://127.0.0.1:{self.server.port}",
            aws_access_key_id=key.access_key_id,
            aws_secret_access_key=key.secret_access_key,
            config=botocore.config.Config(retries={"max_attempts": 0}),
        )

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
    made = Api(lab)
    yield made
    lab.run(made.server.close())


def test_a_functions_life(api: Api) -> None:
    made = api.create_function(
        FunctionName="made",
        Runtime="python3.11",
        Handler="app.handler",
        Role=api.lab.role,
        Code={"ZipFile": package("one")},
        Timeout=5,
        Environment={"Variables": {"KEY": "value"}},
    )
    assert (made["State"], made["Version"], made["Timeout"]) == ("Active", "$LATEST", 5)
    assert api.answer("made") == "one"
    assert api.refused(
        "create_function",
        FunctionName="made",
        Runtime="python3.11",
        Handler="app.handler",
        Role=api.lab.role,
        Code={"ZipFile": package("x")},
    ) == "ResourceConflictException"  # fmt: skip
    updated = api.update_function_code(FunctionName="made", ZipFile=package("two"))
    assert updated["CodeSha256"] != made["CodeSha256"]
    assert api.answer("made") == "two"
    changed = api.update_function_configuration(FunctionName="made", MemorySize=256, Timeout=6)
    assert (changed["MemorySize"], changed["Timeout"], changed["Environment"]) == (
        256, 6, {"Variables": {"KEY": "value"}})  # fmt: skip
    stale = made["RevisionId"]
    assert (
        api.refused("update_function_code", FunctionName="made", ZipFile=package("x"), RevisionId=stale)
        == "PreconditionFailedException"
    )
    api.delete_function(FunctionName="made")
    assert api.refused("get_function", FunctionName="made") == "ResourceNotFoundException"


def test_what_cannot_be_made(api: Api) -> None:
    good = {
        "FunctionName": "never",
        "Runtime": "python3.11",
        "Handler": "app.handler",
        "Role": api.lab.role,
        "Code": {"ZipFile": package("x")},
    }
    nobody = "arn:aws:iam::123456789012:role/nobody"
    assert api.refused("create_function", **{**good, "Role": nobody}) == "InvalidParameterValueException"
    assert api.refused("create_function", **{**good, "Timeout": 901}) in (
        "InvalidParameterValueException",
        "ValidationException",
    )
    assert api.refused("create_function", **{**good, "Code": {"ZipFile": b"no zip"}}) == "InvalidZipFileException"
    assert (
        api.refused("create_function", **{**good, "Code": {"S3Bucket": "bkt", "S3Key": "k"}})
        == "InvalidParameterValueException"
    )


def test_versions_and_aliases(api: Api) -> None:
    api.create_function(
        FunctionName="aliased",
        Runtime="python3.11",
        Handler="app.handler",
        Role=api.lab.role,
        Code={"ZipFile": package("one")},
        Publish=True,
    )
    api.update_function_code(FunctionName="aliased", ZipFile=package("two"))
    assert api.publish_version(FunctionName="aliased")["Version"] == "2"
    versions = api.list_versions_by_function(FunctionName="aliased")["Versions"]
    assert [version["Version"] for version in versions] == ["$LATEST", "1", "2"]
    alias = api.create_alias(FunctionName="aliased", Name="live", FunctionVersion="1")
    assert alias["AliasArn"].endswith(":function:aliased:live")
    assert api.answer("aliased", Qualifier="live") == "one"
    api.update_alias(FunctionName="aliased", Name="live", FunctionVersion="2")
    assert api.answer("aliased:live") == "two"
    assert api.get_alias(FunctionName="aliased", Name="live")["FunctionVersion"] == "2"
    assert [a["Name"] for a in api.list_aliases(FunctionName="aliased")["Aliases"]] == ["live"]
    api.delete_alias(FunctionName="aliased", Name="live")
    assert api.refused("get_alias", FunctionName="aliased", Name="live") == "ResourceNotFoundException"
    assert api.get_function_configuration(FunctionName="aliased", Qualifier="1")["Version"] == "1"


def test_permissions(api: Api) -> None:
    api.lab.put("app.hello", "permitted")
    added = api.add_permission(
        FunctionName="permitted",
        StatementId="events",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn="arn:aws:events:us-east-1:123456789012:rule/r",
    )
    assert json.loads(added["Statement"])["Sid"] == "events"
    policy = json.loads(api.get_policy(FunctionName="permitted")["Policy"])
    assert policy["Statement"][0]["Condition"]["ArnLike"]["AWS:SourceArn"].endswith("rule/r")
    again = {"StatementId": "events", "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com"}
    assert api.refused("add_permission", FunctionName="permitted", **again) == "ResourceConflictException"
    api.remove_permission(FunctionName="permitted", StatementId="events")
    assert api.refused("get_policy", FunctionName="permitted") == "ResourceNotFoundException"
    assert api.refused("remove_permission", FunctionName="permitted", StatementId="x") == "ResourceNotFoundException"


def test_event_configurations(api: Api) -> None:
    api.lab.put("app.hello", "configured")
    assert api.refused("get_function_event_invoke_config", FunctionName="configured") == "ResourceNotFoundException"
    target = "arn:aws:sqs:us-east-1:123456789012:failed"
    api.put_function_event_invoke_config(
        FunctionName="configured", MaximumRetryAttempts=1, DestinationConfig={"OnFailure": {"Destination": target}}
    )
    shown = api.get_function_event_invoke_config(FunctionName="configured")
    assert shown["MaximumRetryAttempts"] == 1
    assert shown["DestinationConfig"]["OnFailure"] == {"Destination": target}
    api.delete_function_event_invoke_config(FunctionName="configured")
    assert api.refused("get_function_event_invoke_config", FunctionName="configured") == "ResourceNotFoundException"


def test_functions_of_the_api_are_found_again(tmp_path: Path) -> None:
    documents: dict[tuple[str, str], Any] = {}

    class Catalogue:
        def get(self, kind: str, name: str) -> Any:
            return documents.get((kind, name))

        def list(self, kind: str) -> Iterator[tuple[str, Any]]:
            return iter([(name, document) for (k, name), document in sorted(documents.items()) if k == kind])

        def put(self, kind: str, name: str, document: Any) -> asyncio.Future[None]:
            documents[kind, name] = json.loads(json.dumps(document))
            return self._done()

        def delete(self, kind: str, name: str) -> asyncio.Future[None]:
            documents.pop((kind, name), None)
            return self._done()

        def _done(self) -> asyncio.Future[None]:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            future.set_result(None)
            return future

    async def scene() -> None:
        store = FunctionStore(Catalogue())
        kept = KeptFunction({"FunctionName": "f"}, tmp_path, [{"Action": "lambda:InvokeFunction"}])
        await store.put("f", kept)
        await store.put("gone", KeptFunction({"FunctionName": "gone"}, tmp_path / "missing", []))
        assert list(FunctionStore(Catalogue()).load()) == [kept]
        await store.remove("f")
        assert not store.has("f")

    asyncio.run(scene())
