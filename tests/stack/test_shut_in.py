"""Functions from which nothing leads to the Internet: what they still reach, what hangs, and what the trace says of it.

Each is tried from within, by a real function in a network of its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from tests.waiting import wait_until
from trine.testing import RunningStack, running

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}
  Private: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.1.0/24}}
  PrivateTable: {Type: AWS::EC2::RouteTable, Properties: {VpcId: !Ref Vpc}}
  PrivateLink:
    Type: AWS::EC2::SubnetRouteTableAssociation
    Properties: {SubnetId: !Ref Private, RouteTableId: !Ref PrivateTable}
  Lucky: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.2.0/24}}
  LuckyTable: {Type: AWS::EC2::RouteTable, Properties: {VpcId: !Ref Vpc}}
  LuckyLink:
    Type: AWS::EC2::SubnetRouteTableAssociation
    Properties: {SubnetId: !Ref Lucky, RouteTableId: !Ref LuckyTable}
  LuckyRoute:
    Type: AWS::EC2::Route
    Properties: {RouteTableId: !Ref LuckyTable, DestinationCidrBlock: 0.0.0.0/0, NatGatewayId: nat-elsewhere}
  Endpoint:
    Type: AWS::EC2::VPCEndpoint
    Properties: {VpcId: !Ref Vpc, ServiceName: com.amazonaws.us-east-1.dynamodb, RouteTableIds: [!Ref PrivateTable]}
  Group: {Type: AWS::EC2::SecurityGroup, Properties: {VpcId: !Ref Vpc, GroupDescription: functions}}
  Users: {Type: AWS::Serverless::SimpleTable}
  Inside: &function
    Type: AWS::Serverless::Function
    Properties: &properties
      CodeUri: src/
      Handler: tries.handler
      Runtime: python3.12
      Timeout: 20
      Environment: {Variables: {TABLE: !Ref Users}}
      Policies: [{DynamoDBCrudPolicy: {TableName: !Ref Users}}]
      VpcConfig: {SubnetIds: [!Ref Private], SecurityGroupIds: [!Ref Group]}
  Leading:
    <<: *function
    Properties: {<<: *properties, VpcConfig: {SubnetIds: [!Ref Lucky], SecurityGroupIds: [!Ref Group]}}
  Ended: {<<: *function, Properties: {<<: *properties}}
  Custom:
    <<: *function
    Properties: {<<: *properties, CodeUri: custom/, Handler: none, Runtime: provided.al2023}
  Api:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: "def handler(event, context): return {'statusCode': 200}"
      Handler: index.handler
      Runtime: python3.12
      Events: {Any: {Type: HttpApi, Properties: {Path: /hello, Method: get}}}
"""
TRIES = """
import os, socket, boto3

def connect(address, seconds):
    try:
        with socket.create_connection(tuple(address), timeout=seconds) as connection:
            connection.sendall(b"GET /hello HTTP/1.1\\r\\nHost: there\\r\\n\\r\\n")
            return connection.recv(100).decode("latin-1")
    except OSError as error:
        return type(error).__name__ if error.errno is None else os.strerror(error.errno)

def handler(event, context):
    if event["try"] == "connect":
        return connect(event["address"], event["seconds"])
    if event["try"] == "interfaces":
        return {"names": [name for _, name in socket.if_nameindex()],
                "bind": connect(("127.0.0.1", 1), 5)}
    if event["try"] == "table":
        table = boto3.resource("dynamodb").Table(os.environ["TABLE"])
        table.put_item(Item={"id": event["id"]})
        return table.get_item(Key={"id": event["id"]})["Item"]
    if event["try"] == "raw":
        try:
            socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        except OSError as error:
            return os.strerror(error.errno)
"""
BOOTSTRAP = """#!/bin/sh
set -e
while true; do
  curl -sS -o /tmp/event -D /tmp/head "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/next"
  id=$(grep -i lambda-runtime-aws-request-id /tmp/head | tr -d '\\r' | cut -d' ' -f2)
  curl -sS -o /dev/null -d "\\"$AWS_LAMBDA_RUNTIME_API\\"" \\
    "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/$id/response"
done
"""


@pytest.fixture(scope="module")
def neighbour() -> Iterator[tuple[str, int]]:
    """A server on this machine that says what it is."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(100)
                    connection.sendall(b"a database")

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()
        listening.shutdown(socket.SHUT_RDWR)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, neighbour: tuple[str, int]) -> Iterator[RunningStack]:
    folder = tmp_path_factory.mktemp("shut-in")
    for name in ("src", "custom"):
        (folder / name).mkdir()
    (folder / "src" / "tries.py").write_text(TRIES)
    (folder / "custom" / "bootstrap").write_text(BOOTSTRAP)
    (folder / "custom" / "bootstrap").chmod(0o755)
    (folder / "template.yaml").write_text(TEMPLATE)
    with running(folder / "template.yaml", vpc_neighbours=(neighbour,)) as made:
        yield made


Try = Callable[..., Any]


@pytest.fixture
def attempt(stack: RunningStack) -> Try:
    """Invokes a function; what it answered and every refusal that its trace tells. Skips without own networks."""

    def invoke(function: str = "Inside", **event: Any) -> tuple[Any, list[Mapping[str, Any]]]:
        answer = stack.client("lambda").invoke(FunctionName=_name(stack, function), Payload=json.dumps(event))
        if stack.stack.wings.functions.machinery.interpreters.own_networks is False:
            pytest.skip("this system gives functions no networks of their own")
        body = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, body
        document = stack.explain(answer["ResponseMetadata"]["RequestId"])
        assert document is not None
        return body, list(_refusals(document))

    return invoke


def _name(stack: RunningStack, logical_id: str) -> str:
    return next(str(each["name"]) for each in stack.description["functions"] if each["logicalId"] == logical_id)


def _refusals(trace: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if trace["refusal"] is not None:
        yield trace["refusal"]
    for child in trace["children"]:
        yield from _refusals(child)


def test_there_is_nothing_but_the_loopback(attempt: Try) -> None:
    found, _ = attempt(**{"try": "interfaces"})
    assert found == {"names": ["lo"], "bind": "Connection refused"}


def _routes_missed(attempt: Try, address: list[Any]) -> list[Mapping[str, Any]]:
    # A server that is kept from running may hear of the packet after the function has given up: then once more.
    def tried() -> list[Mapping[str, Any]]:
        found, refusals = attempt(**{"try": "connect", "address": address, "seconds": 0.5})
        assert found == "TimeoutError"
        return [each for each in refusals if each["room"] == "ec2.route"]

    return wait_until(tried)


def test_the_internet_hangs_and_the_trace_names_the_missing_route(attempt: Try) -> None:
    for address in (["192.0.2.7", 443], ["10.0.9.9", 5432]):
        told = _routes_missed(attempt, address)[0]
        assert "no route leads from Private to the Internet" in told["reason"]
        assert told["hint"] == "add a route 0.0.0.0/0 to a NAT gateway"


def test_an_aws_service_with_an_endpoint_is_reached(attempt: Try) -> None:
    assert attempt(**{"try": "table", "id": "1"}) == ({"id": "1"}, [])


def test_the_machines_own_servers_are_out_of_reach_but_for_neighbours(
    attempt: Try, stack: RunningStack, neighbour: tuple[str, int]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        found, _ = attempt(**{"try": "connect", "address": other.getsockname(), "seconds": 5})
        assert found == "Connection refused"
    assert attempt(**{"try": "connect", "address": neighbour, "seconds": 5})[0] == "a database"


def test_the_front_door_is_on_the_internet(attempt: Try, stack: RunningStack) -> None:
    port = int(stack.url.rpartition(":")[2])
    told = _routes_missed(attempt, ["127.0.0.1", port])[0]
    assert "no route leads from Private to execute-api" in told["reason"]


def test_with_a_way_out_the_machines_network_is_the_functions(attempt: Try, stack: RunningStack) -> None:
    attempt(**{"try": "interfaces"})
    port = int(stack.url.rpartition(":")[2])
    found, _ = attempt("Leading", **{"try": "connect", "address": ["127.0.0.1", port], "seconds": 10})
    assert found.startswith("HTTP/1.1 200")


@pytest.mark.skipif(shutil.which("curl") is None, reason="the runtime of this test is written with curl")
def test_a_custom_runtime_finds_its_runtime_api(attempt: Try) -> None:
    assert attempt("Custom")[0] == "127.0.0.1:9001"


def test_raw_sockets_are_out_of_reach(attempt: Try) -> None:
    assert attempt(**{"try": "raw"})[0] == "Operation not permitted"


def test_the_start_says_who_is_shut_in(attempt: Try, stack: RunningStack) -> None:
    attempt(**{"try": "interfaces"})
    said = next(line for line in stack.description["problems"] if "nothing leads" in line)
    assert _name(stack, "Inside") in said
    assert _name(stack, "Leading") not in said


def test_nothing_of_an_ended_network_stays(attempt: Try, stack: RunningStack) -> None:
    attempt("Ended", **{"try": "interfaces"})  # which is there for this, whatever the order
    before = stack.call(_packet_sockets)
    stack.client("lambda").delete_function(FunctionName=_name(stack, "Ended"))
    wait_until(lambda: stack.call(_packet_sockets) < before)


def _packet_sockets() -> int:
    # Those that watch for what is sent in vain: one for each network.
    found = 0
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(int(name))) as each:
            found += each.family == socket.AF_PACKET
    return found
